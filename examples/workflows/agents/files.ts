import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname, extname, join, relative, resolve, sep } from "node:path";
import { defineAgent } from "troupe";
import { z } from "zod";

/** Folders that hold nothing of the author's. */
const skipped = new Set(["node_modules", ".git", "dist"]);
/** Most files that are listed; a larger folder is refused, not cut. */
const filesMax = 5_000;

/** The place of a file in a folder; a path that leads out of it is refused. */
export function within(folder: string, path: string): string {
  const place = resolve(folder, path);
  if (place !== resolve(folder) && !place.startsWith(resolve(folder) + sep))
    throw new RangeError(`${path} leads out of ${folder}`);
  return place;
}

export async function listFiles(folder: string, ending = ""): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((path) => path.endsWith(ending) && !path.split(sep).some((part) => skipped.has(part)))
    .toSorted();
  if (files.length > filesMax)
    throw new RangeError(`${folder} has ${files.length} files; at most ${filesMax} are read`);
  return files;
}

const place = z.object({ folder: z.string(), path: z.string() });

/** Lists, reads, writes and removes files of one folder. Each of these done twice is the same as done once. */
export const files = defineAgent({
  name: "files",
  concurrency: 8,
  capabilities: {
    "files.list": {
      idempotent: true,
      input: z.object({ folder: z.string(), ending: z.string().default("") }),
      output: z.array(z.object({ path: z.string(), bytes: z.number(), lines: z.number(), kind: z.string() })),
      async run({ input: { folder, ending }, fail }) {
        const paths = await listFiles(folder, ending).catch((error: Error) => fail("files/unreadable", error.message));
        return Promise.all(
          paths.map(async (path) => {
            const { size } = await stat(join(folder, path));
            const text = await readFile(join(folder, path), "utf8");
            return { path, bytes: size, lines: text.split("\n").length, kind: extname(path).slice(1) };
          }),
        );
      },
    },
    "files.read": {
      idempotent: true,
      input: place,
      output: z.object({ text: z.string() }),
      async run({ input: { folder, path }, fail }) {
        const text = await readFile(within(folder, path), "utf8").catch((error: Error) =>
          fail("files/unreadable", error.message, { path }),
        );
        return { text };
      },
    },
    "files.write": {
      idempotent: true,
      input: place.extend({ text: z.string() }),
      output: z.object({ path: z.string(), bytes: z.number() }),
      async run({ input: { folder, path, text } }) {
        const file = within(folder, path);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, text);
        return { path, bytes: Buffer.byteLength(text) };
      },
    },
    "files.remove": {
      idempotent: true,
      input: place,
      output: z.null(),
      async run({ input: { folder, path } }) {
        await rm(within(folder, path), { recursive: true, force: true });
        return null;
      },
    },
  },
});

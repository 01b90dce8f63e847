import { lstat, opendir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Ignore } from "ignore";
import type { ProjectFile } from "./files.ts";
import { loadLibrary } from "./libraries.ts";
import { depthMax, entriesMax, filesMax, folderEntriesMax, ignoreBytesMax } from "./limits.ts";
import type { Pace } from "./pace.ts";
import { languageOf, rankCount, rankOf, roleOf } from "./roles.ts";

/** What the walk saw and what it left out. Counts, never silence. */
export interface Walk {
  readonly files: readonly ProjectFile[];
  readonly folders: number;
  /** Files seen, also those not kept, and entries that were only counted. */
  readonly seen: number;
  /** Sentences that say what was left out and why. */
  readonly omissions: readonly string[];
}

const skippedFolders = new Set(
  "node_modules .git .hg .svn .jj jspm_packages .venv venv __pycache__ .tox .nox .mypy_cache .pytest_cache .ruff_cache .next .nuxt .svelte-kit .cache .parcel-cache .turbo .yarn .pnpm-store coverage .nyc_output .troupe .gradle .idea .vs .terraform site-packages".split(
    " ",
  ),
);

type CreateIgnore = Extract<
  Awaited<ReturnType<typeof loadLibrary<"ignore">>>,
  { readonly ok: true }
>["exports"]["default"];

interface Folder {
  readonly path: string;
  readonly depth: number;
  readonly rules: readonly { readonly base: string; readonly ignore: Ignore }[];
}

interface Tally {
  entries: number;
  seen: number;
  folders: number;
  skipped: number;
  ignored: number;
  symlinks: number;
  special: number;
  unreadable: number;
  tooDeep: number;
  uncounted: number;
  stopped: boolean;
}

type Kept = { readonly path: string; readonly depth: number };

/**
 * Walks a folder breadth first, within the limits of limits.ts: symbolic links are not followed, dependency and
 * cache folders and what .gitignore names are skipped, and of the rest the most telling files are kept.
 */
export async function walkFolder(root: string, pace: Pace): Promise<Walk> {
  const tally: Tally = {
    entries: 0,
    seen: 0,
    folders: 0,
    skipped: 0,
    ignored: 0,
    symlinks: 0,
    special: 0,
    unreadable: 0,
    tooDeep: 0,
    uncounted: 0,
    stopped: false,
  };
  const ranks: Kept[][] = Array.from({ length: rankCount }, () => []);
  const matcher = await loadLibrary("ignore");
  const queue: Folder[] = [{ path: "", depth: 0, rules: [] }];
  for (let head = 0; head < queue.length && !tally.stopped; head++) {
    const folder = queue[head] as Folder;
    const rules = matcher.ok ? await withIgnoreFile(root, folder, matcher.exports.default) : folder.rules;
    const names = await readFolder(root, folder, tally, pace);
    for (const name of names.folders) {
      const path = folder.path === "" ? name : `${folder.path}/${name}`;
      if (skippedFolders.has(name)) tally.skipped++;
      else if (isIgnored(`${path}/`, rules)) tally.ignored++;
      else if (folder.depth >= depthMax) tally.tooDeep++;
      else queue.push({ path, depth: folder.depth + 1, rules });
    }
    for (const name of names.files) {
      await pace.breathe();
      const path = folder.path === "" ? name : `${folder.path}/${name}`;
      if (isIgnored(path, rules)) {
        tally.ignored++;
        continue;
      }
      tally.seen++;
      const rank = ranks[rankOf(roleOf(path, languageOf(path)), folder.depth)];
      if (rank !== undefined && rank.length < filesMax) rank.push({ path, depth: folder.depth });
    }
  }
  const chosen = ranks.flat().slice(0, filesMax);
  const files = await measure(root, chosen, tally, pace);
  return {
    files,
    folders: tally.folders,
    seen: tally.seen + tally.uncounted,
    omissions: describe(tally, chosen.length, matcher.ok ? undefined : matcher.why),
  };
}

function isIgnored(path: string, rules: Folder["rules"]): boolean {
  let ignored = false;
  for (const { base, ignore } of rules) {
    const verdict = ignore.test(path.slice(base.length));
    if (verdict.ignored) ignored = true;
    else if (verdict.unignored) ignored = false;
  }
  return ignored;
}

async function withIgnoreFile(root: string, folder: Folder, create: CreateIgnore): Promise<Folder["rules"]> {
  const file = join(root, folder.path, ".gitignore");
  const facts = await lstat(file).catch(() => undefined);
  if (facts === undefined || !facts.isFile() || facts.size > ignoreBytesMax) return folder.rules;
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return folder.rules;
  return [...folder.rules, { base: folder.path === "" ? "" : `${folder.path}/`, ignore: create().add(text) }];
}

async function readFolder(
  root: string,
  folder: Folder,
  tally: Tally,
  pace: Pace,
): Promise<{ folders: string[]; files: string[] }> {
  const found = { folders: [] as string[], files: [] as string[] };
  tally.folders++;
  let here = 0;
  try {
    for await (const entry of await opendir(join(root, folder.path), { bufferSize: 1024 })) {
      await pace.breathe();
      tally.entries++;
      if (++here > folderEntriesMax) tally.uncounted++;
      else if (entry.isSymbolicLink()) tally.symlinks++;
      else if (entry.isDirectory()) found.folders.push(entry.name);
      else if (entry.isFile()) found.files.push(entry.name);
      else tally.special++;
      if (tally.entries >= entriesMax) {
        tally.stopped = true;
        break;
      }
    }
  } catch (error) {
    pace.signal.throwIfAborted();
    if ((error as { code?: string }).code === undefined) throw error;
    tally.unreadable++;
  }
  found.folders.sort();
  found.files.sort();
  return found;
}

/** How many files have their size asked for at once. */
const statsAtOnce = 64;

async function measure(root: string, chosen: readonly Kept[], tally: Tally, pace: Pace): Promise<ProjectFile[]> {
  const files: ProjectFile[] = [];
  for (let from = 0; from < chosen.length; from += statsAtOnce) {
    const part = chosen.slice(from, from + statsAtOnce);
    const facts = await Promise.all(part.map(async ({ path }) => await lstat(join(root, path)).catch(() => undefined)));
    await pace.breathe();
    part.forEach(({ path, depth }, index) => {
      const fact = facts[index];
      const language = languageOf(path);
      if (fact === undefined) tally.unreadable++;
      else if (fact.isFile()) files.push({ path, depth, bytes: fact.size, language, role: roleOf(path, language) });
    });
  }
  return files;
}

function describe(tally: Tally, kept: number, noMatcher: string | undefined): string[] {
  const parts: [number, string][] = [
    [
      tally.seen - kept,
      `of ${tally.seen} classified files lie beyond the ${filesMax} kept for examination (manifests and sources first)`,
    ],
    [tally.uncounted, `entries lie in folders of more than ${folderEntriesMax} entries and were only counted`],
    [tally.ignored, "files or folders are named by .gitignore"],
    [tally.skipped, "folders hold dependencies, caches or version control"],
    [tally.symlinks, "symbolic links were not followed"],
    [tally.special, "entries are neither files nor folders"],
    [tally.unreadable, "files or folders could not be read"],
    [tally.tooDeep, `folders are nested deeper than ${depthMax}`],
  ];
  const said = parts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  if (tally.stopped) said.unshift(`the walk ended after ${entriesMax} entries; what lies beyond is unknown`);
  if (noMatcher !== undefined) said.push(`.gitignore was not obeyed: ${noMatcher}`);
  return said;
}

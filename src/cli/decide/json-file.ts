import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { TroupeError } from "../../errors.ts";
import type { CommandIo } from "../command.ts";

/** The largest ballots, policy or electorate file that is read, in bytes: far above 1,024 signed ballots. */
export const inputBytesMax = 64 * 1024 * 1024;

/** Reads a JSON file. Errors: throws `usage/bad-file` naming the file and, where the parser says it, the line. */
export function readJsonFile(file: string, io: CommandIo): unknown {
  const path = resolve(io.cwd, file);
  let text: string;
  try {
    const { size } = statSync(path);
    if (size > inputBytesMax)
      throw new TroupeError("usage/bad-file", `${file}: ${size} bytes; at most ${inputBytesMax} are read`);
    text = readFileSync(path, "utf8");
  } catch (thrown) {
    if (thrown instanceof TroupeError) throw thrown;
    throw new TroupeError("usage/bad-file", `${file}: it cannot be read: ${(thrown as Error).message}`, {
      cause: thrown,
    });
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (thrown) {
    throw new TroupeError("usage/bad-file", `${file}: it is not JSON: ${(thrown as Error).message}`, { cause: thrown });
  }
}

import { dirname, resolve } from "node:path";
import { TroupeError } from "../errors.ts";
import { makeFolder } from "./folder.ts";

/** Where runs are kept when nothing else is said. */
export const defaultStore = ".troupe/troupe.db";

/**
 * Where a node keeps what its agents store when nothing else is said: a file that no other node of the folder and no
 * `troupe run` takes, since one process owns a file at a time. The same name finds the same file again.
 * Source: docs/decisions/0016.
 */
export function nodeStore(name: string | undefined): string {
  return name === undefined ? ".troupe/node.db" : `.troupe/node-${encodeURIComponent(name)}.db`;
}

/** The path of a store that is to be opened, in a folder that is there; ":memory:" as it is. Errors: throws `usage/bad-file`. */
export function prepareStore(given: string, cwd: string): string {
  if (given === ":memory:") return given;
  const path = resolve(cwd, given);
  try {
    makeFolder(dirname(path));
  } catch (thrown) {
    const why = (thrown as Error).message;
    throw new TroupeError("usage/bad-file", `--store ${path}: its folder cannot be made: ${why}`, { cause: thrown });
  }
  return path;
}

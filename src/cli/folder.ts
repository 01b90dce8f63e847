import { accessSync, constants, existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes a folder that can be written to, level by level: Node's own recursive way never ends in some file systems, such
 * as /proc. Errors: throws what the file system says.
 */
export function makeFolder(folder: string): void {
  if (existsSync(folder)) return accessSync(folder, constants.W_OK);
  if (dirname(folder) !== folder) makeFolder(dirname(folder));
  mkdirSync(folder);
}

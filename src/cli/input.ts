import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { format } from "node:util";
import { TroupeError } from "../errors.ts";
import type { CommandIo } from "./command.ts";

/** Reads `--input`: JSON, or `@file` with JSON in it. */
export function readInput(given: string | undefined, io: Pick<CommandIo, "cwd">): unknown {
  if (given === undefined) return {};
  const isFile = given.startsWith("@");
  let text = given;
  if (isFile) {
    try {
      text = readFileSync(resolve(io.cwd, given.slice(1)), "utf8");
    } catch (thrown) {
      throw new TroupeError("usage/bad-file", `--input ${given}: the file cannot be read`, { cause: thrown });
    }
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (thrown) {
    throw new TroupeError(
      isFile ? "usage/bad-file" : "usage/bad-argument",
      `--input ${given}: it is not JSON: ${(thrown as Error).message}`,
      { cause: thrown },
    );
  }
}

/** Reads `--set name=value` options: a value is JSON where it can be read as that, and text otherwise. */
export function readSettings(given: readonly string[]): { readonly [name: string]: unknown } {
  return Object.fromEntries(
    given.map((setting) => {
      const at = setting.indexOf("=");
      if (at < 1) throw new TroupeError("usage/bad-argument", `--set ${setting}: write name=value`);
      const text = setting.slice(at + 1);
      try {
        return [setting.slice(0, at), JSON.parse(text) as unknown];
      } catch {
        return [setting.slice(0, at), text];
      }
    }),
  );
}

/** What an agent prints is not the result: it goes where progress goes. */
export function redirectConsole(io: CommandIo): void {
  const write = (...given: unknown[]): void => io.err(`${format(...given)}\n`);
  Object.assign(console, { log: write, info: write, debug: write });
}

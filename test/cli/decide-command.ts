import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isTroupeError } from "troupe";
import { run } from "../../src/cli/decide/decide.ts";
import { makeFolder, troupe } from "./command-line.ts";

/** Where the files of these commands are; whoever uses it removes it. */
export const folder = makeFolder();

/** What the command prints with --json. */
export interface Document {
  readonly status: string;
  readonly option: string | null;
  readonly certificate: object | null;
  readonly warnings: readonly string[];
  readonly rejected: readonly { readonly index: number; readonly reason: string }[];
  readonly dissent: readonly { readonly voter: string; readonly kind: string }[];
  readonly ballots: readonly { readonly voter: string; readonly recommendation: string | null }[];
  readonly evidence: readonly { readonly voter: string }[];
  readonly tally: { readonly voided: number; readonly participating: number };
  readonly failure?: { readonly code: string; readonly message: string };
}

let files = 0;

/** Writes a value as a JSON file and gives its name; text is written as it is. */
export function file(value: unknown): string {
  files += 1;
  const name = `file-${files}.json`;
  writeFileSync(join(folder.path, name), typeof value === "string" ? value : JSON.stringify(value));
  return name;
}

export const asksByDefault = ["--question", "Which rollout?", "--options", "canary,big-bang"];

/** The command in a process of its own. */
export async function decideApart(
  ballots: unknown,
  more: readonly string[] = asksByDefault,
): Promise<{ code: number | null; result: Document }> {
  const { code, stdout } = await troupe(["decide", "--ballots", file(ballots), ...more, "--json"], folder.path);
  return { code, result: JSON.parse(stdout) as Document };
}

/** The command in this process, which is quicker: what it would print, or the usage error that it would exit 2 with. */
export async function decide(
  ballots: unknown,
  more: readonly string[] = asksByDefault,
): Promise<{ code: number; result: Document }> {
  const values: Record<string, string> = { ballots: file(ballots) };
  for (let index = 0; index < more.length; index += 2) values[(more[index] ?? "").slice(2)] = more[index + 1] ?? "";
  const io = {
    out: () => {},
    err: () => {},
    isTerminal: false,
    cwd: folder.path,
    signal: new AbortController().signal,
  };
  try {
    const { exitCode, json } = await run({ values, positionals: [] }, io);
    return { code: exitCode, result: JSON.parse(JSON.stringify(json)) as Document };
  } catch (thrown) {
    if (!isTroupeError(thrown) || !thrown.code.startsWith("usage/")) throw thrown;
    return { code: 2, result: { failure: { code: thrown.code, message: thrown.message } } as Document };
  }
}

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseSource, rootFolder, type SourceFile } from "./source-files.ts";

/** One program in a document or a docstring. `skipped` is the reason given by `ts no-compile — reason`. */
export interface Fence {
  readonly file: string;
  /** The line of its first line of code, from 1. */
  readonly line: number;
  readonly code: string;
  readonly skipped: string | undefined;
}

const opening = /^(?<indent>\s*)```ts(?<info>.*)$/;

/** Finds the ```ts fences of a text; a fence that says no-compile without a reason is an error. */
export function findFences(file: string, text: string, firstLine = 1): Fence[] {
  const fences: Fence[] = [];
  const lines = text.split("\n");
  for (let at = 0; at < lines.length; at += 1) {
    const match = opening.exec(lines[at] ?? "");
    if (match === null) continue;
    const end = lines.findIndex((line, index) => index > at && line.trim() === "```");
    if (end === -1) throw new Error(`${file}:${firstLine + at} opens a fence that never closes`);
    const info = match.groups?.["info"]?.trim() ?? "";
    const skipped = /^no-compile — (?<reason>.+)$/.exec(info)?.groups?.["reason"];
    if (info !== "" && skipped === undefined) {
      throw new Error(`${file}:${firstLine + at} says "ts ${info}"; write \`ts\` or \`ts no-compile — reason\``);
    }
    fences.push({ file, line: firstLine + at + 1, code: lines.slice(at + 1, end).join("\n"), skipped });
    at = end;
  }
  return fences;
}

/** The fences under `@example` in the doc comments of one source file; an example without a fence is an error. */
export function findExamples(file: SourceFile): Fence[] {
  return parseSource(file).comments.flatMap((comment) => {
    if (comment.type !== "Block" || !/^\s*\*?\s*@example\b/m.test(comment.value)) return [];
    const firstLine = file.text.slice(0, comment.start).split("\n").length;
    const lines = comment.value.split("\n").map((line) => line.replace(/^\s*\* ?/, ""));
    const start = lines.findIndex((line) => line.startsWith("@example"));
    const fences = findFences(file.path, lines.slice(start).join("\n"), firstLine + start);
    if (fences.length === 0) throw new Error(`${file.path}:${firstLine} has an @example without a \`\`\`ts fence`);
    return fences;
  });
}

/** Compiles every fence as a module of a user's project that has `troupe` installed; returns what tsc says. */
export function compileFences(fences: readonly Fence[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), "troupe-docs-"));
  try {
    linkModules(folder);
    const names = fences.map((fence, index) => {
      const name = `fence-${index}.ts`;
      writeFileSync(join(folder, name), `${fence.code}\n`);
      return [name, fence] as const;
    });
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
    const options = { moduleDetection: "force", noEmit: true };
    const config = {
      extends: join(rootFolder, "tsconfig.json"),
      compilerOptions: options,
      include: ["./*.ts"],
      exclude: [],
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    return runCompiler(folder, new Map(names));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function linkModules(folder: string): void {
  const modules = join(folder, "node_modules");
  mkdirSync(modules);
  for (const name of readdirSync(join(rootFolder, "node_modules"))) {
    if (!name.startsWith(".")) symlinkSync(join(rootFolder, "node_modules", name), join(modules, name), "dir");
  }
  symlinkSync(rootFolder, join(modules, "troupe"), "dir");
}

function runCompiler(folder: string, fences: ReadonlyMap<string, Fence>): string[] {
  const tsc = join(rootFolder, "node_modules", "typescript", "bin", "tsc");
  const run = spawnSync(process.execPath, [tsc, "-p", folder, "--pretty", "false"], { cwd: folder, encoding: "utf8" });
  let outside = false;
  const problems = run.stdout.split("\n").flatMap((line) => {
    const match = /^(?<name>fence-\d+\.ts)\((?<line>\d+),\d+\): (?<message>.*)$/.exec(line);
    const fence = fences.get(match?.groups?.["name"] ?? "");
    if (fence === undefined) {
      outside ||= /\berror TS\d+/.test(line);
      return [];
    }
    return [`${fence.file}:${fence.line + Number(match?.groups?.["line"]) - 1}: ${match?.groups?.["message"]}`];
  });
  if (outside || (run.status !== 0 && problems.length === 0))
    throw new Error(`tsc failed outside the fences:\n${run.stdout}${run.stderr}`);
  return problems;
}

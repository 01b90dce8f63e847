import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rootFolder } from "./source-files.ts";

/** Snippets that the linter must refuse: where the file lies, the rule that says no, and the text. */
const refused: readonly (readonly [file: string, rule: string, text: string])[] = [
  ["machines/bad/clock.ts", "no-restricted-globals", "export const now = (): number => Date.now();"],
  ["machines/bad/date.ts", "no-restricted-globals", "export const today = (): object => new Date();"],
  ["machines/bad/chance.ts", "no-restricted-properties", "export const dice = (): number => Math.random();"],
  [
    "machines/bad/weak.ts",
    "no-restricted-globals",
    "export const weak = (target: object): object => new WeakRef(target);",
  ],
  ["machines/bad/final.ts", "no-restricted-globals", "export const registry = new FinalizationRegistry(() => {});"],
  ["machines/bad/wait.ts", "no-restricted-globals", "export const soon = Promise.resolve(1);"],
  ["machines/bad/later.ts", "no-async-await", "export async function later(): Promise<number> {\n  return 1;\n}"],
  [
    "machines/bad/node.ts",
    "no-restricted-imports",
    'import { readFileSync } from "node:fs";\n\nexport const read = readFileSync;',
  ],
  ["machines/bad/up.ts", "no-restricted-imports", 'export { systemClock } from "../../src/ports/clock.ts";'],
  ["machines/bad/print.ts", "no-console", 'export const greet = (): void => console.log("hello");'],
  ["agents/bad/rule.ts", "no-restricted-imports", 'export { TroupeError } from "../../src/errors.ts";'],
  ["agents/bad/law.ts", "no-restricted-imports", 'export { failure } from "../../machines/failure.ts";'],
  ["agents/bad/alias.ts", "no-restricted-imports", 'export { failure } from "#machines/failure.ts";'],
  ["agents/bad/print.ts", "no-console", 'export const greet = (): void => console.log("hello");'],
  [
    "examples/01-bad.ts",
    "no-restricted-imports",
    'import { TroupeError } from "../src/errors.ts";\n\nconsole.log(TroupeError);',
  ],
  ["src/bad/print.ts", "no-console", 'export const greet = (): void => console.log("hello");'],
  [
    "src/bad/float.ts",
    "no-floating-promises",
    "export function start(work: () => Promise<void>): void {\n  work();\n}",
  ],
  [
    "src/bad/misuse.ts",
    "no-misused-promises",
    "export function each(list: number[], work: (n: number) => Promise<void>): void {\n  list.forEach(work);\n}",
  ],
  [
    "src/bad/switch.ts",
    "switch-exhaustiveness-check",
    'export function name(kind: "a" | "b"): string {\n  switch (kind) {\n    case "a":\n      return "first";\n  }\n  return "";\n}',
  ],
  ["src/bad/any.ts", "no-explicit-any", "export const anything: any = 1;"],
  [
    "src/bad/unsafe.ts",
    "no-unsafe-assignment",
    "export const parse = (text: string): object => {\n  const value = JSON.parse(text);\n  return { value };\n};",
  ],
  ["src/bad/default.ts", "no-default-export", "export default 1;"],
  ["src/bad/later.ts", "no-warning-comments", "// TODO: finish\nexport const a = 1;"],
  ["src/bad/hidden.ts", "no-warning-comments", "/**\n * FIXME: finish\n */\nexport const a = 1;"],
  ["src/bad/long.ts", "max-lines", "export const a = 1;\n".concat("// A line.\n".repeat(400))],
  [
    "src/bad/tall.ts",
    "max-lines-per-function",
    `export function tall(list: number[]): void {\n${"  list.push(1);\n".repeat(70)}}`,
  ],
  [
    "src/bad/wide.ts",
    "max-params",
    "export const wide = (a: number, b: number, c: number, d: number, e: number): number => a + b + c + d + e;",
  ],
  ["src/bad/camelCase.ts", "filename-case", "export const a = 1;"],
  ["src/bad/circle-a.ts", "no-cycle", 'import { b } from "./circle-b.ts";\n\nexport const a = (): number => b;'],
  ["src/bad/circle-b.ts", "no-cycle", 'import { a } from "./circle-a.ts";\n\nexport const b = 1;\nexport const c = a;'],
  [
    "src/bad/empty.ts",
    "no-empty",
    "export function quiet(work: () => void): void {\n  try {\n    work();\n  } catch {}\n}",
  ],
  ["test/bad/mock.test.ts", "no-restricted-vi-methods", 'import { vi } from "vitest";\n\nvi.mock("node:fs");'],
  [
    "test/bad/focus.test.ts",
    "no-focused-tests",
    'import { expect, test } from "vitest";\n\ntest.only("one", () => expect(1).toBe(1));',
  ],
];

/** The same words where they are allowed: a ban that refuses these would be too wide. */
const accepted: readonly (readonly [file: string, text: string])[] = [
  ["src/good/clock.ts", "export const now = (): number => Date.now() + Math.random();"],
  ["src/good/wait.ts", "export async function later(): Promise<number> {\n  return await Promise.resolve(1);\n}"],
  ["src/good/law.ts", 'export { failure } from "../../machines/failure.ts";'],
  ["agents/good/rule.ts", 'export { failure } from "../project/failure.ts";'],
  ["examples/02-good.ts", 'console.log("hello");'],
  ["test/good/tall.test.ts", `export function tall(list: number[]): void {\n${"  list.push(1);\n".repeat(90)}}`],
];

interface Diagnostic {
  readonly code: string;
  readonly filename: string;
}

function runLint(cwd: string, ...argv: string[]): string {
  const oxlint = join(rootFolder, "node_modules", "oxlint", "bin", "oxlint");
  return spawnSync(process.execPath, [oxlint, ...argv], { cwd, encoding: "utf8" }).stdout;
}

let folder = "";
let found: readonly Diagnostic[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "troupe-lint-"));
  for (const name of [".oxlintrc.json", "tsconfig.json"]) copyFileSync(join(rootFolder, name), join(folder, name));
  symlinkSync(join(rootFolder, "node_modules"), join(folder, "node_modules"), "dir");
  for (const [file, text] of [...refused.map(([path, , content]) => [path, content] as const), ...accepted]) {
    mkdirSync(join(folder, dirname(file)), { recursive: true });
    writeFileSync(join(folder, file), `${text}\n`);
  }
  const tops = ["machines", "src", "agents", "examples", "test"];
  found = (JSON.parse(runLint(folder, "--type-aware", "--format=json", ...tops)) as { diagnostics: Diagnostic[] })
    .diagnostics;
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the linter sees the house", () => {
  test("every folder of the house is linted, and no fixture", () => {
    const manifest = JSON.parse(readFileSync(join(rootFolder, "package.json"), "utf8")) as {
      scripts: { lint: string };
    };
    const words = manifest.scripts.lint.split(" ");
    expect(words.slice(0, 3)).toEqual(["oxlint", "--type-aware", "--deny-warnings"]);
    const listed = runLint(rootFolder, "--debug=files", ...words.slice(3))
      .trim()
      .split("\n");
    expect(listed.length).toBeGreaterThan(60);
    const linted = new Set(listed.map((file) => file.split("/")[0]));
    for (const top of ["machines", "src", "agents", "examples", "test", "bench", "bin", "docs", ".ci"])
      expect(linted).toContain(top);
    expect(listed.filter((file) => /fixtures|node_modules|dist\//.test(file))).toEqual([]);
  });
});

describe("the linter refuses what the house forbids", () => {
  test.each(refused)("%s breaks %s", (file, rule) => {
    const codes = found.filter((diagnostic) => diagnostic.filename === file).map((diagnostic) => diagnostic.code);
    expect(codes).toContainEqual(expect.stringContaining(`(${rule})`));
  });

  test.each(accepted)("%s is allowed", (file) => {
    expect(found.filter((diagnostic) => diagnostic.filename === file)).toEqual([]);
  });
});

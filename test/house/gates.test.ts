import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { rootFolder } from "./source-files.ts";

let folder = "";

/** A small house with our settings: what the tool says there is what it says here. */
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "troupe-gates-"));
  for (const name of [".oxfmtrc.json", "knip.json", "tsconfig.json"]) {
    copyFileSync(join(rootFolder, name), join(folder, name));
  }
  symlinkSync(join(rootFolder, "node_modules"), join(folder, "node_modules"), "dir");
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(file: string, text: string): void {
  mkdirSync(join(folder, dirname(file)), { recursive: true });
  writeFileSync(join(folder, file), text);
}

function runTool(tool: string, ...argv: string[]): { status: number | null; stdout: string } {
  const script = join(rootFolder, "node_modules", tool);
  return spawnSync(process.execPath, [script, ...argv], { cwd: folder, encoding: "utf8" });
}

describe("the other gates can fail", () => {
  test("the format gate passes a tidy file and refuses an untidy one", () => {
    write("src/tidy.ts", "export const tidy = 1;\n");
    const oxfmt = join("oxfmt", "bin", "oxfmt");
    expect(runTool(oxfmt, "--check", ".").status).toBe(0);
    write("src/untidy.ts", "export const  untidy = 'single'\n");
    const run = runTool(oxfmt, "--check", ".");
    expect(run.status).not.toBe(0);
    expect(run.stdout).toContain("src/untidy.ts");
    expect(run.stdout).not.toContain("src/tidy.ts");
  });

  test("the dead-code gate names a file that nobody imports, an export that nobody uses, and a library nobody needs", () => {
    write(
      "package.json",
      JSON.stringify({
        name: "small",
        type: "module",
        exports: "./src/index.ts",
        dependencies: { zod: "*", immer: "*" },
      }),
    );
    write("src/index.ts", 'export { used } from "./used.ts";\n');
    write("src/used.ts", 'import { z } from "zod";\n\nexport const used = z;\nexport const unused = 1;\n');
    write("src/lost.ts", "export const lost = 1;\n");
    const run = runTool(join("knip", "bin", "knip.js"), "--reporter", "json", "--no-config-hints");
    expect(run.status).toBe(1);
    const { issues } = JSON.parse(run.stdout) as { issues: { file: string; [kind: string]: unknown }[] };
    const text = JSON.stringify(issues);
    for (const name of ["src/lost.ts", '"unused"', '"immer"']) expect(text).toContain(name);
    for (const name of ['"used"', '"zod"']) expect(text).not.toContain(name);
  });

  test.each([
    ["an enum", "export enum Colour { Red }\n", "TS1294"],
    ["an unchecked index", "export const first = (list: string[]): string => list[0];\n", "TS2322"],
    ["an undefined in an optional property", "export const a: { b?: string } = { b: undefined };\n", "TS2375"],
    ["an implicit any", "export const call = (value) => value;\n", "TS7006"],
    ["a type imported as a value", 'import { Json } from "./json.ts";\nexport const a: Json = 1;\n', "TS1484"],
  ])("the compiler refuses %s", (_what, text, code) => {
    write("src/json.ts", "export type Json = number;\n");
    write("src/bad.ts", text);
    const run = runTool(join("typescript", "bin", "tsc"), "-p", ".", "--pretty", "false");
    expect(run.stdout).toMatch(new RegExp(`^src/bad\\.ts\\(\\d+,\\d+\\): error ${code}`, "m"));
  });

  test("npm run check runs every gate, and CI runs npm run check", () => {
    const { scripts } = JSON.parse(readFileSync(join(rootFolder, "package.json"), "utf8")) as {
      scripts: { [name: string]: string };
    };
    const gates = ["format:check", "lint", "types", "unused", "docs:check"].map((name) => `npm run ${name}`);
    expect(scripts["check"]?.split(" && ")).toEqual([...gates, "npm test"]);
    const ci = readFileSync(join(rootFolder, ".ci", "run"), "utf8");
    for (const command of ["npm ci", "npm run check", "npm run campaigns"]) expect(ci).toContain(command);
  });
});

import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { usageCodes } from "../../machines/failure-codes.ts";
import { rootFolder } from "../house/source-files.ts";

let folder = "";

/** Runs a copy of the command in a package of its own, where there is no dist unless a test puts one. */
function runCommand(...argv: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, argv, { cwd: folder, encoding: "utf8" });
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "troupe-bin-"));
  mkdirSync(join(folder, "bin"));
  copyFileSync(join(rootFolder, "bin", "troupe.js"), join(folder, "bin", "troupe.js"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
  writeFileSync(
    join(folder, "old-node.mjs"),
    'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.19.0" } });\n',
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the command before it starts", () => {
  test("an old Node.js is told what to install, and exits 2", () => {
    const run = runCommand("--import", "./old-node.mjs", "bin/troupe.js", "demo");
    expect(run).toMatchObject({ status: 2, stdout: "" });
    expect(run.stderr).toBe(
      "troupe: Troupe needs Node.js 24 or newer, and this is 20.19.0; in your project run `npm i -D node@24`, then `npx troupe`.\n",
    );
  });

  test("with --json the refusal is one JSON document with a code of the table", () => {
    const run = runCommand("--import", "./old-node.mjs", "bin/troupe.js", "demo", "--json");
    expect(run).toMatchObject({ status: 2, stderr: "" });
    const answer = JSON.parse(run.stdout) as { ok: boolean; failure: { code: string } };
    expect(answer).toMatchObject({ ok: false, failure: { data: { found: "20.19.0", needed: ">=24" } } });
    expect(Object.keys(usageCodes)).toContain(answer.failure.code);
  });

  test("a package that was not built says how to build it, and exits 2", () => {
    const run = runCommand("bin/troupe.js");
    expect(run).toMatchObject({ status: 2, stdout: "" });
    expect(run.stderr).toContain("`npm run build`");
  });

  test("the exit code is the one that the command returns, and it gets the arguments after its name", () => {
    mkdirSync(join(folder, "dist", "src", "cli"), { recursive: true });
    const echo = "export async function main(argv) { console.log(argv.join(' ')); return 7; }\n";
    writeFileSync(join(folder, "dist", "src", "cli", "main.js"), echo);
    expect(runCommand("bin/troupe.js", "call", "greet")).toMatchObject({ status: 7, stdout: "call greet\n" });
  });
});

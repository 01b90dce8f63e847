import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { rootFolder } from "./source-files.ts";

const folder = mkdtempSync(join(tmpdir(), "troupe-ci-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly object[] }[];
}

function writeReport(name: string, passed: number, failed: number, unloaded = 0): string {
  const testResults = Array.from({ length: unloaded }, () => ({ status: "failed", assertionResults: [] }));
  const report: Report = { numPassedTests: passed, numFailedTests: failed, testResults };
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify(report));
  return file;
}

/** The last line and the exit code for these reports. */
function tally(broken: number, ...files: string[]): [string | undefined, number | null] {
  const script = join(rootFolder, ".ci", "tally.mjs");
  const run = spawnSync(process.execPath, [script, String(broken), ...files], { encoding: "utf8" });
  return [run.stdout.trimEnd().split("\n").at(-1), run.status];
}

describe("the last line of .ci/run", () => {
  test("adds up both parts of a good run", () => {
    expect(tally(0, writeReport("a.json", 10, 0), writeReport("b.json", 2, 0))).toEqual(["12 passed, 0 failed", 0]);
  });

  test("a failed test, and a test file that does not load, fail the run", () => {
    expect(tally(1, writeReport("a.json", 10, 1), writeReport("b.json", 2, 0))).toEqual(["12 passed, 1 failed", 1]);
    expect(tally(1, writeReport("a.json", 10, 0, 2), writeReport("b.json", 2, 0))).toEqual(["12 passed, 2 failed", 1]);
  });

  test("no tests, or no report, fail the run", () => {
    expect(tally(0, writeReport("a.json", 0, 0), writeReport("b.json", 2, 0))).toEqual(["2 passed, 1 failed", 1]);
    expect(tally(1, join(folder, "absent.json"), writeReport("b.json", 2, 0))).toEqual(["2 passed, 1 failed", 1]);
  });

  test("a part that ended badly fails the run even when its tests passed", () => {
    expect(tally(1, writeReport("a.json", 10, 0), writeReport("b.json", 2, 0))).toEqual(["12 passed, 1 failed", 1]);
  });
});

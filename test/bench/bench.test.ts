import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { removeObservation } from "../../bench/actors/observation.ts";
import { medianOf } from "../../bench/measuring/median.ts";
import { Results } from "../../bench/measuring/rounds.ts";
import { replacePart } from "../../bench/report/results-file.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const run = promisify(execFile);

describe("the benchmark command", () => {
  test("refuses an unknown suite with the list of those that exist, and exits 2", async () => {
    const main = join(root, "bench", "main.ts");
    const failed = await run(process.execPath, ["--conditions=troupe-source", main, "attics"]).catch(
      (error: unknown) => error as { code: number; stderr: string },
    );
    expect(failed).toMatchObject({ code: 2 });
    expect(failed.stderr).toContain('there is no suite "attics"');
    expect(failed.stderr).toContain("suites: actors");
  });
});

describe("what the rounds gave", () => {
  test("a ratio is taken within each round, and its median is shown", () => {
    const results = new Results();
    for (const [ours, theirs] of [
      [10, 1],
      [300, 100],
      [8, 2],
    ] as const) {
      results.add("ours", { rate: { value: ours } });
      results.add("theirs", { rate: { value: theirs } });
    }
    expect(results.ratio({ arm: "ours", reading: "rate" }, { arm: "theirs", reading: "rate" })).toEqual({ value: 4 });
    expect(results.difference({ arm: "ours", reading: "rate" }, { arm: "theirs", reading: "rate" })).toBe(9);
  });

  test("a round in which one of the two failed gives no ratio", () => {
    const results = new Results();
    results.add("ours", { rate: { value: 6 } });
    results.add("ours", { rate: { value: 9 } });
    results.add("theirs", undefined, "did not finish within 30 s");
    results.add("theirs", { rate: { value: 3 } });
    expect(results.ratio({ arm: "ours", reading: "rate" }, { arm: "theirs", reading: "rate" })).toEqual({ value: 3 });
    expect(results.problemOf("theirs")).toBe("did not finish within 30 s");
  });

  test("the median of nothing is not a number", () => {
    expect(medianOf([])).toBeNaN();
    expect(medianOf([3, 1, 2])).toBe(2);
  });
});

describe("the results file", () => {
  test("a suite replaces its own part and leaves the others", () => {
    const first = replacePart(replacePart("# Results\n", "actors", "old\n"), "remote", "far\n");
    expect(replacePart(first, "actors", "new\n")).toBe(
      "# Results\n\n<!-- actors:begin -->\nnew\n<!-- actors:end -->\n<!-- remote:begin -->\nfar\n<!-- remote:end -->\n",
    );
  });
});

describe("taking observation points out of a source", () => {
  test("conditions become false and publishing statements vanish; everything else stays", () => {
    const source = `function f(core: Core): number {
  if (core.observe.heard) core.observe.publish({ a: 1 });
  core.publish("x", { b: 2 });
  return core.count;
}`;
    expect(removeObservation("f.ts", source)).toEqual({
      points: 3,
      source: `function f(core: Core): number {
  if (false) {}
  {}
  return core.count;
}`,
    });
  });
});

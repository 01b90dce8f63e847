import { describe, expect, test } from "vitest";
import { runCrash } from "../campaigns/crash-run.ts";

const seed = 20_261;

describe("a process that is killed again and again at random moments", () => {
  test("loses no run, shows every step once, and repeats calls only under the same key", async () => {
    const result = await runCrash({ seed, kills: 10, ordersMax: 200, lifeMs: 400 });
    expect(result.findings, `seed ${seed}`).toEqual([]);
    expect(result.orders).toBeGreaterThan(20);
    expect(result.repeats, "kills that interrupted a call").toBeGreaterThan(0);
  });

  test("is caught when runs are written without their keys", async () => {
    const { findings } = await runCrash({ seed, kills: 2, ordersMax: 400, atOnce: 12, lifeMs: 400, sabotage: "keys" });
    const rules = new Set(findings.map(({ rule }) => rule));
    expect(rules).toContain("one key is one run");
    expect(rules).toContain("repeats have the same key");
  });

  test("is caught when a task stays open after its end was journaled", async () => {
    const { findings } = await runCrash({
      seed,
      kills: 2,
      ordersMax: 400,
      atOnce: 12,
      lifeMs: 400,
      sabotage: "completions",
    });
    const rules = new Set(findings.map(({ rule }) => rule));
    expect(rules).toContain("what is done is not done again");
    expect(rules).toContain("nothing is left open");
  });
});

import { expect, test } from "vitest";
import { runCrash } from "./crash-run.ts";

test("60 kills at random moments: no run lost, every step once, repeats only under the same key", async () => {
  const result = await runCrash({ seed: 3, kills: 60, ordersMax: 720 });
  expect(result.findings).toEqual([]);
  expect(result.orders).toBeGreaterThan(300);
  expect(result.repeats).toBeGreaterThan(100);
});

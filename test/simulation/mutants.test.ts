import { describe, expect, it } from "vitest";
import { simulate } from "../../src/testing/simulation/simulate.ts";
import { mutants } from "./mutants.ts";
import { MutatedHouse } from "./mutation.ts";

/** One process per mutant, each with one schedule. */
const mutantTimeoutMs = 60_000;

describe("the simulator kills every mutant by its known seed", () => {
  it.each(mutants)("$name: a member that $fault", { timeout: mutantTimeoutMs }, async (mutant) => {
    const { seed, rule } = mutant;
    const healthy = simulate(seed);
    expect(healthy.violation, "the same schedule without the change").toBeNull();
    using house = new MutatedHouse(mutant);
    expect(await house.simulate(seed)).toBe(rule);
  });

  it("names each mutant once, and a seed for each", () => {
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
    expect(mutants.length).toBeGreaterThanOrEqual(16);
    for (const { seed, rule } of mutants) expect(seed > 0 && /^P\d+$/.test(rule)).toBe(true);
  });
});

import { describe, expect, it } from "vitest";
import { failing as failingHere, scenarios } from "../machines/consensus/bft/scenarios/scenarios.ts";
import { MutatedHouse } from "./mutation.ts";
import { scenarioMutants, type ScenarioMutant } from "./scenario-mutants.ts";

/** What the scenarios need of the house. */
const parts = [
  "package.json",
  "machines/stamp.ts",
  "machines/consensus/bft",
  "machines/consensus/codec",
  "machines/consensus/electorate",
  "src/testing/simulation/notary.ts",
  "test/machines/consensus/bft/scene.ts",
  "test/machines/consensus/bft/scenarios",
];
const file = "test/machines/consensus/bft/scenarios/scenarios.ts";
/** A copy of the code for each fault, loaded by one process. */
const mutantsTimeoutMs = 120_000;

/** For each of these changes, the scenarios that do not come out as written. */
async function failingWith(mutants: readonly Pick<ScenarioMutant, "name" | "edits">[]): Promise<string[][]> {
  using stack = new DisposableStack();
  const houses = mutants.map((mutant) => stack.use(new MutatedHouse(mutant, parts)));
  return await MutatedHouse.evaluateEach(houses, file, "({ failing }) => failing()");
}

describe("CometBFT's scenarios", () => {
  it(
    "come out differently where the code has a fault, each with those that it names",
    async () => {
      const faults = [...new Set(scenarios.flatMap(({ broken }) => broken))];
      const mutants = faults.map((fault) => scenarioMutants.get(fault) ?? { name: fault, edits: [] });
      const failing = await failingWith(mutants);
      const unnoticed = scenarios.flatMap(({ name, broken }) =>
        broken.filter((fault) => failing[faults.indexOf(fault)]?.includes(name) !== true).map((fault) => [name, fault]),
      );
      expect(unnoticed).toEqual([]);
      expect(scenarios.filter(({ broken }) => broken.length === 0)).toEqual([]);
      // A fault that leaves nothing as it was says nothing about any of them.
      for (const [index, fault] of faults.entries())
        expect([fault, failing[index]?.length]).toEqual([fault, expect.toSatisfy((count) => count < scenarios.length)]);
    },
    mutantsTimeoutMs,
  );

  it("come out as written where it has none, and each has a name of its own", async () => {
    expect(failingHere()).toEqual([]);
    expect(await failingWith([{ name: "none", edits: [] }])).toEqual([[]]);
    expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length);
  });
});

import { join } from "node:path";
import { createTroupe, defineAgent, type Troupe } from "troupe";
import { z } from "zod";
import type { Arm } from "../measuring/arm.ts";
import { withFolder } from "./folder.ts";
import { measureRuns } from "./in-flight.ts";
import { resultText, stepsCount } from "./scales.ts";

export const adder = defineAgent({
  name: "adder",
  concurrency: 4_096,
  capabilities: {
    add: {
      input: z.object({ n: z.number() }),
      output: z.object({ n: z.number(), text: z.string() }),
      run: ({ input }) => ({ n: input.n + 1, text: resultText }),
    },
  },
});

/** Steps one after the other; each adds one to a number and keeps its text in a variable of its own. */
export function chainOf(count: number, rest: object = {}): object {
  const steps = Array.from({ length: count }, (_, index) => ({
    id: `s${index + 1}`,
    name: `Step ${index + 1}`,
    type: "task",
    capability: "add",
    input: { n: "$.variables.n" },
    output: { n: "$.output.n", [`text${index + 1}`]: "$.output.text" },
  }));
  return { key: "chain", name: "Chain", version: "1", variables: { n: 0 }, steps, ...rest };
}

/** One run to its end, its result checked. */
export async function runChain(troupe: Troupe, definition: object, steps: number): Promise<void> {
  const run = await troupe.run(definition, {});
  const outcome = await run.result();
  if (!outcome.ok || (outcome.value as { n: number }).n !== steps) throw new Error(JSON.stringify(outcome));
}

export function runTroupe(durability: "full" | "normal" | undefined): Arm {
  return (scale) =>
    withFolder(async (folder) => {
      const place = durability === undefined ? {} : { store: join(folder, "troupe.db"), durability };
      await using troupe = await createTroupe({ agents: [adder], ...place });
      await troupe.spawn(adder);
      const definition = chainOf(stepsCount);
      return { run: await measureRuns(() => runChain(troupe, definition, stepsCount), scale) };
    });
}

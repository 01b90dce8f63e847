import { join } from "node:path";
import { createTroupe, defineAgent } from "troupe";
import { z } from "zod";
import type { Arm } from "../measuring/arm.ts";
import { cpuMs } from "../measuring/clocks.ts";
import { withFolder } from "./folder.ts";
import { chainSteps, chainWindow, resultText } from "./scales.ts";
import { chainOf } from "./troupe.ts";

/** Runs of the chain side by side, so that a figure is of more than one run. */
const sideBySide = 4;

/** CPU time of one step early in a chain of ten thousand, and late in it. Each step keeps its text in a variable. */
export const runLongChain: Arm = () =>
  withFolder(async (folder) => {
    // When the first run of those side by side reaches a step, the others are as far.
    const reached = new Map<number, number>();
    const agent = defineAgent({
      name: "adder",
      concurrency: 64,
      capabilities: {
        add: {
          input: z.object({ n: z.number() }),
          output: z.object({ n: z.number(), text: z.string() }),
          run({ input }) {
            if (!reached.has(input.n)) reached.set(input.n, cpuMs());
            return { n: input.n + 1, text: resultText };
          },
        },
      },
    });
    await using troupe = await createTroupe({
      agents: [agent],
      store: join(folder, "troupe.db"),
      durability: "normal",
    });
    await troupe.spawn(agent);
    const warm = chainOf(100, { key: "warm" });
    for (let round = 0; round < 20; round += 1) await (await troupe.run(warm, {})).result();
    const definition = chainOf(chainSteps);
    reached.clear();
    const runs = await Promise.all(Array.from({ length: sideBySide }, () => troupe.run(definition, {})));
    for (const run of runs) {
      const outcome = await run.result();
      if (!outcome.ok) throw new Error(JSON.stringify(outcome.failure));
    }
    const costFrom = (step: number): number => {
      const [from, to] = [reached.get(step), reached.get(step + chainWindow)];
      if (from === undefined || to === undefined) throw new Error(`step ${step} was never reached`);
      return ((to - from) * 1_000) / (chainWindow * sideBySide);
    };
    const [early, late] = [costFrom(10), costFrom(chainSteps - chainWindow - 1)];
    return { early: { value: early }, late: { value: late } };
  });

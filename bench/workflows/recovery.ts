import { join } from "node:path";
import { createTroupe } from "troupe";
import type { Arm, Readings } from "../measuring/arm.ts";
import { cpuMs, wallMs } from "../measuring/clocks.ts";
import { withFolder } from "./folder.ts";
import { recoveredCounts } from "./scales.ts";
import { adder, chainOf } from "./troupe.ts";

/** Steps that each run has behind it when its process ends. */
const doneSteps = 3;

/** Leaves so many runs that wait for an event behind three steps. */
async function leaveRuns(store: string, count: number): Promise<void> {
  await using troupe = await createTroupe({ agents: [adder], store, durability: "memory" });
  await troupe.spawn(adder);
  const { steps, ...rest } = chainOf(doneSteps) as { readonly steps: readonly object[] };
  const definition = { ...rest, steps: [...steps, { id: "go", name: "Go", type: "event", event: "go" }] };
  const ids: string[] = [];
  for (let from = 0; from < count; from += 500) {
    const wave = Array.from({ length: Math.min(500, count - from) }, () => troupe.run(definition, {}));
    for (const run of await Promise.all(wave)) ids.push(run.id);
  }
  for (const id of ids) {
    const run = await troupe.runs.get(id);
    while ((await run.history()).length <= doneSteps) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Milliseconds until a new process has every unfinished run back, as actors, with its journal folded. */
export const recoverRuns: Arm = async () => {
  const readings: { -readonly [Name in keyof Readings]: Readings[Name] } = {};
  for (const count of recoveredCounts)
    await withFolder(async (folder) => {
      const store = join(folder, "troupe.db");
      await leaveRuns(store, count);
      const [cpu, wall] = [cpuMs(), wallMs()];
      await using troupe = await createTroupe({ agents: [adder], store });
      const recovered = await troupe.runs.recovered();
      const spent = { value: cpuMs() - cpu, wall: wallMs() - wall };
      if (recovered !== count) throw new Error(`${recovered} of ${count} runs came back`);
      readings[`all-${count}`] = spent;
      readings[`each-${count}`] = { value: (spent.value * 1_000) / count, wall: (spent.wall * 1_000) / count };
    });
  return readings;
};

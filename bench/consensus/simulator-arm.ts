import { simulate } from "../../src/testing/simulation/simulate.ts";
import type { Readings, Scale } from "../measuring/arm.ts";
import { cpuMs, startClocks } from "../measuring/clocks.ts";

/** CPU milliseconds before anything is measured: schedules differ, so it takes longer until all of it is compiled. */
const warmMs = 4_000;

/** Whole schedules in the order of their seeds, every property checked after every step: as a campaign runs them. */
export async function measureSchedules({ regionMs }: Scale): Promise<Readings> {
  let seed = 1;
  const run = (): void => {
    const { violation } = simulate(seed);
    if (violation !== null) throw new Error(`seed ${seed} breaks ${violation.rule}: ${violation.message}`);
    seed += 1;
  };
  for (const from = cpuMs(); cpuMs() - from < warmMs;) run();
  const first = seed;
  const stop = startClocks();
  for (const from = cpuMs(); cpuMs() - from < regionMs;) run();
  return { schedules: stop(seed - first) };
}

import { simulate } from "../../src/testing/simulation/simulate.ts";
import type { Readings, Scale } from "../measuring/arm.ts";
import { cpuMs, startClocks } from "../measuring/clocks.ts";
import { calibrate, sampleSignatures } from "./calibration.ts";

/** CPU milliseconds before anything is measured: schedules differ, so it takes longer until all of it is compiled. */
const warmMs = 4_000;
/** Keys of the signature checks that tell how fast this machine is. */
const keys = 4;

/** Whole schedules in the order of their seeds, every property checked after every step: as a campaign runs them. */
export async function measureSchedules({ regionMs }: Scale): Promise<Readings> {
  let seed = 1;
  const run = (): void => {
    const { violation } = simulate(seed);
    if (violation !== null) throw new Error(`seed ${seed} breaks ${violation.rule}: ${violation.message}`);
    seed += 1;
  };
  for (const from = cpuMs(); cpuMs() - from < warmMs;) run();
  const samples = await sampleSignatures(keys);
  const before = await calibrate(samples);
  const first = seed;
  const stop = startClocks();
  for (const from = cpuMs(); cpuMs() - from < regionMs;) run();
  const schedules = stop(seed - first);
  const after = await calibrate(samples);
  return { schedules, checks: { value: 2_000 / (before.verify + after.verify) } };
}

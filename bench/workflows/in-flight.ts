import type { Reading, Scale } from "../measuring/arm.ts";
import { cpuMs, wallMs } from "../measuring/clocks.ts";
import { inFlight } from "./scales.ts";

/** CPU milliseconds before anything is measured, so that compiling is over: for everybody the same. */
const warmMs = { quick: 1_500, full: 2_500 };

/** Keeps so many runs under way until `spentMs` of CPU time are used; returns how many runs ended. */
async function keepUnderWay(one: () => Promise<void>, spentMs: number): Promise<number> {
  const from = cpuMs();
  let runs = 0;
  const work = async (): Promise<void> => {
    do {
      await one();
      runs += 1;
    } while (cpuMs() - from < spentMs);
  };
  await Promise.all(Array.from({ length: inFlight }, work));
  return runs;
}

/** Microseconds of CPU time, and of the wall clock, that one run costs while a hundred are under way. */
export async function measureRuns(one: () => Promise<void>, { quick, regionMs }: Scale): Promise<Reading> {
  await keepUnderWay(one, quick ? warmMs.quick : warmMs.full);
  const [cpu, wall] = [cpuMs(), wallMs()];
  const runs = await keepUnderWay(one, regionMs);
  return { value: ((cpuMs() - cpu) * 1_000) / runs, wall: ((wallMs() - wall) * 1_000) / runs };
}

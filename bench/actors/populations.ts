import type { Reading, Readings, Scale } from "../measuring/arm.ts";
import { heapBytes, startClocks } from "../measuring/clocks.ts";

/** Live actors under one root. */
interface Population {
  /** Starts `count` actors and returns what keeps them reachable for their owner. */
  spawn(count: number): readonly unknown[] | Promise<readonly unknown[]>;
  /** Stops every one of them, one by one. */
  stop(actors: readonly unknown[]): void | Promise<void>;
}

/** How many actors are live at once: one figure for each count. */
export type Counts = (quick: boolean) => readonly number[];

type MakePopulation = () => Population | Promise<Population>;

/** Actors started in one timed region: small counts are repeated side by side, each under its own root. */
const regionActorsMin = { quick: 20_000, full: 100_000 };
const warmActors = 3_000;
const warmRounds = 5;

/** Measures starting, heap and stopping of `counts` live actors. */
export async function measurePopulations(counts: Counts, scale: Scale, make: MakePopulation): Promise<Readings> {
  await warm(make);
  const readings: Record<string, Reading> = {};
  for (const count of counts(scale.quick)) {
    const roots = Math.max(1, Math.ceil((scale.quick ? regionActorsMin.quick : regionActorsMin.full) / count));
    Object.assign(readings, await measureCount({ count, roots, make }));
  }
  return readings;
}

/** A fresh run of the same paths, so that compiling is not measured. */
async function warm(make: MakePopulation): Promise<void> {
  for (let round = 0; round < warmRounds; round += 1) {
    const population = await make();
    await population.stop(await population.spawn(warmActors));
  }
}

async function measureCount(plan: { count: number; roots: number; make: MakePopulation }): Promise<Readings> {
  const { count, roots, make } = plan;
  const populations: Population[] = [];
  for (let root = 0; root < roots; root += 1) populations.push(await make());
  const before = await heapBytes();
  const actors: (readonly unknown[])[] = [];
  const spawned = startClocks();
  for (const population of populations) actors.push(await population.spawn(count));
  const spawn = spawned(count * roots);
  const bytes = ((await heapBytes()) - before) / (count * roots);
  const stopped = startClocks();
  for (const [index, population] of populations.entries()) await population.stop(actors[index] ?? []);
  return {
    [`spawn-${count}`]: spawn,
    [`stop-${count}`]: stopped(count * roots),
    [`heap-${count}`]: { value: bytes },
  };
}

import type { Reading, Scale } from "./arm.ts";

/**
 * CPU milliseconds of the whole process: the helper threads of the garbage collector and the compiler count, and
 * what other processes do to this machine does not.
 */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

export function wallMs(): number {
  return performance.now();
}

/** Starts both clocks; the returned function says how many `operations` a second were done since. */
export function startClocks(): (operations: number) => Reading {
  const cpu = cpuMs();
  const wall = wallMs();
  return (operations) => {
    const wallSpent = wallMs() - wall;
    return { value: (operations * 1_000) / (cpuMs() - cpu), wall: (operations * 1_000) / wallSpent };
  };
}

/** What the same step does before, unmeasured, so that compiling is over: this much CPU time and this many operations. */
const warmMs = 180;
const warmOperations = 25_000;

/** Repeats `step`, which returns how many operations it completed, until both limits are reached; returns their sum. */
async function repeat(step: () => number | Promise<number>, regionMs: number, operationsMin = 0): Promise<number> {
  const from = cpuMs();
  let operations = 0;
  do {
    const done = step();
    operations += typeof done === "number" ? done : await done;
  } while (cpuMs() - from < regionMs || operations < operationsMin);
  return operations;
}

/** Warms `step` up and measures it for one region's time: operations a second. */
export async function measureRate(step: () => number | Promise<number>, scale: Scale): Promise<Reading> {
  await repeat(step, warmMs, warmOperations);
  const stop = startClocks();
  return stop(await repeat(step, scale.regionMs));
}

/** Lets timers and sockets run once. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Full collections in a row that make the heap a figure to compare. */
const collections = 2;

/** Collects until nothing more goes away: finalizers of one pass free what the next one finds. */
export async function collectGarbage(): Promise<void> {
  await breathe();
  if (globalThis.gc === undefined) throw new Error("run with --expose-gc, as npm run bench does");
  for (let pass = 0; pass < collections; pass += 1) globalThis.gc();
}

export async function heapBytes(): Promise<number> {
  await collectGarbage();
  return process.memoryUsage().heapUsed;
}

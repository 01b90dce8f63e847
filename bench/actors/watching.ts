import { GCProfiler } from "node:v8";
import * as library from "troupe";
import { z } from "zod";
import { Observe, type Happening } from "../../src/ports/observe.ts";
import type { Arm, Reading, Scale } from "../measuring/arm.ts";
import { collectGarbage, cpuMs, measureRate } from "../measuring/clocks.ts";
import { medianOf } from "../measuring/median.ts";
import { callTimeoutMs } from "./messages.ts";
import { watchedWorks, type WatchedWork } from "./scales.ts";
import { Tally } from "./tally.ts";
import { loadUnobserved } from "./unobserved.ts";

type Library = typeof library;

/** Does `count` operations, all complete when it resolves. */
type Work = (count: number) => Promise<void>;
type Works = { readonly [Name in WatchedWork]: Work };

/** Operations in one step, and steps whose allocations are counted: they fit into the young generation. */
const stepOperations = 1_000;
const countedSteps = 2;
/** Agents that live at the same time: few, so that most die young. */
const lifeBatch = 20;
const byteSamples = { quick: 3, full: 7 };
const slices = { quick: 15, full: 81 };
/** CPU time of one slice of a paired run, in milliseconds. */
const sliceMs = 16;

async function openWorks({ createTroupe, defineAgent }: Library) {
  const tally = new Tally();
  const agent = defineAgent({
    name: "counter",
    capabilities: {
      add: {
        input: z.object({ n: z.number() }),
        output: z.number(),
        run({ input }) {
          tally.hit();
          return input.n;
        },
      },
    },
  });
  const troupe = await createTroupe({ agents: [agent] });
  const [ref] = await troupe.spawn(agent);
  if (ref === undefined) throw new Error("no agent was spawned");
  const works: Works = {
    async tell(count) {
      const handled = tally.expect(count);
      for (let n = 0; n < count; n += 1) ref.tell("add", { n });
      await handled;
    },
    async call(count) {
      for (let n = 0; n < count; n += 1) {
        const outcome = await troupe.call("add", { n }, { timeoutMs: callTimeoutMs });
        if (!outcome.ok) throw new Error(outcome.failure.message);
      }
    },
    async life(count) {
      for (let done = 0; done < count; done += lifeBatch) {
        const refs = await troupe.spawn(agent, { count: Math.min(lifeBatch, count - done) });
        await Promise.all(refs.map((each) => each.stop()));
      }
    },
  };
  return { troupe, works };
}

/**
 * Tells and calls in shares that take about the same time each. Lives are left out: what one costs swings several
 * times with what the collector happens to keep of the agents before it, on both sides.
 */
function mixOf({ tell, call }: Works): Work {
  return async (count) => {
    await tell(count);
    await call(count / 8);
  };
}

/** CPU time of one operation, in milliseconds, over one slice. */
async function runSlice(work: Work): Promise<number> {
  const from = cpuMs();
  let operations = 0;
  while (cpuMs() - from < sliceMs) {
    await work(stepOperations);
    operations += stepOperations;
  }
  return (cpuMs() - from) / operations;
}

/** The median of slices taken in turns: the cost of the one over the cost of the other. */
async function pairedCost(ours: Work, theirs: Work, scale: Scale): Promise<Reading> {
  const ratios: number[] = [];
  const count = scale.quick ? slices.quick : slices.full;
  for (let slice = 0; slice < count; slice += 1) {
    const first = slice % 2 === 0 ? ours : theirs;
    const one = await runSlice(first);
    const other = await runSlice(first === ours ? theirs : ours);
    ratios.push(first === ours ? one / other : other / one);
  }
  return { value: medianOf(ratios) };
}

function stepOf(work: Work): () => Promise<number> {
  return async () => {
    await work(stepOperations);
    return stepOperations;
  };
}

function countPublishes(): () => number {
  type Publish = (this: Observe, happening: Happening) => void;
  const publish = Object.getOwnPropertyDescriptor(Observe.prototype, "publish")?.value as Publish;
  let published = 0;
  Observe.prototype.publish = function (this: Observe, happening) {
    published += 1;
    publish.call(this, happening);
  };
  return () => published;
}

/**
 * The runtime with nobody watching, in turns with its copy that has no observation points. Counts publishes, and
 * proves that the count sees one as soon as somebody subscribes.
 */
export const workUnheard: Arm = async (scale) => {
  const readings: Record<string, Reading> = {};
  const published = countPublishes();
  const { troupe, works } = await openWorks(library);
  const bare = await openWorks(await loadUnobserved());
  for (const name of watchedWorks) {
    readings[`${name}-rate`] = await measureRate(stepOf(works[name]), scale);
    readings[`${name}-bare-rate`] = await measureRate(stepOf(bare.works[name]), scale);
  }
  readings["cost"] = await pairedCost(mixOf(works), mixOf(bare.works), scale);
  readings["publishes"] = { value: published() };
  const subscription = troupe.events();
  for (const work of Object.values(works)) await work(1);
  await subscription.return();
  if (published() === readings["publishes"].value)
    throw new Error("the counter of publishes saw nothing even while somebody watched");
  return readings;
};

/** Bytes that one operation allocates: the growth of the heap while nothing is collected. */
async function sampleBytes(work: Work): Promise<number> {
  await collectGarbage();
  const profiler = new GCProfiler();
  profiler.start();
  const before = process.memoryUsage().heapUsed;
  for (let step = 0; step < countedSteps; step += 1) await work(stepOperations);
  const grown = process.memoryUsage().heapUsed - before;
  if (profiler.stop()?.statistics.length !== 0)
    throw new Error("the young generation was too small for counting; raise --min-semi-space-size");
  return grown / (countedSteps * stepOperations);
}

async function countBytes(work: Work, scale: Scale): Promise<Reading> {
  const samples: number[] = [];
  const wanted = scale.quick ? byteSamples.quick : byteSamples.full;
  for (let warm = 0; warm < 3; warm += 1) await work(stepOperations);
  for (let sample = 0; sample < wanted; sample += 1) samples.push(await sampleBytes(work));
  return { value: medianOf(samples) };
}

/**
 * What both copies allocate, counted without the optimizing compilers: they remove allocations as they see fit,
 * while unoptimized code allocates exactly what the source says.
 */
export const allocateUnheard: Arm = async (scale) => {
  const readings: Record<string, Reading> = {};
  const { works } = await openWorks(library);
  const bare = await openWorks(await loadUnobserved());
  for (const name of watchedWorks) {
    readings[`${name}-bytes`] = await countBytes(works[name], scale);
    readings[`${name}-bare-bytes`] = await countBytes(bare.works[name], scale);
  }
  return readings;
};

/** The same work while one subscriber reads every event. */
export const workHeard: Arm = async (scale) => {
  const { troupe, works } = await openWorks(library);
  const subscription = troupe.events();
  const reader = (async () => {
    for await (const event of subscription) if (event.type === "never") break;
  })();
  const readings: Record<string, Reading> = {};
  for (const name of watchedWorks) readings[`${name}-rate`] = await measureRate(stepOf(works[name]), scale);
  await subscription.return();
  await reader;
  return readings;
};

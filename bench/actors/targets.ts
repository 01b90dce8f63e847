import type { Place, Results } from "../measuring/rounds.ts";
import type { Target } from "../suite.ts";
import { bursts, millionCount, populationCounts, siblingCounts, stormSizes, watchedWorks } from "./scales.ts";

/** A figure that was promised. Source: the issue "Foundation", speed and memory to reach. */
interface TargetPlan {
  readonly name: string;
  readonly relation: ">=" | "<=" | "=";
  readonly bound: number;
  readonly fullOnly?: boolean;
  /** The arms it needs; the first that has no figure is the reason for having none. */
  readonly needs: readonly string[];
  readonly figure: (results: Results, quick: boolean) => number | undefined;
}

/** Cost of one operation among many siblings over its cost among few. Above 1 by what a larger heap costs the caches. */
const flatMax = 1.5;
/** The storm four times as large may cost this much more for each crash. */
const linearMax = 1.25;
/** The smallest object is larger than this, so less is none. */
const strayBytesMax = 8;
const heapOverBareMax = 750;

function at(arm: string, reading: string): Place {
  return { arm, reading };
}

function ratioTarget(plan: {
  name: string;
  relation: ">=" | "<=";
  bound: number;
  ours: Place;
  theirs: Place;
}): TargetPlan {
  const { name, relation, bound, ours, theirs } = plan;
  return {
    name,
    relation,
    bound,
    needs: [ours.arm, theirs.arm],
    figure: (results) => results.ratio(ours, theirs)?.value,
  };
}

const tellBounds = { [bursts[0]]: 10, [bursts[1]]: 8 };

const messageTargets: readonly TargetPlan[] = [
  ...bursts.map((burst) =>
    ratioTarget({
      name: `tell over nact's dispatch, bursts of ${burst}`,
      relation: ">=",
      bound: tellBounds[burst],
      ours: at("troupe tell", `tell-${burst}`),
      theirs: at("nact tell", `tell-${burst}`),
    }),
  ),
  ...["sequential", "concurrent"].map((way) =>
    ratioTarget({
      name: `call with timeout over nact's query, ${way}`,
      relation: ">=",
      bound: 2,
      ours: at("troupe call", `call-${way}`),
      theirs: at("nact call", `call-${way}`),
    }),
  ),
  // Rates turn round: the cost of ours over the cost of theirs is their rate over ours.
  ...["sequential", "concurrent"].map((way) =>
    ratioTarget({
      name: `cost of a statechart call over its two bare transitions, ${way}`,
      relation: "<=",
      bound: 1.3,
      ours: at("xstate machine twice", "twice"),
      theirs: at("troupe statechart call", `call-${way}`),
    }),
  ),
];

const kinds = [
  { words: "default agents", ours: "troupe live", bare: "xstate transition live" },
  { words: "statechart agents", ours: "troupe statechart live", bare: "xstate machine live" },
] as const;

function worst(figures: readonly (number | undefined)[], pick: (...all: number[]) => number): number | undefined {
  const known = figures.filter((figure) => figure !== undefined);
  return known.length === figures.length ? pick(...known) : undefined;
}

function spawnRatio(results: Results, kind: (typeof kinds)[number], count: number): number | undefined {
  const suffix = count === millionCount ? " million" : "";
  const reading = `spawn-${count}`;
  return results.ratio(at(kind.ours + suffix, reading), at(kind.bare + suffix, reading))?.value;
}

const populationTargets: readonly TargetPlan[] = kinds.flatMap((kind): TargetPlan[] => [
  {
    name: `spawn of ${kind.words} over the bare XState child, worst count`,
    relation: ">=",
    bound: 0.5,
    needs: [kind.ours, kind.bare],
    figure: (results, quick) =>
      worst(
        populationCounts(quick).map((count) => spawnRatio(results, kind, count)),
        Math.min,
      ),
  },
  {
    name: `spawn ratio of ${kind.words} at 1,000,000 live over that at 10,000`,
    relation: ">=",
    bound: 0.7,
    fullOnly: true,
    needs: [kind.ours, kind.bare, `${kind.ours} million`, `${kind.bare} million`],
    figure(results) {
      const [many, few] = [spawnRatio(results, kind, millionCount), spawnRatio(results, kind, 10_000)];
      return many === undefined || few === undefined ? undefined : many / few;
    },
  },
  {
    name: `heap of ${kind.words} over the bare XState child, worst count, bytes`,
    relation: "<=",
    bound: heapOverBareMax,
    needs: [kind.ours, kind.bare],
    figure: (results, quick) =>
      worst(
        populationCounts(quick).map((count) =>
          results.difference(at(kind.ours, `heap-${count}`), at(kind.bare, `heap-${count}`)),
        ),
        Math.max,
      ),
  },
]);

const [few, many] = siblingCounts;

const supervisionTargets: readonly TargetPlan[] = [
  ...["restart", "stop", "restart-statechart", "stop-statechart"].map((reading) =>
    ratioTarget({
      name: `${reading.replace("-statechart", " of a statechart agent")} with 100,000 siblings over with 10`,
      relation: "<=",
      bound: flatMax,
      ours: at("siblings", `${reading}-${many}`),
      theirs: at("siblings", `${reading}-${few}`),
    }),
  ),
  {
    name: "queued calls lost in the restart storm",
    relation: "=",
    bound: 0,
    needs: ["storm"],
    figure: (results) => results.median(at("storm", "lost"))?.value,
  },
  ratioTarget({
    name: "cost of a crash in a storm of 10,000 over one of 2,500",
    relation: "<=",
    bound: linearMax,
    ours: at("storm", `crash-${stormSizes[2]}`),
    theirs: at("storm", `crash-${stormSizes[0]}`),
  }),
];

const watchingTargets: readonly TargetPlan[] = [
  {
    name: "publishes with nobody watching",
    relation: "=",
    bound: 0,
    needs: ["watching unheard"],
    figure: (results) => results.median(at("watching unheard", "publishes"))?.value,
  },
  {
    name: "extra bytes an operation allocates with nobody watching, worst of tell, call, spawn and stop",
    relation: "<=",
    bound: strayBytesMax,
    needs: ["watching allocations"],
    figure: (results) =>
      worst(
        watchedWorks.map((work) =>
          results.difference(
            at("watching allocations", `${work}-bytes`),
            at("watching allocations", `${work}-bare-bytes`),
          ),
        ),
        Math.max,
      ),
  },
  {
    name: "CPU with nobody watching over none to watch, a mix of tells and calls",
    relation: "<=",
    bound: 1.1,
    needs: ["watching unheard"],
    figure: (results) => results.median(at("watching unheard", "cost"))?.value,
  },
];

const plans: readonly TargetPlan[] = [
  ...messageTargets,
  ...populationTargets,
  ...supervisionTargets,
  ...watchingTargets,
];

function isMet(value: number, { relation, bound }: TargetPlan): boolean {
  if (relation === ">=") return value >= bound;
  return relation === "<=" ? value <= bound : value === bound;
}

export function targetsOf(results: Results, quick: boolean): Target[] {
  return plans
    .filter((plan) => !(quick && plan.fullOnly === true))
    .map((plan) => {
      const target = `${plan.relation} ${plan.bound}`;
      const value = plan.figure(results, quick);
      if (value !== undefined) return { name: plan.name, value, target, met: isMet(value, plan) };
      const reasons = plan.needs.flatMap((arm) => {
        const problem = results.problemOf(arm);
        return problem === undefined ? [] : `${arm}: ${problem}`;
      });
      return { name: plan.name, value: null, target, met: false, reason: reasons[0] ?? "was not measured" };
    });
}

/** What a quick run leaves out. */
export function skippedOf(quick: boolean): { name: string; reason: string }[] {
  if (!quick) return [];
  return plans
    .filter((plan) => plan.fullOnly === true)
    .map((plan) => ({ name: plan.name, reason: "a million live agents need the full run" }));
}

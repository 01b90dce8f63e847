import type { Results, Place } from "../measuring/rounds.ts";
import type { Row } from "../suite.ts";
import { actorArms } from "./arms.ts";
import {
  bursts,
  millionCount,
  populationCounts,
  siblingCounts,
  stormSizes,
  watchedWorks,
  type WatchedWork,
} from "./scales.ts";

/** What one row shows: ours, and whom it is held against. */
interface RowPlan {
  readonly name: string;
  readonly unit: string;
  readonly place: Place;
  readonly versus?: readonly { readonly name: string; readonly place: Place }[];
}

function at(arm: string, reading: string): Place {
  return { arm, reading };
}

function versus(name: string, arm: string, reading: string): { name: string; place: Place } {
  return { name, place: at(arm, reading) };
}

const group = new Intl.NumberFormat("en-US");

function tellRows(): RowPlan[] {
  return bursts.map((burst) => ({
    name: `tell, bursts of ${group.format(burst)}`,
    unit: "messages/s",
    place: at("troupe tell", `tell-${burst}`),
    versus: [
      versus("nact dispatch", "nact tell", `tell-${burst}`),
      versus("bare queue", "queue tell", `tell-${burst}`),
      versus("bare XState transition send (no mailbox)", "xstate transition tell", `tell-${burst}`),
      versus("bare XState machine send (no mailbox)", "xstate machine tell", `tell-${burst}`),
    ],
  }));
}

const callKinds = [
  ["call-sequential", "one after the other"],
  ["call-concurrent", "64 callers"],
] as const;

function callRows(): RowPlan[] {
  const defaults = callKinds.map(([reading, words]) => ({
    name: `call with timeout, ${words}`,
    unit: "calls/s",
    place: at("troupe call", reading),
    versus: [
      versus("nact query with timeout", "nact call", reading),
      versus("bare queue and promise (no timeout)", "queue call", reading),
    ],
  }));
  const statecharts = callKinds.map(([reading, words]) => ({
    name: `call of a statechart agent, two transitions, ${words}`,
    unit: "calls/s",
    place: at("troupe statechart call", reading),
    versus: [versus("two bare XState sends", "xstate machine twice", "twice")],
  }));
  return [...defaults, ...statecharts];
}

const kinds = [
  { words: "default agents", ours: "troupe live", bare: "xstate transition live", plain: true },
  { words: "statechart agents", ours: "troupe statechart live", bare: "xstate machine live", plain: false },
] as const;

const figures = [
  { reading: "spawn", verb: "spawn", unit: "agents/s" },
  { reading: "stop", verb: "stop", unit: "agents/s" },
  { reading: "heap", verb: "heap of", unit: "bytes/agent" },
] as const;

function populationRows(counts: readonly number[], suffix: string): RowPlan[] {
  return kinds.flatMap(({ words, ours, bare, plain }) =>
    figures.flatMap(({ reading, verb, unit }) =>
      counts.map((count) => ({
        name: `${verb} ${words}, ${group.format(count)} live`,
        unit,
        place: at(ours + suffix, `${reading}-${count}`),
        versus: [
          versus("bare XState child of the same kind", bare + suffix, `${reading}-${count}`),
          ...(plain
            ? [
                versus("nact", `nact live${suffix}`, `${reading}-${count}`),
                ...(reading === "stop"
                  ? []
                  : [versus("bare object in a map", `queue live${suffix}`, `${reading}-${count}`)]),
              ]
            : []),
        ],
      })),
    ),
  );
}

function siblingRows(): RowPlan[] {
  const [few, many] = siblingCounts;
  return ["restart", "stop", "restart-statechart", "stop-statechart"].map((reading) => ({
    name: `${reading.replace("-statechart", " a statechart agent")}, ${group.format(many)} siblings with pending timers`,
    unit: "µs, median",
    place: at("siblings", `${reading}-${many}`),
    versus: [versus(`with ${few} siblings`, "siblings", `${reading}-${few}`)],
  }));
}

function stormRows(quick: boolean): RowPlan[] {
  return (quick ? [stormSizes[0], stormSizes[2]] : stormSizes).map((size) => ({
    name: `restart storm, ${group.format(size)} of 100,000 agents crash at once`,
    unit: "µs/crash",
    place: at("storm", `crash-${size}`),
  }));
}

function watchingRows(): RowPlan[] {
  return watchedWorks.flatMap((work) => [
    {
      name: `${workNames[work]}, nobody watches`,
      unit: "operations/s",
      place: at("watching unheard", `${work}-rate`),
      versus: [
        versus("observation points removed", "watching unheard", `${work}-bare-rate`),
        versus("one subscriber", "watching heard", `${work}-rate`),
      ],
    },
    {
      name: `allocated by ${workNames[work]}, nobody watches, unoptimized`,
      unit: "bytes",
      place: at("watching allocations", `${work}-bytes`),
      versus: [versus("observation points removed", "watching allocations", `${work}-bare-bytes`)],
    },
  ]);
}

const workNames: { readonly [Work in WatchedWork]: string } = { tell: "tell", call: "call", life: "spawn and stop" };

function planRows(quick: boolean): RowPlan[] {
  return [
    ...tellRows(),
    ...callRows(),
    ...populationRows(populationCounts(quick), ""),
    ...(quick ? [] : populationRows([millionCount], " million")),
    ...siblingRows(),
    ...stormRows(quick),
    ...watchingRows(),
  ];
}

function isFullOnly({ arm }: Place): boolean {
  return actorArms[arm]?.fullOnly === true;
}

export function rowsOf(results: Results, quick: boolean): Row[] {
  return planRows(quick).map(({ name, unit, place, versus: others = [] }) => {
    const own = results.median(place);
    return {
      name,
      value: own?.value ?? null,
      unit,
      ...(own?.wall === undefined ? {} : { wall: own.wall }),
      ...(others.length === 0
        ? {}
        : {
            versus: others.flatMap((other) => {
              if (quick && isFullOnly(other.place)) return [];
              const ratio = results.ratio(place, other.place);
              return {
                name: other.name,
                ratio: ratio?.value ?? null,
                ...(ratio?.wall === undefined ? {} : { wallRatio: ratio.wall }),
              };
            }),
          }),
    };
  });
}

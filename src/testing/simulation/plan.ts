import { defineCouncil, findVetoer, type Council } from "../../../machines/consensus/bft/council.ts";
import { throwDice, type Dice } from "./dice.ts";

/** What faulty members do (consensus design §5). */
export const adversaries = [
  "crash",
  "silent",
  "equivocate",
  "split",
  "amnesia",
  "fake-polka",
  "nil-proposer",
  "flood",
  "twins",
  "mutate",
  "hidden-lock",
  "random",
] as const;
export type AdversaryName = (typeof adversaries)[number];

/**
 * How much weight is faulty. "within": the rest can decide (at most W-q). "edge": no two quorums can disagree, but the
 * rest may be unable to decide (at most 2q-W-1). "beyond": more than that, where disagreement must be explained.
 */
export const regimes = ["within", "edge", "beyond"] as const;
export type Regime = (typeof regimes)[number];

/** Parts of a plan that can be left out to make a failing schedule smaller. */
export const features = ["crashes", "partition", "mute", "drops", "duplicates", "delays", "picky", "acts"] as const;
export type Feature = (typeof features)[number];

/** One correct member goes down around one of its votes, and comes back with what it had made durable. */
export interface CrashPlan {
  readonly member: number;
  /** The how-manieth vote it casts. */
  readonly atVote: number;
  /** Before the vote is durable, before it is sent, or after. */
  readonly stage: "before-store" | "before-send" | "after-send";
  readonly downMs: number;
}

/** While it lasts, members on different sides do not hear each other. */
export interface Partition {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly side: readonly boolean[];
}

/** A correct member that hears everything and is heard by nobody, from here on until the network is stable. */
export interface MutePlan {
  readonly member: number;
  readonly fromMs: number;
}

/** Everything that chance decides before a schedule begins. */
export interface Plan {
  readonly seed: number;
  readonly council: Council;
  readonly regime: Regime;
  readonly adversary: AdversaryName;
  readonly faulty: readonly number[];
  /** From here on every message arrives within `delayMs`. */
  readonly stableAtMs: number;
  readonly delayMs: number;
  readonly earlyDelayMs: number;
  readonly dropPercent: number;
  readonly duplicatePercent: number;
  /** How the opponent halves the correct members. */
  readonly side: readonly boolean[];
  readonly partitions: readonly Partition[];
  readonly muted: MutePlan | null;
  readonly crashes: readonly CrashPlan[];
  /** Whether some values please only some members. */
  readonly isPicky: boolean;
  /** Most statements that faulty members make up. */
  readonly actsMax: number;
}

export interface PlanOverrides {
  readonly adversary?: AdversaryName;
  readonly regime?: Regime;
  readonly without?: readonly Feature[];
  readonly actsMax?: number;
  /** So many members and no more, from `membersMin` on; as many as the seed draws where that is fewer. */
  readonly members?: number;
}

/** Fewest members of a schedule: with three, each of them could stop every quorum. */
export const membersMin = 4;

/** Statements that faulty members make up in one schedule; enough for ten rounds of noise. */
export const actsMaxDefault = 400;

const electorates: readonly (readonly number[])[] = [
  [1, 1, 1, 1],
  [1, 1, 1, 1, 1],
  [1, 1, 1, 1, 1, 1],
  [1, 1, 1, 1, 1, 1, 1],
  [5, 4, 4, 3, 2, 2, 1],
  [3, 3, 2, 2, 1, 1],
  [2, 2, 2, 1, 1, 1],
  [1999, 1000, 1000, 1000, 1000],
];

function drawWeights(dice: Dice): readonly number[] {
  if (dice.chance(75)) return dice.pick(electorates);
  const weights = Array.from({ length: dice.between(4, 7) }, () => dice.between(1, 5));
  const isFit = findVetoer(defineCouncil({ decision: "", electorate: "" }, weights)) < 0;
  return isFit ? weights : [2, 2, 1, 1, 1];
}

/** The first of the members with their weights, or equals where one of these could stop every quorum. */
function firstOf(weights: readonly number[], members: number): readonly number[] {
  const first = weights.slice(0, members);
  const isFit = findVetoer(defineCouncil({ decision: "", electorate: "" }, first)) < 0;
  return isFit ? first : first.map(() => 1);
}

/** The least and the most faulty weight of a regime. */
function boundsOfRegime({ total, quorum }: Council, regime: Regime): readonly [number, number] {
  const live = total - quorum;
  const safe = 2 * quorum - total - 1;
  if (regime === "within") return [1, live];
  return regime === "edge" ? [live + 1, safe] : [safe + 1, Math.floor((2 * total) / 3)];
}

/** Members in random order, as long as they fit; undefined where no set of them lies within the bounds. */
function drawFaulty(dice: Dice, council: Council, [least, most]: readonly [number, number]): number[] | undefined {
  const left = council.weights.map((_, index) => index);
  const faulty: number[] = [];
  let weight = 0;
  while (left.length > 0) {
    const [member] = left.splice(dice.below(left.length), 1);
    const own = council.weights[member ?? 0] ?? 0;
    if (member === undefined || weight + own > most || left.length + faulty.length < 1) continue;
    faulty.push(member);
    weight += own;
    if (weight >= least && dice.chance(15)) break;
  }
  return weight >= least && faulty.length < council.weights.length - 1 ? faulty.sort((a, b) => a - b) : undefined;
}

function drawCrashes(dice: Dice, correct: readonly number[]): CrashPlan[] {
  if (!dice.chance(40)) return [];
  return Array.from({ length: dice.between(1, 2) }, () => ({
    member: dice.pick(correct),
    atVote: dice.between(1, 5),
    stage: dice.pick(["before-store", "before-send", "after-send"] as const),
    downMs: dice.between(1, 600),
  }));
}

/** Up to three times apart; the first one often lasts, along the line that the opponent uses. */
function drawPartitions(dice: Dice, side: readonly boolean[], stableAtMs: number): Partition[] {
  if (stableAtMs === 0 || dice.chance(40)) return [];
  if (dice.chance(40)) return [{ fromMs: dice.below(200), untilMs: stableAtMs, side }];
  return Array.from({ length: dice.between(1, 3) }, () => {
    const fromMs = dice.below(stableAtMs);
    const loner = dice.chance(40) ? dice.below(side.length) : -1;
    const sides = side.map((_, index) => (loner < 0 ? dice.chance(50) : index === loner));
    return { fromMs, untilMs: Math.min(stableAtMs, fromMs + dice.between(50, 800)), side: sides };
  });
}

function drawRegime(dice: Dice): Regime {
  const roll = dice.below(16);
  return roll < 13 ? "within" : roll < 15 ? "edge" : "beyond";
}

/**
 * The same plan with fewer members, which follows from the plan and their number. Whoever was faulty stays so where that
 * is still of the regime; what befell a correct member that is gone, or is faulty now, befalls another one.
 */
function reseat(plan: Plan, members: number): Plan {
  const { decision, electorate, weights } = plan.council;
  const council = defineCouncil({ decision, electorate }, firstOf(weights, members));
  const bounds = boundsOfRegime(council, plan.regime);
  const left = plan.faulty.filter((index) => index < members);
  const weight = left.reduce((sum, index) => sum + (council.weights[index] ?? 0), 0);
  const isOfRegime = weight >= bounds[0] && weight <= bounds[1];
  const dice = throwDice(plan.seed ^ (members << 16));
  const found = isOfRegime ? left : drawFaulty(dice, council, bounds);
  const faulty = found ?? drawFaulty(dice, council, boundsOfRegime(council, "within")) ?? [0];
  const correct = council.weights.map((_, index) => index).filter((index) => !faulty.includes(index));
  const moved = <Of extends { readonly member: number }>(given: Of): Of => {
    if (correct.includes(given.member)) return given;
    return { ...given, member: correct[given.member % correct.length] ?? 0 };
  };
  return {
    ...plan,
    council,
    regime: found === undefined ? "within" : plan.regime,
    faulty,
    side: plan.side.slice(0, members),
    partitions: plan.partitions.map((partition) => ({ ...partition, side: partition.side.slice(0, members) })),
    muted: plan.muted === null ? null : moved(plan.muted),
    crashes: plan.crashes.map(moved),
  };
}

/** Draws a plan from a seed. Overrides are applied after the draw, so the rest of the plan stays what it was. */
export function drawPlan(seed: number, overrides: PlanOverrides = {}): Plan {
  const dice = throwDice(seed);
  const without = new Set(overrides.without);
  const council = defineCouncil({ decision: `d${seed}`, electorate: "e" }, drawWeights(dice));
  const wanted = drawRegime(dice);
  const regime = overrides.regime ?? wanted;
  const drawn = dice.pick(adversaries);
  const found = drawFaulty(dice, council, boundsOfRegime(council, regime));
  const faulty = found ?? drawFaulty(dice, council, boundsOfRegime(council, "within")) ?? [0];
  const correct = council.weights.map((_, index) => index).filter((index) => !faulty.includes(index));
  const stableAtMs = dice.chance(15) ? 0 : dice.between(100, 3_000);
  const delayMs = dice.pick([20, 50, 100]);
  const earlyDelayMs = dice.pick([50, 200, 1_000]);
  const dropPercent = dice.pick([0, 0, 10, 30]);
  const duplicatePercent = dice.pick([0, 0, 10, 30]);
  const side = council.weights.map(() => dice.chance(50));
  const partitions = drawPartitions(dice, side, stableAtMs);
  const muted = dice.chance(35) ? { member: dice.pick(correct), fromMs: dice.below(400) } : null;
  const crashes = drawCrashes(dice, correct);
  const isPicky = dice.chance(25);
  const plan: Plan = {
    seed,
    council,
    regime: found === undefined ? "within" : regime,
    adversary: overrides.adversary ?? drawn,
    faulty,
    stableAtMs,
    delayMs,
    earlyDelayMs: without.has("delays") ? 5 : earlyDelayMs,
    dropPercent: without.has("drops") ? 0 : dropPercent,
    duplicatePercent: without.has("duplicates") ? 0 : duplicatePercent,
    side,
    partitions: without.has("partition") ? [] : partitions,
    muted: without.has("mute") ? null : muted,
    crashes: without.has("crashes") ? [] : crashes,
    isPicky: isPicky && !without.has("picky"),
    actsMax: without.has("acts") ? 0 : (overrides.actsMax ?? actsMaxDefault),
  };
  const members = Math.max(overrides.members ?? council.weights.length, membersMin);
  return members < council.weights.length ? reseat(plan, members) : plan;
}

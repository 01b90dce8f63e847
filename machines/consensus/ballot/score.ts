import { basisPoints } from "../codec/messages.ts";
import { totalWeightOf } from "../electorate/electorate.ts";
import { undeclaredGroup, type Supporter } from "./count.ts";
import type { Round } from "./round.ts";

/** An exact non-negative fraction; weights and basis points alone would not fit in 53 bits. */
export interface Fraction {
  readonly num: bigint;
  readonly den: bigint;
}

export function compareFractions(left: Fraction, right: Fraction): number {
  const difference = left.num * right.den - right.num * left.den;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** Rounded down to whole basis points, for showing. */
export function toBasisPoints(fraction: Fraction): number {
  return Number((fraction.num * BigInt(basisPoints)) / fraction.den);
}

/** How many groups the electorate declares; members without one count as one group together. */
export function groupCount(round: Round): number {
  const groups = new Set<string>();
  for (const { group } of round.electorate.members) groups.add(group ?? undeclaredGroup);
  return groups.size;
}

/**
 * The score of an option among those that already passed:
 * `support/W · (1 - λ + λ·conf + δ·div)`, with conf the supporters' mean confidence (none stated counts 0) and div
 * the Gini-Simpson index over supporters' groups, normalised by the number of groups in the electorate.
 * Both choices keep the score monotone: one more supporter never lowers it (property P12). It is exact; only the
 * shown value is rounded. Source: consensus design §3.6.
 */
export function scoreOf(round: Round, supporters: readonly Supporter[]): Fraction {
  const unit = BigInt(basisPoints);
  const lambda = BigInt(round.proposal.confidence.weight);
  const total = BigInt(totalWeightOf(round.electorate.members));
  // Sums of weights, and of weights times basis points, stay below 10^13; only their products need more than 53 bits.
  const byGroup = new Map<string, number>();
  let sure = 0;
  let sum = 0;
  for (const { weight, confidence, group } of supporters) {
    sum += weight;
    sure += weight * (confidence ?? 0);
    byGroup.set(group, (byGroup.get(group) ?? 0) + weight);
  }
  const support = BigInt(sum);
  const stated = support * (unit - lambda) * unit + lambda * BigInt(sure);
  const groups = BigInt(groupCount(round));
  if (support === 0n) return { num: 0n, den: 1n };
  if (groups < 2n) return { num: stated, den: total * unit * unit };
  let squares = 0n;
  for (const weight of byGroup.values()) squares += BigInt(weight) * BigInt(weight);
  const spread = BigInt(round.proposal.diversity) * unit * (support * support - squares) * groups;
  const shared = support * (groups - 1n);
  return { num: stated * shared + spread, den: total * unit * unit * shared };
}

/**
 * The weighted lower median of supporters' confidence, in basis points: half of the supporting weight or more states
 * at most this. A confidence that was not stated ranks below every number, so silence cannot lift the median; null
 * where the median falls on such a one.
 */
export function medianConfidence(supporters: readonly Supporter[]): number | null {
  const sorted = supporters.toSorted((left, right) => (left.confidence ?? -1) - (right.confidence ?? -1));
  const total = sorted.reduce((sum, { weight }) => sum + weight, 0);
  let reached = 0;
  for (const { weight, confidence } of sorted) {
    reached += weight;
    if (2 * reached >= total) return confidence;
  }
  return null;
}

/** Weight of the supporters whose stated confidence reaches the gate. */
export function weightAtGate(supporters: readonly Supporter[], gate: number): number {
  return supporters.reduce((sum, { weight, confidence }) => sum + ((confidence ?? -1) >= gate ? weight : 0), 0);
}

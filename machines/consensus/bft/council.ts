import { twoThirds, quorumOf } from "../electorate/threshold.ts";
import type { Scope } from "./statement.ts";

/** Rounds a decision may take, counted from 0; the last one stays open and the decision remains undecided. */
export const councilRoundsMax = 10_000;

/** How long each step waits, in milliseconds; every wait grows by `growthMs` per round. */
export interface StepTimeouts {
  readonly proposeMs: number;
  readonly voteMs: number;
  readonly growthMs: number;
  /** How often a member sends its statements of the present round again. */
  readonly resendMs: number;
}

/** Waits across the internet. Source: CometBFT's defaults. */
export const wideTimeouts: StepTimeouts = { proposeMs: 3_000, voteMs: 1_000, growthMs: 500, resendMs: 2_000 };
/** Waits within one process or one local network: a tenth of the wide ones. */
export const localTimeouts: StepTimeouts = { proposeMs: 300, voteMs: 100, growthMs: 50, resendMs: 200 };

/** Who agrees, on what, with which weights: frozen for one decision, and the same at every member. */
export interface Council extends Scope {
  /** Weights in order of the electorate. */
  readonly weights: readonly number[];
  readonly total: number;
  /** The least weight that is more than two thirds. */
  readonly quorum: number;
  readonly timeouts: StepTimeouts;
}

export function defineCouncil(
  scope: Scope,
  weights: readonly number[],
  timeouts: StepTimeouts = localTimeouts,
): Council {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const { decision, electorate } = scope;
  return { decision, electorate, weights, total, quorum: quorumOf(twoThirds, total), timeouts };
}

/** The member whose weight alone stops every quorum, or -1. Mode bft refuses an electorate that has one. */
export function findVetoer(council: Council): number {
  return council.weights.findIndex((weight) => weight > council.total - council.quorum);
}

/** Mixes an integer into 32 well-spread bits. Source: Steele and Vigna, SplitMix32. */
function mix(value: number): number {
  let mixed = (value + 0x9e3779b9) | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

interface Rotation {
  readonly priorities: number[];
  readonly proposers: number[];
}

/** Rotations computed so far. A memo of a pure function: dropping it changes nothing but time. */
const rotations = new WeakMap<Council, Rotation>();

/** Priorities before round 0: spread over one total weight by the decision, so that no member leads every decision. */
function seedRotation(council: Council): Rotation {
  let seed = 0;
  for (let index = 0; index < council.decision.length; index += 1) {
    seed = mix(seed ^ council.decision.charCodeAt(index));
  }
  const half = Math.floor(council.total / 2);
  const priorities = council.weights.map((_, index) => (mix(seed ^ mix(index)) % council.total) - half);
  return { priorities, proposers: [] };
}

/** Who proposes in a round: smooth weighted round robin, a pure function of the council and the round. */
export function proposerOf(council: Council, round: number): number {
  let rotation = rotations.get(council);
  if (rotation === undefined) rotations.set(council, (rotation = seedRotation(council)));
  const { priorities, proposers } = rotation;
  while (proposers.length <= round) {
    let next = 0;
    for (const [index, weight] of council.weights.entries()) {
      priorities[index] = (priorities[index] ?? 0) + weight;
      if ((priorities[index] ?? 0) > (priorities[next] ?? 0)) next = index;
    }
    priorities[next] = (priorities[next] ?? 0) - council.total;
    proposers.push(next);
  }
  return proposers[round] ?? 0;
}

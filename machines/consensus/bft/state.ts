import { defineCouncil, type Council } from "./council.ts";
import { findPolka, logOf, votesFor, type RoundLog } from "./vote-keeper.ts";
import type { ValueJudgement } from "./events.ts";
import type { Commit, Vote } from "./statement.ts";

export type BftPhase = "unstarted" | "propose" | "prevote" | "precommit" | "decided";

/**
 * The rows of the transition table (consensus design §4.3), by their lines in "The latest gossip on BFT consensus"
 * (1807.04938), algorithm 1; H1 is the hidden-lock rule.
 */
export const lines = [
  "L11",
  "L18",
  "L20",
  "L22",
  "L28",
  "L34",
  "L36",
  "L42",
  "L44",
  "L47",
  "L49",
  "L55",
  "L57",
  "L61",
  "L65",
  "H1",
] as const;
export type Line = (typeof lines)[number];

/** A value that this member holds. */
export interface KnownValue extends ValueJudgement {
  readonly value: string;
}

/** Everything one member knows of one decision: plain JSON, and a pure function of what it was told. */
export interface BftState {
  readonly phase: BftPhase;
  readonly council: Council;
  /** This member's position in the electorate. */
  readonly self: number;
  /** -1 before the first round. */
  readonly round: number;
  readonly lockedRound: number;
  readonly lockedValue: string | null;
  readonly validRound: number;
  readonly validValue: string | null;
  /** Whether this member proposed in this round, or gave its turn away by crashing. */
  readonly hasProposed: boolean;
  /** What happens once per round: the two timers and the reaction to a polka. */
  readonly hasPrevoteTimer: boolean;
  readonly hasPrecommitTimer: boolean;
  readonly hasPolka: boolean;
  /** In ascending order; rounds of which nothing was heard are absent. */
  readonly rounds: readonly RoundLog[];
  /** Per member its vote of the latest round it voted in. */
  readonly latest: readonly (Vote | null)[];
  readonly values: readonly KnownValue[];
  /** Certified values whose content was asked for. */
  readonly fetching: readonly string[];
  readonly commit: Commit | null;
  /** The lines of the paper that the last event made true, in order. */
  readonly fired: readonly Line[];
}

/** What must outlive a crash, written before any signature leaves: without it a member may vote against its lock. */
export interface DurableState {
  readonly round: number;
  readonly lockedRound: number;
  readonly lockedValue: string | null;
  readonly validRound: number;
  readonly validValue: string | null;
  /** The prevotes that prove the valid value, so that a lock never stays hidden. */
  readonly polka: readonly Vote[];
  /** The votes that allowed it to enter the round, so that it can bring others along. */
  readonly entry: readonly Vote[];
  /** This member's own votes of the round. */
  readonly own: readonly Vote[];
}

export function unstartedState(council: Council, self: number): BftState {
  return {
    phase: "unstarted",
    council,
    self,
    round: -1,
    lockedRound: -1,
    lockedValue: null,
    validRound: -1,
    validValue: null,
    hasProposed: false,
    hasPrevoteTimer: false,
    hasPrecommitTimer: false,
    hasPolka: false,
    rounds: [],
    latest: council.weights.map(() => null),
    values: [],
    fetching: [],
    commit: null,
    fired: [],
  };
}

/** A member before it is told its council. */
export const outsider: BftState = unstartedState(defineCouncil({ decision: "", electorate: "" }, []), -1);

/** The prevotes that prove this member's valid value; empty where it has none. */
export function polkaOf(state: BftState): readonly Vote[] {
  return polkaBehind(state, { value: state.validValue, validRound: state.validRound });
}

/**
 * The prevotes that a vote of this member leans on. Kept beside it, so that what members have stored is enough to say who
 * made a disagreement possible: docs/decisions/0022.
 */
export function polkaBehind(state: BftState, vote: { value: string | null; validRound: number }): readonly Vote[] {
  const set = vote.value === null ? undefined : logOf(state.rounds, vote.validRound)?.prevotes;
  if (set === undefined || vote.value === null) return [];
  const polka = findPolka(set, state.council.quorum, vote.value);
  return polka === undefined ? [] : votesFor(set, polka);
}

/**
 * The votes that show why this member is in its round: the precommits of the round before, and everybody's latest vote
 * from this round on. Whoever hears them may enter it too; without them, members that forgot what others said in a
 * crash could wait for ever in the round before.
 */
export function entryOf(state: BftState): readonly Vote[] {
  const { round, latest, rounds } = state;
  const before = logOf(rounds, round - 1)?.precommits.votes ?? [];
  return [...before, ...latest.filter((vote) => vote !== null && vote.round >= round)] as readonly Vote[];
}

/** What the shell writes before it signs. `own` are the votes signed so far in the present round. */
export function durableOf(state: BftState, own: readonly Vote[]): DurableState {
  const { round, lockedRound, lockedValue, validRound, validValue } = state;
  return { round, lockedRound, lockedValue, validRound, validValue, polka: polkaOf(state), entry: entryOf(state), own };
}

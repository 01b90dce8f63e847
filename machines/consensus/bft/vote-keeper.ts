import type { Council } from "./council.ts";
import { isSameContent, type Proposal, type Vote } from "./statement.ts";

/** Distinct votes kept of one member in one round and kind when they come one by one; certificates may bring more. */
export const votesPerVoterMax = 2;
/** Distinct proposals kept of one round when they come one by one; a certified value is fetched by its digest. */
export const proposalsPerRoundMax = 2;
/** Rounds ahead of the present one whose votes are kept; of later ones only the senders are remembered. */
export const roundsAheadMax = 2;

/** The weight behind one content. Votes that lean on different polkas are different contents. */
export interface Sum {
  readonly value: string | null;
  readonly validRound: number;
  readonly weight: number;
}

/** The votes of one kind in one round. */
export interface VoteSet {
  readonly votes: readonly Vote[];
  /** Weight of everybody who voted anything; a member counts once. */
  readonly heard: number;
  readonly sums: readonly Sum[];
}

/** Everything heard of one round. */
export interface RoundLog {
  readonly round: number;
  readonly proposals: readonly Proposal[];
  readonly prevotes: VoteSet;
  readonly precommits: VoteSet;
}

export const noVotes: VoteSet = { votes: [], heard: 0, sums: [] };

/** What adding a vote did: nothing for a known or surplus one. `conflict` is an earlier, different vote of its voter. */
export interface Addition {
  readonly set: VoteSet;
  readonly conflict: Vote | null;
}

/** Adds one verified vote. Both votes of an equivocator count, each for its own content, so that no quorum is hidden. */
export function addVote(
  set: VoteSet,
  vote: Vote,
  given: { readonly council: Council; readonly isCertified: boolean },
): Addition | undefined {
  let known = 0;
  let conflict: Vote | null = null;
  for (const other of set.votes) {
    if (other.voter !== vote.voter) continue;
    if (isSameContent(other, vote)) return undefined;
    known += 1;
    conflict ??= other;
  }
  if (known >= votesPerVoterMax && !given.isCertified) return undefined;
  const weight = given.council.weights[vote.voter] ?? 0;
  const heard = known > 0 ? set.heard : set.heard + weight;
  const at = set.sums.findIndex((sum) => sum.value === vote.value && sum.validRound === vote.validRound);
  const before = set.sums[at]?.weight ?? 0;
  const sum: Sum = { value: vote.value, validRound: vote.validRound, weight: before + weight };
  const sums = at < 0 ? [...set.sums, sum] : set.sums.with(at, sum);
  return { set: { votes: [...set.votes, vote], heard, sums }, conflict: known === 1 ? conflict : null };
}

/** The content of a value that a quorum stands behind. Nil is not a value. */
export function findPolka(set: VoteSet, quorum: number, value?: string): (Sum & { value: string }) | undefined {
  for (const sum of set.sums) {
    if (sum.weight < quorum || sum.value === null) continue;
    if (value === undefined || sum.value === value) return sum as Sum & { value: string };
  }
  return undefined;
}

/** The votes behind one content, in order of voter. */
export function votesFor(set: VoteSet, content: { value: string | null; validRound: number }): readonly Vote[] {
  return set.votes
    .filter((vote) => vote.value === content.value && vote.validRound === content.validRound)
    .sort((left, right) => left.voter - right.voter);
}

/** What was heard of a round, or undefined where nothing was. Logs are in ascending order of round. */
export function logOf(rounds: readonly RoundLog[], round: number): RoundLog | undefined {
  for (let index = rounds.length - 1; index >= 0; index -= 1) {
    const log = rounds[index];
    if (log === undefined || log.round < round) return undefined;
    if (log.round === round) return log;
  }
  return undefined;
}

/** Puts a round's log into its place. */
export function replaceLog(rounds: readonly RoundLog[], log: RoundLog): readonly RoundLog[] {
  const at = rounds.findIndex((each) => each.round >= log.round);
  if (at < 0) return [...rounds, log];
  return rounds[at]?.round === log.round ? rounds.with(at, log) : rounds.toSpliced(at, 0, log);
}

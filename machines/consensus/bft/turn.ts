import { councilRoundsMax, type Council } from "./council.ts";
import type { BftEffect } from "./effects.ts";
import { duplicateEvidence } from "./evidence.ts";
import type { ValueJudgement } from "./events.ts";
import type { BftState, KnownValue, Line } from "./state.ts";
import { isSameContent, type Proposal, type Statement, type Vote } from "./statement.ts";
import {
  addVote,
  logOf,
  noVotes,
  proposalsPerRoundMax,
  replaceLog,
  roundsAheadMax,
  type RoundLog,
} from "./vote-keeper.ts";

/** One step under way: a copy of the state that nobody else holds yet, and what has come of it so far. */
export interface Turn {
  to: { -readonly [Field in keyof BftState]: BftState[Field] };
  readonly effects: BftEffect[];
  readonly fired: Line[];
}

export function beginTurn(state: BftState): Turn {
  return { to: { ...state }, effects: [], fired: [] };
}

export function fire(turn: Turn, line: Line): void {
  turn.fired.push(line);
}

/** Whether more than a third of the weight is behind something: at least one of them is honest. */
export function isBeyondThird(council: Council, weight: number): boolean {
  return 3 * weight > council.total;
}

function emptyLog(round: number): RoundLog {
  return { round, proposals: [], prevotes: noVotes, precommits: noVotes };
}

export function findValue(state: Pick<BftState, "values">, value: string): KnownValue | undefined {
  for (const known of state.values) if (known.value === value) return known;
  return undefined;
}

/** A statement for a value that is known to break the rules convicts its signer. */
function accuseIfInvalid(turn: Turn, statement: Statement): void {
  if (statement.value === null || findValue(turn.to, statement.value)?.isValid !== false) return;
  const evidence = { kind: "InvalidVote", culprits: [statement.voter], statements: [statement] } as const;
  turn.effects.push({ type: "reportEvidence", params: { evidence } });
}

export function learnValue(turn: Turn, value: string, judgement: ValueJudgement): void {
  if (findValue(turn.to, value) !== undefined) return;
  const { isValid, isAcceptable } = judgement;
  turn.to.values = [...turn.to.values, { value, isValid, isAcceptable }];
  turn.to.fetching = turn.to.fetching.filter((each) => each !== value);
  if (isValid) return;
  for (const log of turn.to.rounds) {
    for (const statement of [...log.proposals, ...log.prevotes.votes, ...log.precommits.votes]) {
      if (statement.value === value) accuseIfInvalid(turn, statement);
    }
  }
}

/** Remembers how far a member has come: that is enough to skip to a round whose votes are too far ahead to keep. */
function noteReach(turn: Turn, vote: Vote): void {
  if (vote.round > (turn.to.latest[vote.voter]?.round ?? -1)) turn.to.latest = turn.to.latest.with(vote.voter, vote);
}

/**
 * Hears one verified vote. A vote in a certificate is kept whatever else its voter sent, since the certificate only
 * proves something as a whole.
 */
export function hearVote(turn: Turn, vote: Vote, isCertified = false): void {
  const { to } = turn;
  if (vote.round >= councilRoundsMax) return;
  noteReach(turn, vote);
  if (vote.round > Math.max(to.round, 0) + roundsAheadMax && !isCertified) return;
  const log = logOf(to.rounds, vote.round) ?? emptyLog(vote.round);
  const name = vote.kind === "prevote" ? "prevotes" : "precommits";
  const added = addVote(log[name], vote, { council: to.council, isCertified });
  if (added === undefined) return;
  to.rounds = replaceLog(to.rounds, { ...log, [name]: added.set });
  if (added.conflict !== null) {
    const evidence = duplicateEvidence(added.conflict, vote);
    turn.effects.push({ type: "reportEvidence", params: { evidence } });
  }
  accuseIfInvalid(turn, vote);
}

/** Hears one verified proposal, and learns its value when it keeps the proposal or has asked for the value. */
export function hearProposal(turn: Turn, proposal: Proposal, judgement: ValueJudgement): void {
  const { to } = turn;
  if (to.fetching.includes(proposal.value)) learnValue(turn, proposal.value, judgement);
  if (proposal.round >= councilRoundsMax || proposal.round > Math.max(to.round, 0) + roundsAheadMax) return;
  const log = logOf(to.rounds, proposal.round) ?? emptyLog(proposal.round);
  if (log.proposals.some((other) => isSameContent(other, proposal))) return;
  const [first] = log.proposals;
  if (first !== undefined && log.proposals.length === 1) {
    const evidence = duplicateEvidence(first, proposal);
    turn.effects.push({ type: "reportEvidence", params: { evidence } });
  }
  if (log.proposals.length >= proposalsPerRoundMax) return;
  learnValue(turn, proposal.value, judgement);
  to.rounds = replaceLog(to.rounds, { ...log, proposals: [...log.proposals, proposal] });
  accuseIfInvalid(turn, proposal);
}

/** Whether a proposal brings nothing that would be kept: judging its value would be work for nothing. */
export function isSurplus({ fetching, rounds }: BftState, { value, round }: Proposal): boolean {
  return !fetching.includes(value) && (logOf(rounds, round)?.proposals.length ?? 0) >= proposalsPerRoundMax;
}

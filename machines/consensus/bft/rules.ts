import { councilRoundsMax, proposerOf, type StepTimeouts } from "./council.ts";
import type { TimerKind } from "./events.ts";
import { entryOf, polkaOf } from "./state.ts";
import type { Proposal, VoteKind } from "./statement.ts";
import { findValue, fire, isBeyondThird, type Turn } from "./turn.ts";
import { findPolka, logOf, noVotes, votesFor, type Sum, type VoteSet } from "./vote-keeper.ts";

/** From this round on a proposal need not please: a proposer that omits ballots only delays, and agreement goes on. */
export const acceptableRoundsMax = 3;

function waitMs(timeouts: StepTimeouts, kind: TimerKind, round: number): number {
  if (kind === "resend") return timeouts.resendMs;
  return (kind === "propose" ? timeouts.proposeMs : timeouts.voteMs) + timeouts.growthMs * round;
}

export function setTimer(turn: Turn, kind: TimerKind): void {
  const { round, council } = turn.to;
  turn.effects.push({ type: "setTimer", params: { kind, round, ms: waitMs(council.timeouts, kind, round) } });
}

function castVote(turn: Turn, kind: VoteKind, value: string | null, validRound = -1): void {
  turn.to.phase = kind;
  turn.effects.push({ type: "castVote", params: { kind, round: turn.to.round, value, validRound } });
}

function isUsable(turn: Turn, value: string): boolean {
  return findValue(turn.to, value)?.isValid === true;
}

/** L11 to L21: a round begins. Whoever holds a polka shows it first, so that no lock stays hidden. */
export function startRound(turn: Turn, round: number): void {
  const { to } = turn;
  if (round >= councilRoundsMax) return;
  to.round = round;
  to.phase = "propose";
  to.hasProposed = false;
  to.hasPrevoteTimer = false;
  to.hasPrecommitTimer = false;
  to.hasPolka = false;
  const polka = polkaOf(to);
  if (polka.length > 0) turn.effects.push({ type: "sendStatus", params: { round, polka, entry: [] } });
  if (proposerOf(to.council, round) !== to.self) {
    fire(turn, "L20");
  } else if (to.validValue === null) {
    fire(turn, "L18");
    turn.effects.push({ type: "requestValue", params: { round } });
  } else {
    fire(turn, "L11");
    to.hasProposed = true;
    const { validValue: value, validRound } = to;
    turn.effects.push({ type: "propose", params: { round, value, validRound, polka } });
  }
  // The proposer waits too: after a crash it may be unable to prove its own valid value.
  setTimer(turn, "propose");
  setTimer(turn, "resend");
}

/** L22 and L28: a proposal of this round is answered with a prevote. */
function answerProposal(turn: Turn, proposal: Proposal): boolean {
  const { to } = turn;
  const { value, validRound } = proposal;
  const known = findValue(to, value);
  if (known === undefined) return false;
  if (validRound < 0) {
    const isWelcome = known.isValid && (known.isAcceptable || to.round >= acceptableRoundsMax);
    const isFree = to.lockedRound < 0 || to.lockedValue === value;
    fire(turn, "L22");
    castVote(turn, "prevote", isWelcome && isFree ? value : null);
    return true;
  }
  const prevotes = logOf(to.rounds, validRound)?.prevotes ?? noVotes;
  if (findPolka(prevotes, to.council.quorum, value) === undefined) return false;
  const isFree = to.lockedRound <= validRound || to.lockedValue === value;
  const isFor = known.isValid && isFree;
  fire(turn, "L28");
  castVote(turn, "prevote", isFor ? value : null, isFor ? validRound : -1);
  return true;
}

/** L36 and L42: a polka of this round, seen from prevote or from precommit. */
function lockOnPolka(turn: Turn, prevotes: readonly Sum[]): boolean {
  const { to } = turn;
  if (to.hasPolka || (to.phase !== "prevote" && to.phase !== "precommit")) return false;
  for (const { value, weight } of prevotes) {
    if (weight < to.council.quorum || value === null || !isUsable(turn, value)) continue;
    to.hasPolka = true;
    to.validRound = to.round;
    to.validValue = value;
    if (to.phase === "precommit") {
      fire(turn, "L42");
      return true;
    }
    fire(turn, "L36");
    to.lockedRound = to.round;
    to.lockedValue = value;
    castVote(turn, "precommit", value);
    return true;
  }
  return false;
}

/** L34, L36, L42, L44: what this round's prevotes allow. */
function applyPrevotes(turn: Turn, { heard, sums }: VoteSet): boolean {
  const { to } = turn;
  const { quorum } = to.council;
  if (heard < quorum || to.phase === "propose") return false;
  if (lockOnPolka(turn, sums)) return true;
  if (to.phase !== "prevote") return false;
  if (sums.some((sum) => sum.value === null && sum.weight >= quorum)) {
    fire(turn, "L44");
    castVote(turn, "precommit", null);
    return true;
  }
  if (to.hasPrevoteTimer) return false;
  fire(turn, "L34");
  to.hasPrevoteTimer = true;
  setTimer(turn, "prevote");
  return true;
}

/** What the messages of the present round allow; L47 in every phase. */
function applyToRound(turn: Turn): boolean {
  const { to } = turn;
  const log = logOf(to.rounds, to.round);
  if (log === undefined) return false;
  if (to.phase === "propose" && log.proposals.some((proposal) => answerProposal(turn, proposal))) return true;
  if (applyPrevotes(turn, log.prevotes)) return true;
  if (log.precommits.heard < to.council.quorum || to.hasPrecommitTimer) return false;
  fire(turn, "L47");
  to.hasPrecommitTimer = true;
  setTimer(turn, "precommit");
  return true;
}

/** L49: a quorum of precommits for one value in any round decides, in every phase. */
function decide(turn: Turn): boolean {
  const { to } = turn;
  for (const { round, precommits } of to.rounds) {
    if (precommits.heard < to.council.quorum) continue;
    const sum = findPolka(precommits, to.council.quorum);
    if (sum === undefined || !isUsable(turn, sum.value)) continue;
    fire(turn, "L49");
    to.phase = "decided";
    const commit = { round, value: sum.value, votes: votesFor(precommits, sum) };
    to.commit = commit;
    turn.effects.push({ type: "decide", params: { commit } });
    return true;
  }
  return false;
}

/** L55: more than a third of the weight is ahead, so an honest member is; the latest round they all reached counts. */
function skipRound(turn: Turn): boolean {
  const { council, latest, round } = turn.to;
  let target = round;
  for (const vote of latest) {
    if (vote === null || vote.round <= target) continue;
    let ahead = 0;
    for (const other of latest) {
      if (other !== null && other.round >= vote.round) ahead += council.weights[other.voter] ?? 0;
    }
    if (isBeyondThird(council, ahead)) target = vote.round;
  }
  if (target === round) return false;
  fire(turn, "L55");
  startRound(turn, target);
  return true;
}

/** H1: a polka of an earlier round is as good a reason to propose its value as one seen in time. */
function adoptEarlierPolka(turn: Turn): boolean {
  const { to } = turn;
  for (let index = to.rounds.length - 1; index >= 0; index -= 1) {
    const log = to.rounds[index];
    if (log === undefined || log.round <= to.validRound) return false;
    if (log.round >= to.round) continue;
    const polka = findPolka(log.prevotes, to.council.quorum);
    if (polka === undefined || !isUsable(turn, polka.value)) continue;
    fire(turn, "H1");
    to.validRound = log.round;
    to.validValue = polka.value;
    return true;
  }
  return false;
}

/** A certified value whose content is unknown is asked for: whoever certified it holds it. */
function fetchCertified(turn: Turn): void {
  const { to } = turn;
  for (const { prevotes, precommits } of to.rounds) {
    for (const { heard, sums } of [prevotes, precommits]) {
      if (heard < to.council.quorum) continue;
      for (const { value, weight } of sums) {
        if (weight < to.council.quorum || value === null || to.fetching.includes(value)) continue;
        if (findValue(to, value) !== undefined) continue;
        to.fetching = [...to.fetching, value];
        turn.effects.push({ type: "fetchValue", params: { value } });
      }
    }
  }
}

/** Applies every rule that holds until none does. It ends: each rule decides, raises a round, or happens once in one. */
export function settle(turn: Turn): void {
  const { to } = turn;
  while (to.phase !== "decided") {
    const isMoved =
      decide(turn) || skipRound(turn) || (to.phase !== "unstarted" && (applyToRound(turn) || adoptEarlierPolka(turn)));
    if (!isMoved) break;
  }
  if (to.phase !== "decided") fetchCertified(turn);
}

/** L57, L61, L65: a wait of this very round and step is over. */
export function expireTimer(turn: Turn, kind: TimerKind, round: number): void {
  const { to } = turn;
  if (round !== to.round) return;
  if (kind === "propose" && to.phase === "propose") {
    fire(turn, "L57");
    castVote(turn, "prevote", null);
  } else if (kind === "prevote" && to.phase === "prevote") {
    fire(turn, "L61");
    castVote(turn, "precommit", null);
  } else if (kind === "precommit") {
    fire(turn, "L65");
    startRound(turn, round + 1);
  } else if (kind === "resend") {
    // What was lost on the way comes again, and content that nobody sent is asked for again.
    to.fetching = [];
    turn.effects.push(
      { type: "resend", params: { round } },
      { type: "sendStatus", params: { round, polka: polkaOf(to), entry: entryOf(to) } },
    );
    setTimer(turn, "resend");
  }
}

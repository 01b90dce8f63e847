import type { BftEffect } from "./effects.ts";
import type { BftEvent } from "./events.ts";
import { expireTimer, settle, setTimer, startRound } from "./rules.ts";
import { unstartedState, type BftState, type DurableState } from "./state.ts";
import { beginTurn, fire, hearProposal, hearVote, learnValue, type Turn } from "./turn.ts";

type Step = readonly [BftState, readonly BftEffect[]];

/** Goes on where the durable state ends: whatever was signed in its round is not signed again. */
function restore(turn: Turn, durable: DurableState): void {
  const { to } = turn;
  if (to.phase !== "unstarted") return;
  if (durable.round < 0) return startRound(turn, 0);
  to.round = durable.round;
  to.lockedRound = durable.lockedRound;
  to.lockedValue = durable.lockedValue;
  to.validRound = durable.validRound;
  to.validValue = durable.validValue;
  to.hasProposed = true;
  for (const vote of [...durable.polka, ...durable.entry, ...durable.own]) hearVote(turn, vote, true);
  const kinds = durable.own.map(({ kind }) => kind);
  to.phase = kinds.includes("precommit") ? "precommit" : kinds.includes("prevote") ? "prevote" : "propose";
  if (to.phase === "propose") setTimer(turn, "propose");
  setTimer(turn, "resend");
  turn.effects.push({ type: "resend", params: { round: to.round } });
}

/** L18, second half: the value that this member builds itself is ready, if it is still its turn. */
function proposeOwn(turn: Turn, round: number, value: string): void {
  const { to } = turn;
  if (to.phase !== "propose" || to.round !== round || to.hasProposed) return;
  to.hasProposed = true;
  fire(turn, "L18");
  turn.effects.push({ type: "propose", params: { round, value, validRound: -1, polka: [] } });
}

function hear(turn: Turn, event: BftEvent): void {
  switch (event.type) {
    case "council.joined":
      // Once: whoever has a seat keeps it.
      if (turn.to.self < 0) turn.to = { ...unstartedState(event.council, event.self) };
      return;
    case "decision.started":
      if (turn.to.phase === "unstarted") startRound(turn, 0);
      return;
    case "decision.restored":
      return restore(turn, event.durable);
    case "value.ready":
      learnValue(turn, event.value, { isValid: true, isAcceptable: true });
      return proposeOwn(turn, event.round, event.value);
    case "value.learned":
      return learnValue(turn, event.value, event.judgement);
    case "proposal.received":
      for (const vote of event.polka) hearVote(turn, vote, true);
      return hearProposal(turn, event.proposal, event.judgement);
    case "vote.received":
      return hearVote(turn, event.vote);
    case "status.received":
      for (const vote of event.polka) hearVote(turn, vote, true);
      for (const vote of event.entry) hearVote(turn, vote);
      return;
    case "transcript.received":
      for (const vote of event.votes) hearVote(turn, vote);
      return;
    case "commit.received":
      learnValue(turn, event.commit.value, event.judgement);
      for (const vote of event.commit.votes) hearVote(turn, vote, true);
      return;
    case "timer.expired":
      return expireTimer(turn, event.kind, event.round);
  }
}

/**
 * One member of accountable Tendermint, pure: what it is told in, the next state and the effects out. It never signs,
 * waits, hashes or reads a clock, and its own votes come back to it like everybody else's.
 * After the decision it only answers members that are behind and goes on hearing votes, for evidence.
 * Source: consensus design §4.3; arXiv 1807.04938, with the valid round inside prevotes.
 */
export function step(state: BftState, event: BftEvent): Step {
  if (state.phase === "decided" && event.type === "timer.expired") return [{ ...state, fired: [] }, []];
  const turn = beginTurn(state);
  hear(turn, event);
  if (state.phase !== "decided") settle(turn);
  else if (event.type === "status.received" && state.commit !== null && event.from !== state.self) {
    turn.effects.push({ type: "answerLaggard", params: { to: event.from, commit: state.commit } });
  }
  turn.to.fired = turn.fired;
  return [turn.to, turn.effects];
}

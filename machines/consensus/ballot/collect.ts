import type { Evidence } from "../certificate/evidence.ts";
import { indexOfMember } from "../electorate/electorate.ts";
import type { AcceptanceRow, AdmittedBallot } from "./admission.ts";
import type { Commitment } from "./commitment.ts";
import type { Cast, Casts } from "./count.ts";
import { isOutcomeFixed } from "./early-close.ts";
import type { ClosingDraft, CollectEffect } from "./effects.ts";
import type { AbsenceReason, ClosePolicy, CollectEvent } from "./events.ts";
import type { Round } from "./round.ts";
import { tally, type Tally } from "./tally.ts";

export type CollectPhase = "idle" | "commit" | "collect" | "tally" | "decided" | "undecided";

/** Everything the collecting of one round knows, a pure function of what it was told. Written as JSON it is plain data. */
export interface CollectState {
  readonly phase: CollectPhase;
  readonly round: Round | null;
  readonly close: ClosePolicy;
  /** Per member, in electorate order; only in rounds that take commitments before ballots. */
  readonly commits: readonly (Commitment | null)[];
  /** Per member, in electorate order. */
  readonly casts: Casts;
  readonly lost: readonly (AbsenceReason | null)[];
  /** Ballots after the close, at most one per member: told, never counted. */
  readonly late: readonly (AdmittedBallot | null)[];
  /** How often each row of the acceptance table was met. */
  readonly recorded: Readonly<Record<AcceptanceRow, number>>;
  readonly evidence: readonly Evidence[];
  readonly tally: Tally | null;
  readonly draft: ClosingDraft | null;
  readonly closingSig: string | null;
}

export const idleCollection: CollectState = {
  phase: "idle",
  round: null,
  close: "early",
  commits: [],
  casts: [],
  lost: [],
  late: [],
  recorded: {
    accepted: 0,
    malformed: 0,
    stale: 0,
    unknownVoter: 0,
    weightClaim: 0,
    forged: 0,
    duplicate: 0,
    equivocation: 0,
    late: 0,
    uncommitted: 0,
    badReveal: 0,
  },
  evidence: [],
  tally: null,
  draft: null,
  closingSig: null,
};

type Step = readonly [CollectState, readonly CollectEffect[]];

function replaced<Item>(list: readonly Item[], index: number, item: Item): readonly Item[] {
  const copy = [...list];
  copy[index] = item;
  return copy;
}

function counted(state: CollectState, row: AcceptanceRow): CollectState["recorded"] {
  return { ...state.recorded, [row]: state.recorded[row] + 1 };
}

/** The pair that proves an equivocation, smaller digest first. */
function evidenceOf(first: AdmittedBallot, second: AdmittedBallot): Evidence {
  const [low, high] = first.digest < second.digest ? [first, second] : [second, first];
  const { voter, decisionId, round } = first.body;
  const signed = ({ body, sig }: AdmittedBallot): Evidence["ballots"][0] => ({ body, sig });
  return { kind: "DuplicateBallot", voter, decisionId, round, ballots: [signed(low), signed(high)] };
}

/** One piece of evidence per voter, in order of voter, whichever ballot came first. */
function withEvidence(list: readonly Evidence[], evidence: Evidence): readonly Evidence[] {
  return [...list.filter(({ voter }) => voter !== evidence.voter), evidence].sort((left, right) =>
    left.voter < right.voter ? -1 : 1,
  );
}

/**
 * Keeps the two smallest contents of a voter, so that a flood needs no memory and the order of arrival does not
 * matter. The first member of the pair is the smaller once there are two.
 */
function mergeCast(cast: Cast | null, ballot: AdmittedBallot): Cast {
  if (cast === null) return { ballot, conflicting: null };
  const known = [cast.ballot, ...(cast.conflicting === null ? [] : [cast.conflicting]), ballot];
  const [low, high] = known.sort((left, right) => (left.digest < right.digest ? -1 : 1));
  return { ballot: low ?? ballot, conflicting: high ?? null };
}

/** Whether this very content of a member has been heard, in time or late. */
export function isBallotKnown(state: CollectState, voter: string, digest: string): boolean {
  const index = state.round === null ? -1 : indexOfMember(state.round.electorate, voter);
  const cast = state.casts[index] ?? null;
  return cast?.ballot.digest === digest || cast?.conflicting?.digest === digest || state.late[index]?.digest === digest;
}

function recordOf(row: AcceptanceRow, ballot: AdmittedBallot): CollectEffect {
  return { type: "recordBallot", params: { row, ballot } };
}

/** After the close a ballot is told and never counted; one that differs from an earlier one is still evidence. */
function takeLate(
  state: CollectState,
  ballot: AdmittedBallot,
  seen: { index: number; earlier: AdmittedBallot | null },
): Step {
  const { index, earlier } = seen;
  const late = (state.late[index] ?? null) === null ? replaced(state.late, index, ballot) : state.late;
  const next = { ...state, late, recorded: counted(state, "late") };
  const isAccused = state.evidence.some(({ voter }) => voter === ballot.body.voter);
  if (earlier === null || isAccused) return [next, [recordOf("late", ballot)]];
  const evidence = evidenceOf(earlier, ballot);
  return [
    { ...next, evidence: withEvidence(state.evidence, evidence) },
    [recordOf("late", ballot), { type: "reportEvidence", params: { evidence } }],
  ];
}

/** Why a ballot breaks the rules of commitments, or nothing; a round without them has no such rules. */
function findRevealFault(
  state: CollectState,
  round: Round,
  sent: { readonly index: number; readonly ballot: AdmittedBallot },
): "uncommitted" | "badReveal" | undefined {
  if (round.proposal.commitClosesAt === undefined) return undefined;
  const own = state.commits[sent.index] ?? null;
  if (own === null || state.phase === "commit") return "uncommitted";
  return own.isDouble || sent.ballot.commitment !== own.commitment ? "badReveal" : undefined;
}

/** Keeps the first commitment; another one of the same member voids both, in whatever order they come. */
function takeCommit(state: CollectState, event: { voter: string; commitment: string; at: number }): Step {
  const { round } = state;
  const index = round === null ? -1 : indexOfMember(round.electorate, event.voter);
  if (state.phase !== "commit" || round === null || index < 0) return [state, []];
  if (event.at > (round.proposal.commitClosesAt ?? 0)) return [state, []];
  const own = state.commits[index] ?? null;
  const low = own !== null && own.commitment < event.commitment ? own.commitment : event.commitment;
  const isDouble = own !== null && (own.isDouble || own.commitment !== event.commitment);
  return askIfCommitted([{ ...state, commits: replaced(state.commits, index, { commitment: low, isDouble }) }, []]);
}

/** Begins the revealing: whoever has not committed is given up. */
function askReveals(state: CollectState, round: Round, effects: readonly CollectEffect[]): Step {
  const lost = state.lost.map((reason, index) => reason ?? ((state.commits[index] ?? null) === null ? "silent" : null));
  const voters = round.electorate.members.filter((_, index) => (lost[index] ?? null) === null).map(({ id }) => id);
  const asked: CollectEffect[] = [
    ...effects,
    { type: "askReveals", params: { voters } },
    { type: "scheduleClose", params: { at: round.proposal.closesAt } },
  ];
  return closeIfOver([{ ...state, phase: "collect", lost }, asked]);
}

/** Goes on to the revealing when nobody is left whose commitment could come. */
function askIfCommitted([state, effects]: Step): Step {
  const { round } = state;
  if (state.phase !== "commit" || round === null) return [state, effects];
  const isEverybodyIn = state.commits.every((own, index) => own !== null || (state.lost[index] ?? null) !== null);
  return isEverybodyIn ? askReveals(state, round, effects) : [state, effects];
}

/** Decides the rows duplicate, equivocation, late and accepted for one ballot whose signature holds. */
function takeBallot(state: CollectState, ballot: AdmittedBallot, at: number): Step {
  const { round } = state;
  const { voter } = ballot.body;
  const index = round === null ? -1 : indexOfMember(round.electorate, voter);
  if (round === null || index < 0) return [state, []];
  const record = (row: AcceptanceRow): CollectEffect => recordOf(row, ballot);
  const fault = findRevealFault(state, round, { index, ballot });
  if (fault !== undefined) return [{ ...state, recorded: counted(state, fault) }, [record(fault)]];
  if (isBallotKnown(state, voter, ballot.digest)) {
    return [{ ...state, recorded: counted(state, "duplicate") }, [record("duplicate")]];
  }
  const cast = state.casts[index] ?? null;
  const isLate = state.phase !== "collect" || at > round.proposal.closesAt;
  if (isLate) return takeLate(state, ballot, { index, earlier: cast?.ballot ?? state.late[index] ?? null });
  const merged = mergeCast(cast, ballot);
  const casts = replaced(state.casts, index, merged);
  if (merged.conflicting === null)
    return [{ ...state, casts, recorded: counted(state, "accepted") }, [record("accepted")]];
  const evidence = evidenceOf(merged.ballot, merged.conflicting);
  const next = {
    ...state,
    casts,
    evidence: withEvidence(state.evidence, evidence),
    recorded: counted(state, "equivocation"),
  };
  const isFirst = cast?.conflicting === null;
  return [
    next,
    isFirst ? [record("equivocation"), { type: "reportEvidence", params: { evidence } }] : [record("equivocation")],
  ];
}

/** Takes the ballots that are plainly their member's first and in time, up to the first that is not: the usual case. */
function takeFirsts(state: CollectState, ballots: readonly AdmittedBallot[], at: number): Step {
  const { round } = state;
  if (state.phase !== "collect" || round === null) return [state, []];
  if (round.proposal.commitClosesAt !== undefined || at > round.proposal.closesAt) return [state, []];
  const casts = [...state.casts];
  const effects: CollectEffect[] = [];
  for (const ballot of ballots) {
    const index = indexOfMember(round.electorate, ballot.body.voter);
    if (casts[index] !== null || state.late[index] !== null) break;
    casts[index] = { ballot, conflicting: null };
    effects.push(recordOf("accepted", ballot));
  }
  const accepted = state.recorded.accepted + effects.length;
  return [{ ...state, casts, recorded: { ...state.recorded, accepted } }, effects];
}

function takeBallots(state: CollectState, ballots: readonly AdmittedBallot[], at: number): Step {
  const [begun, firsts] = takeFirsts(state, ballots, at);
  let current = begun;
  const effects = [...firsts];
  for (const ballot of ballots.slice(firsts.length)) {
    const [next, more] = takeBallot(current, ballot, at);
    current = next;
    effects.push(...more);
  }
  return [current, effects];
}

function draftClosing(round: Round, casts: Casts, result: Tally): ClosingDraft {
  const heard = casts.filter((cast) => cast !== null);
  return {
    status: result.status,
    option: result.option,
    ballots: heard.filter(({ conflicting }) => conflicting === null).map(({ ballot }) => ballot.digest),
    voided: heard.flatMap(({ ballot, conflicting }) =>
      conflicting === null ? [] : [{ voter: ballot.body.voter, ballots: [ballot.digest, conflicting.digest] as const }],
    ),
  };
}

function closeRound(state: CollectState, round: Round, effects: readonly CollectEffect[]): Step {
  const result = tally(round, state.casts);
  const draft = draftClosing(round, state.casts, result);
  return [{ ...state, phase: "tally", tally: result, draft }, [...effects, { type: "signClosing", params: { draft } }]];
}

/** Whether each member has cast a ballot or was given up; from the end, since most panels answer in their order. */
function isEverybodyIn({ casts, lost }: CollectState): boolean {
  for (let index = casts.length - 1; index >= 0; index -= 1)
    if (casts[index] === null && lost[index] === null) return false;
  return true;
}

/** Closes when nobody is left to wait for or, if so agreed, when the outcome can no longer change. */
function closeIfOver([state, effects]: Step): Step {
  const { round, casts, lost } = state;
  if (state.phase !== "collect" || round === null) return [state, effects];
  const isLost = (member: number): boolean => (lost[member] ?? null) !== null;
  const isOver = isEverybodyIn(state) || (state.close === "early" && isOutcomeFixed(round, casts, isLost));
  return isOver ? closeRound(state, round, effects) : [state, effects];
}

function openRound(round: Round, close: ClosePolicy): Step {
  const nobody = round.electorate.members.map(() => null);
  const { closesAt, commitClosesAt } = round.proposal;
  const phase = commitClosesAt === undefined ? "collect" : "commit";
  const open = { casts: nobody, lost: nobody, late: nobody, commits: phase === "commit" ? nobody : [] };
  const state: CollectState = { ...idleCollection, phase, round, close, ...open };
  return [state, [{ type: "scheduleClose", params: { at: commitClosesAt ?? closesAt } }]];
}

function loseVoter(state: CollectState, voter: string, reason: AbsenceReason): Step {
  const index = state.round === null ? -1 : indexOfMember(state.round.electorate, voter);
  const isOpen = state.phase === "collect" || state.phase === "commit";
  if (!isOpen || index < 0 || (state.lost[index] ?? null) !== null) return [state, []];
  return closeIfOver(askIfCommitted([{ ...state, lost: replaced(state.lost, index, reason) }, []]));
}

function finish(state: CollectState, sig: string | null): Step {
  if (state.phase !== "tally" || state.tally === null) return [state, []];
  const phase = state.tally.status === "decided" ? "decided" : "undecided";
  return [{ ...state, phase, closingSig: sig }, [{ type: "announceResult", params: { tally: state.tally } }]];
}

/**
 * A closed collection that takes ballots again, for a member of mode bft that closed with too few: how its clock goes
 * proves nothing about what the others hold.
 */
export function reopenCollection(state: CollectState): CollectState {
  if (state.phase !== "tally") return state;
  return { ...state, phase: "collect", late: state.late.map(() => null), tally: null, draft: null };
}

/**
 * The collecting of one round, pure: what it is told in, the next state and the effects out. It decides what each
 * ballot counts for, when the round is over and with what result; it never signs, waits or reads a clock.
 * Events that do not fit the phase change nothing. Source: consensus design §3.2 to §3.4.
 */
export function collect(state: CollectState, event: CollectEvent): Step {
  switch (event.type) {
    case "round.open":
      return state.phase === "idle" ? openRound(event.round, event.close) : [state, []];
    case "ballots.received":
      return state.phase === "idle" ? [state, []] : closeIfOver(takeBallots(state, event.ballots, event.at));
    case "ballot.refused":
      return state.phase === "idle" ? [state, []] : [{ ...state, recorded: counted(state, event.row) }, []];
    case "voter.lost":
      return loseVoter(state, event.voter, event.reason);
    case "commit.received":
      return takeCommit(state, event);
    case "time.expired":
      if (state.phase === "commit" && state.round !== null)
        return event.at >= (state.round.proposal.commitClosesAt ?? 0)
          ? askReveals(state, state.round, [])
          : [state, []];
      return state.phase === "collect" && state.round !== null && event.at >= state.round.proposal.closesAt
        ? closeRound(state, state.round, [])
        : [state, []];
    case "closing.signed":
      return finish(state, event.sig);
  }
}

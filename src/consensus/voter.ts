import { z } from "zod";
import { findChoiceFault } from "../../machines/consensus/ballot/admission.ts";
import type { Round } from "../../machines/consensus/ballot/round.ts";
import { accuseCoordinator } from "../../machines/consensus/certificate/evidence.ts";
import { canonicalize } from "../../machines/consensus/codec/canonical-json.ts";
import {
  ballotConcernLengthMax,
  ballotConcernsMax,
  basisPoints,
  gradeMax,
  type BallotBody,
  type Choice,
  type ProposalBody,
  type SignedBallot,
  type SignedCommit,
  type SignedProposal,
} from "../../machines/consensus/codec/messages.ts";
import type { Electorate, Member } from "../../machines/consensus/electorate/electorate.ts";
import { failure, type Failure, type Json, type Outcome } from "../../machines/failure.ts";
import { systemClock, type Clock } from "../ports/clock.ts";
import type { Signer, Verify } from "../ports/signer.ts";
import type { Store } from "../ports/store.ts";
import { MemoryStore } from "../store/memory.ts";
import type { DistantReplica } from "./elsewhere/distant.ts";
import type { ReplicaPort, ReplicaSeat } from "./bft/port.ts";
import { Seats } from "./elsewhere/seats.ts";
import type { WayPorts } from "./elsewhere/ways.ts";
import { sha256, verifyEd25519 } from "./ed25519.ts";
import { ballotLog, keepVote } from "./elsewhere/kept-vote.ts";
import { opinion, type Concern, type DecisionQuestion, type Opinion } from "./opinion.ts";
import { abstention, openProposal } from "./proposal.ts";
import { bindingDigest, bindReport, rememberBinding, type Report, type ReportBinding } from "./binding.ts";
import { findSuccessionFault, type PreviousRound } from "./rounds/next-round.ts";
import { commitToVote, findEarlyReveal, type SecretVote } from "./secrecy/secret-vote.ts";
import { sealAnswer, type Sealed } from "./secrecy/sealed-vote.ts";
import { signOwnBallot } from "./signing.ts";

/** What a voter is given when it is asked again after a malformed opinion. */
export interface OpineContext {
  /** Aborts when the ballot phase is over. */
  readonly signal: AbortSignal;
  /** What was wrong with the first opinion; absent the first time. */
  readonly problem?: string;
}

/** A voter whose opinion and key are within reach of a function call. Only the voter's side sees its signer. */
export interface Voter {
  readonly member: Member;
  readonly signer: Signer;
  /** Fills in the opinion form. The value is checked here; text is never read as a vote. */
  opine(question: DecisionQuestion, context: OpineContext): Promise<Outcome<unknown>>;
  /** What this voter sends, given the honest ballot; left out, it sends that one. Here faults are injected. */
  ballots?(own: SignedBallot, proposal: ProposalBody): readonly SignedBallot[] | Promise<readonly SignedBallot[]>;
  /** What stands between its replica and the others in mode bft; left out, nothing does. Here faults are injected. */
  link?(port: ReplicaPort, seat: ReplicaSeat): ReplicaPort;
}

/** What a coordinator sends to a voter. Plain JSON. */
export interface Invitation {
  readonly question: DecisionQuestion;
  readonly proposal: SignedProposal;
  readonly electorate: Electorate;
  /** From the second round on: the round before, with the coordinator's signed closing. */
  readonly previous?: PreviousRound;
  /** When a committed ballot is to be revealed: the commitments that are in. */
  readonly commits?: readonly SignedCommit[];
}

/** What a voter sends back. Plain JSON; the coordinator trusts none of it. */
export interface Vote {
  readonly ballots: readonly unknown[];
  readonly report?: unknown;
  /** Opens the commitment, where one was made. */
  readonly salt?: unknown;
}

/** A voter behind any kind of link: it takes the invitation as a message and answers with a message. */
export interface Participant {
  readonly member: Member;
  vote(invitation: Invitation, context: { readonly signal: AbortSignal }): Promise<Outcome<Vote | Sealed>>;
  /** For rounds that begin with commitments: the signed commitment. `vote` then reveals. */
  commit?(invitation: Invitation, context: { readonly signal: AbortSignal }): Promise<Outcome<unknown>>;
  /** For mode bft: its replica, which runs where its key is. Without it, this voter is for mode ballot. */
  readonly replica?: DistantReplica;
}

const severityOrder = ["critical", "high", "medium", "low"] as const;

/** The gravest concerns in short; cut where a cut leaves whole characters. */
function shortenConcerns(concerns: readonly Concern[]): string[] {
  return concerns
    .toSorted((left, right) => severityOrder.indexOf(left.severity) - severityOrder.indexOf(right.severity))
    .slice(0, ballotConcernsMax)
    .map(({ message }) => message.slice(0, ballotConcernLengthMax).replace(/[\uD800-\uDBFF]$/, ""));
}

/** An opinion that fits the proposal, with the digests that bind its text. */
interface UsableOpinion {
  readonly opinion: Opinion;
  readonly binding: ReportBinding;
}

/** Reads an opinion against the proposal: the opinion, or what is wrong with it in words for the voter. */
function readOpinion(value: unknown, round: Round): UsableOpinion | { readonly problem: string } {
  const parsed = opinion.safeParse(value);
  if (!parsed.success) return { problem: z.prettifyError(parsed.error) };
  const given = parsed.data;
  const ids = round.proposal.options.map(({ id }) => id);
  const named = [
    given.recommendation,
    ...(given.approves ?? []),
    ...(given.ranking ?? []).flat(),
    ...Object.keys(given.grades ?? {}),
  ];
  const unknown = named.find((id) => id !== abstention && !ids.includes(id));
  if (unknown !== undefined) {
    return {
      problem: `${JSON.stringify(unknown)} is not an option; recommend one of ${ids.join(", ")}, or "${abstention}"`,
    };
  }
  const fault = findChoiceFault(toChoice(given, round), round.proposal);
  if (fault !== undefined) return { problem: fault };
  if (round.proposal.method === "grades" && given.grades === undefined && given.recommendation !== abstention)
    return { problem: `this vote asks for grades: a whole number from 0 to ${gradeMax} for each of ${ids.join(", ")}` };
  const binding = bindReport(given);
  return binding.ok ? { opinion: given, binding: binding.value } : binding;
}

/** An abstention, for a voter whose second opinion was unusable too. The reason is told, well-formed and short. */
function abstainFor(problem: string): UsableOpinion {
  const reasoning = `Abstains: its opinion could not be used, nor could the second one. ${problem}`
    .slice(0, 2_000)
    .toWellFormed();
  const empty: Opinion = { recommendation: abstention, confidence: null, reasoning, concerns: [], alternatives: [] };
  const binding = bindReport(empty);
  if (!binding.ok) throw new Error("well-formed text can always be bound");
  return { opinion: empty, binding: binding.value };
}

function toChoice(given: Opinion, round: Round): Choice {
  const { recommendation, approves = [recommendation], grades = {} } = given;
  if (recommendation === abstention) return { kind: "abstain" };
  const ids = round.proposal.options.map(({ id }) => id);
  switch (round.proposal.method) {
    case "single":
      return { kind: "single", option: recommendation };
    case "approval":
      return { kind: "approval", options: ids.filter((id) => approves.includes(id)) };
    case "ranked": {
      const others = ids.filter((id) => id !== recommendation && approves.includes(id));
      const derived = others.length === 0 ? [[recommendation]] : [[recommendation], others];
      return { kind: "ranked", order: given.ranking ?? derived };
    }
    case "grades":
      return { kind: "grades", grades };
  }
}

function buildBallot(voter: Voter, round: Round, usable: UsableOpinion): BallotBody {
  const { opinion: given, binding } = usable;
  const choice = toChoice(given, round);
  const confidence =
    choice.kind === "abstain" || given.confidence === null ? null : Math.round(given.confidence * basisPoints);
  return {
    v: 1,
    decisionId: round.proposal.decisionId,
    round: round.proposal.round,
    proposalDigest: round.proposalDigest,
    electorateDigest: round.electorateDigest,
    voter: voter.member.id,
    choice,
    confidence,
    concerns: shortenConcerns(given.concerns),
    ...binding,
  };
}

/**
 * One voter's part in a round: asks for its opinion, once more if that is malformed, maps it to a choice and signs.
 * A voter that fails has no ballot; a voter that twice gives nothing usable abstains.
 */
export async function castVote(
  voter: Voter,
  round: Round,
  asked: { readonly question: DecisionQuestion; readonly signal: AbortSignal },
): Promise<Outcome<Vote>> {
  const { question, signal } = asked;
  const first = await voter.opine(question, { signal });
  if (!first.ok) return first;
  let read = readOpinion(first.value, round);
  if ("problem" in read) {
    const second = await voter.opine(question, { signal, problem: read.problem });
    if (!second.ok) return second;
    read = readOpinion(second.value, round);
  }
  const usable = "problem" in read ? abstainFor(read.problem) : read;
  const own = await signOwnBallot(buildBallot(voter, round, usable), voter.signer);
  const ballots = voter.ballots === undefined ? [own] : await voter.ballots(own, round.proposal);
  const { recommendation, reasoning, concerns, alternatives } = usable.opinion;
  const report: Report = { recommendation, reasoning, concerns, alternatives };
  rememberBinding(report, usable.binding);
  return { ok: true, value: { ballots, report } };
}

/** Says why a voter must not answer an invitation, or gives the round it is for. */
function acceptInvitation(
  invitation: Invitation,
  voter: Voter,
  verify: Verify,
): { round: Round } | { refusal: Failure } {
  const refuse = (problem: string): { refusal: Failure } => ({
    refusal: failure("consensus/bad-proposal", `${voter.member.id} does not vote: ${problem}`),
  });
  const opened = openProposal(invitation.proposal, invitation.electorate, verify);
  if (!opened.ok) return refuse(opened.problem);
  const { round } = opened.value;
  const body = round.proposal;
  const succession = findSuccessionFault(round, invitation.previous, verify);
  if (succession !== undefined) return refuse(succession);
  const { question } = invitation;
  const shown = canonicalize([question.options, question.context, question.constraints]);
  if (!shown.ok) return refuse(`the question has no canonical form: ${shown.fault.problem}`);
  const isSame =
    question.decisionId === body.decisionId &&
    question.description === body.question &&
    bindingDigest("context", { context: question.context, constraints: question.constraints }) === body.contextDigest &&
    question.options.length === body.options.length &&
    question.options.every((option, index) => bindingDigest("option", option) === body.options[index]?.digest);
  if (!isSame) return refuse("the question shown is not the one that the proposal signs");
  const own = round.electorate.members.find(({ id }) => id === voter.member.id);
  if (own?.publicKey !== Buffer.from(voter.signer.publicKey).toString("hex"))
    return refuse("it is not in the electorate with its own key");
  return { round };
}

/** Most rounds that one participant remembers; the oldest is forgotten first. */
export const rememberedRoundsMax = 1_024;

/** What a participant has answered in one round. */
interface Answered {
  readonly proposal: SignedProposal;
  readonly vote: Promise<Outcome<Vote>>;
  /** Where its replica keeps what it signs in mode bft, unless the voter has a store. */
  memory: MemoryStore | undefined;
  /** In rounds that begin with commitments. */
  secret: Promise<Outcome<SecretVote<Vote>>> | undefined;
}

function refusal(voter: Voter, problem: string, data: { readonly [key: string]: Json } = {}): Outcome<never> {
  const message = `${voter.member.id} does not vote: ${problem}`;
  return { ok: false, failure: failure("consensus/bad-proposal", message, data) };
}

async function makeSecret(
  answer: Promise<Outcome<Vote>>,
  round: Round,
  voter: Voter,
): Promise<Outcome<SecretVote<Vote>>> {
  const vote = await answer;
  if (!vote.ok) return vote;
  return { ok: true, value: await commitToVote(vote.value, round, { voter: voter.member.id, signer: voter.signer }) };
}

/** What a voter's side is run on; each has a default. */
export interface ParticipantPorts extends Partial<WayPorts> {
  /** Keeps ballots and votes over a fall of this process. Without it they last as long as the process. */
  readonly store?: Pick<Store, "append" | "read">;
  readonly clock?: Clock;
}

/** One voter's memory of what it was asked and what it answered. */
class Ledger {
  readonly #voter: Voter;
  readonly #verify: Verify;
  readonly #ports: ParticipantPorts;
  readonly #answered = new Map<string, Answered>();

  constructor(voter: Voter, verify: Verify, ports: ParticipantPorts) {
    this.#voter = voter;
    this.#verify = verify;
    this.#ports = ports;
  }

  /** The answer to an invitation: a new one, the one given before, or a refusal. */
  answer(
    invitation: Invitation,
    signal: AbortSignal,
  ): { readonly round: Round; readonly answered: Answered } | Outcome<never> {
    const voter = this.#voter;
    const accepted = acceptInvitation(invitation, voter, this.#verify);
    if ("refusal" in accepted) return { ok: false, failure: accepted.refusal };
    const { round } = accepted;
    const { coordinator, decisionId, round: number } = round.proposal;
    const name = JSON.stringify([coordinator, decisionId, number]);
    const before = this.#answered.get(name);
    if (before !== undefined) {
      const evidence = accuseCoordinator(before.proposal, invitation.proposal, sha256);
      if (evidence === undefined) return { round, answered: before };
      const problem = `the coordinator signed two proposals for round ${number}`;
      return refusal(voter, problem, { evidence: evidence as unknown as Json });
    }
    const { store } = this.#ports;
    const cast = (): Promise<Outcome<Vote>> => castVote(voter, round, { question: invitation.question, signal });
    const log = ballotLog(round.proposalDigest, voter.member.id);
    const vote = store === undefined ? cast() : keepVote(store, log, cast);
    const answered: Answered = { proposal: invitation.proposal, vote, memory: undefined, secret: undefined };
    this.#answered.set(name, answered);
    const oldest = this.#answered.keys().next();
    if (this.#answered.size > rememberedRoundsMax && oldest.done !== true) this.#answered.delete(oldest.value);
    return { round, answered };
  }
}

/**
 * Puts a voter behind a message: it checks the coordinator's signature, that the question shown is the one signed,
 * that a further round follows a signed closing, and that it is in the electorate, before it gives an opinion. For
 * voters in other processes. Asked again in the same round it gives the same answer, so no coordinator can make it
 * vote twice; a second, different proposal for one round is refused with the proof against the coordinator in
 * `failure.data.evidence`. It seals or commits as the proposal asks, and reveals only when a quorum has committed. In
 * mode bft its replica runs here. It remembers 1,024 rounds, and in a `store` its ballots and votes over a fall too.
 */
export function joinAsParticipant(
  voter: Voter,
  verify: Verify = verifyEd25519,
  ports: ParticipantPorts = {},
): Participant & { readonly replica: DistantReplica } {
  const ledger = new Ledger(voter, verify, ports);
  const { clock = systemClock } = ports;
  const replica = new Seats(voter, {
    ...ports,
    clock,
    verify,
    promise(invitation, signal) {
      const given = ledger.answer(invitation, signal);
      if ("ok" in given) return given;
      const { round, answered } = given;
      return { round, vote: answered.vote, store: ports.store ?? (answered.memory ??= new MemoryStore(clock)) };
    },
  });
  return {
    member: voter.member,
    replica,
    async commit(invitation, { signal }) {
      const given = ledger.answer(invitation, signal);
      if ("ok" in given) return given;
      const { round, answered } = given;
      if (round.proposal.commitClosesAt === undefined) return refusal(voter, "the proposal asks for no commitment");
      answered.secret ??= makeSecret(answered.vote, round, voter);
      const secret = await answered.secret;
      return secret.ok ? { ok: true, value: secret.value.commit } : secret;
    },
    async vote(invitation, { signal }) {
      const given = ledger.answer(invitation, signal);
      if ("ok" in given) return given;
      const { round, answered } = given;
      const { commitClosesAt, boxKey } = round.proposal;
      if (commitClosesAt === undefined) {
        const vote = await answered.vote;
        if (!vote.ok || boxKey === undefined) return vote;
        return { ok: true, value: sealAnswer(vote.value, boxKey, round.proposalDigest) };
      }
      const secret = await answered.secret;
      if (secret === undefined) return refusal(voter, "it has committed to nothing in this round");
      if (!secret.ok) return secret;
      const early = findEarlyReveal(invitation.commits, round, { commit: secret.value.commit, verify });
      return early === undefined ? { ok: true, value: secret.value.reveal } : refusal(voter, early);
    },
  };
}

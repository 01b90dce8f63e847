import { z } from "zod";
import { findChoiceFault } from "../../machines/consensus/ballot/admission.ts";
import type { Round } from "../../machines/consensus/ballot/round.ts";
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
  type SignedReceipt,
} from "../../machines/consensus/codec/messages.ts";
import type { Electorate, Member } from "../../machines/consensus/electorate/electorate.ts";
import { failure, type Outcome } from "../../machines/failure.ts";
import type { Signer } from "../ports/signer.ts";
import type { DistantReplica } from "./elsewhere/distant.ts";
import type { ReplicaPort, ReplicaSeat } from "./bft/port.ts";
import { opinion, type Concern, type DecisionQuestion, type Opinion } from "./opinion/opinion.ts";
import { readPlainOpinion } from "./opinion/plain-opinion.ts";
import { abstention } from "./proposal.ts";
import { bindReport, rememberBinding, type Report, type ReportBinding } from "./opinion/binding.ts";
import type { PreviousRound } from "./rounds/next-round.ts";
import type { Sealed } from "./secrecy/sealed-vote.ts";
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
  /** Behind messages: takes the coordinator's receipt for its ballot, once its signature is found to hold. */
  receive?(receipt: SignedReceipt): void;
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
  /**
   * Takes the coordinator's signed word that this voter's ballot is in. With it and a certificate that leaves the ballot
   * out, `accuseOfOmission` convicts the coordinator.
   */
  acknowledge?(receipt: SignedReceipt): void;
  /** For mode bft: its replica, which runs where its key is. Without it, this voter is for mode ballot. */
  readonly replica?: DistantReplica;
}

const severityOrder = ["critical", "high", "medium", "low"] as const;

function bySeverity(left: Concern, right: Concern): number {
  return severityOrder.indexOf(left.severity) - severityOrder.indexOf(right.severity);
}

/** The gravest concerns in short; cut where a cut leaves whole characters. */
function shortenConcerns(concerns: readonly Concern[]): string[] {
  const gravest = concerns.length < 2 ? concerns : concerns.toSorted(bySeverity).slice(0, ballotConcernsMax);
  return gravest.map(({ message }) => message.slice(0, ballotConcernLengthMax).replace(/[\uD800-\uDBFF]$/, ""));
}

/** An opinion that fits the proposal, with the digests that bind its text. */
interface UsableOpinion {
  readonly opinion: Opinion;
  readonly binding: ReportBinding;
}

function readForm(value: unknown): Opinion | { readonly problem: string } {
  const plain = readPlainOpinion(value);
  if (plain !== undefined) return plain;
  const parsed = opinion.safeParse(value);
  return parsed.success ? parsed.data : { problem: z.prettifyError(parsed.error) };
}

/** Reads an opinion against the proposal: the opinion, or what is wrong with it in words for the voter. */
function readOpinion(value: unknown, round: Round): UsableOpinion | { readonly problem: string } {
  const given = readForm(value);
  if ("problem" in given) return given;
  const ids = round.proposal.options.map(({ id }) => id);
  const { approves = [], ranking = [], grades = {} } = given;
  const isUnknown = (id: string): boolean => id !== abstention && !ids.includes(id);
  const unknown = [given.recommendation, ...approves, ...ranking.flat(), ...Object.keys(grades)].find(isUnknown);
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
  const { alternativesDigest, reasoningDigest } = binding;
  // In the order of the canonical form, which then has nothing to sort.
  return {
    ...(alternativesDigest === undefined ? {} : { alternativesDigest }),
    choice,
    concerns: shortenConcerns(given.concerns),
    confidence,
    decisionId: round.proposal.decisionId,
    electorateDigest: round.electorateDigest,
    proposalDigest: round.proposalDigest,
    reasoningDigest,
    round: round.proposal.round,
    v: 1,
    voter: voter.member.id,
  };
}

/** What a voter is asked, and until when its answer is of use. */
interface Asked {
  readonly question: DecisionQuestion;
  readonly signal: AbortSignal;
}

/** Asks a voter for its opinion, once more if that is malformed. Nothing is signed yet. */
export async function formOpinion(voter: Voter, round: Round, asked: Asked): Promise<Outcome<UsableOpinion>> {
  const { question, signal } = asked;
  const first = await voter.opine(question, { signal });
  if (!first.ok) return first;
  let read = readOpinion(first.value, round);
  if ("problem" in read) {
    const second = await voter.opine(question, { signal, problem: read.problem });
    if (!second.ok) return second;
    read = readOpinion(second.value, round);
  }
  return { ok: true, value: "problem" in read ? abstainFor(read.problem) : read };
}

/** Maps an opinion to a choice and signs it. */
export async function signOpinion(voter: Voter, round: Round, usable: UsableOpinion): Promise<Vote> {
  const own = await signOwnBallot(buildBallot(voter, round, usable), voter.signer);
  const ballots = voter.ballots === undefined ? [own] : await voter.ballots(own, round.proposal);
  const { recommendation, reasoning, concerns, alternatives } = usable.opinion;
  const report: Report = { recommendation, reasoning, concerns, alternatives };
  rememberBinding(report, usable.binding);
  return { ballots, report };
}

/**
 * One voter's part in a round: an opinion, which becomes its signed ballot. A voter that fails has no ballot; a voter
 * that twice gives nothing usable abstains.
 */
export async function castVote(voter: Voter, round: Round, asked: Asked): Promise<Outcome<Vote>> {
  const formed = await formOpinion(voter, round, asked);
  return formed.ok ? { ok: true, value: await signOpinion(voter, round, formed.value) } : formed;
}

/** Whatever goes wrong on a voter's side, or on the way there, is a failure as data. */
export async function guardVoter<Value>(id: string, work: () => Promise<Outcome<Value>>): Promise<Outcome<Value>> {
  try {
    return await work();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { ok: false, failure: failure("agent/crashed", `voter ${id} crashed: ${message}`, { cause: message }) };
  }
}

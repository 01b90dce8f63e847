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
import { failure, type Failure, type Outcome } from "../../machines/failure.ts";
import type { Signer } from "../ports/signer.ts";
import type { DistantReplica } from "./elsewhere/distant.ts";
import type { ReplicaPort, ReplicaSeat } from "./bft/port.ts";
import { opinion, type Concern, type DecisionQuestion, type Opinion } from "./opinion/opinion.ts";
import { readPlainOpinion } from "./opinion/plain-opinion.ts";
import { abstention } from "./proposal.ts";
import { bindReport, rememberBinding, type Report, type ReportBinding } from "./opinion/binding.ts";
import type { PreviousRound } from "./rounds/next-round.ts";
import type { Sealed } from "./secrecy/sealed-vote.ts";
import { completeBallot, draftBallot } from "./signing.ts";

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
  readonly choice: Choice;
  readonly binding: ReportBinding;
}

function readForm(value: unknown): Opinion | { readonly problem: string } {
  const plain = readPlainOpinion(value);
  if (plain !== undefined) return plain;
  const parsed = opinion.safeParse(value);
  return parsed.success ? parsed.data : { problem: z.prettifyError(parsed.error) };
}

/** An option that an opinion names and the proposal has not. */
function findUnknown(given: Opinion, { proposal }: Round): string | undefined {
  const isUnknown = (id: string): boolean => id !== abstention && !proposal.options.some((option) => option.id === id);
  const { recommendation, approves, ranking, grades } = given;
  if (isUnknown(recommendation)) return recommendation;
  return (
    approves?.find(isUnknown) ?? ranking?.flat().find(isUnknown) ?? (grades && Object.keys(grades).find(isUnknown))
  );
}

/** Reads an opinion against the proposal: the opinion, or what is wrong with it in words for the voter. */
function readOpinion(value: unknown, round: Round): UsableOpinion | { readonly problem: string } {
  const given = readForm(value);
  if ("problem" in given) return given;
  const { proposal } = round;
  const unknown = findUnknown(given, round);
  if (unknown !== undefined) {
    return {
      problem: `${JSON.stringify(unknown)} is not an option; recommend one of ${idsOf(proposal).join(", ")}, or "${abstention}"`,
    };
  }
  const choice = toChoice(given, proposal);
  const fault = findChoiceFault(choice, proposal);
  if (fault !== undefined) return { problem: fault };
  if (proposal.method === "grades" && given.grades === undefined && given.recommendation !== abstention)
    return {
      problem: `this vote asks for grades: a whole number from 0 to ${gradeMax} for each of ${idsOf(proposal).join(", ")}`,
    };
  const binding = bindReport(given);
  return binding.ok ? { opinion: given, choice, binding: binding.value } : binding;
}

/** An abstention, for a voter whose second opinion was unusable too. The reason is told, well-formed and short. */
function abstainFor(problem: string): UsableOpinion {
  const reasoning = `Abstains: its opinion could not be used, nor could the second one. ${problem}`
    .slice(0, 2_000)
    .toWellFormed();
  const empty: Opinion = { recommendation: abstention, confidence: null, reasoning, concerns: [], alternatives: [] };
  const binding = bindReport(empty);
  if (!binding.ok) throw new Error("well-formed text can always be bound");
  return { opinion: empty, choice: { kind: "abstain" }, binding: binding.value };
}

function idsOf({ options }: ProposalBody): readonly string[] {
  return options.map(({ id }) => id);
}

function toChoice(given: Opinion, proposal: ProposalBody): Choice {
  const { recommendation, approves } = given;
  if (recommendation === abstention) return { kind: "abstain" };
  switch (proposal.method) {
    case "single":
      return { kind: "single", option: recommendation };
    case "approval":
      return { kind: "approval", options: idsOf(proposal).filter((id) => (approves ?? [recommendation]).includes(id)) };
    case "ranked": {
      const others = idsOf(proposal).filter((id) => id !== recommendation && approves?.includes(id) === true);
      const derived = others.length === 0 ? [[recommendation]] : [[recommendation], others];
      return { kind: "ranked", order: given.ranking ?? derived };
    }
    case "grades":
      return { kind: "grades", grades: given.grades ?? {} };
  }
}

function buildBallot(voter: Voter, round: Round, usable: UsableOpinion): BallotBody {
  const { opinion: given, choice, binding } = usable;
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
  /** Asked before anything is signed: why nothing shall be, or nothing. */
  readonly refuse?: () => Failure | undefined;
}

/** The agent gave something that is no opinion: its own schema has refused it. */
function isMalformed({ code }: Failure): boolean {
  return code === "agent/invalid-output";
}

/** Asks once more for an opinion that was malformed; whoever then gives nothing usable abstains. */
async function repairOpinion(
  voter: Voter,
  round: Round,
  asked: Asked,
  problem: string,
): Promise<Outcome<UsableOpinion>> {
  const second = await voter.opine(asked.question, { signal: asked.signal, problem });
  if (!second.ok && !isMalformed(second.failure)) return second;
  const read = second.ok ? readOpinion(second.value, round) : { problem: second.failure.message };
  return { ok: true, value: "problem" in read ? abstainFor(read.problem) : read };
}

/**
 * One voter's part in a round: an opinion, which becomes its signed ballot. A voter that fails has no ballot; a voter
 * that twice gives nothing usable abstains. The usual way waits twice, for the opinion and for the signature; a
 * layer more that waits is paid by each voter of each decision.
 */
export async function castVote(voter: Voter, round: Round, asked: Asked): Promise<Outcome<Vote>> {
  const first = await voter.opine(asked.question, { signal: asked.signal });
  if (!first.ok && !isMalformed(first.failure)) return first;
  let usable = first.ok ? readOpinion(first.value, round) : { problem: first.failure.message };
  if ("problem" in usable) {
    const repaired = await repairOpinion(voter, round, asked, usable.problem);
    if (!repaired.ok) return repaired;
    usable = repaired.value;
  }
  const refused = asked.refuse?.();
  if (refused !== undefined) return { ok: false, failure: refused };
  const draft = draftBallot(buildBallot(voter, round, usable));
  const own = completeBallot(draft, await voter.signer.sign(draft.signBytes));
  const ballots = voter.ballots === undefined ? [own] : await voter.ballots(own, round.proposal);
  const { recommendation, reasoning, concerns, alternatives } = usable.opinion;
  const report: Report = { recommendation, reasoning, concerns, alternatives };
  rememberBinding(report, usable.binding);
  return { ok: true, value: { ballots, report } };
}

/** What a crash on a voter's side, or on the way there, is told as. */
export function crashOf(id: string, error: unknown): Outcome<never> {
  const message = error instanceof Error ? error.message : String(error);
  return { ok: false, failure: failure("agent/crashed", `voter ${id} crashed: ${message}`, { cause: message }) };
}

/** Whatever goes wrong on a voter's side, or on the way there, is a failure as data. */
export async function guardVoter<Value>(id: string, work: () => Promise<Outcome<Value>>): Promise<Outcome<Value>> {
  try {
    return await work();
  } catch (error) {
    return crashOf(id, error);
  }
}

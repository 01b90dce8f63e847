import {
  admitBallot,
  findChoiceFault,
  type AdmittedBallot,
  type Refusal,
} from "../../machines/consensus/ballot/admission.ts";
import { collect, idleCollection, isBallotKnown, type CollectState } from "../../machines/consensus/ballot/collect.ts";
import { nameRound, type Round } from "../../machines/consensus/ballot/round.ts";
import { certify, type Certificate } from "../../machines/consensus/certificate/certificate.ts";
import {
  ballotSchema,
  basisPoints,
  type BallotBody,
  type Choice,
  type ProposalBody,
  type SignedProposal,
} from "../../machines/consensus/codec/messages.ts";
import { digestOf } from "../../machines/consensus/codec/sign-bytes.ts";
import { assembleRound, type Collected } from "./assemble.ts";
import type { TalliedRound, Warning } from "./decision.ts";
import { bindReport, type Report } from "./opinion/binding.ts";
import { sha256, verifyEd25519 } from "./ed25519.ts";
import type { Delivery } from "./collector.ts";
import { abstention } from "./proposal.ts";

/** A ballot that was not counted: where it stands in the list, and why, by the rows of consensus design §3.2. */
export interface RejectedBallot {
  readonly index: number;
  readonly reason: Refusal | "duplicate" | "equivocation";
  readonly detail: string;
}

/** What a list of ballots gives: the round as `decide` tells it, and what was not counted. */
export interface TalliedBallots {
  readonly decision: TalliedRound;
  readonly rejected: readonly RejectedBallot[];
}

/** A ballot that nobody signed. The choice is already in the form of the method. */
export interface PlainBallot {
  readonly voter: string;
  readonly choice: Choice;
  /** 0 to 1, or null. */
  readonly confidence: number | null;
  readonly reasoning: string;
}

/** A ballot to be counted, or why it cannot be. */
type Read =
  | { readonly ballot: AdmittedBallot; readonly report?: Report }
  | { readonly reason: Refusal; readonly detail: string; readonly voter?: string };

interface Sitting {
  state: CollectState;
  readonly rejected: RejectedBallot[];
  readonly deliveries: Map<string, Delivery>;
  verifies: number;
  memoHits: number;
  bytes: number;
}

/** Takes the ballots one by one, as if each had come in time, and closes the round. */
function sit(round: Round, count: number, read: (index: number, sitting: Sitting) => Read): Sitting {
  const [state] = collect(idleCollection, { type: "round.open", round, close: "all" });
  const sitting: Sitting = { state, rejected: [], deliveries: new Map(), verifies: 0, memoHits: 0, bytes: 0 };
  const ballots: AdmittedBallot[] = [];
  for (let index = 0; index < count; index += 1) {
    const one = read(index, sitting);
    if ("reason" in one) {
      sitting.rejected.push({ index, reason: one.reason, detail: one.detail });
      if (one.voter !== undefined)
        sitting.deliveries.set(one.voter, { dropped: { row: one.reason, detail: one.detail } });
      continue;
    }
    const { voter } = one.ballot.body;
    const earlier = ballots.find(({ body }) => body.voter === voter);
    if (ballots.some(({ body, digest }) => body.voter === voter && digest === one.ballot.digest)) {
      sitting.rejected.push({ index, reason: "duplicate", detail: `${voter} has cast this very ballot already` });
      continue;
    }
    if (earlier !== undefined) {
      const detail = `${voter} has cast another ballot already; its weight counts for no option`;
      sitting.rejected.push({ index, reason: "equivocation", detail });
    }
    ballots.push(one.ballot);
    if (one.report !== undefined) sitting.deliveries.set(voter, { report: one.report });
  }
  sitting.state = collect(sitting.state, { type: "ballots.received", at: 0, ballots })[0];
  for (const [voter, { dropped }] of sitting.deliveries) {
    if (dropped !== undefined)
      sitting.state = collect(sitting.state, { type: "voter.lost", voter, reason: "refused" })[0];
  }
  sitting.state = collect(sitting.state, { type: "time.expired", at: round.proposal.closesAt })[0];
  return sitting;
}

function assemble(
  sitting: Sitting,
  round: Round,
  known: { readonly proposal: SignedProposal; readonly maxFaultyWeight: number; readonly messages: number },
): TalliedRound {
  const { state, deliveries, bytes, verifies, memoHits } = sitting;
  const metrics = { messages: known.messages, bytes, signs: 0, verifies, memoHits };
  const collector: Collected = { state, deliveries, metrics, closing: null, hasExpired: true };
  const { proposal, maxFaultyWeight } = known;
  return assembleRound({ round, proposal, collector, maxFaultyWeight, ms: 0 });
}

function withWarning(decision: TalliedRound, warning: Warning): TalliedRound {
  const { assumptions } = decision;
  return { ...decision, assumptions: { ...assumptions, warnings: [...assumptions.warnings, warning] } };
}

/** Proof where the proposal lets the ballots stand alone; without the coordinator's closing there is none. */
function prove(decision: TalliedRound, state: CollectState): TalliedRound {
  if (decision.status !== "decided") return decision;
  if (decision.proposal.body.closing === "none") {
    const certificate: Certificate | null = certify(state, { proposal: decision.proposal, closing: null }) ?? null;
    return { ...decision, certificate };
  }
  const message =
    'The proposal asks for the coordinator\'s signed closing, which a file of ballots does not hold, so there is no certificate; sign the proposal with closing: "none" to certify from files.';
  return withWarning(decision, { code: "unclosed", message });
}

/** Tallies signed ballots of a round: whatever is forged, stale or malformed is rejected, and the rest is counted. */
export function tallySignedBallots(
  round: Round,
  given: {
    readonly proposal: SignedProposal;
    readonly ballots: readonly unknown[];
    readonly maxFaultyWeight: number;
  },
): TalliedBallots {
  const sitting = sit(round, given.ballots.length, (index, current) => {
    const admission = admitBallot(given.ballots[index], round, {
      hash: sha256,
      verify: (key, bytes, signature) => {
        current.verifies += 1;
        return verifyEd25519(key, bytes, signature);
      },
      isKnown: (voter, digest) => isBallotKnown(current.state, voter, digest),
    });
    if (!admission.admitted) return { reason: admission.row, detail: admission.detail };
    current.bytes += Buffer.byteLength(admission.canonical);
    return { ballot: admission.ballot };
  });
  const decision = assemble(sitting, round, { ...given, messages: given.ballots.length });
  return { decision: prove(decision, sitting.state), rejected: sitting.rejected };
}

function readPlain(plain: PlainBallot, round: Round): Read {
  const { voter, choice, confidence, reasoning } = plain;
  const refuse = (reason: Refusal, detail: string): Read => ({ reason, detail, voter });
  if (!round.electorate.members.some(({ id }) => id === voter))
    return refuse("unknownVoter", `"${voter}" is not in the electorate`);
  const fault = findChoiceFault(choice, round.proposal);
  if (fault !== undefined) return refuse("malformed", fault);
  const report: Report = { recommendation: abstention, reasoning, concerns: [], alternatives: [] };
  const binding = bindReport(report);
  if (!binding.ok) return refuse("malformed", `reasoning: ${binding.problem}`);
  const body: BallotBody = {
    v: 1,
    decisionId: round.proposal.decisionId,
    round: round.proposal.round,
    proposalDigest: round.proposalDigest,
    electorateDigest: round.electorateDigest,
    voter,
    choice,
    confidence: confidence === null ? null : Math.round(confidence * basisPoints),
    concerns: [],
    ...binding.value,
  };
  const parsed = ballotSchema.safeParse(body);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return refuse("malformed", `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not a ballot"}`);
  }
  return { ballot: { body: parsed.data, sig: "", digest: digestOf(parsed.data, sha256) }, report };
}

/**
 * Tallies ballots that nobody signed, by the same rules. The result says who would win, proves nothing, and accuses
 * nobody: unsigned bytes are no evidence. An entry may be a refusal already, where its form could not be read.
 */
export function tallyPlainBallots(
  proposal: ProposalBody,
  electorate: Round["electorate"],
  given: {
    readonly ballots: readonly (
      | PlainBallot
      | { readonly reason: Refusal; readonly detail: string; readonly voter?: string }
    )[];
    readonly maxFaultyWeight: number;
  },
): TalliedBallots {
  const round = nameRound(proposal, electorate, sha256);
  const sitting = sit(round, given.ballots.length, (index) => {
    const one = given.ballots[index];
    if (one === undefined) return { reason: "malformed", detail: "there is no such ballot" };
    return "reason" in one ? one : readPlain(one, round);
  });
  const decision = assemble(sitting, round, {
    proposal: { body: proposal, sig: "" },
    maxFaultyWeight: given.maxFaultyWeight,
    messages: given.ballots.length,
  });
  const message = "The ballots are not signed: this is a count, not a proof, and nobody can be held to a ballot.";
  return {
    decision: withWarning({ ...decision, evidence: [] }, { code: "unsigned", message }),
    rejected: sitting.rejected,
  };
}

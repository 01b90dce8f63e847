import { z } from "zod";
import { hex, memberId, text } from "../electorate/electorate.ts";
import { shareSchema, thresholdSchema } from "../electorate/threshold.ts";

/** Most options of one proposal. */
export const optionsMax = 64;
/** Longest canonical ballot body, in UTF-16 units: 64 approvals of 200 and 16 concerns of 280, with room. */
export const ballotLengthMax = 24_576;
/** Most concerns named inside a signed ballot; the full list travels beside it, bound by `reasoningDigest`. */
export const ballotConcernsMax = 16;
/** Longest concern inside a signed ballot, in UTF-16 units. */
export const ballotConcernLengthMax = 280;
/** Longest name of a decision or an option, in UTF-16 units. */
export const nameLengthMax = 200;
/** Longest question, in UTF-16 units. */
export const questionLengthMax = 20_000;
/** Highest number of a round. */
export const roundNumberMax = 1_000;
/** Most ballots that a proposal can ask for; an electorate has no more members. */
export const minBallotsMax = 1_024;
/** One whole, in basis points: confidence, scores and weights of the ranking are integers of this. */
export const basisPoints = 10_000;

const version = z.literal(1);
const digest = hex(32);
const signature = hex(64);
const decisionId = text(nameLengthMax, 1);
const round = z.int().min(1).max(roundNumberMax);
const share = z.int().min(0).max(basisPoints);
const optionId = text(nameLengthMax, 1);

/** Best grade of the method grades; 0 is a rejection, and what an option gets that a ballot does not grade. */
export const gradeMax = 100;

/** How ballots become a result. */
export const methods = ["single", "approval", "ranked", "grades"] as const;
export type Method = (typeof methods)[number];

/**
 * Which of several options that reached the quorum wins: the best score, or the boldest, which is the first in the
 * proposal's order.
 */
export const preferences = ["score", "bold"] as const;
export type Preference = (typeof preferences)[number];

/**
 * What the coordinator asks, under which rules. Everything that can change the outcome is in here, so a verifier
 * needs nothing else. Source: consensus design §3.1, with the rules of §3.5 and §3.6 made explicit.
 */
export const proposalSchema = z.strictObject({
  v: version,
  decisionId,
  round,
  question: text(questionLengthMax),
  /** Binds the context and the constraints that voters are shown. */
  contextDigest: digest,
  /** In order, boldest first where that has a meaning. The digest binds label and payload. */
  options: z
    .array(z.strictObject({ id: optionId, digest }))
    .min(1)
    .max(optionsMax),
  method: z.enum(methods),
  prefer: z.enum(preferences),
  threshold: thresholdSchema,
  /** Share of the registered weight that must vote or abstain. */
  participation: shareSchema,
  /** Ballots, not weight, that must do more than abstain. */
  minBallots: z.int().min(1).max(minBallotsMax),
  /** In basis points: below `floor` a ballot abstains; `gate` is for the winner's median; `weight` is lambda. */
  confidence: z.strictObject({ floor: share, gate: share.nullable(), weight: share }),
  /** Delta, in basis points: what diverse supporters add to a score. */
  diversity: share,
  /** The status quo: wins ties. */
  defaultOption: optionId.nullable(),
  /** Epoch milliseconds by the coordinator's clock. */
  closesAt: z.int().min(0),
  /** With commitments first: until when they are taken; ballots are revealed after. */
  commitClosesAt: z.int().min(0).optional(),
  /** With sealed ballots: the X25519 key that voters behind messages encrypt their answers to. */
  boxKey: hex(32).optional(),
  electorateDigest: digest,
  /** The coordinator's public key. Voters sign the proposal's digest, and with it this key. */
  coordinator: hex(32),
  /**
   * "coordinator": a certificate needs the coordinator's signed closing. "none": the ballots stand alone. "commit": only
   * the members' own agreement on the ballots, a commit certificate, closes the round.
   */
  closing: z.enum(["coordinator", "none", "commit"]),
});

/**
 * What a voter answers. Approval of no option at all is a vote against all of them. A ranking lists tiers of equals,
 * best first; what it leaves out stands below, in one last tier. A grade is a whole number from 0 to 100.
 */
export const choiceSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("single"), option: optionId }),
  z.strictObject({ kind: z.literal("approval"), options: z.array(optionId).max(optionsMax) }),
  z.strictObject({
    kind: z.literal("ranked"),
    order: z.array(z.array(optionId).min(1).max(optionsMax)).min(1).max(optionsMax),
  }),
  z.strictObject({ kind: z.literal("grades"), grades: z.record(optionId, z.int().min(0).max(gradeMax)) }),
  z.strictObject({ kind: z.literal("abstain") }),
]);

export const ballotSchema = z.strictObject({
  v: version,
  decisionId,
  round,
  proposalDigest: digest,
  electorateDigest: digest,
  voter: memberId,
  choice: choiceSchema,
  /** Basis points; null where the voter states none. */
  confidence: share.nullable(),
  /** Binds the reasoning and the full list of concerns, which travel beside the ballot. */
  reasoningDigest: digest,
  concerns: z.array(text(ballotConcernLengthMax)).max(ballotConcernsMax),
  alternativesDigest: digest.optional(),
});

/** A voter's promise to reveal one ballot, which nobody can read before. */
export const commitSchema = z.strictObject({
  v: version,
  decisionId,
  round,
  proposalDigest: digest,
  electorateDigest: digest,
  voter: memberId,
  /** See `commitmentOf`. */
  commitment: digest,
});

export const outcomeStatuses = ["decided", "no-majority", "no-quorum", "low-confidence"] as const;
export type OutcomeStatus = (typeof outcomeStatuses)[number];

/**
 * The coordinator's word that a round is over, on exactly these ballots. Two different ones for one round are proof
 * against the coordinator.
 */
export const closingSchema = z.strictObject({
  v: version,
  decisionId,
  round,
  proposalDigest: digest,
  electorateDigest: digest,
  status: z.enum(outcomeStatuses),
  option: optionId.nullable(),
  /** Digest of the list of the counted ballots' digests, in order of voter. */
  ballotsDigest: digest,
  /** Voters who signed two different ballots, with the digests of both, in order of voter. */
  voided: z.array(z.strictObject({ voter: memberId, ballots: z.tuple([digest, digest]) })).max(1_024),
});

/**
 * The coordinator's word that a ballot came in time and counts unless its voter signs another one. With it a voter can
 * prove that a closing leaves its ballot out.
 */
export const receiptSchema = z.strictObject({
  v: version,
  decisionId,
  round,
  proposalDigest: digest,
  voter: memberId,
  ballotDigest: digest,
});

function signed<Body extends z.ZodType>(body: Body): z.ZodObject<{ body: Body; sig: z.ZodString }, z.core.$strict> {
  return z.strictObject({ body, sig: signature });
}

export const signedProposalSchema = signed(proposalSchema);
export const signedBallotSchema = signed(ballotSchema);
export const signedClosingSchema = signed(closingSchema);
export const signedCommitSchema = signed(commitSchema);
export const signedReceiptSchema = signed(receiptSchema);

/** Proof that a quorum stands behind an option; what it proves and what not is in decisions/0010. */
export const quorumCertificateSchema = z.strictObject({
  v: version,
  kind: z.literal("quorum"),
  electorateDigest: digest,
  proposal: signedProposalSchema,
  option: optionId,
  round,
  /** Every counted ballot, abstentions too, in order of voter. */
  ballots: z.array(signedBallotSchema).min(1).max(1_024),
  closing: signedClosingSchema.optional(),
});

export type ProposalBody = z.output<typeof proposalSchema>;
export type BallotBody = z.output<typeof ballotSchema>;
export type ClosingBody = z.output<typeof closingSchema>;
export type CommitBody = z.output<typeof commitSchema>;
export type ReceiptBody = z.output<typeof receiptSchema>;
/** A coordinator's signed word that a ballot counts. */
export type SignedReceipt = z.output<typeof signedReceiptSchema>;
export type SignedCommit = z.output<typeof signedCommitSchema>;
export type Choice = z.output<typeof choiceSchema>;
export type SignedProposal = z.output<typeof signedProposalSchema>;
export type SignedBallot = z.output<typeof signedBallotSchema>;
export type SignedClosing = z.output<typeof signedClosingSchema>;
/** Proof that a quorum stands behind an option, with every ballot that counted. */
export type QuorumCertificate = z.output<typeof quorumCertificateSchema>;

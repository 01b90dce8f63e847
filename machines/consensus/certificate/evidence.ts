import { z } from "zod";
import { decodeHex } from "../codec/bytes.ts";
import {
  ballotSchema,
  proposalSchema,
  signedBallotSchema,
  signedClosingSchema,
  signedProposalSchema,
  type SignedBallot,
  type SignedClosing,
  type SignedProposal,
} from "../codec/messages.ts";
import { findPublicKeyFault } from "../codec/public-key.ts";
import { digestOf, sealableOf, type Hash, type VerifySignature } from "../codec/sign-bytes.ts";
import { indexOfMember, type Electorate } from "../electorate/electorate.ts";

/** Two different ballots of one voter in one round, both signed: irrefutable by itself. */
export interface DuplicateBallot {
  readonly kind: "DuplicateBallot";
  readonly voter: string;
  readonly decisionId: string;
  readonly round: number;
  /** In order of content digest, so that the same pair is always the same evidence. */
  readonly ballots: readonly [SignedBallot, SignedBallot];
}

/** Proof that a member broke the rules. Silence and lateness are never evidence: the network may be at fault. */
export type Evidence = DuplicateBallot;

const evidenceSchema = z.strictObject({
  kind: z.literal("DuplicateBallot"),
  voter: ballotSchema.shape.voter,
  decisionId: ballotSchema.shape.decisionId,
  round: ballotSchema.shape.round,
  ballots: z.tuple([signedBallotSchema, signedBallotSchema]),
});

/** Two different proposals, or two different closings, of one round, both signed by one coordinator's key. */
export type CoordinatorEquivocation = {
  readonly kind: "CoordinatorEquivocation";
  /** The key that signed both; a proposal names it, and with it every ballot. */
  readonly coordinator: string;
  readonly decisionId: string;
  readonly round: number;
} & (
  | { readonly statement: "proposal"; readonly signed: readonly [SignedProposal, SignedProposal] }
  | { readonly statement: "closing"; readonly signed: readonly [SignedClosing, SignedClosing] }
);

const accusation = {
  kind: z.literal("CoordinatorEquivocation"),
  coordinator: proposalSchema.shape.coordinator,
  decisionId: ballotSchema.shape.decisionId,
  round: ballotSchema.shape.round,
};

const equivocationSchema = z.discriminatedUnion("statement", [
  z.strictObject({
    ...accusation,
    statement: z.literal("proposal"),
    signed: z.tuple([signedProposalSchema, signedProposalSchema]),
  }),
  z.strictObject({
    ...accusation,
    statement: z.literal("closing"),
    signed: z.tuple([signedClosingSchema, signedClosingSchema]),
  }),
]);

/** Two signed contents, the smaller digest first, so that the same pair is always the same evidence; undefined for one. */
function pairOf<Signed extends { readonly body: object }>(
  left: Signed,
  right: Signed,
  hash: Hash,
): readonly [Signed, Signed] | undefined {
  const [one, other] = [digestOf(left.body, hash), digestOf(right.body, hash)];
  if (one === other) return undefined;
  return one < other ? [left, right] : [right, left];
}

/**
 * The accusation that two signed proposals of a coordinator make, or undefined where they are the same or about
 * different rounds. It does not check the signatures: `checkEquivocation` does.
 */
export function accuseCoordinator(
  left: SignedProposal,
  right: SignedProposal,
  hash: Hash,
): CoordinatorEquivocation | undefined {
  if (left.body.decisionId !== right.body.decisionId || left.body.round !== right.body.round) return undefined;
  if (left.body.coordinator !== right.body.coordinator) return undefined;
  const signed = pairOf(left, right, hash);
  if (signed === undefined) return undefined;
  const { coordinator, decisionId, round } = left.body;
  return { kind: "CoordinatorEquivocation", coordinator, decisionId, round, statement: "proposal", signed };
}

/**
 * The accusation that two closings of one round make of the coordinator whose key signed both, or undefined where they
 * are the same or about different rounds. It does not check the signatures: `checkEquivocation` does.
 */
export function accuseOfClosings(
  coordinator: string,
  [left, right]: readonly [SignedClosing, SignedClosing],
  hash: Hash,
): CoordinatorEquivocation | undefined {
  const { decisionId, round } = left.body;
  if (decisionId !== right.body.decisionId || round !== right.body.round) return undefined;
  const signed = pairOf(left, right, hash);
  if (signed === undefined) return undefined;
  return { kind: "CoordinatorEquivocation", coordinator, decisionId, round, statement: "closing", signed };
}

/**
 * The accusation that two ballots of one voter for one proposal make, or undefined where they are the same or for
 * different proposals: whoever asks twice may have made an honest voter answer twice. It does not check the
 * signatures: `checkEvidence` does.
 */
export function accuseVoter(left: SignedBallot, right: SignedBallot, hash: Hash): DuplicateBallot | undefined {
  const { voter, decisionId, round, proposalDigest } = left.body;
  if (voter !== right.body.voter || proposalDigest !== right.body.proposalDigest) return undefined;
  const ballots = pairOf(left, right, hash);
  if (ballots === undefined) return undefined;
  return { kind: "DuplicateBallot", voter, decisionId, round, ballots };
}

/** What a check of an accusation found: the key that is convicted, or why the accusation does not hold. */
export type EquivocationCheck =
  | { readonly ok: true; readonly coordinator: string }
  | { readonly ok: false; readonly reason: string };

/** Checks an accusation of a coordinator by itself, trusting nobody. Never throws on data. */
export function checkEquivocation(
  evidence: unknown,
  ports: { hash: Hash; verify: VerifySignature },
): EquivocationCheck {
  const parsed = equivocationSchema.safeParse(evidence);
  if (!parsed.success) return { ok: false, reason: "malformed" };
  const { coordinator, decisionId, round, statement, signed } = parsed.data;
  const key = decodeHex(coordinator);
  if (key === undefined || findPublicKeyFault(coordinator) !== undefined) return { ok: false, reason: "key" };
  const digests: string[] = [];
  for (const { body, sig } of signed) {
    if (body.decisionId !== decisionId || body.round !== round) return { ok: false, reason: "other-round" };
    if ("coordinator" in body && body.coordinator !== coordinator) return { ok: false, reason: "other-coordinator" };
    const { digest, signBytes } = sealableOf(statement, body, ports.hash);
    if (!ports.verify(key, signBytes, decodeHex(sig) ?? new Uint8Array())) return { ok: false, reason: "signature" };
    digests.push(digest);
  }
  return digests[0] === digests[1] ? { ok: false, reason: "same-statement" } : { ok: true, coordinator };
}

export type EvidenceCheck =
  | { readonly ok: true; readonly voter: string }
  | { readonly ok: false; readonly reason: string };

/**
 * Checks evidence against the electorate, trusting nobody: both ballots name the voter, the decision and the round,
 * differ in content, and carry signatures that hold.
 */
export function checkEvidence(
  evidence: unknown,
  electorate: Electorate,
  ports: { hash: Hash; verify: VerifySignature },
): EvidenceCheck {
  const parsed = evidenceSchema.safeParse(evidence);
  if (!parsed.success) return { ok: false, reason: "malformed" };
  const { voter, decisionId, round, ballots } = parsed.data;
  const member = electorate.members[indexOfMember(electorate, voter)];
  const key = member === undefined ? undefined : decodeHex(member.publicKey);
  if (key === undefined) return { ok: false, reason: "unknown-voter" };
  // For another proposal it may answer again, as it must when it comes back and has forgotten: the coordinator is to blame.
  if (ballots[0].body.proposalDigest !== ballots[1].body.proposalDigest) return { ok: false, reason: "other-proposal" };
  const digests: string[] = [];
  for (const { body, sig } of ballots) {
    if (body.voter !== voter || body.decisionId !== decisionId || body.round !== round) {
      return { ok: false, reason: "other-round" };
    }
    const { digest, signBytes } = sealableOf("ballot", body, ports.hash);
    if (!ports.verify(key, signBytes, decodeHex(sig) ?? new Uint8Array())) return { ok: false, reason: "signature" };
    digests.push(digest);
  }
  return digests[0] === digests[1] ? { ok: false, reason: "same-ballot" } : { ok: true, voter };
}

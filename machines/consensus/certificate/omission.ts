import { z } from "zod";
import {
  ballotSchema,
  proposalSchema,
  signedClosingSchema,
  signedReceiptSchema,
  type SignedBallot,
  type SignedClosing,
  type SignedReceipt,
} from "../codec/messages.ts";
import { publicKeyBytes } from "../codec/public-key.ts";
import { digestOf, isSignedBy, type Hash, type VerifySignature } from "../codec/sign-bytes.ts";
import type { EquivocationCheck } from "./evidence.ts";

/** A ballot that the coordinator signed for, and then left out of what it closed the round on. */
export interface Omission {
  readonly kind: "Omission";
  /** The key that signed both. */
  readonly coordinator: string;
  readonly voter: string;
  readonly decisionId: string;
  readonly round: number;
  readonly receipt: SignedReceipt;
  readonly closing: SignedClosing;
  /** Digests of the ballots that the closing counts, in its order; it binds the list. */
  readonly ballots: readonly string[];
}

const omissionSchema = z.strictObject({
  kind: z.literal("Omission"),
  coordinator: proposalSchema.shape.coordinator,
  voter: ballotSchema.shape.voter,
  decisionId: ballotSchema.shape.decisionId,
  round: ballotSchema.shape.round,
  receipt: signedReceiptSchema,
  closing: signedClosingSchema,
  ballots: z.array(ballotSchema.shape.proposalDigest).max(1_024),
});

/** Whether a closing neither counts what the receipt is for, nor voids its voter for two ballots. */
function isLeftOut({ receipt, closing, ballots }: Pick<Omission, "receipt" | "closing" | "ballots">): boolean {
  const { voter, ballotDigest } = receipt.body;
  return !ballots.includes(ballotDigest) && closing.body.voided.every((voided) => voided.voter !== voter);
}

/**
 * The accusation that a receipt makes of what a round was closed on: a certificate, or what a decision without one
 * shows. Undefined where the ballot is counted, or the two are about different rounds. It checks no signature:
 * `checkOmission` does.
 */
export function accuseOfOmission(
  receipt: SignedReceipt,
  closed: { readonly closing: SignedClosing; readonly ballots: readonly SignedBallot[]; readonly coordinator: string },
  hash: Hash,
): Omission | undefined {
  const { decisionId, round, voter, proposalDigest } = receipt.body;
  const { closing, coordinator } = closed;
  if (closing.body.proposalDigest !== proposalDigest) return undefined;
  const ballots = closed.ballots.map(({ body }) => digestOf(body, hash));
  if (!isLeftOut({ receipt, closing, ballots })) return undefined;
  return { kind: "Omission", coordinator, voter, decisionId, round, receipt, closing, ballots };
}

/** Checks an accusation of omission by itself, trusting nobody. Never throws on data. */
export function checkOmission(evidence: unknown, ports: { hash: Hash; verify: VerifySignature }): EquivocationCheck {
  const parsed = omissionSchema.safeParse(evidence);
  if (!parsed.success) return { ok: false, reason: "malformed" };
  const { coordinator, voter, decisionId, round, receipt, closing, ballots } = parsed.data;
  const key = publicKeyBytes(coordinator);
  if (key === undefined) return { ok: false, reason: "key" };
  const isOfRound = (body: { readonly decisionId: string; readonly round: number }): boolean =>
    body.decisionId === decisionId && body.round === round;
  const isSame = receipt.body.proposalDigest === closing.body.proposalDigest && receipt.body.voter === voter;
  if (!isSame || !isOfRound(receipt.body) || !isOfRound(closing.body)) return { ok: false, reason: "other-round" };
  if (digestOf(ballots, ports.hash) !== closing.body.ballotsDigest) return { ok: false, reason: "other-ballots" };
  if (!isLeftOut(parsed.data)) return { ok: false, reason: "counted" };
  const isSigned = isSignedBy(key, "receipt", receipt, ports) && isSignedBy(key, "closing", closing, ports);
  return isSigned ? { ok: true, coordinator } : { ok: false, reason: "signature" };
}

import type { Round } from "../../machines/consensus/ballot/round.ts";
import { canonicalText } from "../../machines/consensus/codec/canonical-json.ts";
import type {
  BallotBody,
  ClosingBody,
  CommitBody,
  ProposalBody,
  ReceiptBody,
  SignedBallot,
  SignedClosing,
  SignedCommit,
  SignedProposal,
  SignedReceipt,
} from "../../machines/consensus/codec/messages.ts";
import {
  sealableOf,
  sealCanonical,
  sealDigest,
  type Sealable,
  type SignedKind,
} from "../../machines/consensus/codec/sign-bytes.ts";
import type { Transcript } from "../../machines/consensus/codec/statement-messages.ts";
import type { KeyProof } from "../../machines/consensus/electorate/possession.ts";
import { createStamp } from "../../machines/stamp.ts";
import type { Signer } from "../ports/signer.ts";
import { sha256 } from "./ed25519.ts";

function hexOf(signature: Uint8Array): string {
  return (Buffer.isBuffer(signature) ? signature : Buffer.from(signature)).toString("hex");
}

async function signBody(kind: SignedKind, body: unknown, signer: Signer): Promise<string> {
  return hexOf(await signer.sign(sealableOf(kind, body, sha256).signBytes));
}

/** Signs a ballot body as it is. */
export async function signBallotBody(body: BallotBody, signer: Signer): Promise<SignedBallot> {
  return { body, sig: await signBody("ballot", body, signer) };
}

/** Signs a commitment to a ballot. */
export async function signCommit(body: CommitBody, signer: Signer): Promise<SignedCommit> {
  return { body, sig: await signBody("commit", body, signer) };
}

/** Signs a transcript. */
export async function signTranscript(body: Transcript["body"], signer: Signer): Promise<Transcript> {
  return { v: 1, kind: "transcript", body, sig: await signBody("transcript", body, signer) };
}

/** A ballot made in this process, with the canonical text and digest that were signed. */
export interface OwnBallot extends Sealable {
  readonly canonical: string;
}

const ownBallots = createStamp<OwnBallot>();

function freeze(value: unknown): void {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const key in value) freeze((value as Record<string, unknown>)[key]);
}

/**
 * A ballot built here, and the bytes that its voter signs: a copy, since the ones it is checked against are not the
 * signer's to write on.
 */
interface BallotDraft {
  readonly body: BallotBody;
  readonly signBytes: Uint8Array;
}

/**
 * Freezes a ballot whose body was built here from checked parts. Whoever receives this very body, and not a copy, need
 * not parse, encode and hash it again: `ownBallotOf` knows it.
 */
export function draftBallot(body: BallotBody): BallotDraft {
  const canonical = canonicalText(body);
  const { digest, signBytes } = sealCanonical("ballot", canonical, sha256);
  ownBallots.put(body, { canonical, digest, signBytes });
  freeze(body.choice);
  Object.freeze(body.concerns);
  Object.freeze(body);
  return { body, signBytes: signBytes.slice() };
}

/** The ballot with its voter's signature. */
export function completeBallot({ body }: BallotDraft, signature: Uint8Array): SignedBallot {
  return Object.freeze({ body, sig: hexOf(signature) });
}

/** What is known of a ballot whose body was built in this process; its signature may be anybody's. */
export function ownBallotOf(message: unknown): OwnBallot | undefined {
  if (typeof message !== "object" || message === null || !("body" in message) || !("sig" in message)) return undefined;
  const { body, sig } = message;
  return typeof body === "object" && body !== null && typeof sig === "string" ? ownBallots.of(body) : undefined;
}

/** Signs that the key is held here, for a registrar that asked. */
export async function signPossession(body: KeyProof["body"], signer: Signer): Promise<KeyProof> {
  return { body, sig: await signBody("possession", body, signer) };
}

/** Signs for a ballot that counts. */
export async function signReceipt(body: ReceiptBody, signer: Signer): Promise<SignedReceipt> {
  return { body, sig: await signBody("receipt", body, signer) };
}

/** Signs the closing of a round. */
export async function signClosing(body: ClosingBody, signer: Signer): Promise<SignedClosing> {
  return { body, sig: await signBody("closing", body, signer) };
}

/** Signs a proposal body as it is. */
export async function signProposalBody(body: ProposalBody, signer: Signer): Promise<SignedProposal> {
  return { body, sig: await signBody("proposal", body, signer) };
}

/** Signs the proposal of a round whose digest is known. */
export async function signRound({ proposal, proposalDigest }: Round, signer: Signer): Promise<SignedProposal> {
  return { body: proposal, sig: hexOf(await signer.sign(sealDigest("proposal", proposalDigest).signBytes)) };
}

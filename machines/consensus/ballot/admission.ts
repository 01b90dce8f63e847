import { decodeHex } from "../codec/bytes.ts";
import { publicKeyBytes } from "../codec/public-key.ts";
import { canonicalize } from "../codec/canonical-json.ts";
import {
  ballotLengthMax,
  signedBallotSchema,
  type BallotBody,
  type Choice,
  type SignedBallot,
} from "../codec/messages.ts";
import { sealCanonical, type Hash, type Sealable, type VerifySignature } from "../codec/sign-bytes.ts";
import { indexOfMember, type Member } from "../electorate/electorate.ts";
import type { Round } from "./round.ts";

/** What becomes of an arriving ballot, by the names of consensus design §3.2. */
export const acceptanceRows = [
  "accepted",
  "malformed",
  "stale",
  "unknownVoter",
  "weightClaim",
  "forged",
  "duplicate",
  "equivocation",
  "late",
  "uncommitted",
  "badReveal",
] as const;
export type AcceptanceRow = (typeof acceptanceRows)[number];

/** Rows that drop a ballot before it reaches the round's state. */
export type Refusal = Extract<AcceptanceRow, "malformed" | "stale" | "unknownVoter" | "weightClaim" | "forged">;

/** A ballot whose signature holds, with the digest that names its content. */
export interface AdmittedBallot extends SignedBallot {
  readonly digest: string;
  /** With commitments: what the ballot and the salt that came with it commit to; null without a salt. */
  readonly commitment?: string | null;
}

/** Which row dropped a message, and why. */
export interface Refused {
  readonly admitted: false;
  readonly row: Refusal;
  readonly detail: string;
}

export type Admission =
  | { readonly admitted: true; readonly ballot: AdmittedBallot; readonly memoHit: boolean; readonly canonical: string }
  | Refused;

/** What admission is given besides the round. */
export interface AdmissionPorts {
  readonly hash: Hash;
  readonly verify: VerifySignature;
  /**
   * Whether this content of this voter was admitted before. The same content needs no second look at its signature.
   */
  readonly isKnown?: (voter: string, digest: string) => boolean;
  /**
   * The canonical text and digest of a message that the shell made itself and nobody can have changed: a ballot, then,
   * in the form of the schema. It still has to pass every other row, the signature among them.
   */
  readonly ownOf?: (message: unknown) => (Sealable & { readonly canonical: string }) | undefined;
}

type Reading = Sealable & { readonly signed: SignedBallot; readonly canonical: string };

const tooLarge = { problem: "the ballot is too large" };

/** Reads the form of a message, and encodes and hashes it, unless the shell has done so. */
function readMessage(
  message: unknown,
  ports: Pick<AdmissionPorts, "hash" | "ownOf">,
): Reading | { readonly problem: string } {
  const own = ports.ownOf?.(message);
  if (own !== undefined)
    return own.canonical.length > ballotLengthMax ? tooLarge : { ...own, signed: message as SignedBallot };
  const parsed = signedBallotSchema.safeParse(message);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return { problem: `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not a ballot"}` };
  }
  const canonical = canonicalize(parsed.data.body);
  if (!canonical.ok || canonical.text.length > ballotLengthMax) return tooLarge;
  return { signed: parsed.data, canonical: canonical.text, ...sealCanonical("ballot", canonical.text, ports.hash) };
}

function refuse(row: Refusal, detail: string): Refused {
  return { admitted: false, row, detail };
}

/** Every option that a choice names, as often as it names it. */
function namedOptions(choice: Choice): readonly string[] {
  switch (choice.kind) {
    case "abstain":
      return [];
    case "single":
      return [choice.option];
    case "approval":
      return choice.options;
    case "ranked":
      return choice.order.flat();
    case "grades":
      return Object.keys(choice.grades);
  }
}

/** Says how a choice breaks the proposal, or nothing. */
export function findChoiceFault(choice: BallotBody["choice"], proposal: Round["proposal"]): string | undefined {
  if (choice.kind === "abstain") return undefined;
  if (choice.kind !== proposal.method) return `the choice is "${choice.kind}" but the method is "${proposal.method}"`;
  const chosen = namedOptions(choice);
  const unknown = chosen.find((option) => !proposal.options.some(({ id }) => id === option));
  if (unknown !== undefined) return `option ${JSON.stringify(unknown)} is not on the ballot`;
  return chosen.length < 2 || new Set(chosen).size === chosen.length ? undefined : "an option is named twice";
}

/** Which binding of a ballot points to another round, or nothing. */
function findStaleField(body: BallotBody, round: Round): string | undefined {
  if (body.decisionId !== round.proposal.decisionId) return "decisionId";
  if (body.round !== round.proposal.round) return "round";
  if (body.electorateDigest !== round.electorateDigest) return "electorateDigest";
  return body.proposalDigest === round.proposalDigest ? undefined : "proposalDigest";
}

/** A weight in a ballot is a claim that nobody may make: weight is read from the electorate only. */
function claimsWeight(message: unknown): boolean {
  const body: unknown = typeof message === "object" && message !== null && "body" in message ? message.body : undefined;
  return typeof body === "object" && body !== null && "weight" in body;
}

/** A message that passed every row that needs no signature. */
export interface ScreenedBallot {
  readonly passed: true;
  readonly ballot: AdmittedBallot;
  readonly canonical: string;
  readonly signBytes: Uint8Array;
  readonly member: Member;
}

/**
 * Takes one arriving message through the acceptance table up to the signature, cheapest check first. Never throws on
 * data; a refused message changes nothing and blames nobody, since unsigned bytes prove nothing.
 */
export function screenBallot(
  message: unknown,
  round: Round,
  ports: Pick<AdmissionPorts, "hash" | "ownOf">,
): ScreenedBallot | Refused {
  if (claimsWeight(message)) return refuse("weightClaim", "the ballot states a weight");
  const read = readMessage(message, ports);
  if ("problem" in read) return refuse("malformed", read.problem);
  const { canonical, digest, signBytes } = read;
  const { body, sig } = read.signed;
  const stale = findStaleField(body, round);
  if (stale !== undefined) return refuse("stale", `${stale} names another round`);
  const choiceFault = findChoiceFault(body.choice, round.proposal);
  if (choiceFault !== undefined) return refuse("malformed", choiceFault);
  const member = round.electorate.members[indexOfMember(round.electorate, body.voter)];
  if (member === undefined) return refuse("unknownVoter", `"${body.voter}" is not in the electorate`);
  return { passed: true, ballot: { body, sig, digest }, canonical, signBytes, member };
}

/** The last check: why the signature of a screened ballot does not hold, or nothing. */
export function refuseForged(screened: ScreenedBallot, verify: VerifySignature): Refused | undefined {
  const { ballot, member, signBytes } = screened;
  const key = publicKeyBytes(member.publicKey);
  const signature = decodeHex(ballot.sig);
  return key !== undefined && signature !== undefined && verify(key, signBytes, signature)
    ? undefined
    : refuse("forged", `the signature does not fit the key of "${member.id}"`);
}

/**
 * Takes one arriving message through the whole acceptance table, the signature last. What is left (duplicate,
 * equivocation, late) depends on the round's state and is decided by `collect`.
 */
export function admitBallot(message: unknown, round: Round, ports: AdmissionPorts): Admission {
  const screened = screenBallot(message, round, ports);
  if (!("passed" in screened)) return screened;
  const { ballot, canonical } = screened;
  const memoHit = ports.isKnown?.(ballot.body.voter, ballot.digest) === true;
  const refused = memoHit ? undefined : refuseForged(screened, ports.verify);
  return refused ?? { admitted: true, ballot, memoHit, canonical };
}

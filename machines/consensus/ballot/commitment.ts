import { decodeHex } from "../codec/bytes.ts";
import { signedCommitSchema, type SignedCommit } from "../codec/messages.ts";
import { sealableOf, type Hash, type VerifySignature } from "../codec/sign-bytes.ts";
import { indexOfMember } from "../electorate/electorate.ts";
import type { Refusal } from "./admission.ts";
import type { Round } from "./round.ts";

/** What a member has committed to. */
export interface Commitment {
  readonly commitment: string;
  /** Whether it signed another one too: then it can keep neither, and no ballot of it counts. */
  readonly isDouble: boolean;
}

export type CommitAdmission =
  | { readonly admitted: true; readonly commit: SignedCommit }
  | { readonly admitted: false; readonly row: Refusal; readonly detail: string };

/** Takes an arriving commitment through the acceptance table, the signature last. Never throws on data. */
export function admitCommit(
  message: unknown,
  round: Round,
  ports: { readonly hash: Hash; readonly verify: VerifySignature },
): CommitAdmission {
  const refuse = (row: Refusal, detail: string): CommitAdmission => ({ admitted: false, row, detail });
  const parsed = signedCommitSchema.safeParse(message);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return refuse("malformed", `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not a commitment"}`);
  }
  const { body, sig } = parsed.data;
  const isHere =
    body.decisionId === round.proposal.decisionId &&
    body.round === round.proposal.round &&
    body.proposalDigest === round.proposalDigest &&
    body.electorateDigest === round.electorateDigest;
  if (!isHere) return refuse("stale", "the commitment names another round");
  const member = round.electorate.members[indexOfMember(round.electorate, body.voter)];
  if (member === undefined) return refuse("unknownVoter", `"${body.voter}" is not in the electorate`);
  const { signBytes } = sealableOf("commit", body, ports.hash);
  const key = decodeHex(member.publicKey);
  const signature = decodeHex(sig);
  if (key === undefined || signature === undefined || !ports.verify(key, signBytes, signature))
    return refuse("forged", `the signature does not fit the key of "${body.voter}"`);
  return { admitted: true, commit: parsed.data };
}

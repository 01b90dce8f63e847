import { randomBytes } from "node:crypto";
import { admitCommit } from "../../../machines/consensus/ballot/commitment.ts";
import type { Round } from "../../../machines/consensus/ballot/round.ts";
import type { SignedBallot, SignedCommit } from "../../../machines/consensus/codec/messages.ts";
import { commitmentOf, digestOf } from "../../../machines/consensus/codec/sign-bytes.ts";
import { totalWeightOf } from "../../../machines/consensus/electorate/electorate.ts";
import { quorumOf } from "../../../machines/consensus/electorate/threshold.ts";
import type { Signer, Verify } from "../../ports/signer.ts";
import { sha256 } from "../ed25519.ts";
import { signCommit } from "../signing.ts";

/** What a voter keeps between its commitment and its reveal. */
export interface SecretVote<Vote> {
  readonly commit: SignedCommit;
  /** The vote with the salt that opens the commitment. */
  readonly reveal: Vote & { readonly salt: string };
}

/** Commits to the first ballot of a vote under a fresh salt of 32 bytes. */
export async function commitToVote<Vote extends { readonly ballots: readonly unknown[] }>(
  vote: Vote,
  round: Round,
  by: { readonly voter: string; readonly signer: Signer },
): Promise<SecretVote<Vote>> {
  const salt = randomBytes(32).toString("hex");
  const [ballot] = vote.ballots as readonly SignedBallot[];
  const body = {
    v: 1,
    decisionId: round.proposal.decisionId,
    round: round.proposal.round,
    proposalDigest: round.proposalDigest,
    electorateDigest: round.electorateDigest,
    voter: by.voter,
    commitment: commitmentOf(digestOf(ballot?.body ?? null, sha256), salt, sha256),
  } as const;
  return { commit: await signCommit(body, by.signer), reveal: { ...vote, salt } };
}

/**
 * Says why a voter must not reveal yet, or nothing: it must be shown its own commitment among signed ones of members
 * whose weight reaches the participation that the proposal asks for. By then nobody can choose a ballot after its own.
 */
export function findEarlyReveal(
  commits: unknown,
  round: Round,
  own: { readonly commit: SignedCommit; readonly verify: Verify },
): string | undefined {
  if (!Array.isArray(commits)) return "it is shown no commitments of the others";
  const committed = new Set<string>();
  for (const commit of commits.slice(0, round.electorate.members.length)) {
    const admission = admitCommit(commit, round, { hash: sha256, verify: own.verify });
    if (admission.admitted) committed.add(admission.commit.body.voter);
  }
  if (!commits.some((commit) => JSON.stringify(commit) === JSON.stringify(own.commit)))
    return "its own commitment is not among those that it is shown";
  const weight = totalWeightOf(round.electorate.members.filter(({ id }) => committed.has(id)));
  const needed = quorumOf(round.proposal.participation, totalWeightOf(round.electorate.members));
  return weight >= needed ? undefined : `commitments of weight ${weight} are shown, and ${needed} must be in first`;
}

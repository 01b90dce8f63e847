import type { Commit } from "../../../machines/consensus/bft/statement.ts";
import type { AgreedValue, CommitCertificate } from "../../../machines/consensus/codec/commit-messages.ts";
import type { Round } from "../../../machines/consensus/ballot/round.ts";
import type { SignedProposal } from "../../../machines/consensus/codec/messages.ts";

/** The certificate of a commit: the proposal, the value with its ballots, and the signatures. Plain JSON. */
export function certifyCommit(
  about: { readonly round: Round; readonly proposal: SignedProposal },
  commit: Commit,
  value: AgreedValue,
): CommitCertificate {
  return {
    v: 1,
    kind: "commit",
    decisionId: about.round.proposal.decisionId,
    electorateDigest: about.round.electorateDigest,
    proposal: about.proposal,
    round: commit.round,
    value,
    signatures: commit.votes.map(({ voter, sig }) => ({ memberIndex: voter, sig })),
  };
}

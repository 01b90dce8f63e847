import type { BftEvidence } from "../../../machines/consensus/bft/evidence.ts";
import type { AgreedValue } from "../../../machines/consensus/codec/commit-messages.ts";
import type { SignedProposal } from "../../../machines/consensus/codec/messages.ts";
import type { Electorate } from "../../../machines/consensus/electorate/electorate.ts";

/** Proof that members broke the protocol of mode bft. */
export interface AgreementEvidence {
  readonly kind: BftEvidence["kind"];
  /** Ids of the members that it convicts, in order. */
  readonly culprits: readonly string[];
  readonly proof: BftEvidence;
  /** Of `InvalidVote` only: what was asked, and the value that breaks the rules. */
  readonly invalid?: { readonly proposal: SignedProposal; readonly value: AgreedValue };
}

/** Evidence in the form that a decision tells it in. */
export function tellEvidence(
  proof: BftEvidence,
  about: {
    readonly electorate: Electorate;
    readonly proposal: SignedProposal;
    readonly value: AgreedValue | undefined;
  },
): AgreementEvidence {
  const names = proof.culprits.map((index) => about.electorate.members[index]?.id ?? "");
  const { proposal, value } = about;
  const isInvalid = proof.kind === "InvalidVote" && value !== undefined;
  return { kind: proof.kind, culprits: names, proof, ...(isInvalid ? { invalid: { proposal, value } } : {}) };
}

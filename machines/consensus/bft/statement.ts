/** The two kinds of votes of one round. */
export type VoteKind = "prevote" | "precommit";

/** What every signed statement is about: the digests of the decision and of its electorate, in hex. */
export interface Scope {
  readonly decision: string;
  readonly electorate: string;
}

/**
 * One signed vote. `value` is the digest of the value voted for; null is nil, a tag of its own that no value can have.
 * `voter` is the member's position in the electorate; `validRound` is -1 unless the vote leans on an earlier polka.
 */
export interface Vote extends Scope {
  readonly kind: VoteKind;
  readonly voter: number;
  readonly round: number;
  readonly value: string | null;
  readonly validRound: number;
  readonly sig: string;
}

/** One signed proposal: the digest of the value, and the round of the polka it leans on or -1. Never nil. */
export interface Proposal extends Scope {
  readonly kind: "proposal";
  readonly voter: number;
  readonly round: number;
  readonly value: string;
  readonly validRound: number;
  readonly sig: string;
}

/** A proposal as it arrives: whoever proposes nil proposes nothing. */
export type ProposalClaim = Omit<Proposal, "value"> & { readonly value: string | null };

export type Statement = Vote | Proposal;

/** A statement before its signature. */
export type Unsigned<Signed extends Statement> = Omit<Signed, "sig">;

/** A quorum of precommits for one value in one round: it proves the decision. */
export interface Commit {
  readonly round: number;
  readonly value: string;
  /** In ascending order of voter. */
  readonly votes: readonly Vote[];
}

/** Whether two statements of one member, kind and round say the same. The signature's bytes are no content. */
export function isSameContent(left: Statement, right: Statement): boolean {
  return left.value === right.value && left.validRound === right.validRound;
}

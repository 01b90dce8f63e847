import type { Proposal, Statement, Vote } from "./statement.ts";

/** Two different statements of one member, kind and round, both signed: irrefutable by itself. */
export interface DuplicateStatement {
  readonly kind: "DuplicateProposal" | "DuplicatePrevote" | "DuplicatePrecommit";
  readonly culprits: readonly [number];
  /** In order of content, so that the same pair is always the same evidence. */
  readonly statements: readonly [Statement, Statement];
}

/** A signed proposal of a member whose turn it was not. */
export interface WrongProposer {
  readonly kind: "WrongProposer";
  readonly culprits: readonly [number];
  readonly statements: readonly [Proposal];
}

/** A signed statement for a value that breaks the rules; whoever holds the value can check it. */
export interface InvalidVote {
  readonly kind: "InvalidVote";
  readonly culprits: readonly [number];
  readonly statements: readonly [Statement];
}

/**
 * A commit of one value and the next polka after it for another value that leans on nothing since: whoever is in both
 * forgot its lock. An earlier polka for another value would refute it, so it holds once everybody's votes are known.
 */
export interface Amnesia {
  readonly kind: "Amnesia";
  readonly culprits: readonly number[];
  readonly commit: readonly Vote[];
  readonly polka: readonly Vote[];
}

/** Proof that members broke the protocol. Silence and lateness are never evidence: the network may be at fault. */
export type BftEvidence = DuplicateStatement | WrongProposer | InvalidVote | Amnesia;

const duplicateKinds = {
  proposal: "DuplicateProposal",
  prevote: "DuplicatePrevote",
  precommit: "DuplicatePrecommit",
} as const;

function contentOf(statement: Statement): string {
  return `${statement.value ?? ""}/${statement.validRound}`;
}

/** The evidence in two different statements of one member, whichever came first. */
export function duplicateEvidence(left: Statement, right: Statement): DuplicateStatement {
  return {
    kind: duplicateKinds[left.kind],
    culprits: [left.voter],
    statements: contentOf(left) < contentOf(right) ? [left, right] : [right, left],
  };
}

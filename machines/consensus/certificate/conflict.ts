import { duplicateEvidence, type DuplicateStatement } from "../bft/evidence.ts";
import type { Vote } from "../bft/statement.ts";
import { valueDigestOf, type CommitCertificate } from "../codec/commit-messages.ts";
import type { QuorumCertificate } from "../codec/messages.ts";
import { digestOf, type Hash } from "../codec/sign-bytes.ts";
import type { Certificate } from "./certificate.ts";
import {
  accuseCoordinator,
  accuseOfClosings,
  accuseVoter,
  type CoordinatorEquivocation,
  type DuplicateBallot,
} from "./evidence.ts";

/** Proof that certificates hold by themselves. */
export type CertificateEvidence = DuplicateBallot | DuplicateStatement | CoordinatorEquivocation;

/**
 * What two certificates contradict each other in. "commits": two values in one round of the agreement. "locks": two
 * values in different rounds of it. "ballots": two results of one proposal. "proposals": two proposals for one round of
 * the decision. "rounds": two rounds of the decision.
 */
export type ConflictKind = "commits" | "locks" | "ballots" | "proposals" | "rounds";

/** What two certificates that hold prove about each other. */
export interface Contradiction {
  readonly kind: ConflictKind;
  readonly evidence: readonly CertificateEvidence[];
}

function ballotsOf(certificate: Certificate): QuorumCertificate["ballots"] {
  return certificate.kind === "commit" ? certificate.value.ballots : certificate.ballots;
}

/** Voters that signed one ballot in the one certificate and another in the other. */
function findDoubleBallots(left: Certificate, right: Certificate, hash: Hash): DuplicateBallot[] {
  const first = new Map(ballotsOf(left).map((ballot) => [ballot.body.voter, ballot]));
  return ballotsOf(right).flatMap((ballot) => {
    const other = first.get(ballot.body.voter);
    return (other && accuseVoter(other, ballot, hash)) ?? [];
  });
}

/** The precommits that a certificate is made of, each as its member signed it. */
export function precommitsOf(certificate: CommitCertificate, hash: Hash): Vote[] {
  const { value, round, electorateDigest: electorate } = certificate;
  const place = { kind: "precommit", decision: value.proposalDigest, electorate, round, validRound: -1 } as const;
  const digest = valueDigestOf(value, hash);
  return certificate.signatures.map(({ memberIndex, sig }) => ({ ...place, voter: memberIndex, value: digest, sig }));
}

function compareCommits(left: CommitCertificate, right: CommitCertificate, hash: Hash): Contradiction | undefined {
  if (valueDigestOf(left.value, hash) === valueDigestOf(right.value, hash)) return undefined;
  const ballots = findDoubleBallots(left, right, hash);
  // A member of both may have moved its lock in between, as it should: only a polka that it saw can tell.
  if (left.round !== right.round) return { kind: "locks", evidence: ballots };
  const first = new Map(precommitsOf(left, hash).map((vote) => [vote.voter, vote]));
  const doubles = precommitsOf(right, hash).flatMap((vote) => {
    const other = first.get(vote.voter);
    return other === undefined ? [] : [duplicateEvidence(other, vote)];
  });
  return { kind: "commits", evidence: [...doubles, ...ballots] };
}

function compareQuorums(left: QuorumCertificate, right: QuorumCertificate, hash: Hash): Contradiction | undefined {
  const { coordinator } = left.proposal.body;
  const closings =
    left.closing === undefined || right.closing === undefined
      ? undefined
      : accuseOfClosings(coordinator, [left.closing, right.closing], hash);
  if (left.option === right.option && closings === undefined) return undefined;
  const doubles = findDoubleBallots(left, right, hash);
  return { kind: "ballots", evidence: closings === undefined ? doubles : [closings, ...doubles] };
}

/**
 * How two certificates of one decision contradict each other, and whom they convict by themselves; undefined where both
 * can be. Both must have been checked: their signatures are taken as good here.
 */
export function contradict(left: Certificate, right: Certificate, hash: Hash): Contradiction | undefined {
  const [one, other] = [left.proposal.body, right.proposal.body];
  if (one.round !== other.round) return { kind: "rounds", evidence: [] };
  if (digestOf(one, hash) !== digestOf(other, hash)) {
    const accusation = accuseCoordinator(left.proposal, right.proposal, hash);
    return { kind: "proposals", evidence: accusation === undefined ? [] : [accusation] };
  }
  if (left.kind === "commit") return right.kind === "commit" ? compareCommits(left, right, hash) : undefined;
  return right.kind === "quorum" ? compareQuorums(left, right, hash) : undefined;
}

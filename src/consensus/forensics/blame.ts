import type { Amnesia, DuplicateStatement } from "../../../machines/consensus/bft/evidence.ts";
import type { Statement } from "../../../machines/consensus/bft/statement.ts";
import { findDoubles, findForgetful, findPolkas, type Polka } from "../../../machines/consensus/certificate/blame.ts";
import type { Certificate } from "../../../machines/consensus/certificate/certificate.ts";
import {
  precommitsOf,
  type CertificateEvidence,
  type Contradiction,
} from "../../../machines/consensus/certificate/conflict.ts";
import { hearTranscripts, type TranscriptVerdict } from "../../../machines/consensus/certificate/transcript.ts";
import type { CommitCertificate } from "../../../machines/consensus/codec/commit-messages.ts";
import { digestOf } from "../../../machines/consensus/codec/sign-bytes.ts";
import { totalWeightOf, type Electorate } from "../../../machines/consensus/electorate/electorate.ts";
import type { AgreementEvidence } from "../bft/evidence.ts";
import { sha256, verifyEd25519 } from "../ed25519.ts";

/** Most transcripts that are heard at once: one of each member of the largest electorate. */
export const transcriptsMax = 1_024;

/** What certificates alone cannot tell. */
export interface ForensicsOptions {
  /** What members hold of the agreement, as `exportTranscript` gives it. */
  readonly transcripts?: readonly unknown[];
  /**
   * Ids of members that were asked for their transcript, had the time to give it, and did not. They are convicted of what
   * only they could refute; whoever is named here without having been asked may be honest. It does not count for a member
   * in whose name a transcript was given that does not hold: ask it again, and leave that file out if it is in vain.
   */
  readonly silent?: readonly string[];
}

/** What stands against members as long as one of them may refute it. */
export interface Accusation {
  /** It holds before `verifyEvidence`, as far as it goes; its culprits are the accused. */
  readonly evidence: AgreementEvidence;
  /** Ids of the accused that have not shown what they held when they signed. */
  readonly unheard: readonly string[];
}

/** Proof, once whoever could refute it was heard. */
export type ProvenEvidence = CertificateEvidence | Amnesia;

/** Two certificates that contradict each other, by their places. */
export interface Pair extends Contradiction {
  readonly certificates: readonly [number, number];
}

/** What transcripts add to certificates. */
interface Blame {
  readonly evidence: readonly ProvenEvidence[];
  readonly verdicts: readonly TranscriptVerdict[];
  readonly lacking: readonly string[];
  readonly accusations: readonly Accusation[];
  /** Whether any transcript holds. */
  readonly hasHeard: boolean;
  /** Whether it is proven who made a conflict of two rounds possible. */
  readonly explains: (pair: Pair) => boolean;
}

/** The name under which the same deed is told once. */
export function nameOfEvidence(evidence: ProvenEvidence): string {
  if (evidence.kind === "DuplicateBallot") return `${evidence.kind} ${evidence.voter} ${evidence.round}`;
  if (evidence.kind === "CoordinatorEquivocation") return `${evidence.kind} ${evidence.statement} ${evidence.round}`;
  if (evidence.kind !== "Amnesia") {
    const [{ decision, round }] = evidence.statements;
    return `${evidence.kind} ${decision} ${evidence.culprits[0]} ${round}`;
  }
  // Two commits of one value may have other signers, and so may a polka.
  const [commit, polka] = [evidence.commit[0], evidence.polka[0]];
  return `${evidence.kind} ${commit?.decision} ${commit?.round} ${polka?.round} ${evidence.culprits.join()}`;
}

/** Evidence of the agreement in the form that it is told in. */
export function tellAgreement(
  proof: Extract<ProvenEvidence, { readonly culprits: readonly number[] }>,
  { members }: Electorate,
): AgreementEvidence {
  return { kind: proof.kind, culprits: proof.culprits.map((index) => members[index]?.id ?? ""), proof };
}

function isCommit(certificate: Certificate | undefined): certificate is CommitCertificate {
  return certificate?.kind === "commit";
}

/**
 * Whether two rounds could be committed to because more than a third of the weight prevoted twice in one round from the
 * one commit to the other: without that, and without a lock that was forgotten, no polka for another value comes about.
 */
function isOfDoubles(
  doubles: readonly DuplicateStatement[],
  commits: readonly CommitCertificate[],
  { members }: Electorate,
): boolean {
  const rounds = commits.map(({ round }) => round);
  const [from, to] = [Math.min(...rounds), Math.max(...rounds)];
  const byRound = new Map<number, number>();
  for (const { kind, statements, culprits } of doubles) {
    const [{ decision, round }] = statements;
    if (kind !== "DuplicatePrevote" || decision !== commits[0]?.value.proposalDigest) continue;
    if (round < from || round > to) continue;
    byRound.set(round, (byRound.get(round) ?? 0) + (members[culprits[0] ?? -1]?.weight ?? 0));
  }
  return [...byRound.values()].some((weight) => 3 * weight > totalWeightOf(members));
}

/** Reads the transcripts beside the certificates: who signed twice, and who forgot its lock. */
export function blameByTranscripts(
  certificates: readonly Certificate[],
  pairs: readonly Pair[],
  about: { readonly electorate: Electorate; readonly options: ForensicsOptions },
): Blame {
  const { electorate, options } = about;
  const { transcripts = [], silent = [] } = options;
  const locks = pairs.filter(({ kind }) => kind === "locks");
  const commits = certificates.filter(isCommit);
  const decisions = new Map(commits.map(({ value, decisionId }) => [value.proposalDigest, decisionId]));
  const matter = { electorate, electorateDigest: digestOf(electorate, sha256), decisions };
  const hearing = hearTranscripts(transcripts, matter, { hash: sha256, verify: verifyEd25519 });
  const { verdicts, covers } = hearing;
  const held = new Set(verdicts.flatMap((verdict) => (verdict.ok ? [verdict.member] : [])));
  const lacking = locks.length === 0 ? [] : electorate.members.flatMap(({ id }) => (held.has(id) ? [] : [id]));
  if (held.size === 0)
    return { evidence: [], verdicts, lacking, accusations: [], hasHeard: false, explains: () => false };
  const precommits = new Map(commits.map((certificate) => [certificate, precommitsOf(certificate, sha256)]));
  const statements: readonly Statement[] = [...hearing.statements, ...[...precommits.values()].flat()];
  const doubles = findDoubles(statements);
  const polkas = findPolkas(statements, electorate);
  const polkasOf = (digest: string): Polka[] => polkas.filter(({ votes }) => votes[0]?.decision === digest);
  const forgotten = new Map<string, Amnesia>();
  const accusations = new Map<string, Accusation>();
  const explained = new Set<Pair>();
  const refused = new Set(verdicts.flatMap((verdict) => (verdict.ok ? [] : [verdict.member])));
  for (const pair of locks) {
    const [left, right] = pair.certificates.map((place) => certificates[place]).filter(isCommit);
    if (left === undefined || right === undefined) continue;
    if (isOfDoubles(doubles, [left, right], electorate)) explained.add(pair);
    const said = [precommits.get(left) ?? [], precommits.get(right) ?? []] as const;
    const found = findForgetful(said, polkasOf(left.value.proposalDigest));
    if (found === undefined) continue;
    const unheard = found.polka.flatMap((vote) => {
      const id = electorate.members[vote.voter]?.id ?? "";
      const isSilent = silent.includes(id) && !refused.has(id);
      return found.culprits.includes(vote.voter) && !covers(vote) && !isSilent ? [id] : [];
    });
    const name = nameOfEvidence(found);
    if (unheard.length > 0) accusations.set(name, { evidence: tellAgreement(found, electorate), unheard });
    else {
      forgotten.set(name, found);
      explained.add(pair);
    }
  }
  return {
    evidence: [...doubles, ...forgotten.values()],
    verdicts,
    lacking,
    accusations: [...accusations.values()],
    hasHeard: true,
    explains: (pair) => explained.has(pair),
  };
}

import type { Amnesia } from "../../../machines/consensus/bft/evidence.ts";
import type { Statement } from "../../../machines/consensus/bft/statement.ts";
import { findDoubles, findForgetful } from "../../../machines/consensus/certificate/blame.ts";
import type { Certificate } from "../../../machines/consensus/certificate/certificate.ts";
import {
  precommitsOf,
  type CertificateEvidence,
  type Contradiction,
} from "../../../machines/consensus/certificate/conflict.ts";
import { hearTranscripts, type TranscriptVerdict } from "../../../machines/consensus/certificate/transcript.ts";
import type { CommitCertificate } from "../../../machines/consensus/codec/commit-messages.ts";
import { digestOf } from "../../../machines/consensus/codec/sign-bytes.ts";
import type { Electorate } from "../../../machines/consensus/electorate/electorate.ts";
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
   * in whose name a transcript was given that does not hold.
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
  if (held.size === 0) return { evidence: [], verdicts, lacking, accusations: [], hasHeard: false };
  const statements: readonly Statement[] = [
    ...hearing.statements,
    ...commits.flatMap((certificate) => precommitsOf(certificate, sha256)),
  ];
  const evidence: ProvenEvidence[] = findDoubles(statements);
  const accusations: Accusation[] = [];
  const refused = new Set(verdicts.flatMap((verdict) => (verdict.ok ? [] : [verdict.member])));
  for (const { certificates: places } of locks) {
    const [left, right] = places.map((place) => certificates[place]).filter(isCommit);
    if (left === undefined || right === undefined) continue;
    const ofDecision = statements.filter(({ decision }) => decision === left.value.proposalDigest);
    const found = findForgetful([precommitsOf(left, sha256), precommitsOf(right, sha256)], ofDecision, electorate);
    if (found === undefined) continue;
    const unheard = found.polka.flatMap((vote) => {
      const id = electorate.members[vote.voter]?.id ?? "";
      const isSilent = silent.includes(id) && !refused.has(id);
      return found.culprits.includes(vote.voter) && !covers(vote) && !isSilent ? [id] : [];
    });
    if (unheard.length === 0) evidence.push(found);
    else accusations.push({ evidence: tellAgreement(found, electorate), unheard });
  }
  return { evidence, verdicts, lacking, accusations, hasHeard: true };
}

import type { TranscriptVerdict } from "../../../machines/consensus/certificate/transcript.ts";
import type { Certificate } from "../../../machines/consensus/certificate/certificate.ts";
import { contradict, type ConflictKind } from "../../../machines/consensus/certificate/conflict.ts";
import type { CoordinatorEquivocation, Evidence } from "../../../machines/consensus/certificate/evidence.ts";
import type { CertificateFault } from "../../../machines/consensus/certificate/verify.ts";
import {
  indexOfMember,
  totalWeightOf,
  type Electorate,
  type Member,
} from "../../../machines/consensus/electorate/electorate.ts";
import type { AgreementEvidence } from "../bft/evidence.ts";
import { sha256 } from "../ed25519.ts";
import { verifyCertificate } from "../verify.ts";
import {
  blameByTranscripts,
  nameOfEvidence,
  tellAgreement,
  transcriptsMax,
  type Accusation,
  type ForensicsOptions,
  type Pair,
  type ProvenEvidence,
} from "./blame.ts";

/** Most certificates that are compared at once; each is compared with every other one. */
export const comparedCertificatesMax = 64;

/** Two certificates that cannot both come from a decision in which everybody kept to the rules. */
export interface CertificateConflict {
  /** Where the two stand in the list that was given, from 0. */
  readonly certificates: readonly [number, number];
  readonly kind: ConflictKind;
  /** Whether the evidence says who made this conflict possible. */
  readonly isExplained: boolean;
  /** In words: what is proven, or what it cannot tell and whom to ask. */
  readonly detail: string;
}

/** What certificates of one decision prove about those who signed them, or why they cannot be compared. */
export type Forensics =
  | {
      readonly ok: true;
      /** Empty where the certificates agree. */
      readonly conflicts: readonly CertificateConflict[];
      /** Ids of the members that the evidence convicts, in order. */
      readonly culprits: readonly string[];
      /** Their weight, and that of all. */
      readonly weight: number;
      readonly total: number;
      /** Keys of coordinators that the evidence convicts. */
      readonly coordinators: readonly string[];
      /** Each piece is evidence for `verifyEvidence`. */
      readonly evidence: readonly (Evidence | AgreementEvidence | CoordinatorEquivocation)[];
      /** What became of each transcript, in the order given. One that does not hold counts for nothing. */
      readonly transcripts: readonly TranscriptVerdict[];
      /** Ids of members without a transcript that holds, where only transcripts can tell; else empty. */
      readonly lacking: readonly string[];
      /** What stands against members that were not heard yet; it convicts nobody. */
      readonly accusations: readonly Accusation[];
    }
  | {
      readonly ok: false;
      /** Which one does not hold or is of another decision; null where it is not about one of them. */
      readonly certificate: number | null;
      readonly reason: CertificateFault | "too-few" | "too-many" | "too-many-transcripts" | "unknown-member";
    };

const details: Readonly<Record<ConflictKind, { readonly explained: string; readonly open: string }>> = {
  commits: {
    explained: "two values were committed to in one round of the agreement; whoever signed for both is convicted",
    open: "two values were committed to in one round of the agreement, by nobody twice",
  },
  locks: {
    explained:
      "two values were committed to in different rounds of the agreement; whoever forgot its lock in between, or signed twice, is convicted",
    open: "two values were committed to in different rounds of the agreement. Who forgot its lock is not provable from certificates alone, since honest members may be in both: ask the members for their transcripts (exportTranscript)",
  },
  ballots: {
    explained: "two results were certified for one proposal; whoever signed two ballots, or two closings, is convicted",
    open: "two results were certified for one proposal by different selections of its ballots, and nobody signed twice: the rules of this proposal allow it",
  },
  proposals: {
    explained: "two proposals were signed for one round of the decision, which convicts the coordinator",
    open: "two proposals were signed for one round of the decision",
  },
  rounds: {
    explained: "two rounds of one decision were certified",
    open: "two rounds of one decision were certified. Who is at fault is not provable from certificates alone: ask the voters of the later round for the signed closing of the earlier one",
  },
};

/** Of two rounds of the agreement, where the transcripts that were given do not suffice. */
const stillOpen =
  "two values were committed to in different rounds of the agreement. The transcripts given do not say who made that possible: ask the members that are lacking, or accused and not heard, for theirs";

function tell(evidence: ProvenEvidence, electorate: Electorate): Extract<Forensics, { ok: true }>["evidence"][number] {
  if (evidence.kind === "DuplicateBallot" || evidence.kind === "CoordinatorEquivocation") return evidence;
  return tellAgreement(evidence, electorate);
}

/** What is wrong with what was asked: too few or too many, a name that nobody has, or a certificate. */
function findFault(
  certificates: readonly unknown[],
  electorate: unknown,
  { transcripts = [], silent = [] }: ForensicsOptions,
): Extract<Forensics, { ok: false }> | undefined {
  if (certificates.length < 2) return { ok: false, certificate: null, reason: "too-few" };
  if (certificates.length > comparedCertificatesMax) return { ok: false, certificate: null, reason: "too-many" };
  if (transcripts.length > transcriptsMax) return { ok: false, certificate: null, reason: "too-many-transcripts" };
  for (const [certificate, each] of certificates.entries()) {
    const verdict = verifyCertificate(each, electorate);
    if (!verdict.ok) return { ok: false, certificate, reason: verdict.reason };
  }
  const isKnown = (id: string): boolean => indexOfMember(electorate as Electorate, id) >= 0;
  if (!silent.every(isKnown)) return { ok: false, certificate: null, reason: "unknown-member" };
  const [first, ...others] = (certificates as readonly Certificate[]).map(({ proposal }) => proposal.body);
  const foreign = others.findIndex(
    ({ decisionId, coordinator }) => decisionId !== first?.decisionId || coordinator !== first.coordinator,
  );
  return foreign < 0 ? undefined : { ok: false, certificate: foreign + 1, reason: "other-decision" };
}

/** Every pair that contradicts each other. */
function compareAll(certificates: readonly Certificate[]): Pair[] {
  return certificates.flatMap((certificate, right) =>
    certificates.slice(0, right).flatMap((other, left) => {
      const found = contradict(other, certificate, sha256);
      return found === undefined ? [] : [{ ...found, certificates: [left, right] as const }];
    }),
  );
}

function convictedBy(evidence: Extract<Forensics, { ok: true }>["evidence"], electorate: Electorate): Member[] {
  const names = new Set(
    evidence.flatMap((each) => ("culprits" in each ? each.culprits : "voter" in each ? [each.voter] : [])),
  );
  return electorate.members.filter(({ id }) => names.has(id));
}

/**
 * Says whom two or more certificates of one decision convict, where they contradict each other. Whoever holds them needs
 * nothing else but the electorate; each certificate is checked first, and no member that kept to the rules is named.
 * Shape: `{ok:true, conflicts, culprits, weight, total, coordinators, evidence, transcripts, lacking, accusations}`, plain
 * JSON; every piece of evidence stands by itself before `verifyEvidence`. Two commit certificates of one round of the
 * agreement convict more than a third of the weight. Of different rounds they need `transcripts`, as `exportTranscript`
 * gives them: what the members that kept to the rules hold is enough to say who forgot its lock. Only the accused could
 * show that they moved it by the rules. So they are convicted when each of them gave its transcript, or is named in
 * `silent`; until then the proof is an accusation, and convicts nobody. What is not proven has `isExplained: false` and
 * says whom to ask.
 * Units: weights of the electorate. Errors: never throws on plain data; `{ok:false, certificate, reason}` for fewer than 2 or
 * more than 64 certificates, for one that does not hold, for "other-decision" (another id, or another coordinator's key),
 * for more than 1,024 transcripts, and for "unknown-member" in `silent`. A transcript that does not hold counts for
 * nothing, and `transcripts` says why.
 * Source: consensus design §3 (B5), §4.5, §8, docs/decisions/0022.
 * @example
 * ```ts
 * import { forensics, verifyEvidence, type Certificate, type Electorate } from "troupe";
 * export function convict(certificates: readonly Certificate[], electorate: Electorate): readonly string[] {
 *   const found = forensics(certificates, electorate);
 *   if (!found.ok) throw new Error(found.reason);
 *   console.log(found.evidence.every((each) => verifyEvidence(each, electorate).ok)); // true
 *   return found.culprits;
 * }
 * ```
 */
export function forensics(
  certificates: readonly unknown[],
  electorate: unknown,
  options: ForensicsOptions = {},
): Forensics {
  const fault = findFault(certificates, electorate, options);
  if (fault !== undefined) return fault;
  const held = certificates as readonly Certificate[];
  const register = electorate as Electorate;
  const pairs = compareAll(held);
  const blamed = blameByTranscripts(held, pairs, { electorate: register, options });
  const evidence = new Map<string, ProvenEvidence>();
  for (const each of [...pairs.flatMap((pair) => pair.evidence), ...blamed.evidence]) {
    const name = nameOfEvidence(each);
    if (!evidence.has(name)) evidence.set(name, each);
  }
  const told = [...evidence.values()].map((each) => tell(each, register));
  const guilty = convictedBy(told, register);
  const [weight, total] = [totalWeightOf(guilty), totalWeightOf(register.members)];
  const conflicts = pairs.map((pair): CertificateConflict => {
    const { certificates: places, kind, evidence: proven } = pair;
    const isExplained = kind === "locks" ? blamed.explains(pair) : proven.length > 0;
    const isStill = kind === "locks" && blamed.hasHeard;
    const detail = isExplained ? details[kind].explained : isStill ? stillOpen : details[kind].open;
    return { certificates: places, kind, isExplained, detail };
  });
  return {
    ok: true,
    conflicts,
    culprits: guilty.map(({ id }) => id),
    weight,
    total,
    coordinators: [...new Set(told.flatMap((each) => ("coordinator" in each ? [each.coordinator] : [])))],
    evidence: told,
    transcripts: blamed.verdicts,
    lacking: blamed.lacking,
    accusations: blamed.accusations,
  };
}

import type { Certificate } from "../../../machines/consensus/certificate/certificate.ts";
import {
  contradict,
  type CertificateEvidence,
  type ConflictKind,
} from "../../../machines/consensus/certificate/conflict.ts";
import type { CoordinatorEquivocation, Evidence } from "../../../machines/consensus/certificate/evidence.ts";
import type { CertificateFault } from "../../../machines/consensus/certificate/verify.ts";
import { totalWeightOf, type Electorate } from "../../../machines/consensus/electorate/electorate.ts";
import type { AgreementEvidence } from "../bft/evidence.ts";
import { sha256 } from "../ed25519.ts";
import { verifyCertificate } from "../verify.ts";

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
    }
  | {
      readonly ok: false;
      /** Which one does not hold or is of another decision; null where there are too few or too many. */
      readonly certificate: number | null;
      readonly reason: CertificateFault | "too-few" | "too-many";
    };

const details: Readonly<Record<ConflictKind, { readonly explained: string; readonly open: string }>> = {
  commits: {
    explained: "two values were committed to in one round of the agreement; whoever signed for both is convicted",
    open: "two values were committed to in one round of the agreement, by nobody twice",
  },
  locks: {
    explained: "two values were committed to in different rounds of the agreement",
    open: "two values were committed to in different rounds of the agreement. Who forgot its lock is not provable from certificates alone, since honest members may be in both: ask the members for their transcripts",
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

/** The name under which the same deed is told once. */
function nameOf(evidence: CertificateEvidence): string {
  if (evidence.kind === "DuplicateBallot") return `${evidence.kind} ${evidence.voter} ${evidence.round}`;
  if (evidence.kind === "CoordinatorEquivocation") return `${evidence.kind} ${evidence.statement} ${evidence.round}`;
  return `${evidence.kind} ${evidence.culprits[0]} ${evidence.statements[0].round}`;
}

function tell(
  evidence: CertificateEvidence,
  electorate: Electorate,
): Evidence | AgreementEvidence | CoordinatorEquivocation {
  if (evidence.kind === "DuplicateBallot" || evidence.kind === "CoordinatorEquivocation") return evidence;
  const culprits = evidence.culprits.map((index) => electorate.members[index]?.id ?? "");
  return { kind: evidence.kind, culprits, proof: evidence };
}

/** The first certificate that does not hold or is of another decision than the first, or undefined. */
function findFault(
  certificates: readonly unknown[],
  electorate: unknown,
): Extract<Forensics, { ok: false }> | undefined {
  if (certificates.length < 2) return { ok: false, certificate: null, reason: "too-few" };
  if (certificates.length > comparedCertificatesMax) return { ok: false, certificate: null, reason: "too-many" };
  for (const [certificate, each] of certificates.entries()) {
    const verdict = verifyCertificate(each, electorate);
    if (!verdict.ok) return { ok: false, certificate, reason: verdict.reason };
  }
  const [first, ...others] = (certificates as readonly Certificate[]).map(({ proposal }) => proposal.body);
  const foreign = others.findIndex(
    ({ decisionId, coordinator }) => decisionId !== first?.decisionId || coordinator !== first.coordinator,
  );
  return foreign < 0 ? undefined : { ok: false, certificate: foreign + 1, reason: "other-decision" };
}

/**
 * Says whom two or more certificates of one decision convict, where they contradict each other. Whoever holds them needs
 * nothing else but the electorate; each certificate is checked first, and no member that kept to the rules is named.
 * Shape: `{ok:true, conflicts, culprits, weight, total, coordinators, evidence}`, plain JSON; every piece of evidence
 * stands by itself before `verifyEvidence`. Two commit certificates of one round of the agreement convict more than a
 * third of the weight. What certificates alone cannot tell has `isExplained: false` and says whom to ask: between
 * rounds of the agreement a lock may be moved by the rules, which only the members' transcripts show.
 * Units: weights of the electorate. Errors: never throws on data; `{ok:false, certificate, reason}` for fewer than 2 or
 * more than 64, for one that does not hold, and for "other-decision": another id, or another coordinator's key.
 * Source: consensus design §3 (B5), §4.5, §8.
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
export function forensics(certificates: readonly unknown[], electorate: unknown): Forensics {
  const fault = findFault(certificates, electorate);
  if (fault !== undefined) return fault;
  const held = certificates as readonly Certificate[];
  const register = electorate as Electorate;
  const conflicts: CertificateConflict[] = [];
  const evidence = new Map<string, CertificateEvidence>();
  for (const [right, certificate] of held.entries()) {
    for (const [left, other] of held.slice(0, right).entries()) {
      const found = contradict(other, certificate, sha256);
      if (found === undefined) continue;
      const { kind } = found;
      const isExplained = kind !== "locks" && found.evidence.length > 0;
      const detail = details[kind][isExplained ? "explained" : "open"];
      conflicts.push({ certificates: [left, right], kind, isExplained, detail });
      for (const each of found.evidence) if (!evidence.has(nameOf(each))) evidence.set(nameOf(each), each);
    }
  }
  const told = [...evidence.values()].map((each) => tell(each, register));
  const convicted = new Set(
    told.flatMap((each) => ("culprits" in each ? each.culprits : "voter" in each ? [each.voter] : [])),
  );
  const guilty = register.members.filter(({ id }) => convicted.has(id));
  return {
    ok: true,
    conflicts,
    culprits: guilty.map(({ id }) => id),
    weight: totalWeightOf(guilty),
    total: totalWeightOf(register.members),
    coordinators: [...new Set(told.flatMap((each) => ("coordinator" in each ? [each.coordinator] : [])))],
    evidence: told,
  };
}

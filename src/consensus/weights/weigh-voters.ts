import { brierScore, posteriorMean, weightOfRecord } from "../../../machines/consensus/electorate/reliability.ts";
import type { Electorate } from "../../../machines/consensus/electorate/electorate.ts";
import { parseThreshold, type ThresholdInput } from "../../../machines/consensus/electorate/threshold.ts";
import { lowerWeights } from "../../../machines/consensus/electorate/weight-cap.ts";
import { TroupeError } from "../../errors.ts";
import { requireParsed } from "../electorate.ts";
import { verifyEvidence } from "../verify.ts";

/** Whether a voter was right in one decision, as somebody outside the vote has verified later. */
export interface VerifiedOutcome {
  readonly decisionId: string;
  readonly voter: string;
  /** By the facts. Never by whether the majority agreed: that would reward conformity. */
  readonly wasRight: boolean;
  /** What the voter stated, 0 to 1, or null. */
  readonly confidence: number | null;
}

/** What is known of the voters of an electorate. */
export interface VoterHistory {
  readonly outcomes: readonly VerifiedOutcome[];
  /** Proofs of double voting; each is checked, and whoever is convicted has no weight any more. */
  readonly evidence?: readonly unknown[];
  /** How often each voter was asked, and how often it answered. It lowers availability, never weight. */
  readonly attendance?: readonly { readonly voter: string; readonly asked: number; readonly answered: number }[];
}

/** One voter in the next electorate. */
export interface VoterWeight {
  readonly id: string;
  /** A whole number; 0 has no place in the next electorate. */
  readonly weight: number;
  readonly standing: "proven" | "newcomer" | "no-better-than-chance" | "tombstoned";
  /** 0 to 1: the posterior mean of being right. */
  readonly reliability: number;
  /** 0 (perfect) to 1; null where no confidence was stated. */
  readonly brier: number | null;
  /** 0 to 1: answers over questions; null where nothing is known. */
  readonly availability: number | null;
}

function checkOutcomes(outcomes: readonly VerifiedOutcome[]): readonly VerifiedOutcome[] {
  const known = new Map<string, VerifiedOutcome>();
  for (const outcome of outcomes) {
    const name = JSON.stringify([outcome.decisionId, outcome.voter]);
    const before = known.get(name);
    if (before !== undefined && before.wasRight !== outcome.wasRight) {
      throw new TroupeError(
        "usage/invalid-options",
        `outcomes: ${outcome.voter} is told to be right and wrong in decision ${outcome.decisionId}; keep one`,
      );
    }
    known.set(name, outcome);
  }
  return [...known.values()];
}

/**
 * Weighs voters for the next epoch by what they got right: the log-odds of the Beta(2,2) posterior mean, in whole
 * units, capped so that nobody holds a third. An electorate is frozen while it decides; this is for between decisions.
 * Shape: one entry per member, in the electorate's order. Only outcomes verified from outside count, each decision
 * once; agreement with the majority never does. A newcomer has the least weight, 1; a voter that is no better than
 * chance, or convicted by evidence, has 0.
 * Errors: throws `usage/invalid-options` for outcomes that contradict each other, `usage/invalid-policy` for a cap that
 * is no share, and `usage/invalid-electorate` where too few voters are left for the cap.
 * Source: consensus design §3.7; Nitzan and Paroush (1982).
 * @example
 * ```ts
 * import { weighVoters, type Electorate } from "troupe";
 * export function nextWeights(electorate: Electorate): string[] {
 *   const outcomes = [{ decisionId: "d1", voter: "ops", wasRight: true, confidence: 0.9 }];
 *   return weighVoters(electorate, { outcomes }, { cap: "1/2" }).map(({ id, weight }) => `${id} ${weight}`);
 * }
 * ```
 */
export function weighVoters(
  electorate: Electorate,
  history: VoterHistory,
  policy: { readonly cap?: ThresholdInput } = {},
): VoterWeight[] {
  const outcomes = checkOutcomes(history.outcomes);
  const tombstones = new Set(
    (history.evidence ?? []).flatMap((evidence) => {
      const check = verifyEvidence(evidence, electorate);
      if (!check.ok) return [];
      return "voter" in check ? [check.voter] : "voters" in check ? check.voters : [];
    }),
  );
  const weighed = electorate.members.map(({ id }): VoterWeight => {
    const own = outcomes.filter(({ voter }) => voter === id);
    const right = own.filter(({ wasRight }) => wasRight).length;
    const record = { right, wrong: own.length - right };
    const seen = history.attendance?.find(({ voter }) => voter === id);
    const known = {
      id,
      reliability: posteriorMean(record),
      brier: brierScore(own),
      availability: seen === undefined || seen.asked === 0 ? null : seen.answered / seen.asked,
    };
    if (tombstones.has(id)) return { ...known, weight: 0, standing: "tombstoned" };
    if (own.length === 0) return { ...known, weight: 1, standing: "newcomer" };
    const weight = weightOfRecord(record);
    return { ...known, weight, standing: weight > 0 ? "proven" : "no-better-than-chance" };
  });
  return applyCap(electorate, weighed, policy.cap ?? "1/3");
}

/** Caps the members that keep a weight; the others stay at 0. */
function applyCap(electorate: Electorate, weighed: readonly VoterWeight[], cap: ThresholdInput): VoterWeight[] {
  const share = requireParsed("cap", parseThreshold(cap));
  const seated = weighed.flatMap(({ id, weight }, index) => {
    const group = electorate.members[index]?.group;
    return weight === 0 ? [] : [{ id, weight, ...(group === undefined ? {} : { group }) }];
  });
  const lowered = lowerWeights(seated, share);
  if (!lowered.ok) throw new TroupeError("usage/invalid-electorate", lowered.problem, { data: { reason: "OVER_CAP" } });
  const weights = new Map(seated.map(({ id }, index) => [id, lowered.value[index] ?? 0]));
  return weighed.map((voter) => ({ ...voter, weight: weights.get(voter.id) ?? 0 }));
}

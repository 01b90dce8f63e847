import type { OutcomeStatus } from "../codec/messages.ts";
import { totalWeightOf } from "../electorate/electorate.ts";
import { boundsOf, type Bounds } from "../electorate/threshold.ts";
import { bindingShare, countCasts, isComparing, type Casts, type Count } from "./count.ts";
import { gaugeOf } from "./grading.ts";
import { marginOfVictory } from "./margin.ts";
import type { Round } from "./round.ts";
import { medianConfidence, toBasisPoints } from "./score.ts";
import { judge, type Verdict } from "./verdict.ts";

/** How one option did. */
export interface OptionTally {
  readonly option: string;
  readonly support: number;
  /** Whether its support reaches the quorum or, in a comparison of options, whether nothing stands above it. */
  readonly passed: boolean;
  /** Basis points, rounded down; only ranks options that passed. */
  readonly score: number;
  /** Weighted lower median of its supporters' confidence, in basis points. */
  readonly confidence: number | null;
  /** Weighted lower median of its grades; null in other methods. */
  readonly majorityGrade: number | null;
  /** Distinct groups among its supporters; those without a declared one count as one together. */
  readonly groups: number;
  readonly voters: readonly string[];
}

/** The result of a round: a pure function of the set of ballots, the same for every order of arrival. */
export interface Tally extends Bounds {
  readonly status: OutcomeStatus;
  /** The winner; null unless decided. */
  readonly option: string | null;
  /** What passed and ranked first, or else has most support; null when nobody supported anything. */
  readonly leading: string | null;
  /** Weight an option needed, and the weight that had to take part. */
  readonly quorum: number;
  readonly participationQuorum: number;
  /** Weight of valid ballots, abstentions included. */
  readonly participating: number;
  readonly abstaining: number;
  /** Weight of members who signed two different ballots. */
  readonly voided: number;
  /** Weight of members from whom no valid ballot came. */
  readonly absent: number;
  /** Ballots that do more than abstain. */
  readonly ballots: number;
  readonly options: readonly OptionTally[];
  /** Support of the leading option over the weight that the threshold counts. */
  readonly agreement: { readonly num: number; readonly den: number };
  /** Of the leading option, in basis points. */
  readonly confidence: number | null;
  readonly marginOfVictory: number;
}

function tallyOptions(round: Round, count: Count, verdict: Verdict): OptionTally[] {
  return round.proposal.options.map(({ id }, index) => {
    const supporters = count.supporters[index] ?? [];
    const support = count.support[index] ?? 0;
    const score = verdict.scores[index];
    const grading = count.gradings[index];
    return {
      option: id,
      support,
      passed: isComparing(round.proposal.method)
        ? verdict.passed.includes(index)
        : support >= verdict.requirement.quorum,
      score: score === undefined ? 0 : toBasisPoints(score),
      confidence: medianConfidence(supporters),
      majorityGrade: grading === undefined ? null : gaugeOf(grading).grade,
      groups: new Set(supporters.map(({ group }) => group)).size,
      voters: supporters.map(({ member }) => round.electorate.members[member]?.id ?? ""),
    };
  });
}

/** Position of the option to show first: the candidate, else the one with most support. */
function leadingOf(count: Count, verdict: Verdict): number | null {
  if (verdict.candidate !== null) return verdict.candidate;
  const most = Math.max(0, ...count.support);
  return most === 0 ? null : count.support.indexOf(most);
}

/** Tallies the ballots of a round. `casts` are in electorate order. */
export function tally(round: Round, casts: Casts): Tally {
  const count = countCasts(round, casts);
  const verdict = judge(round, count);
  const total = totalWeightOf(round.electorate.members);
  const share = bindingShare(round.proposal);
  const options = tallyOptions(round, count, verdict);
  const leading = leadingOf(count, verdict);
  const shown = leading === null ? undefined : options[leading];
  return {
    ...boundsOf(share, total),
    status: verdict.status,
    option: verdict.status === "decided" ? (shown?.option ?? null) : null,
    leading: shown?.option ?? null,
    quorum: verdict.requirement.quorum,
    participationQuorum: verdict.requirement.participation,
    participating: count.participating,
    abstaining: count.abstaining,
    voided: count.voided,
    absent: total - count.participating - count.voided,
    ballots: count.deciding,
    options,
    agreement: {
      num: shown?.support ?? 0,
      den: share.of === "cast" ? Math.max(1, count.participating) : total,
    },
    confidence: shown?.confidence ?? null,
    marginOfVictory: marginOfVictory(round, casts, { count, verdict }),
  };
}

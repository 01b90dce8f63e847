import type { OutcomeStatus } from "../codec/messages.ts";
import { totalWeightOf } from "../electorate/electorate.ts";
import { requirementOf, type Count, type Requirement } from "./count.ts";
import { compareGauges, gaugeOf } from "./grading.ts";
import { marginsOf, schulzeWinners } from "./pairwise.ts";
import type { Round } from "./round.ts";
import { compareFractions, scoreOf, weightAtGate, type Fraction } from "./score.ts";

/** What the rules make of the sums. `candidate` is the position of the option that passed and ranked first. */
export interface Verdict {
  readonly status: OutcomeStatus;
  readonly candidate: number | null;
  readonly requirement: Requirement;
  /** Positions of the options that passed; empty where too few took part. */
  readonly passed: readonly number[];
  /** Exact scores, in proposal order. */
  readonly scores: readonly Fraction[];
}

/** Compares two passed options; negative puts `left` first. The steps are those of consensus design §3.5. */
function compareCandidates(
  round: Round,
  count: Count,
  scores: readonly Fraction[],
): (left: number, right: number) => number {
  const { options, defaultOption, prefer } = round.proposal;
  const groupsOf = (index: number): number => new Set(count.supporters[index]?.map(({ group }) => group)).size;
  const nothing = { num: 0n, den: 1n };
  return (left, right) => {
    if (prefer === "bold") return left - right;
    const byScore = compareFractions(scores[right] ?? nothing, scores[left] ?? nothing);
    if (byScore !== 0) return byScore;
    const byGroups = groupsOf(right) - groupsOf(left);
    if (byGroups !== 0) return byGroups;
    const isDefault = (index: number): number => (options[index]?.id === defaultOption ? 1 : 0);
    const byDefault = isDefault(right) - isDefault(left);
    if (byDefault !== 0) return byDefault;
    return (round.tieKeys[left] ?? "") < (round.tieKeys[right] ?? "") ? -1 : 1;
  };
}

/** The options that pass, in proposal order: above the threshold, or ahead of all others in the comparison. */
function findPassed(round: Round, count: Count, requirement: Requirement): readonly number[] {
  const positions = [...count.support.keys()];
  switch (round.proposal.method) {
    case "single":
    case "approval":
      return positions.filter((index) => (count.support[index] ?? 0) >= requirement.quorum);
    case "ranked":
      return schulzeWinners(marginsOf(count.rankings, positions.length)).filter(
        (index) => (count.support[index] ?? 0) > 0,
      );
    case "grades": {
      const gauges = count.gradings.map(gaugeOf);
      const [best] = gauges.toSorted(compareGauges);
      if (best === undefined || best.grade === 0) return [];
      return positions.filter((index) => compareGauges(gauges[index] ?? best, best) === 0);
    }
  }
}

/** Applies participation, threshold, preference and gate, in that order. */
export function judge(round: Round, count: Count): Verdict {
  const total = totalWeightOf(round.electorate.members);
  const requirement = requirementOf(round, { cast: count.participating, total });
  const scores = count.supporters.map((supporters) => scoreOf(round, supporters));
  if (count.participating < requirement.participation || count.deciding < round.proposal.minBallots) {
    return { status: "no-quorum", candidate: null, passed: [], requirement, scores };
  }
  const passed = findPassed(round, count, requirement);
  const candidate = passed.toSorted(compareCandidates(round, count, scores))[0];
  const rest = { passed, requirement, scores };
  if (candidate === undefined) return { status: "no-majority", candidate: null, ...rest };
  const { gate } = round.proposal.confidence;
  if (gate === null) return { status: "decided", candidate, ...rest };
  const atGate = weightAtGate(count.supporters[candidate] ?? [], gate);
  const isConfident = 2 * atGate > (count.support[candidate] ?? 0);
  return { status: isConfident ? "decided" : "low-confidence", candidate, ...rest };
}

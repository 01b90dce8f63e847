import { totalWeightOf } from "../electorate/electorate.ts";
import { countCasts, isComparing, requirementOf, type Casts, type Count } from "./count.ts";
import { weightBelow, type Grading } from "./grading.ts";
import { marginsOf } from "./pairwise.ts";
import type { Round } from "./round.ts";
import { weightAtGate } from "./score.ts";

/** What is still to come: the members not yet heard and not given up. */
interface Outstanding {
  readonly weight: number;
  readonly voters: number;
}

type Certainty = "surely" | "never" | "open";

function outstandingOf(round: Round, casts: Casts, isSettled: (member: number) => boolean): Outstanding {
  let weight = 0;
  let voters = 0;
  for (const [index, member] of round.electorate.members.entries()) {
    if ((casts[index] ?? null) !== null || isSettled(index)) continue;
    weight += member.weight;
    voters += 1;
  }
  return { weight, voters };
}

/** Whether enough will have taken part, whatever the outstanding members do. */
function quorumCertainty(round: Round, count: Count, outstanding: Outstanding): Certainty {
  const { participation } = requirementOf(round, { cast: 0, total: totalWeightOf(round.electorate.members) });
  const { minBallots } = round.proposal;
  if (count.participating >= participation && count.deciding >= minBallots) return "surely";
  const isOutOfReach =
    count.participating + outstanding.weight < participation || count.deciding + outstanding.voters < minBallots;
  return isOutOfReach ? "never" : "open";
}

/**
 * Whether an option will have passed. Both extremes are at full turnout: its support against everybody else voting
 * without it, and everybody else voting for it, since no share is above 1.
 */
function passCertainty(round: Round, count: Count, sums: { option: number; outstanding: Outstanding }): Certainty {
  const cast = count.participating + sums.outstanding.weight;
  const { quorum } = requirementOf(round, { cast, total: totalWeightOf(round.electorate.members) });
  const support = count.support[sums.option] ?? 0;
  if (support >= quorum) return "surely";
  return support + sums.outstanding.weight < quorum ? "never" : "open";
}

/** Whether the winner's median confidence will reach the gate. */
function gateCertainty(round: Round, count: Count, sums: { option: number; outstanding: Outstanding }): Certainty {
  const { gate } = round.proposal.confidence;
  if (gate === null) return "surely";
  const support = count.support[sums.option] ?? 0;
  const atGate = weightAtGate(count.supporters[sums.option] ?? [], gate);
  const rest = sums.outstanding.weight;
  if (2 * atGate > support + rest) return "surely";
  return 2 * (atGate + rest) <= support + rest ? "never" : "open";
}

/** The one option that is sure to win if any does, or undefined while that is open. */
function findSureCandidate(round: Round, count: Count, outstanding: Outstanding): number | undefined {
  const chances = count.support.map((_, option) => passCertainty(round, count, { option, outstanding }));
  const possible = [...chances.keys()].filter((option) => chances[option] !== "never");
  const first = possible[0];
  if (first === undefined || chances[first] !== "surely") return undefined;
  // Bold: nothing bolder can pass any more. Score: nothing else can pass, since scores may still move.
  return round.proposal.prefer === "bold" || possible.length === 1 ? first : undefined;
}

/** Whether the median of `winner` will reach some grade above 0 that the one of `rival` will not. */
function isAheadFor(winner: Grading, rival: Grading | undefined, rest: number): boolean {
  return winner.steps.some(({ grade }) => {
    const isReached = grade > 0 && 2 * (weightBelow(winner, grade) + rest) < winner.total + rest;
    return isReached && (rival === undefined || 2 * weightBelow(rival, grade) >= rival.total + rest);
  });
}

/** Whether a comparison of options has one winner that the outstanding weight cannot bring level with another. */
function hasSureWinner(round: Round, count: Count, outstanding: Outstanding): boolean {
  if (round.proposal.confidence.gate !== null) return false;
  const rest = outstanding.weight;
  if (round.proposal.method === "ranked") {
    const margins = marginsOf(count.rankings, count.support.length);
    return margins.some((row, option) => row.every((margin, rival) => rival === option || margin > rest));
  }
  return count.gradings.some((winner, option) =>
    count.gradings.every((rival, index) => isAheadFor(winner, index === option ? undefined : rival, rest)),
  );
}

/**
 * Whether the outcome can no longer change: every completion by the members still outstanding gives the same status
 * and option. Members already heard are taken at their ballot: equivocation found after the close is evidence, and
 * the certificate stands (consensus design §3.4). Never true too early; with several passed options ranked by score
 * it waits for all.
 */
export function isOutcomeFixed(round: Round, casts: Casts, isSettled: (member: number) => boolean): boolean {
  const outstanding = outstandingOf(round, casts, isSettled);
  if (outstanding.voters === 0) return true;
  const count = countCasts(round, casts);
  const quorum = quorumCertainty(round, count, outstanding);
  if (quorum === "never") return true;
  if (quorum === "open") return false;
  if (isComparing(round.proposal.method)) return hasSureWinner(round, count, outstanding);
  const canPass = count.support.some((_, option) => passCertainty(round, count, { option, outstanding }) !== "never");
  if (!canPass) return true;
  const option = findSureCandidate(round, count, outstanding);
  return option !== undefined && gateCertainty(round, count, { option, outstanding }) !== "open";
}

import { basisPoints } from "../codec/messages.ts";
import { marginOfGrades, marginOfRanking, weightToAccept, weightToMoveGrade } from "./comparison-margin.ts";
import type { Cast, Count } from "./count.ts";
import { isComparing, standingOf } from "./count.ts";
import type { Round } from "./round.ts";
import { groupCount, weightAtGate } from "./score.ts";
import type { Verdict } from "./verdict.ts";

function sum(weights: readonly number[]): number {
  return weights.reduce((total, weight) => total + weight, 0);
}

function ceilDivide(num: bigint, den: bigint): number {
  return num <= 0n ? 0 : Number((num + den - 1n) / den);
}

/** Least weight whose change lets `rival` draw level with `leader` in score. */
function weightToOvertake(round: Round, verdict: Verdict, pair: { leader: number; rival: number }): number {
  const leader = verdict.scores[pair.leader];
  const rival = verdict.scores[pair.rival];
  if (leader === undefined || rival === undefined) return 0;
  const total = BigInt(sum(round.electorate.members.map(({ weight }) => weight)));
  const unit = BigInt(basisPoints);
  // One changed unit moves each score by at most (1 + 2δ·G/(G-1))/W: 1 from support, the rest from diversity.
  const groups = BigInt(groupCount(round));
  const isDiverse = groups >= 2n && round.proposal.diversity > 0;
  const moveNum = isDiverse ? unit * (groups - 1n) + 2n * BigInt(round.proposal.diversity) * groups : 1n;
  const moveDen = isDiverse ? unit * (groups - 1n) : 1n;
  const gapNum = leader.num * rival.den - rival.num * leader.den;
  const gapDen = leader.den * rival.den;
  return ceilDivide(gapNum * total * moveDen, gapDen * 2n * moveNum);
}

/** Least weight that takes the winner's supporters below the gate; one changed unit moves the balance by 2. */
function weightToLoseGate(round: Round, count: Count, winner: number): number {
  const { gate } = round.proposal.confidence;
  if (gate === null) return Infinity;
  const atGate = weightAtGate(count.supporters[winner] ?? [], gate);
  return Math.ceil((2 * atGate - (count.support[winner] ?? 0)) / 2);
}

/** The same for methods that compare options; with grades the supporters change when the majority grade moves. */
function marginOfComparison(round: Round, count: Count, winner: number): number {
  const toLoseGate = weightToLoseGate(round, count, winner);
  if (round.proposal.method === "ranked") return Math.min(toLoseGate, marginOfRanking(count, winner));
  const grading = count.gradings[winner];
  const toMove = toLoseGate === Infinity || grading === undefined ? Infinity : weightToMoveGrade(grading);
  return Math.min(toLoseGate, toMove, marginOfGrades(count, winner));
}

function marginOfDecided(round: Round, count: Count, verdict: Verdict): number {
  const winner = verdict.candidate ?? 0;
  const { quorum } = verdict.requirement;
  if (isComparing(round.proposal.method)) return marginOfComparison(round, count, winner);
  const margins = [(count.support[winner] ?? 0) - quorum + 1, weightToLoseGate(round, count, winner)];
  for (const [rival, support] of count.support.entries()) {
    if (rival === winner) continue;
    const toPass = Math.max(0, quorum - support);
    if (round.proposal.prefer === "bold") {
      if (rival < winner) margins.push(toPass);
    } else {
      margins.push(Math.max(toPass, weightToOvertake(round, verdict, { leader: winner, rival })));
    }
  }
  return Math.min(...margins);
}

/** Lightest members that must do more than they did, for the round to have enough deciding ballots. */
function weightToReachBallots(round: Round, casts: readonly (Cast | null)[], missing: number): number {
  const idle = round.electorate.members
    .filter((_, index) => {
      const cast = casts[index] ?? null;
      return cast === null || standingOf(cast, round) !== "counts";
    })
    .map(({ weight }) => weight)
    .sort((left, right) => left - right);
  return sum(idle.slice(0, missing));
}

function marginOfNoQuorum(
  round: Round,
  casts: readonly (Cast | null)[],
  sums: { count: Count; verdict: Verdict },
): number {
  const shortWeight = sums.verdict.requirement.participation - sums.count.participating;
  const shortBallots = round.proposal.minBallots - sums.count.deciding;
  return Math.max(shortWeight, shortBallots > 0 ? weightToReachBallots(round, casts, shortBallots) : 0);
}

/**
 * Margin of victory: the least weight whose change can flip or tie the outcome, withdrawals included. Never more than
 * the exact one, so `robust` is never claimed wrongly: weights are taken as divisible, and each changed unit as moving
 * scores as far as any could. Source: consensus design §3.5.
 */
export function marginOfVictory(
  round: Round,
  casts: readonly (Cast | null)[],
  sums: { count: Count; verdict: Verdict },
): number {
  const { count, verdict } = sums;
  if (verdict.status === "no-quorum") return marginOfNoQuorum(round, casts, sums);
  const { participation, quorum } = verdict.requirement;
  const toLoseQuorum = Math.min(
    count.participating - participation + 1,
    sum(count.decidingWeights.slice(0, count.deciding - round.proposal.minBallots + 1)),
  );
  if (verdict.status === "decided") return Math.min(toLoseQuorum, marginOfDecided(round, count, verdict));
  if (isComparing(round.proposal.method)) {
    // With any change other supporters, or another order, may come; nothing more than one unit is promised.
    const toAccept = verdict.status === "no-majority" && count.gradings.length > 0 ? weightToAccept(count) : 1;
    return Math.min(toLoseQuorum, toAccept);
  }
  const toPass = count.support.filter((support) => support < quorum).map((support) => quorum - support);
  if (verdict.status === "no-majority") return Math.min(toLoseQuorum, ...toPass);
  const candidate = verdict.candidate ?? 0;
  const support = count.support[candidate] ?? 0;
  const atGate = weightAtGate(count.supporters[candidate] ?? [], round.proposal.confidence.gate ?? 0);
  const toConvince = Math.floor((support - 2 * atGate) / 2) + 1;
  // Another passed option may take the lead with any change, so nothing more than 1 is promised then.
  const rivals = count.support.filter((weight, index) => index !== candidate && weight >= quorum).length;
  return Math.min(toLoseQuorum, toConvince, support - quorum + 1, rivals > 0 ? 1 : Infinity, ...toPass);
}

import type { Count } from "./count.ts";
import { compareGauges, gaugeOf, weightBelow, type Grading } from "./grading.ts";
import { marginsOf, strengthsOf } from "./pairwise.ts";

/** Weight that must change before the median of a grading falls below `grade`: then half is below it. */
function weightToFallBelow(grading: Grading, grade: number): number {
  return Math.max(0, Math.ceil((grading.total - 2 * weightBelow(grading, grade)) / 2));
}

/** Weight that must change before the median rises to `grade` or more. */
function weightToRiseTo(grading: Grading, grade: number): number {
  return Math.max(0, Math.floor((2 * weightBelow(grading, grade) - grading.total) / 2) + 1);
}

/**
 * Least weight that may put a rival level. As long as some grade lies between, that the one median reaches and the
 * other does not, the order holds; with equal medians nothing more than one unit is promised.
 */
function weightToLevel(winner: Grading, rival: Grading): number {
  const ahead = gaugeOf(winner);
  const behind = gaugeOf(rival);
  if (ahead.grade === behind.grade) return compareGauges(ahead, behind) < 0 ? 1 : 0;
  const between = [...winner.steps, ...rival.steps]
    .map(({ grade }) => grade)
    .filter((grade) => grade > behind.grade && grade <= ahead.grade);
  return Math.max(...between.map((grade) => Math.min(weightToFallBelow(winner, grade), weightToRiseTo(rival, grade))));
}

/** Least weight whose change may flip a decision by grades: a rival draws level, or the winner is rejected. */
export function marginOfGrades(count: Count, winner: number): number {
  const own = count.gradings[winner];
  if (own === undefined) return 0;
  const rivals = count.gradings.filter((_, index) => index !== winner).map((rival) => weightToLevel(own, rival));
  return Math.min(weightToFallBelow(own, 1), ...rivals);
}

/** Least weight that may move the winner's majority grade, and with it who counts as its supporter. */
export function weightToMoveGrade(grading: Grading): number {
  const { grade } = gaugeOf(grading);
  return Math.min(weightToFallBelow(grading, grade), weightToRiseTo(grading, grade + 1));
}

/** Least weight that lifts some option off grade 0 when all are rejected. */
export function weightToAccept(count: Count): number {
  return Math.min(...count.gradings.map((grading) => weightToRiseTo(grading, 1)));
}

/**
 * Least weight whose change may flip a decision by ranking. One changed unit moves each margin by at most 2, and so
 * the difference of two path strengths by at most 4: both bounds hold, so the larger one does. The decision is robust
 * against F when every margin of a Condorcet winner is above 2F. Source: consensus design §3.5.
 */
export function marginOfRanking(count: Count, winner: number): number {
  const margins = marginsOf(count.rankings, count.support.length);
  const strengths = strengthsOf(margins);
  const rivals = [...margins.keys()].filter((index) => index !== winner);
  const direct = Math.min(...rivals.map((rival) => margins[winner]?.[rival] ?? 0));
  const byPaths = Math.min(
    ...rivals.map((rival) => (strengths[winner]?.[rival] ?? 0) - (strengths[rival]?.[winner] ?? 0)),
  );
  return Math.max(0, Math.ceil(direct / 2), Math.ceil(byPaths / 4));
}

import type { Choice } from "../codec/messages.ts";

/** The grades that one option got: ascending, each with the weight that gave it. Ungraded counts as 0. */
export interface Grading {
  readonly steps: readonly { readonly grade: number; readonly weight: number }[];
  readonly total: number;
}

/** What majority judgment compares: the median grade, and the weight that would have given more or less. */
export interface Gauge {
  readonly grade: number;
  readonly above: number;
  readonly below: number;
}

/** The grade that a choice gives an option. */
export function gradeOf(grades: Extract<Choice, { kind: "grades" }>["grades"], option: string): number {
  return Object.hasOwn(grades, option) ? (grades[option] ?? 0) : 0;
}

export function gradingOf(given: readonly { readonly grade: number; readonly weight: number }[]): Grading {
  const weights = new Map<number, number>();
  let total = 0;
  for (const { grade, weight } of given) {
    weights.set(grade, (weights.get(grade) ?? 0) + weight);
    total += weight;
  }
  const steps = [...weights]
    .map(([grade, weight]) => ({ grade, weight }))
    .sort((left, right) => left.grade - right.grade);
  return { steps, total };
}

/** Weight of the grades below `grade`. */
export function weightBelow({ steps }: Grading, grade: number): number {
  return steps.reduce((sum, step) => sum + (step.grade < grade ? step.weight : 0), 0);
}

/**
 * The majority grade is the weighted lower median: the least grade that half of the weight or more does not exceed.
 * Source: Balinski and Laraki, "A theory of measuring, electing, and ranking", PNAS 104(21):8720 (2007).
 */
export function gaugeOf(grading: Grading): Gauge {
  let below = 0;
  for (const { grade, weight } of grading.steps) {
    if (2 * (below + weight) >= grading.total) return { grade, below, above: grading.total - below - weight };
    below += weight;
  }
  return { grade: 0, below: 0, above: 0 };
}

/**
 * Compares two gauges; negative puts `left` first. The higher majority grade wins; among equals one with more weight
 * above than below stands before one without, then more weight above, or less weight below, decides.
 */
export function compareGauges(left: Gauge, right: Gauge): number {
  if (left.grade !== right.grade) return right.grade - left.grade;
  const isLeftRising = left.above > left.below;
  const isRightRising = right.above > right.below;
  if (isLeftRising !== isRightRising) return isLeftRising ? -1 : 1;
  return isLeftRising ? right.above - left.above : left.below - right.below;
}

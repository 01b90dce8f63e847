import type { Finding, Severity } from "./check.ts";

/** How an expert weighs what it finds: its stated bias as numbers. */
export interface Bias {
  /** Burden of one finding by severity. */
  readonly points: Readonly<Record<Severity, number>>;
  /** Burden from which the work should be mended first. */
  readonly mendAt: number;
  /** Burden from which the work should be held. */
  readonly holdAt: number;
  /** Whether one critical finding alone is enough to hold. */
  readonly criticalHolds: boolean;
  /** Severities that weigh less in a large code base, in checks that scale with size; the others weigh the same anywhere. */
  readonly damped: readonly Severity[];
}

/** 0: go on; 1: mend first; 2: hold. */
export type Level = 0 | 1 | 2;

/** Findings of one check, with how they scale. */
export interface Weighed {
  readonly findings: readonly Finding[];
  readonly scale: "size" | "project";
}

export interface Judgement {
  readonly level: Level;
  readonly burden: number;
  /** Burden by rule, heaviest first. */
  readonly rules: readonly { readonly rule: string; readonly burden: number; readonly count: number }[];
  /** Distance of the burden from the nearest threshold, 0 to 1: 0 is a toss between two levels. */
  readonly margin: number;
}

/** Thousands of source lines at which a finding that scales with size begins to weigh less. */
const damperKiloLines = 10;

/** Repetition matters less than the first case: n findings of a rule weigh log2(1 + n). */
function weigh(
  groups: readonly Weighed[],
  sourceLines: number,
  { points, damped }: Bias,
): Map<string, { burden: number; count: number; critical: boolean }> {
  const counts = new Map<string, { bySeverity: Map<Severity, number>; scale: Weighed["scale"] }>();
  for (const group of groups) {
    for (const { rule, severity } of group.findings) {
      const held = counts.get(rule) ?? { bySeverity: new Map<Severity, number>(), scale: group.scale };
      held.bySeverity.set(severity, (held.bySeverity.get(severity) ?? 0) + 1);
      counts.set(rule, held);
    }
  }
  const damper = 1 / Math.log2(2 + sourceLines / 1_000 / damperKiloLines);
  return new Map(
    [...counts].map(([rule, { bySeverity, scale }]) => {
      const weightOf = (severity: Severity): number =>
        points[severity] * (scale === "size" && damped.includes(severity) ? damper : 1);
      const burden = [...bySeverity].reduce(
        (sum, [severity, count]) => sum + weightOf(severity) * Math.log2(1 + count),
        0,
      );
      const count = [...bySeverity.values()].reduce((sum, each) => sum + each, 0);
      return [rule, { burden, count, critical: bySeverity.has("critical") }];
    }),
  );
}

/** Judges findings from a bias. The same findings always give the same judgement. */
export function judge(groups: readonly Weighed[], sourceLines: number, bias: Bias): Judgement {
  const weighed = weigh(groups, sourceLines, bias);
  const rules = [...weighed]
    .map(([rule, { burden, count }]) => ({ rule, burden, count }))
    .sort((left, right) => right.burden - left.burden || (left.rule < right.rule ? -1 : 1));
  const burden = rules.reduce((sum, rule) => sum + rule.burden, 0);
  const held = bias.criticalHolds && [...weighed.values()].some(({ critical }) => critical);
  const level: Level = held || burden >= bias.holdAt ? 2 : burden >= bias.mendAt ? 1 : 0;
  return { level, burden, rules, margin: held ? 1 : marginOf(burden, bias) };
}

function marginOf(burden: number, { mendAt, holdAt }: Bias): number {
  if (burden < mendAt) return (mendAt - burden) / mendAt;
  if (burden >= holdAt) return Math.min(1, (burden - holdAt) / holdAt);
  return Math.min(burden - mendAt, holdAt - burden) / ((holdAt - mendAt) / 2);
}

/** Reading without running never gives certainty, however clear the picture. */
export const readingCeiling = 0.95;
/** A judgement at the very threshold is a toss between two neighbouring options: it keeps this share. */
export const tossShare = 0.5;

/**
 * Confidence: what could be measured, of all that should be, times how far the judgement is from a toss. Where only a
 * part of the files was examined it tells more than its share, as samples do: by the square root.
 */
export function confidenceOf(coverage: number, completeness: number, margin: number): number {
  const raw = readingCeiling * coverage * Math.sqrt(completeness) * (tossShare + (1 - tossShare) * margin);
  return Math.round(raw * 1_000) / 1_000;
}

/** The rules whose mending would bring the judgement one level down, heaviest first; empty when nothing would. */
export function mendingOf(judgement: Judgement, bias: Bias): readonly string[] {
  if (judgement.level === 0) return [];
  const goal = judgement.level === 2 ? bias.holdAt : bias.mendAt;
  const chosen: string[] = [];
  let left = judgement.burden;
  for (const { rule, burden } of judgement.rules) {
    if (left < goal && chosen.length > 0) break;
    left -= burden;
    chosen.push(rule);
  }
  return chosen;
}

import type { Pace } from "./project/pace.ts";
import type { Survey } from "./project/survey.ts";

export type Severity = "critical" | "high" | "medium" | "low";

/** One thing found, with where and how much. Becomes a concern of the opinion. */
export interface Finding {
  readonly rule: string;
  readonly severity: Severity;
  readonly message: string;
  readonly file?: string;
  /** 1-based. */
  readonly line?: number;
  readonly figure: string;
}

/** What a check looks with. */
export interface Tools {
  readonly survey: Survey;
  readonly pace: Pace;
  /** The time of the examination, epoch milliseconds. */
  readonly now: number;
}

/**
 * What came of a check. `figure` says how much was looked at. "unavailable" means that the thing exists or should,
 * yet could not be measured here: it lowers the coverage. "not-applicable" means that there is nothing of the kind.
 */
export type Examination =
  | {
      readonly state: "measured";
      readonly figure: string;
      readonly findings: readonly Finding[];
      /** Part of what there was to look at that could be looked at, 0 to 1; the rest lowers the coverage. */
      readonly share: number;
    }
  | { readonly state: "unavailable"; readonly why: string }
  | { readonly state: "not-applicable"; readonly why: string };

/** One thing an expert knows how to measure. */
export interface Check {
  readonly id: string;
  /** What is looked at, in words that fit after "examined". */
  readonly title: string;
  /** Part of the expert's whole view that this check gives, relative to its other checks. */
  readonly weight: number;
  /** "size": twenty findings weigh less in a large code base than in a small one. "project": they do not. */
  readonly scale: "size" | "project";
  examine(tools: Tools): Promise<Examination>;
}

export function measured(figure: string, findings: readonly Finding[] = [], share = 1): Examination {
  return { state: "measured", figure, findings, share };
}

export function unavailable(why: string): Examination {
  return { state: "unavailable", why };
}

export function notApplicable(why: string): Examination {
  return { state: "not-applicable", why };
}

/** "1 file", "3 files", "12,345 files". */
export function countOf(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}

const severities: readonly Severity[] = ["critical", "high", "medium", "low"];

/** The next milder severity; "low" stays. */
export function milder(severity: Severity): Severity {
  return severities[Math.min(severities.indexOf(severity) + 1, severities.length - 1)] as Severity;
}

/** Orders findings: gravest first, then by file and line. */
export function compareFindings(left: Finding, right: Finding): number {
  const grave = severities.indexOf(left.severity) - severities.indexOf(right.severity);
  if (grave !== 0) return grave;
  const file = (left.file ?? "").localeCompare(right.file ?? "");
  return file === 0 ? (left.line ?? 0) - (right.line ?? 0) : file;
}

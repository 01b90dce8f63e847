import { flatten, renderDecision } from "../../consensus/report.ts";
import type { Concern } from "../../consensus/opinion/opinion.ts";
import type { CouncilResult } from "./council.ts";
import type { DecisionFiles } from "./files.ts";

/** Concerns that the page lists; `--json` has all of them. */
export const concernsShownMax = 10;

const ranks: { readonly [severity in Concern["severity"]]: number } = { critical: 0, high: 1, medium: 2, low: 3 };

interface RankedConcern extends Concern {
  readonly agent: string;
}

/**
 * The gravest concerns of all experts: by severity, then one of each expert in turn, so that no single expert
 * fills the list; the same rule at the same place counts once.
 */
export function gravestConcerns(reports: CouncilResult["reports"], most = concernsShownMax): readonly RankedConcern[] {
  const seen = new Set<string>();
  const ranked: (RankedConcern & { readonly turn: number })[] = [];
  for (const { agent, concerns } of reports) {
    const bySeverity = concerns.toSorted((left, right) => ranks[left.severity] - ranks[right.severity]);
    for (const [turn, concern] of bySeverity.entries()) {
      const place = `${concern.file ?? ""}:${concern.line ?? 0}:${concern.rule ?? concern.message}`;
      if (seen.has(place)) continue;
      seen.add(place);
      ranked.push({ ...concern, agent, turn });
    }
  }
  return ranked
    .toSorted((left, right) => ranks[left.severity] - ranks[right.severity] || left.turn - right.turn)
    .slice(0, most);
}

/** Longest path on the page, in characters: the names of an examined project cannot flood it. */
const pathCharactersMax = 1_000;
/** Longest message or figure of a concern on the page, in characters. */
const messageCharactersMax = 1_000;

function placeOf(concern: Concern): string {
  if (concern.file === undefined) return "the project as a whole";
  const file = flatten(concern.file, pathCharactersMax);
  return concern.line === undefined ? file : `${file}:${concern.line}`;
}

function concernLines(reports: CouncilResult["reports"]): readonly string[] {
  const gravest = gravestConcerns(reports);
  const all = reports.reduce((sum, report) => sum + report.concerns.length, 0);
  if (gravest.length === 0) return ["No expert has a concern."];
  const lines = gravest.flatMap((concern, index) => [
    `${String(index + 1).padStart(2)}. [${concern.severity}] ${flatten(concern.message, messageCharactersMax)}`,
    `    ${placeOf(concern)}${concern.figure === undefined ? "" : ` (${flatten(concern.figure, messageCharactersMax)})`} — ${concern.agent}`,
  ]);
  return [`The ${gravest.length} most important of ${all} concerns:`, ...lines];
}

/** The page a person reads at the end of the main job. */
export function councilPage(
  result: CouncilResult,
  where: { readonly folder: string; readonly files: DecisionFiles; readonly seconds: number },
): string {
  const { decision, reports, restarts } = result;
  const { files } = where;
  const title =
    decision.status === "decided"
      ? `The council decides: ${decision.option.toUpperCase()}`
      : `The council has not decided: ${decision.status}`;
  const written = [
    ...(files.certificate === null ? [] : [`Certificate: ${files.certificate}`]),
    `Electorate:  ${files.electorate}`,
    ...(files.certificate === null
      ? []
      : [`Check it:    troupe verify ${files.certificate} --electorate ${files.electorate}`]),
  ];
  return [
    title,
    "=".repeat(title.length),
    `Project: ${where.folder}`,
    "",
    ...concernLines(reports),
    "",
    renderDecision(decision).trimEnd(),
    "",
    ...written,
    `Took ${where.seconds.toFixed(1)} s${restarts === 0 ? "" : `; ${restarts} expert${restarts === 1 ? "" : "s"} came back after a crash`}.`,
    "",
  ].join("\n");
}

import type { Concern, Opinion } from "troupe";
import { countOf, type Finding } from "./check.ts";
import type { Report } from "./examination.ts";
import { type Bias, confidenceOf, type Level, mendingOf } from "./judgement.ts";
import { optionsFor } from "./question.ts";

/** Concerns of one rule that are listed; the rest of them is only counted. */
export const concernsPerRuleMax = 12;
/** Concerns of one opinion. */
export const concernsMax = 200;
/** Below this coverage too little was measured to speak for or against. */
export const coverageMin = 0.15;
/** Characters of one concern's message; the opinion schema takes 2,000, and the cut is marked. */
const messageCharactersMax = 1_900;
/** Characters of one concern's figure; the opinion schema takes 500. */
const figureCharactersMax = 480;

/** Who speaks: the parts of a profile that an opinion needs. */
export interface Speaker {
  readonly stance: string;
  readonly viewpoint: string;
  readonly bias: Bias;
}

/** An opinion that says nothing for or against, with the reason. */
export function abstain(reasoning: string, concerns: readonly Concern[] = []): Opinion {
  return { recommendation: "abstain", confidence: null, reasoning, concerns: [...concerns], alternatives: [] };
}

/** Judges one folder against options that run from the boldest to the most cautious. */
export function judgeFolder(
  report: Report,
  speaker: Speaker,
  options: readonly { readonly id: string; readonly level: Level }[],
): Opinion {
  if (report.coverage < coverageMin) return abstain(describeNothing(report), concernsOf(report.findings));
  const { level, margin } = report.judgement;
  const approved = optionsFor(level, options);
  const concerns = concernsOf(report.findings);
  const [recommendation] = approved;
  if (recommendation === undefined) {
    return abstain(
      `${describe(report, speaker)} Every option offered is bolder than that, so none can be recommended.`,
      concerns,
    );
  }
  return {
    recommendation,
    approves: [...approved],
    confidence: confidenceOf(report.coverage, report.completeness, margin),
    reasoning: describe(report, speaker),
    concerns,
    alternatives: alternativesOf(report, speaker.bias),
  };
}

/** What an option's folder came to: its report, or why it could not be examined. */
export interface Candidate {
  readonly id: string;
  readonly folder: string;
  readonly report: Report | undefined;
  readonly why: string | undefined;
}

/** Burdens that differ by less than this share of the larger are as good as equal. */
const nearlyEqualShare = 0.1;

/** Prefers the option whose folder carries the least burden, and approves of those that are nearly as good. */
export function compareFolders(candidates: readonly Candidate[], speaker: Speaker): Opinion {
  const measurable = candidates.flatMap(({ id, report }) =>
    report === undefined || report.coverage < coverageMin ? [] : [{ id, report }],
  );
  const said = candidates.map(({ id, report, why }) => {
    if (report === undefined) return `${id}: ${why ?? "not examined"}.`;
    return report.coverage < coverageMin ? `${id}: ${describeNothing(report)}` : `${id}: ${describe(report, speaker)}`;
  });
  const concerns = candidates
    .flatMap(({ id, report }) =>
      report === undefined
        ? []
        : concernsOf(report.findings).map((concern) => ({ ...concern, message: `${id}: ${concern.message}` })),
    )
    .slice(0, concernsMax);
  const ranked = measurable.toSorted((left, right) => left.report.judgement.burden - right.report.judgement.burden);
  const [best, second] = ranked;
  if (best === undefined) return abstain(`No option's folder could be measured. ${said.join("\n")}`);
  const ceiling = best.report.judgement.burden + nearlyEqualShare * (second?.report.judgement.burden ?? 0);
  const approves = ranked.filter(({ report }) => report.judgement.burden <= ceiling).map(({ id }) => id);
  const coverage = Math.min(...measurable.map(({ report }) => report.coverage));
  const completeness = Math.min(...measurable.map(({ report }) => report.completeness));
  return {
    recommendation: best.id,
    approves,
    confidence: confidenceOf(
      coverage,
      completeness * (measurable.length / candidates.length),
      second === undefined ? best.report.judgement.margin : leadOf(best.report, second.report),
    ),
    reasoning: `${best.id} carries the least burden, judged from ${speaker.viewpoint}.\n${said.join("\n")}`,
    concerns,
    alternatives: [],
  };
}

/** How far the best is ahead of the second, 0 to 1. */
function leadOf(best: Report, second: Report): number {
  return second.judgement.burden === 0
    ? 0
    : (second.judgement.burden - best.judgement.burden) / second.judgement.burden;
}

/** Turns findings into concerns, a limited number per rule, and says how many more there are. */
export function concernsOf(findings: readonly Finding[]): Concern[] {
  const perRule = Map.groupBy(findings, ({ rule }) => rule);
  const listed = findings
    .filter((finding) => (perRule.get(finding.rule) ?? []).indexOf(finding) < concernsPerRuleMax)
    .slice(0, concernsMax);
  const last = new Map(listed.map((finding) => [finding.rule, finding]));
  return listed.map((finding) => {
    const more = (perRule.get(finding.rule)?.length ?? 0) - concernsPerRuleMax;
    const tail = more > 0 && last.get(finding.rule) === finding ? ` (and ${more} more of this kind)` : "";
    return {
      message: `${finding.message.slice(0, messageCharactersMax)}${tail}`,
      severity: finding.severity,
      rule: finding.rule,
      ...(finding.file === undefined ? {} : { file: finding.file }),
      ...(finding.line === undefined ? {} : { line: finding.line }),
      ...(finding.figure === undefined ? {} : { figure: finding.figure.slice(0, figureCharactersMax) }),
    };
  });
}

const words: readonly string[] = [
  "nothing found weighs enough to wait",
  "what was found should be mended first",
  "what was found is grave enough to hold",
];

function describe(
  { survey, results, findings, judgement, coverage, completeness }: Report,
  { viewpoint, stance, bias }: Speaker,
): string {
  const seen = results.flatMap(({ check, examination }) =>
    examination.state === "measured" ? [`${check.title} (${examination.figure})`] : [],
  );
  const missing = results.flatMap(({ check, examination }) =>
    examination.state === "unavailable" ? [`${check.title}: ${examination.why}`] : [],
  );
  const absent = results.flatMap(({ check, examination }) =>
    examination.state === "not-applicable" ? [`${check.title}: ${examination.why}`] : [],
  );
  const heaviest = judgement.rules
    .slice(0, 3)
    .filter((rule) => rule.burden > 0)
    .map((rule) => `${rule.rule} (${countOf(rule.count, "place")}, ${rule.burden.toFixed(1)})`);
  const left = survey.omissions();
  const parts = [
    `Judged from ${viewpoint} (${stance}): ${words[judgement.level]}.`,
    `Burden ${judgement.burden.toFixed(1)}; mend first from ${bias.mendAt}, hold from ${bias.holdAt}${bias.criticalHolds ? ", or at one critical finding" : ""}. ${countOf(findings.length, "concern")}.`,
    heaviest.length > 0 ? `Heaviest: ${heaviest.join("; ")}.` : "No rule was broken.",
    `Examined: ${seen.join("; ")}.`,
    missing.length > 0
      ? `Could not be measured (coverage ${Math.round(coverage * 100)} %): ${missing.join("; ")}.`
      : "",
    absent.length > 0 ? `Nothing of the kind here: ${absent.join("; ")}.` : "",
    survey.builtOnly ? "Only build output was found; it was examined in place of sources." : "",
    left.length > 0
      ? `Left out${completeness < 1 ? ` (${Math.round(completeness * 100)} % of the files kept)` : ""}: ${left.join("; ")}.`
      : "",
  ];
  return parts.filter((part) => part !== "").join(" ");
}

function describeNothing({ survey, results, coverage }: Report): string {
  if (survey.files.length === 0) {
    const left = survey.omissions();
    return `The folder holds no file to examine.${left.length > 0 ? ` Left out: ${left.join("; ")}.` : ""}`;
  }
  const reasons = results.flatMap(({ check, examination }) =>
    examination.state === "measured" ? [] : [`${check.title}: ${examination.why}`],
  );
  const little =
    coverage === 0
      ? "Nothing here can be measured."
      : `Too little here can be measured (coverage ${Math.round(coverage * 100)} %).`;
  return `${little} ${reasons.join("; ")}.`;
}

function alternativesOf(report: Report, bias: Bias): Opinion["alternatives"] {
  const rules = mendingOf(report.judgement, bias);
  if (rules.length === 0) return [];
  const parts = rules.slice(0, 8).map((rule) => {
    const places = report.findings.filter((finding) => finding.rule === rule);
    const [first] = places;
    const where =
      first?.file === undefined
        ? ""
        : ` (${countOf(places.length, "place")}, first ${first.file}${first.line === undefined ? "" : `:${first.line}`})`;
    return `${rule}${where}`;
  });
  return [
    {
      id: "mend",
      description:
        `Mending these would move this recommendation one step: ${parts.join("; ")}${rules.length > 8 ? `; and ${rules.length - 8} more rules` : ""}.`.slice(
          0,
          1_990,
        ),
    },
  ];
}

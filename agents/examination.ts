import { type Check, compareFindings, type Examination, type Finding, type Tools, unavailable } from "./check.ts";
import { type Bias, type Judgement, judge } from "./judgement.ts";
import { messageOf } from "./project/libraries.ts";
import type { Pace } from "./project/pace.ts";
import type { Survey } from "./project/survey.ts";

export interface CheckResult {
  readonly check: Check;
  readonly examination: Examination;
}

/** What one expert found in one folder. */
export interface Report {
  readonly survey: Survey;
  readonly results: readonly CheckResult[];
  readonly findings: readonly Finding[];
  /** Weight of what was measured, of all that there was to measure; 0 when nothing was. */
  readonly coverage: number;
  /** Share of the files seen by the walk that were kept for examination and are of a kind that the checks know. */
  readonly completeness: number;
  readonly judgement: Judgement;
}

export interface ExaminationPlan {
  readonly checks: readonly Check[];
  readonly bias: Bias;
  readonly pace: Pace;
  readonly now: number;
  /** Told after each check: how many are done, and which. */
  readonly onCheck: (done: number, check: Check) => void;
  /** Told when a check broke down; its part is left out and the opinion says so. */
  readonly onBreakdown: (check: Check, why: string) => void;
}

/** Text that is no language, so nothing is missed when no check reads it as one. */
const plainText = /\.(txt|rst|adoc|log|csv|tsv|lock|map|in|am|m4|po|pot)$/i;

/** Files in languages that no check reads: what they hold is not vouched for. */
function strangersIn(survey: Survey): number {
  const isStrange = ({ language, path }: Survey["files"][number]): boolean =>
    language === "other" && /\.\w+$/.test(path) && !plainText.test(path);
  return survey.files.filter(isStrange).length;
}

/** Runs an expert's checks over a survey and judges what they found. */
export async function examine(survey: Survey, plan: ExaminationPlan): Promise<Report> {
  const tools: Tools = { survey, pace: plan.pace, now: plan.now };
  const results: CheckResult[] = [];
  for (const check of survey.files.length === 0 ? [] : plan.checks) {
    plan.pace.signal.throwIfAborted();
    results.push({ check, examination: await examineOne(check, tools, plan.onBreakdown) });
    plan.onCheck(results.length, check);
  }
  const weighed = results.flatMap(({ check, examination }) =>
    examination.state === "measured" ? [{ findings: examination.findings, scale: check.scale }] : [],
  );
  const findings = weighed.flatMap((group) => group.findings).toSorted(compareFindings);
  let known = 0;
  let seen = 0;
  for (const { check, examination } of results) {
    if (examination.state !== "not-applicable") known += check.weight;
    if (examination.state === "measured") seen += check.weight * examination.share;
  }
  return {
    survey,
    results,
    findings,
    coverage: known === 0 ? 0 : seen / known,
    completeness: survey.filesSeen === 0 ? 0 : (survey.files.length - strangersIn(survey)) / survey.filesSeen,
    judgement: judge(weighed, survey.sourceLines, plan.bias),
  };
}

/** A folder of a stranger may upset a library; that costs its check, not the whole opinion. An abort ends everything. */
async function examineOne(
  check: Check,
  tools: Tools,
  onBreakdown: ExaminationPlan["onBreakdown"],
): Promise<Examination> {
  try {
    return await check.examine(tools);
  } catch (error) {
    tools.pace.signal.throwIfAborted();
    const why = `the check broke down: ${messageOf(error)}`;
    onBreakdown(check, why);
    return unavailable(why);
  }
}

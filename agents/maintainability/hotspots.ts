import { type Check, countOf, type Finding, measured, type Tools, unavailable } from "../check.ts";
import type { History } from "../project/history.ts";

/** Commits that touched a file within the window, from which it counts as often changed. */
const oftenChanged = 12;
const windowDays = 365;
const dayMs = 86_400_000;
/** Cognitive complexity of a file's worst function from which changing it is risky. */
const riskyComplexity = 25;
/** Hotspots that are listed, the most often changed first. */
const listedMax = 10;
/** Below this many commits nothing can be said about who carries a project. */
const commitsMin = 50;
const oneAuthorShare = 0.9;

export const hotspots: Check = {
  id: "hotspots",
  title: "history: what changes often, and who changes it",
  weight: 1,
  scale: "project",
  async examine(tools) {
    const { history } = tools.survey;
    if (!history.ok) return unavailable(history.why);
    const { commits } = history.history;
    const newest = commits[0]?.at ?? 0;
    const recent = commits.filter(({ at }) => at >= newest - windowDays * dayMs);
    const findings = [...(await findHotspots(tools, recent)), ...findLoneCarrier(history.history)];
    const authors = new Set(commits.map(({ author }) => author)).size;
    return measured(
      `${countOf(commits.length, "commit")} by ${countOf(authors, "author")}${history.history.cut ? " (newest only)" : ""}`,
      findings,
    );
  },
};

async function findHotspots({ survey, pace }: Tools, commits: History["commits"]): Promise<Finding[]> {
  const churn = new Map<string, number>();
  for (const { changes } of commits) for (const { path } of changes) churn.set(path, (churn.get(path) ?? 0) + 1);
  const findings: Finding[] = [];
  for (const [path, times] of [...churn].toSorted((left, right) => right[1] - left[1])) {
    if (times < oftenChanged || findings.length >= listedMax) break;
    await pace.breathe();
    const file = survey.find(path);
    if (file === undefined || file.role !== "source") continue;
    const outline = await survey.outline(file);
    const worst = outline?.functions.reduce((left, right) => (right.cognitive > left.cognitive ? right : left), {
      name: "",
      line: 1,
      cognitive: 0,
    });
    if (worst === undefined || worst.cognitive < riskyComplexity) continue;
    findings.push({
      rule: "maintainability/hotspot",
      severity: "medium",
      message: `This file changes often and is hard to change: ${worst.name} is where faults will come from.`,
      file: path,
      line: worst.line,
      figure: `${times} commits in ${windowDays} days, cognitive complexity ${worst.cognitive}`,
    });
  }
  return findings;
}

function findLoneCarrier({ commits }: History): Finding[] {
  if (commits.length < commitsMin) return [];
  const counts = [...Map.groupBy(commits, ({ author }) => author).values()].map((list) => list.length);
  const share = Math.max(...counts) / commits.length;
  if (share < oneAuthorShare) return [];
  return [
    {
      rule: "maintainability/lone-carrier",
      severity: "low",
      message: "One person carries the project: when they leave, the knowledge leaves.",
      figure: `${Math.round(share * 100)} % of ${commits.length} commits by one of ${countOf(counts.length, "author")}`,
    },
  ];
}

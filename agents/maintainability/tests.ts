import { type Check, countOf, type Examination, measured, notApplicable, type Tools, unavailable } from "../check.ts";
import { sourceFiles } from "../project/files.ts";
import { isCode } from "../project/roles.ts";
import { isPublished } from "../project/standing.ts";

/** Lines of code above which nobody changes it safely without a test, and above which doing without is careless. */
const muchCodeLines = 2_000;
const someCodeLines = 150;
/** Test code below these shares of the source code, by size, leaves most of it unseen. */
const thinShare = 0.1;
const lowShare = 0.25;

export const tests: Check = {
  id: "tests",
  title: "tests",
  weight: 2.5,
  scale: "project",
  async examine(tools) {
    const { survey } = tools;
    const sources = sourceFiles(survey.files);
    if (sources.length === 0) return notApplicable("no source code");
    const written = survey.files.filter(
      (file) => (file.role === "test" || file.role === "fixture") && isCode(file.language),
    );
    if (written.length === 0) return await withoutTestFiles(tools);
    const size = (files: readonly { readonly bytes: number }[]): number =>
      files.reduce((sum, file) => sum + file.bytes, 0);
    const share = size(written.filter((file) => file.role === "test")) / Math.max(1, size(sources));
    const figure = `${countOf(written.length, "test file")}, ${Math.round(share * 100)} % of the source code by size`;
    if (survey.sourceLines < someCodeLines || share >= lowShare || isPublished(survey)) return measured(figure);
    const severity = share < thinShare ? "medium" : "low";
    return measured(figure, [
      { rule: "maintainability/few-tests", severity, message: "The tests are few for so much code.", figure },
    ]);
  },
};

async function withoutTestFiles({ survey, pace }: Tools): Promise<Examination> {
  let inside = 0;
  for (const file of sourceFiles(survey.files)) {
    await pace.breathe();
    const source = await survey.text(file);
    if (source !== undefined && /#\[cfg\(test\)\]|#\[test\]|import\.meta\.vitest|^\s*>>> /m.test(source.text)) inside++;
  }
  if (inside > 0) return measured(`tests inside ${countOf(inside, "source file")}`);
  if (isPublished(survey)) return unavailable("a published package seldom carries its tests");
  const figure = `${countOf(survey.sourceLines, "line")} of code, no test`;
  if (survey.sourceLines < someCodeLines) return measured(figure);
  const severity = survey.sourceLines >= muchCodeLines ? "critical" : "high";
  return measured(figure, [
    {
      rule: "maintainability/no-tests",
      severity,
      message: "There is no test: no change can be shown to be safe.",
      figure,
    },
  ]);
}

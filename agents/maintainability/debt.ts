import { type Check, countOf, type Finding, measured, notApplicable, unavailable } from "../check.ts";
import { sourceFiles, treeFiles } from "../project/files.ts";
import { isRecord } from "../project/manifest.ts";
import type { Survey } from "../project/survey.ts";

/** Marks of unfinished work, where they begin a comment. */
const debtMark = /(?:\/\/|\/\*|^\s*\*|#|--|;|<!--)\s*(TODO|FIXME|XXX|HACK)\b/;
/** Marks per thousand lines from which the debt is a state rather than a note. */
const manyMarksPerKiloLine = 4;
const someMarksPerKiloLine = 1;
/** Marks below which a small project is not judged by their rate. */
const marksMin = 5;
/** Marks of open work that are listed; all of them are counted. */
const listedMax = 5;

export const debt: Check = {
  id: "debt",
  title: "work left open and errors swallowed",
  weight: 1,
  scale: "size",
  async examine({ survey, pace }) {
    const files = sourceFiles(survey.files);
    if (files.length === 0) return notApplicable("no source code");
    if (survey.builtOnly) return unavailable("build output has lost the comments of its authors");
    const marks: Finding[] = [];
    const swallowed: Finding[] = [];
    for (const file of files) {
      await pace.breathe();
      const source = await survey.text(file);
      if (source === undefined || source.machineMade) continue;
      if (/TODO|FIXME|XXX|HACK/.test(source.text)) {
        for (const [index, line] of source.text.split("\n").entries()) {
          const mark = debtMark.exec(line);
          if (mark !== null)
            marks.push({
              rule: "maintainability/open-work",
              severity: "low",
              message: "Work is left open here.",
              file: file.path,
              line: index + 1,
              figure: line.trim().slice(0, 120),
            });
        }
      }
      if (!/\bcatch\b/.test(source.text)) continue;
      const tree = await survey.tree(file);
      for (const node of tree?.root.findAll({
        rule: { kind: "catch_clause", has: { kind: "statement_block", regex: "^\\{\\s*\\}$" } },
      }) ?? []) {
        swallowed.push({
          rule: "maintainability/swallowed-error",
          severity: "low",
          message: "An error is swallowed without a word why that is right.",
          file: file.path,
          line: node.range().start.line + 1,
          figure: node.text().replaceAll(/\s+/g, " ").slice(0, 120),
        });
      }
    }
    const density = marks.length / Math.max(1, survey.sourceLines / 1_000);
    const figure = `${countOf(marks.length, "mark")} of open work, ${density.toFixed(1)} per 1,000 lines; ${countOf(swallowed.length, "empty catch", "empty catches")}`;
    const listed = density >= someMarksPerKiloLine && marks.length >= marksMin ? marks.slice(0, listedMax) : [];
    if (density >= manyMarksPerKiloLine && marks.length >= marksMin) {
      listed.unshift({
        rule: "maintainability/much-open-work",
        severity: "medium",
        message: "Much work is left open in the code.",
        ...placeOf(marks[0]),
        figure: `${marks.length} marks, ${density.toFixed(1)} per 1,000 lines`,
      });
    }
    return measured(figure, [...listed, ...swallowed]);
  },
};

function placeOf(finding: Finding | undefined): { file?: string; line?: number } {
  return {
    ...(finding?.file === undefined ? {} : { file: finding.file }),
    ...(finding?.line === undefined ? {} : { line: finding.line }),
  };
}

/** The type `any` per thousand lines from which the compiler sees too little. */
const anyPerKiloLine = 10;
/** Uses of `any` below which a small project is not judged by their rate. */
const anyMin = 10;
const silencer = /(?:\/\/|\/\*)\s*@ts-(ignore|nocheck)\b(?!\s*[-:–—]?\s*\w{3,}\s+\w)/;

export const strictness: Check = {
  id: "type-strictness",
  title: "how strictly types are checked",
  weight: 1,
  scale: "size",
  async examine({ survey, pace }) {
    const typed = treeFiles(survey.files).filter((file) => file.language !== "javascript");
    if (typed.length === 0) return notApplicable("no TypeScript source");
    if (survey.noTrees !== undefined) return unavailable(survey.noTrees);
    const findings: Finding[] = await findLooseSettings(survey);
    let anys = 0;
    let most: { file: string; line: number; count: number } | undefined;
    let lines = 0;
    for (const file of typed) {
      await pace.breathe();
      const [source, outline] = [await survey.text(file), await survey.outline(file)];
      if (source === undefined || outline === undefined) continue;
      lines += source.lines;
      anys += outline.anyLines.length;
      if (outline.anyLines.length > (most?.count ?? 0))
        most = { file: file.path, line: outline.anyLines[0] ?? 1, count: outline.anyLines.length };
      if (!source.text.includes("@ts-")) continue;
      for (const [index, line] of source.text.split("\n").entries()) {
        if (silencer.test(line))
          findings.push({
            rule: "maintainability/silenced-compiler",
            severity: "low",
            message: "The compiler is silenced without a reason.",
            file: file.path,
            line: index + 1,
            figure: line.trim().slice(0, 120),
          });
      }
    }
    const density = anys / Math.max(1, lines / 1_000);
    if (most !== undefined && anys >= anyMin && density >= anyPerKiloLine) {
      findings.push({
        rule: "maintainability/loose-types",
        severity: density >= anyPerKiloLine * 3 ? "medium" : "low",
        message: "The type any hides mistakes from the compiler; most of it is in this file.",
        file: most.file,
        line: most.line,
        figure: `${anys} times any, ${density.toFixed(1)} per 1,000 lines; ${most.count} here`,
      });
    }
    return measured(`${countOf(lines, "line")} of TypeScript, ${anys} times any`, findings);
  },
};

async function findLooseSettings(survey: Survey): Promise<Finding[]> {
  const file = survey.find("tsconfig.json");
  const source = file === undefined ? undefined : await survey.text(file);
  if (file === undefined || source === undefined) return [];
  const bare = source.text
    .replaceAll(/("(?:[^"\\]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, "$1")
    .replaceAll(/,(\s*[}\]])/g, "$1");
  let data: unknown;
  try {
    data = JSON.parse(bare);
  } catch (error) {
    if (error instanceof SyntaxError)
      return [
        {
          rule: "maintainability/unreadable-settings",
          severity: "low",
          message: "The compiler's settings are not JSON, even without comments.",
          file: file.path,
          line: 1,
          figure: error.message,
        },
      ];
    throw error;
  }
  const options = isRecord(data) && isRecord(data["compilerOptions"]) ? data["compilerOptions"] : undefined;
  const inherits = isRecord(data) && (data["extends"] !== undefined || data["references"] !== undefined);
  if (options?.["strict"] === true || (options?.["strict"] === undefined && inherits)) return [];
  const at = source.text.indexOf('"strict"');
  return [
    {
      rule: "maintainability/not-strict",
      severity: "medium",
      message: "TypeScript does not check strictly: set compilerOptions.strict.",
      file: file.path,
      line: source.lineAt(Math.max(0, at)),
      figure: options?.["strict"] === false ? "strict: false" : "strict is not set",
    },
  ];
}

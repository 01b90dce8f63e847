import { type Check, countOf, type Finding, measured, milder, notApplicable, unavailable } from "../check.ts";
import { sourceFiles } from "../project/files.ts";
import type { FunctionFact, Outline } from "../project/outline.ts";

/** Cognitive complexity: Sonar's default alarm is 15; twice and four times that are beyond taste. */
const hardToRead = 30;
const unreadable = 75;
/** Lines of a function's own, without functions inside it. */
const longFunctionLines = 150;
/** Lines of one file with something on them. */
const longFileLines = 1_500;
const hugeFileLines = 5_000;

export function findingsOfFunctions(file: string, { functions }: Outline): readonly Finding[] {
  return functions.flatMap((fact) => findingOfFunction(file, fact));
}

function findingOfFunction(
  file: string,
  { name, line, cognitive, cyclomatic, ownLines }: FunctionFact,
): readonly Finding[] {
  if (cognitive >= hardToRead) {
    const severity = cognitive >= unreadable ? "high" : "medium";
    return [
      {
        rule: "maintainability/complex-function",
        severity,
        message: `${name} is hard to follow: split it along its decisions.`,
        file,
        line,
        figure: `cognitive complexity ${cognitive}, ${cyclomatic} paths, ${ownLines} lines`,
      },
    ];
  }
  if (ownLines < longFunctionLines) return [];
  return [
    {
      rule: "maintainability/long-function",
      severity: "low",
      message: `${name} is long: split it into steps with names.`,
      file,
      line,
      figure: `${ownLines} lines of its own`,
    },
  ];
}

export const complexity: Check = {
  id: "complexity",
  title: "complexity and length",
  weight: 3,
  scale: "size",
  async examine({ survey, pace }) {
    const files = sourceFiles(survey.files);
    if (files.length === 0) return notApplicable("no source code");
    const findings: Finding[] = [];
    let functions = 0;
    let lines = 0;
    let bytes = 0;
    for (const file of files) {
      await pace.breathe();
      const source = await survey.text(file);
      if (source === undefined || source.machineMade) continue;
      lines += source.lines;
      bytes += file.bytes;
      if (source.lines >= longFileLines && !survey.builtOnly) {
        findings.push({
          rule: "maintainability/long-file",
          severity: source.lines >= hugeFileLines ? "medium" : "low",
          message: "The file holds more than one can keep in mind: split it by subject.",
          file: file.path,
          // Where it passes the limit.
          line: longFileLines,
          figure: `${source.lines} lines`,
        });
      }
      const outline = await survey.outline(file);
      if (outline === undefined) continue;
      functions += outline.functions.length;
      const found = findingsOfFunctions(file.path, outline);
      // A compiler joins and unrolls what a person wrote apart, so build output is judged more mildly.
      findings.push(
        ...(survey.builtOnly ? found.map((finding) => ({ ...finding, severity: milder(finding.severity) })) : found),
      );
    }
    if (lines === 0) return unavailable("every source file is generated or squeezed");
    const figure = `${countOf(functions, "function")} and ${countOf(lines, "line")} in ${countOf(files.length, "file")}`;
    const total = files.reduce((sum, file) => sum + file.bytes, 0);
    return measured(figure, findings, bytes / Math.max(1, total));
  },
};

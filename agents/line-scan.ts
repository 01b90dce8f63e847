import {
  countOf,
  type Examination,
  type Finding,
  measured,
  notApplicable,
  type Severity,
  type Tools,
} from "./check.ts";
import type { SourceText } from "./project/source.ts";

/** A rule over single lines, for languages without a syntax tree here. It must be narrow: it cannot see context. */
export interface LineRule {
  readonly id: string;
  readonly languages: readonly string[];
  readonly severity: Severity;
  readonly message: string;
  readonly pattern: RegExp;
  /** What, on the same line, makes the match harmless. */
  readonly unless?: RegExp;
  /** What the file must hold for the rule to apply at all, for example an import. */
  readonly within?: RegExp;
}

/** Applies line rules to the source files of their languages, outside comments and documentation strings. */
export async function scanLines(tools: Tools, rules: readonly LineRule[]): Promise<Examination> {
  const { survey, pace } = tools;
  const languages = new Set(rules.flatMap((rule) => rule.languages));
  const files = survey.files.filter((file) => file.role === "source" && languages.has(file.language));
  if (files.length === 0) return notApplicable(`no source in ${[...languages].join(", ")}`);
  const findings: Finding[] = [];
  let lines = 0;
  let bytes = 0;
  for (const file of files) {
    await pace.breathe();
    const source = await survey.text(file);
    if (source === undefined || source.machineMade) continue;
    lines += source.lines;
    bytes += file.bytes;
    const wanted = rules.filter(
      (rule) => rule.languages.includes(file.language) && rule.within?.test(source.text) !== false,
    );
    for (const [line, code] of codeLines(source)) {
      await pace.breathe();
      for (const rule of wanted) {
        if (!rule.pattern.test(code) || rule.unless?.test(code) === true) continue;
        findings.push({
          rule: rule.id,
          severity: rule.severity,
          message: rule.message,
          file: file.path,
          line,
          figure: code.trim().slice(0, 90),
        });
      }
    }
  }
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  const figure = `${countOf(lines, "line")} in ${countOf(files.length, "file")}`;
  return measured(figure, findings, total === 0 ? 1 : bytes / total);
}

const hashComments = new Set(["python", "shell", "ruby", "perl"]);

/** Lines that are code, with their 1-based numbers: comments and Python's triple-quoted strings are left out. */
export function* codeLines({ file, text }: SourceText): Generator<readonly [number, string]> {
  const hash = hashComments.has(file.language);
  let closing: string | undefined;
  let number = 0;
  for (const raw of text.split("\n")) {
    number++;
    if (closing !== undefined) {
      if (raw.includes(closing)) closing = undefined;
      continue;
    }
    const code = raw.trimStart();
    if (code === "" || (hash ? code.startsWith("#") : code.startsWith("//") || code.startsWith("*"))) continue;
    const opened = hash ? /^[^#]*?("""|''')/.exec(code)?.[1] : code.startsWith("/*") ? "*/" : undefined;
    if (opened !== undefined && (hash ? code.split(opened).length % 2 === 0 : !code.includes(opened))) {
      closing = opened;
      if (code.startsWith(opened) || !hash) continue;
    } else if (opened !== undefined && code.startsWith(opened)) continue;
    yield [number, hash ? raw.replace(/\s#\s.*$/, "") : raw.replace(/\s\/\/\s.*$/, "")];
  }
}

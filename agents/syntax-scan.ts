import type { Rule } from "@ast-grep/napi";
import {
  countOf,
  type Examination,
  type Finding,
  measured,
  notApplicable,
  type Severity,
  type Tools,
  unavailable,
} from "./check.ts";
import { type ProjectFile, treeFiles } from "./project/files.ts";
import type { Outline } from "./project/outline.ts";
import { lineOf, type SyntaxNode, type SyntaxTree } from "./project/syntax.ts";

/** What a syntax rule sees of a match besides the node. */
export interface MatchScene {
  readonly file: ProjectFile;
  readonly text: string;
  readonly outline: Outline;
}

/** A rule over the syntax tree of JavaScript and TypeScript. */
export interface SyntaxRule {
  readonly id: string;
  readonly severity: Severity;
  readonly message: string;
  /** The rule is tried only where this occurs in the text: it spares a pass over the tree. */
  readonly hint: RegExp;
  readonly match: Rule;
  /** Languages whose grammar knows the kinds that `match` names; all three without it. */
  readonly languages?: readonly string[];
  /** Says no to a false match, or what was found: `true`, or the figure. */
  readonly confirm?: (node: SyntaxNode, scene: MatchScene) => boolean | string;
}

/** Applies rules to every source file that has a syntax tree. Tooling is examined one severity milder when asked for. */
export async function scanSyntax(tools: Tools, rules: readonly SyntaxRule[]): Promise<Examination> {
  const { survey, pace } = tools;
  const files = treeFiles(survey.files);
  if (files.length === 0) return notApplicable("no JavaScript or TypeScript source");
  if (survey.noTrees !== undefined) return unavailable(survey.noTrees);
  const findings: Finding[] = [];
  let examined = 0;
  let bytes = 0;
  for (const file of files) {
    await pace.breathe();
    const tree = await survey.tree(file);
    const outline = await survey.outline(file);
    if (tree === undefined || outline === undefined) continue;
    examined++;
    bytes += file.bytes;
    for (const rule of rules) {
      if (rule.languages?.includes(file.language) === false || !rule.hint.test(tree.source.text)) continue;
      await pace.breathe();
      findings.push(...applyRule(rule, tree, outline));
    }
  }
  if (examined === 0) return unavailable("every source file is generated, squeezed or too large to be parsed");
  const of = examined === files.length ? "" : ` of ${files.length}`;
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  return measured(`${countOf(examined, "parsed file")}${of}`, findings, bytes / Math.max(1, total));
}

/** Applies one rule to one tree. One finding per line and rule. */
export function applyRule(rule: SyntaxRule, tree: SyntaxTree, outline: Outline): readonly Finding[] {
  const { file, text } = tree.source;
  const byLine = new Map<number, Finding>();
  for (const node of tree.root.findAll({ rule: rule.match })) {
    const verdict = rule.confirm?.(node, { file, text, outline }) ?? true;
    if (verdict === false) continue;
    const line = lineOf(node);
    const figure = typeof verdict === "string" ? verdict : quote(node.text());
    if (!byLine.has(line))
      byLine.set(line, {
        rule: rule.id,
        severity: rule.severity,
        message: rule.message,
        file: file.path,
        line,
        figure,
      });
  }
  return [...byLine.values()];
}

/** Code as a figure: its first line, at most 90 characters. */
export function quote(code: string): string {
  const first = code.trim().split("\n", 1)[0] ?? "";
  return first.length > 90 ? `${first.slice(0, 87)}…` : first;
}

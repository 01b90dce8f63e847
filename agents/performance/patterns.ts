import type { AST } from "@eslint-community/regexpp";
import { type Check, countOf, type Finding, measured, notApplicable, unavailable } from "../check.ts";
import { treeFiles } from "../project/files.ts";
import { loadLibrary } from "../project/libraries.ts";
import { lineOf } from "../project/syntax.ts";

type Parse = (literal: string) => AST.RegExpLiteral | undefined;

/** Characters that a set is compared by: all of Latin-1, which decides overlap for patterns met in practice. */
const comparedCharacters = 256;
/** A repetition of this many turns is as bad as an endless one. */
const manyTurns = 25;
/** Longest regular expression that is examined, in characters; longer ones are generated. */
const literalCharactersMax = 2_000;

export const slowPatterns: Check = {
  id: "slow-patterns",
  title: "regular expressions that can hang",
  weight: 1.5,
  scale: "project",
  async examine({ survey, pace }) {
    const files = treeFiles(survey.files);
    if (files.length === 0) return notApplicable("no JavaScript or TypeScript source");
    if (survey.noTrees !== undefined) return unavailable(survey.noTrees);
    const parse = await loadPatternParser();
    if (typeof parse === "string") return unavailable(parse);
    const findings: Finding[] = [];
    let patterns = 0;
    for (const file of files) {
      await pace.breathe();
      const tree = await survey.tree(file);
      for (const node of tree?.root.findAll({ rule: { kind: "regex" } }) ?? []) {
        await pace.breathe();
        patterns++;
        const literal = node.text();
        const culprit = literal.length > literalCharactersMax ? undefined : findExplosion(parse(literal));
        if (culprit === undefined) continue;
        findings.push({
          rule: "performance/exploding-pattern",
          severity: "high",
          message: `The part ${culprit.slice(0, 80)} can match the same text in many ways: a text that almost fits takes time that doubles with each character.`,
          file: file.path,
          line: lineOf(node),
          figure: literal.slice(0, 120),
        });
      }
    }
    return measured(countOf(patterns, "pattern"), findings);
  },
};

/** Gives the parser of regular expressions, or why there is none. A literal it refuses gives undefined. */
export async function loadPatternParser(): Promise<Parse | string> {
  const loaded = await loadLibrary("@eslint-community/regexpp");
  if (!loaded.ok) return loaded.why;
  const { RegExpParser } = loaded.exports;
  const parser = new RegExpParser({ ecmaVersion: 2025 });
  return (literal) => {
    try {
      return parser.parseLiteral(literal);
    } catch (error) {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    }
  };
}

/**
 * Finds a repetition whose body can match one text in several ways while something after it can fail: then the
 * number of ways to try doubles per character. Only certain cases are named: `(a+)+x`, `(a|a)*x`, `(a*b?)*x`.
 * Source: Kirrage, Rathnayake, Thielecke, "Static Analysis for Regular Expression Denial-of-Service Attacks", 2013.
 */
export function findExplosion(literal: AST.RegExpLiteral | undefined): string | undefined {
  if (literal === undefined) return undefined;
  for (const quantifier of quantifiersIn(literal.pattern.alternatives)) {
    const { element } = quantifier;
    if (quantifier.max < manyTurns || (element.type !== "Group" && element.type !== "CapturingGroup")) continue;
    const ambiguous = element.alternatives.some(repeatsItself) || overlap(element.alternatives);
    if (ambiguous && canFailAfter(quantifier)) return quantifier.raw;
  }
  return undefined;
}

function* quantifiersIn(alternatives: readonly AST.Alternative[]): Generator<AST.Quantifier> {
  for (const alternative of alternatives) {
    for (const element of alternative.elements) {
      const inner = element.type === "Quantifier" ? element.element : element;
      if (element.type === "Quantifier") yield element;
      if ("alternatives" in inner) yield* quantifiersIn(inner.alternatives);
    }
  }
}

function isNullable(element: AST.Element): boolean {
  if (element.type === "Assertion") return true;
  if (element.type === "Quantifier") return element.min === 0 || isNullable(element.element);
  if (element.type === "Group" || element.type === "CapturingGroup")
    return element.alternatives.some((alternative) => alternative.elements.every(isNullable));
  return false;
}

/**
 * `a+` alone, or with parts that may be empty or that match a character of its own set: repeated, the boundary
 * between two turns can lie anywhere.
 */
function repeatsItself({ elements }: AST.Alternative): boolean {
  if (elements.some((element) => element.type === "Assertion")) return false;
  return elements.some((one) => {
    const set = one.type === "Quantifier" && one.max >= manyTurns ? setOf(one.element) : undefined;
    return (
      set !== undefined && elements.every((other) => other === one || isNullable(other) || share(set, setOf(other)))
    );
  });
}

function share(left: readonly boolean[], right: readonly boolean[] | undefined): boolean {
  return right !== undefined && left.some((has, code) => has && right[code] === true);
}

/** Two alternatives of one character each that share a character. */
function overlap(alternatives: readonly AST.Alternative[]): boolean {
  const sets = alternatives.flatMap(({ elements }) => {
    const [only] = elements;
    const set =
      elements.length === 1 && only !== undefined ? setOf(only.type === "Quantifier" ? only.element : only) : undefined;
    return set === undefined ? [] : [set];
  });
  return sets.some((left, index) => sets.slice(index + 1).some((right) => share(left, right)));
}

function setOf(element: AST.Element): readonly boolean[] | undefined {
  if (element.type === "Group" || element.type === "CapturingGroup") {
    const [only, second] = element.alternatives;
    const inner = only?.elements.length === 1 && second === undefined ? only.elements[0] : undefined;
    return inner === undefined ? undefined : setOf(inner);
  }
  if (element.type !== "Character" && element.type !== "CharacterSet" && element.type !== "CharacterClass")
    return undefined;
  const pattern = new RegExp(`^(?:${element.raw})$`, element.raw.includes("\\p{") ? "u" : "");
  return Array.from({ length: comparedCharacters }, (_, code) => pattern.test(String.fromCharCode(code)));
}

/** Whether the rest of the expression can refuse what was matched so far; else the first match is taken and nothing is tried again. */
function canFailAfter(start: AST.Quantifier): boolean {
  let node: AST.Node | null = start;
  while (node !== null) {
    const parent: AST.Node | null = node.parent;
    if (parent?.type === "Alternative") {
      const rest = parent.elements.slice(parent.elements.indexOf(node as AST.Element) + 1);
      if (rest.some((element) => !isNullable(element) || element.type === "Assertion")) return true;
    }
    node = parent;
  }
  return false;
}

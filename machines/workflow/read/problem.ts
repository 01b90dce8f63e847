import type { z } from "zod";
import { nearestName, suggestName } from "../nearest.ts";

/** What is wrong with a definition, where, and what to do about it. */
export interface Problem {
  /** One of `problemCodes`. */
  readonly code: ProblemCode;
  readonly severity: "error" | "warning";
  /** From the root of the document: field names and positions. */
  readonly path: readonly (string | number)[];
  /** What is wrong and the fix, in one or two sentences. */
  readonly message: string;
}

/** Every kind of problem; the guide's table is written from this one. */
export const problemCodes = {
  "definition/bad-syntax": "The file is no JSON, no YAML, or no module with a definition.",
  "definition/not-a-definition": "It is no definition in any form that is read.",
  "definition/unknown-field": "There is no such field here.",
  "definition/missing-field": "A field that is needed is not there.",
  "definition/wrong-value": "A field has a value of the wrong type or out of its range.",
  "definition/unknown-kind": "There is no step kind of that name.",
  "definition/bad-id": "An id has characters that cannot stand in paths.",
  "definition/duplicate-id": "Two steps, or two branches of one step, have the same id.",
  "definition/unknown-step": "An arrow leads to a step that its list does not have.",
  "definition/unreachable-step": "No arrow leads to a step.",
  "definition/endless-cycle": "Steps lead in a circle in which nothing waits.",
  "definition/no-steps": "A list of steps has none.",
  "definition/bad-expression": "An expression cannot be read.",
  "definition/bad-schema": "A JSON Schema cannot be used.",
  "definition/too-large": "The definition is larger than the limits allow.",
  "definition/write-conflict": "Branches side by side may write one variable without a merge rule.",
  "definition/assumed": "The document leaves something open; the message says what was assumed.",
  "definition/unknown-yet": "Something is named that only run time can know.",
} as const;

export type ProblemCode = keyof typeof problemCodes;

/** A path as people write it: `steps[2].input.files[0]`. */
export function writePath(path: readonly (string | number)[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    if (!/^[\w$-]+$/.test(part)) return `${text}[${JSON.stringify(part)}]`;
    return text === "" ? part : `${text}.${part}`;
  }, "");
}

/** Most problems that are collected; a document that has more is broken as a whole. */
export const problemsMax = 200;

type Path = readonly (string | number)[];

/** Collects the problems of one document, in the order in which they are found. */
export class Problems {
  readonly list: Problem[] = [];

  error(code: ProblemCode, path: Path, message: string): void {
    this.#add({ code, severity: "error", path, message });
  }

  warn(code: ProblemCode, path: Path, message: string): void {
    this.#add({ code, severity: "warning", path, message });
  }

  get hasErrors(): boolean {
    return this.list.some(({ severity }) => severity === "error");
  }

  #add(problem: Problem): void {
    if (this.list.length < problemsMax) this.list.push(problem);
  }

  /** Does `work`, and takes back what it found missing at `path` itself: a field that is misspelt is told already. */
  withoutMissing<T>(path: Path, work: () => T): T {
    const before = this.list.length;
    const result = work();
    const place = writePath(path);
    const found = this.list.splice(before);
    this.list.push(
      ...found.filter((problem) => problem.code !== "definition/missing-field" || writePath(problem.path) !== place),
    );
    return result;
  }

  /** Adds what a schema says of a value; `fields` are the names that its object may have. */
  addIssues(issues: readonly z.core.$ZodIssue[], path: Path, fields: readonly string[]): void {
    for (const issue of issues) this.#addIssue(issue, path, fields);
  }

  #addIssue(issue: z.core.$ZodIssue, base: Path, fields: readonly string[]): void {
    const path = [...base, ...issue.path.filter((part) => typeof part !== "symbol")];
    if (issue.code === "unrecognized_keys") {
      const known = issue.path.length === 0 ? fields : [];
      for (const key of issue.keys) this.error("definition/unknown-field", [...path, key], describeUnknown(key, known));
      return;
    }
    if (issue.code === "invalid_union") {
      const nearest = issue.errors.toSorted(
        (left, right) => depthOf(right) - depthOf(left) || left.length - right.length,
      )[0];
      if (nearest !== undefined && depthOf(nearest) > 0) {
        this.addIssues(nearest, path, []);
        return;
      }
      this.error("definition/wrong-value", path, describeUnion(issue));
      return;
    }
    const missing = issue.code === "invalid_type" && /received undefined/.test(issue.message);
    this.error(
      missing ? "definition/missing-field" : "definition/wrong-value",
      path,
      missing ? describeMissing(issue) : describeWrong(issue),
    );
  }
}

function depthOf(issues: readonly z.core.$ZodIssue[]): number {
  return Math.min(...issues.map((issue) => issue.path.length + (issue.code === "unrecognized_keys" ? 1 : 0)));
}

export function describeUnknown(key: string, known: readonly string[]): string {
  const near = nearestName(key, known);
  if (near !== undefined) return `there is no field \`${key}\` here; did you mean \`${near}\`?`;
  const fields = known.length === 0 ? "remove it" : suggestName(key, known, "here");
  return `there is no field \`${key}\` here; ${fields}`;
}

function describeMissing(issue: z.core.$ZodIssue): string {
  const name = issue.path.at(-1);
  const expected = "expected" in issue ? ` (${article(String(issue.expected))})` : "";
  return `\`${String(name ?? "the value")}\` is missing${expected}; add it`;
}

function describeWrong(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_type") {
    const received = /received (\w+)/.exec(issue.message)?.[1] ?? "something else";
    return `must be ${article(issue.expected)}, and is ${article(received)}`;
  }
  if (issue.code === "invalid_value")
    return `must be one of ${issue.values.map((value) => JSON.stringify(value)).join(", ")}`;
  const sentence = issue.message
    .replace(/^Invalid input: /, "")
    .replace(/>=/, "at least ")
    .replace(/<=/, "at most ")
    .replace(/^Too (small|big): expected \w+ to (have|be) /, "must $2 ");
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}

function describeUnion(issue: { readonly errors: readonly (readonly z.core.$ZodIssue[])[] }): string {
  const expected = issue.errors.flat().flatMap((inner) => {
    if (inner.code === "invalid_type") return [article(inner.expected)];
    return inner.code === "invalid_value" ? inner.values.map((value) => JSON.stringify(value)) : [describeWrong(inner)];
  });
  return `must be ${[...new Set(expected)].join(" or ")}`;
}

const words: { readonly [type: string]: string } = {
  int: "a whole number",
  record: "an object",
  null: "null",
  undefined: "missing",
};

function article(type: string): string {
  return words[type] ?? (/^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`);
}

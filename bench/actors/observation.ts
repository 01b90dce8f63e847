import { parseSync } from "oxc-parser";

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

interface Cut {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}

function propertyOf(node: unknown): string {
  const { type, property } = node as { type?: string; property?: { name?: string } };
  return type === "MemberExpression" ? (property?.name ?? "") : "";
}

function cutOf(node: Node): Cut | undefined {
  const { start, end } = node;
  if (propertyOf(node) === "heard") return { start, end, text: "false" };
  const call = (node as unknown as { expression?: { type: string; callee?: unknown } }).expression;
  const publishes =
    node.type === "ExpressionStatement" &&
    call?.type === "CallExpression" &&
    ["publish", "publishEnd"].includes(propertyOf(call.callee));
  return publishes ? { start, end, text: "{}" } : undefined;
}

function collectCuts(node: unknown, cuts: Cut[]): void {
  if (Array.isArray(node)) {
    for (const each of node) collectCuts(each, cuts);
    return;
  }
  if (!isNode(node)) return;
  const cut = cutOf(node);
  if (cut !== undefined) cuts.push(cut);
  else for (const value of Object.values(node)) collectCuts(value, cuts);
}

/** The source without its observation points, and how many there were. */
export function removeObservation(file: string, source: string): { source: string; points: number } {
  const cuts: Cut[] = [];
  collectCuts(parseSync(file, source).program, cuts);
  let result = source;
  for (const { start, end, text } of cuts.toSorted((left, right) => right.start - left.start))
    result = result.slice(0, start) + text + result.slice(end);
  return { source: result, points: cuts.length };
}

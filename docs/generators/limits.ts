import type { Expression, Program } from "oxc-parser";
import { parseSource, readSourceFiles, type SourceFile } from "../../test/house/source-files.ts";
import { type Generator, writeTable } from "./generator.ts";

/** A named bound: a top-level constant whose name ends in Max, Min, Ms, Limit or Bytes, with its comment. */
export interface Limit {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly file: string;
  /** Empty where the constant has no comment, which the test of the documents refuses. */
  readonly sentence: string;
}

const limitName = /(Max|Min|Ms|Limit|Bytes)$/;
/** How long a day is bounds nothing. */
const conversionName = /^(second|minute|hour|day|week)Ms$/;

function fold(node: Expression, known: ReadonlyMap<string, number>): number | undefined {
  if (node.type === "Literal") return typeof node.value === "number" ? node.value : undefined;
  if (node.type === "Identifier") return known.get(node.name);
  if (node.type === "TSAsExpression" || node.type === "TSSatisfiesExpression") return fold(node.expression, known);
  if (node.type !== "BinaryExpression" || node.left.type === "PrivateIdentifier") return undefined;
  const [left, right] = [fold(node.left, known), fold(node.right, known)];
  return left === undefined || right === undefined ? undefined : compute(node.operator, left, right);
}

function compute(operator: string, left: number, right: number): number | undefined {
  const operations: Record<string, number> = {
    "+": left + right,
    "-": left - right,
    "*": left * right,
    "/": left / right,
    "**": left ** right,
  };
  return operations[operator];
}

function unitOf(name: string): string {
  if (/Ms(Max|Min)?$/.test(name) || /M(ax|in)Ms$/.test(name)) return "ms";
  return /Bytes/.test(name) ? "bytes" : "";
}

/** The words of a doc comment, without its decoration and from the first tag on left out. */
export function readComment(text: string): string {
  const lines = text.split("\n").map((line) => line.replace(/^\s*\*?\s?/, ""));
  const tag = lines.findIndex((line) => line.startsWith("@"));
  return lines
    .slice(0, tag === -1 ? undefined : tag)
    .join(" ")
    .replace(/\s+/g, " ")
    .replace(/^\* ?/, "")
    .trim();
}

function declarators(program: Program): { start: number; name: string; init: Expression }[] {
  return program.body.flatMap((node) => {
    const declaration = node.type === "ExportNamedDeclaration" ? node.declaration : node;
    if (declaration?.type !== "VariableDeclaration" || declaration.kind !== "const") return [];
    return declaration.declarations.flatMap(({ id, init }) =>
      id.type === "Identifier" && init !== null ? [{ start: node.start, name: id.name, init }] : [],
    );
  });
}

/** Every named bound of one file. A name that ends like a bound but holds no number is not one. */
export function readLimits(file: SourceFile): Limit[] {
  const { program, comments } = parseSource(file);
  const known = new Map<string, number>();
  const limits: Limit[] = [];
  for (const { start, name, init } of declarators(program)) {
    const value = fold(init, known);
    if (value === undefined) continue;
    known.set(name, value);
    if (!limitName.test(name) || conversionName.test(name)) continue;
    const comment = comments.find(
      (entry) => entry.type === "Block" && /^\s*$/.test(file.text.slice(entry.end, start)) && entry.end <= start,
    );
    const sentence = comment?.value.startsWith("*") === true ? readComment(comment.value) : "";
    limits.push({ name, value, unit: unitOf(name), file: file.path, sentence });
  }
  return limits;
}

/** Every named bound of the package. */
export function collectLimits(): Limit[] {
  return readSourceFiles(["machines", "src", "agents"]).flatMap(readLimits);
}

export const limits: Generator = {
  file: "docs/LIMITS.md",
  render: () => `# Limits

Every queue, retry, loop, frame and timeout of Troupe has a named bound. Generated from the constants by \`npm run docs\`:
a constant whose name ends in \`Max\`, \`Min\`, \`Ms\`, \`Limit\` or \`Bytes\` is listed here with the first words of its comment.

${writeTable(
  ["limit", "value", "unit", "what it bounds", "where"],
  collectLimits().map((limit) => [
    `\`${limit.name}\``,
    limit.value.toLocaleString("en-US"),
    limit.unit,
    limit.sentence,
    `\`${limit.file}\``,
  ]),
)}
`,
};

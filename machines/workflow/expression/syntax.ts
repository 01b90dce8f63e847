import objectPlugin from "@jsep-plugin/object";
import templatePlugin from "@jsep-plugin/template";
import jsep from "jsep";

/**
 * Reads the source of an expression into a tree. Reading happens once, when a definition is compiled; a value that a
 * run produces is never read as an expression.
 * Source: jsep (parser only, it evaluates nothing); the limits are those of docs/guide/workflows.md.
 */

jsep.plugins.register(objectPlugin, templatePlugin);
jsep.addBinaryOp("??", 1);

/** A node of a parsed expression. A type of our own: that of the parser would reach the package's declarations. */
export interface Expression {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** Longest source of one expression, in UTF-16 units; a longer one is a definition error. */
export const expressionLengthMax = 4_096;
/** Deepest nesting of brackets, and of operators within operators. */
export const expressionDepthMax = 40;

/** The source is wrong; `column` counts from 1. */
export class SyntaxProblem extends Error {
  override readonly name = "SyntaxProblem";
  readonly column: number;

  constructor(message: string, column = 1) {
    super(message);
    this.column = column;
  }
}

const opening = "([{";
const closing = ")]}";

/** The parser recurses once per bracket and per sign, so both are counted before it starts. */
function checkDepth(source: string): void {
  let [depth, signs, quote] = [0, 0, ""];
  for (let at = 0; at < source.length; at += 1) {
    const char = source.charAt(at);
    if (quote !== "" && quote !== "`") {
      if (char === "\\") at += 1;
      else if (char === quote) quote = "";
      continue;
    }
    if (char === '"' || char === "'") quote = char;
    else if (opening.includes(char)) depth += 1;
    else if (closing.includes(char)) depth -= 1;
    signs = /[!~+\-\s]/.test(char) ? signs + (char.trim() === "" ? 0 : 1) : 0;
    if (depth > expressionDepthMax || signs > expressionDepthMax)
      throw new SyntaxProblem(
        `nested deeper than ${expressionDepthMax} levels; compute parts in steps of their own`,
        at + 1,
      );
  }
}

/** Parses one expression; throws `SyntaxProblem` with the column. */
export function parseExpression(source: string): Expression {
  if (source.length > expressionLengthMax)
    throw new SyntaxProblem(`${source.length} characters long; the limit is ${expressionLengthMax}`);
  checkDepth(source);
  try {
    return jsep(source);
  } catch (error) {
    const { description, index } = error as { description?: unknown; index?: unknown };
    const message = typeof description === "string" ? description : "is not an expression";
    throw new SyntaxProblem(message, typeof index === "number" ? index + 1 : 1);
  }
}

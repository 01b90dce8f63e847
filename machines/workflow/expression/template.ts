import type { Json } from "../../failure.ts";
import { buildExpression, type Compute, compileExpression, type References } from "./evaluate.ts";
import { ExpressionProblem, limitText, textOf } from "./functions.ts";
import type { Root } from "./root.ts";
import { bareValue, type ShellNames, type ShellPart, writeShell } from "./shell.ts";
import { parseExpression, SyntaxProblem, type Expression } from "./syntax.ts";
import { classifyText, type TextPart } from "./text.ts";

/** A compiled template: what it is at run time, and how it becomes shell text with its values set apart. */
export interface CompiledTemplate {
  /** Undefined where the template names something that is not there. */
  evaluate(root: Root): Json | undefined;
  /** For a field that is shell text: only what the definition's author wrote becomes syntax. */
  shell?(root: Root, names: ShellNames): Json | undefined;
  readonly fields?: { readonly [name: string]: CompiledTemplate };
}

/** Deepest nesting of lists and objects in a template and in a value. */
export const templateDepthMax = 64;

/** A broken template: `path` leads to the string in question. */
export class TemplateProblem extends SyntaxProblem {
  readonly path: readonly (string | number)[];

  constructor(problem: SyntaxProblem, path: readonly (string | number)[]) {
    super(problem.message, problem.column);
    this.path = path;
  }
}

/** Values inside a run are JSON: what an expression gives is checked once, where it leaves the evaluator. */
function asJson(value: unknown): Json | undefined {
  if (typeof value === "number" && !Number.isFinite(value))
    throw new ExpressionProblem("gave a number that is not finite");
  return value as Json | undefined;
}

function compileTextParts(parts: readonly TextPart[], references: References): CompiledTemplate {
  const compiled = parts.map((part) =>
    "text" in part ? part : { compute: compilePart(part, references), name: part.source },
  );
  return {
    evaluate: (root) =>
      limitText(compiled.map((part) => ("text" in part ? part.text : textOf(part.compute(root), part.name))).join("")),
    shell: (root, names) =>
      writeShell(
        compiled.map((part) => toShellPart(part, root)),
        names,
      ),
  };
}

function toShellPart(part: { text: string } | { compute: Compute; name: string }, root: Root): ShellPart {
  return "text" in part ? { syntax: part.text } : { value: textOf(part.compute(root), part.name) };
}

function compilePart(part: { source: string; column: number }, references: References): Compute {
  try {
    return compileExpression(part.source, references);
  } catch (error) {
    if (error instanceof SyntaxProblem) throw new SyntaxProblem(error.message, part.column + error.column - 1);
    throw error;
  }
}

/** Texts that the author wrote inside one expression, as `"ls " + $.input.path`: those are syntax, the rest are values. */
function shellPartsOf(
  tree: Expression,
  references: References,
): readonly ({ text: string } | { compute: Compute; name: string })[] {
  if (tree.type === "BinaryExpression" && tree["operator"] === "+")
    return [tree["left"], tree["right"]].flatMap((side) => shellPartsOf(side as Expression, references));
  if (tree.type === "Literal" && typeof tree["value"] === "string") return [{ text: tree["value"] }];
  if (tree.type === "TemplateLiteral") {
    const { quasis, expressions } = tree as unknown as {
      quasis: { value: { cooked: string } }[];
      expressions: Expression[];
    };
    return quasis.flatMap((quasi, at) => {
      const inner = expressions[at];
      return [{ text: quasi.value.cooked }, ...(inner === undefined ? [] : shellPartsOf(inner, references))];
    });
  }
  return [{ compute: buildExpression(tree, references), name: "a part of the command" }];
}

function compileWhole(source: string, references: References): CompiledTemplate {
  const tree = parseExpression(source);
  const compute = buildExpression(tree, references);
  const parts = shellPartsOf(tree, references);
  return {
    evaluate: (root) => asJson(compute(root)),
    shell: (root, names) => {
      if (parts.some((part) => "text" in part))
        return writeShell(
          parts.map((part) => toShellPart(part, root)),
          names,
        );
      const value = asJson(compute(root));
      return typeof value === "string" ? bareValue(value, names) : value;
    },
  };
}

function compileString(text: string, references: References): CompiledTemplate {
  const form = classifyText(text);
  if (form.form === "literal") return { evaluate: () => form.text };
  if (form.form === "expression") return compileWhole(form.source, references);
  return compileTextParts(form.parts, references);
}

function isLiteral(value: object): value is { readonly literal: Json } {
  return Object.hasOwn(value, "literal") && Object.keys(value).length === 1;
}

function compileFields(
  value: { readonly [name: string]: Json },
  references: References,
  path: readonly (string | number)[],
): CompiledTemplate {
  const fields = Object.entries(value).map(
    ([name, inner]) => [name, compileAt(inner, references, [...path, name])] as const,
  );
  return {
    evaluate(root) {
      const object: { [name: string]: Json } = {};
      for (const [name, field] of fields) {
        const inner = field.evaluate(root);
        if (inner === undefined) continue;
        // Assigning to this one name would set the prototype instead.
        if (name === "__proto__")
          Object.defineProperty(object, name, { value: inner, enumerable: true, writable: true, configurable: true });
        else object[name] = inner;
      }
      return object;
    },
    fields: Object.fromEntries(fields),
  };
}

function compileAt(value: Json, references: References, path: readonly (string | number)[]): CompiledTemplate {
  if (path.length > templateDepthMax)
    throw new TemplateProblem(new SyntaxProblem(`nested deeper than ${templateDepthMax} levels`), path);
  if (typeof value === "string") {
    try {
      return compileString(value, references);
    } catch (error) {
      if (error instanceof SyntaxProblem) throw new TemplateProblem(error, path);
      throw error;
    }
  }
  if (Array.isArray(value)) {
    const entries = (value as readonly Json[]).map((entry, at) => compileAt(entry, references, [...path, at]));
    return { evaluate: (root) => entries.map((entry) => entry.evaluate(root) ?? null) };
  }
  if (typeof value !== "object" || value === null) return { evaluate: () => value };
  if (isLiteral(value)) return { evaluate: () => value.literal };
  return compileFields(value as { readonly [name: string]: Json }, references, path);
}

/** Compiles a value of a definition; throws `TemplateProblem` with the path of the string that is wrong. */
export function compileTemplate(value: Json, references: References): CompiledTemplate {
  return compileAt(value, references, []);
}

export interface TaskInput {
  readonly input: Json;
  readonly env?: { readonly [name: string]: string };
  /** The fields that were written as shell text. */
  readonly shell?: readonly string[];
}

/** Computes the input of a task; the fields named in `shellFields` get their values through the environment. */
export function evaluateInput(template: CompiledTemplate, root: Root, shellFields: readonly string[]): TaskInput {
  const input = template.evaluate(root) ?? null;
  if (shellFields.length === 0 || typeof input !== "object" || input === null || Array.isArray(input)) return { input };
  const env: { [name: string]: string } = {};
  const names: ShellNames = {
    add(value) {
      const name = `TROUPE_${Object.keys(env).length + 1}`;
      env[name] = value;
      return name;
    },
  };
  const replaced: { [name: string]: Json } = { ...(input as { readonly [name: string]: Json }) };
  for (const name of shellFields) {
    const text = Object.hasOwn(replaced, name)
      ? shellText(template, name, { root, names, value: replaced[name] })
      : undefined;
    if (text !== undefined) replaced[name] = text;
  }
  return { input: replaced, ...(Object.keys(env).length === 0 ? {} : { env }), shell: shellFields };
}

/** One field as shell text. Where the whole input is one value, so is the field, and its author wrote no syntax. */
function shellText(
  { fields }: CompiledTemplate,
  name: string,
  now: { readonly root: Root; readonly names: ShellNames; readonly value: Json | undefined },
): Json | undefined {
  if (fields !== undefined) return fields[name]?.shell?.(now.root, now.names);
  return typeof now.value === "string" ? bareValue(now.value, now.names) : undefined;
}

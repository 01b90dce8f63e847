import { suggestName } from "../nearest.ts";
import { ExpressionProblem, expressionFunctions, limitText, textOf } from "./functions.ts";
import { asRootName, type Root } from "./root.ts";
import { expressionDepthMax, parseExpression, SyntaxProblem, type Expression } from "./syntax.ts";

/**
 * Turns the tree of an expression into closures, once. Only `$` has a value; values are read by own properties only;
 * there are no methods, no assignment, no `this`, no `new`. So an expression can neither reach the program nor change
 * anything.
 */

/** Most nodes of one expression. */
export const expressionNodesMax = 500;

export type Compute = (root: Root) => unknown;

/** What an expression reads, so that a run keeps only what is asked for. */
export interface References {
  readonly variables: Set<string>;
  /** Ids of steps; `*` where any may be read. */
  readonly steps: Set<string>;
  readonly env: Set<string>;
  readonly names: Set<string>;
  readonly strings: Set<string>;
}

export function noReferences(): References {
  return { variables: new Set(), steps: new Set(), env: new Set(), names: new Set(), strings: new Set() };
}

interface Scope {
  readonly references: References;
  nodes: number;
}

type NodeOf<Type extends string> = Expression & { type: Type };
type Builder = (node: never, scope: Scope, depth: number) => Compute;

/** Reads one own property; strings and lists have their length and positions, and nothing has a prototype. */
function readProperty(of: unknown, key: unknown): unknown {
  if (of === null || of === undefined) return undefined;
  if (typeof key !== "string" && typeof key !== "number")
    throw new ExpressionProblem("a property name must be a string or a number");
  if (typeof of === "string")
    return key === "length" ? of.length : /^\d+$/.test(String(key)) ? of[Number(key)] : undefined;
  if (typeof of !== "object") return undefined;
  return Object.hasOwn(of, key) ? (of as Record<string, unknown>)[key] : undefined;
}

function isEqual(left: unknown, right: unknown): boolean {
  return left === right || ((left ?? null) === null && (right ?? null) === null);
}

function numberOf(value: unknown, operator: string): number {
  if (typeof value === "number") return value;
  const got = value === undefined ? "a value that is not there" : value === null ? "null" : JSON.stringify(value);
  throw new ExpressionProblem(`\`${operator}\` works on numbers, and got ${got.slice(0, 40)}`);
}

function finite(value: number, operator: string): number {
  if (Number.isFinite(value)) return value;
  throw new ExpressionProblem(`\`${operator}\` gave no number (a division by zero, or one too large)`);
}

const arithmetic: { readonly [operator: string]: (left: number, right: number) => number } = {
  "-": (left, right) => left - right,
  "*": (left, right) => left * right,
  "/": (left, right) => left / right,
  "%": (left, right) => left % right,
  "**": (left, right) => left ** right,
};

const comparison: { readonly [operator: string]: (left: never, right: never) => boolean } = {
  "<": (left, right) => left < right,
  ">": (left, right) => left > right,
  "<=": (left, right) => left <= right,
  ">=": (left, right) => left >= right,
};

function isComparable(left: unknown, right: unknown): boolean {
  return typeof left === typeof right && (typeof left === "number" || typeof left === "string");
}

const compact = (source: string): string => (source.length > 60 ? `${source.slice(0, 57)}…` : source);

function fieldText(node: Expression, field: string): string {
  const value = node[field];
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}

/** The source of a path, for messages; other nodes are "this part". */
function describeNode(node: Expression): string {
  if (node.type === "Identifier") return fieldText(node, "name");
  if (node.type === "MemberExpression") {
    const { object, property, computed } = node as NodeOf<"MemberExpression"> & {
      object: Expression;
      property: Expression;
      computed: boolean;
    };
    if (!computed) return `${describeNode(object)}.${describeNode(property)}`;
    return `${describeNode(object)}[${property.type === "Literal" ? fieldText(property, "raw") : "…"}]`;
  }
  return "this part";
}

function buildAddition(left: Expression, right: Expression, sides: { left: Compute; right: Compute }): Compute {
  const [leftName, rightName] = [describeNode(left), describeNode(right)];
  return (root) => {
    const [a, b] = [sides.left(root), sides.right(root)];
    if (typeof a === "number" && typeof b === "number") return finite(a + b, "+");
    const text = textOf(a, leftName) + textOf(b, rightName);
    if (typeof a !== "string" && typeof b !== "string")
      throw new ExpressionProblem(`\`+\` adds numbers or joins texts, and got ${compact(text)}`);
    return limitText(text);
  };
}

function buildBinary(
  node: { operator: string; left: Expression; right: Expression },
  scope: Scope,
  depth: number,
): Compute {
  const { operator } = node;
  const [left, right] = [build(node.left, scope, depth), build(node.right, scope, depth)];
  if (operator === "||") return (root) => left(root) || right(root);
  if (operator === "&&") return (root) => left(root) && right(root);
  if (operator === "??") return (root) => left(root) ?? right(root);
  if (operator === "==" || operator === "===") return (root) => isEqual(left(root), right(root));
  if (operator === "!=" || operator === "!==") return (root) => !isEqual(left(root), right(root));
  if (operator === "+") return buildAddition(node.left, node.right, { left, right });
  const compare = comparison[operator];
  if (compare !== undefined) {
    return (root) => {
      const [a, b] = [left(root), right(root)];
      return isComparable(a, b) && compare(a as never, b as never);
    };
  }
  const compute = arithmetic[operator];
  if (compute === undefined)
    throw new SyntaxProblem(`there is no operator \`${operator}\`; there is + - * / % ** == != < > <= >= && || ?? !`);
  return (root) => finite(compute(numberOf(left(root), operator), numberOf(right(root), operator)), operator);
}

/** `$.name` and what comes after it: the first two names are looked up without building whole objects. */
function buildRootPath(path: { first: string; second: string | undefined }, scope: Scope): Compute {
  const name = asRootName(path.first);
  scope.references.names.add(name);
  const { second } = path;
  if (name === "variables" && second !== undefined) {
    scope.references.variables.add(second);
    return (root) => root.variable(second);
  }
  if (name === "steps" && second !== undefined) {
    scope.references.steps.add(second);
    return (root) => root.step(second);
  }
  if (name === "env" && second !== undefined) scope.references.env.add(second);
  if (name === "steps") scope.references.steps.add("*");
  if (second === undefined) return (root) => root.read(name);
  return (root) => readProperty(root.read(name), second);
}

interface Member {
  readonly object: Expression;
  readonly property: Expression;
  readonly computed: boolean;
}

function staticKey(node: Member): string | undefined {
  if (!node.computed) return fieldText(node.property, "name");
  return node.property.type === "Literal" ? fieldText(node.property, "value") : undefined;
}

function isDollar(node: Expression): boolean {
  return node.type === "Identifier" && node["name"] === "$";
}

function buildMember(node: Member, scope: Scope, depth: number): Compute {
  const key = staticKey(node);
  if (isDollar(node.object)) {
    if (key === undefined) throw new SyntaxProblem("the name after $ must be written out, as $.input");
    return buildRootPath({ first: key, second: undefined }, scope);
  }
  const inner = node.object as Expression & Member;
  if (inner.type === "MemberExpression" && isDollar(inner.object) && key !== undefined) {
    const first = staticKey(inner);
    if (first !== undefined) return buildRootPath({ first, second: key }, scope);
  }
  const object = build(node.object, scope, depth);
  if (key !== undefined) return (root) => readProperty(object(root), key);
  const property = build(node.property, scope, depth);
  return (root) => readProperty(object(root), property(root));
}

function buildCall(
  node: { callee: Expression; arguments: readonly Expression[] },
  scope: Scope,
  depth: number,
): Compute {
  const name = node.callee.type === "Identifier" ? fieldText(node.callee, "name") : undefined;
  if (name === undefined)
    throw new SyntaxProblem(
      `methods cannot be called (${describeNode(node.callee)}); write a function, as trim($.input.name)`,
    );
  const entry = Object.hasOwn(expressionFunctions, name) ? expressionFunctions[name] : undefined;
  if (entry === undefined)
    throw new SyntaxProblem(
      `there is no function \`${name}\`; ${suggestName(name, Object.keys(expressionFunctions), "among the functions")}`,
    );
  const count = node.arguments.length;
  if (count < entry.min || count > entry.max)
    throw new SyntaxProblem(`${entry.form} was given ${count} argument${count === 1 ? "" : "s"}`);
  const given = node.arguments.map((argument) => build(argument, scope, depth));
  return (root) => entry.run(root, ...given.map((argument) => argument(root)));
}

function buildTemplate(
  node: { quasis: readonly { value: { cooked: string } }[]; expressions: readonly Expression[] },
  scope: Scope,
  depth: number,
): Compute {
  if (node.quasis.length !== node.expressions.length + 1)
    throw new SyntaxProblem("each ${…} of a text holds exactly one expression");
  const texts = node.quasis.map((part) => part.value.cooked);
  const parts = node.expressions.map((part) => ({ name: describeNode(part), compute: build(part, scope, depth) }));
  return (root) =>
    limitText(
      parts.reduce(
        (text, part, at) => text + textOf(part.compute(root), part.name) + (texts[at + 1] ?? ""),
        texts[0] ?? "",
      ),
    );
}

interface Property {
  readonly type: string;
  readonly computed: boolean;
  readonly key: Expression;
  readonly value: Expression;
}

function buildObject(node: { properties: readonly Property[] }, scope: Scope, depth: number): Compute {
  const entries = node.properties.map((property) => {
    if (property.type !== "Property") throw new SyntaxProblem("an object takes `name: value` only");
    const { key } = property;
    const name = key.type === "Identifier" ? fieldText(key, "name") : fieldText(key, "value");
    const keyOf = property.computed ? build(key, scope, depth) : () => name;
    return { keyOf, compute: build(property.value, scope, depth) };
  });
  return (root) => {
    const object = {};
    for (const { keyOf, compute } of entries) {
      const value = compute(root);
      if (value === undefined) continue;
      const key = textOf(keyOf(root), "a name of the object");
      Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
    }
    return object;
  };
}

function buildUnary(node: { operator: string; argument: Expression }, scope: Scope, depth: number): Compute {
  const argument = build(node.argument, scope, depth);
  if (node.operator === "!") return (root) => !argument(root);
  if (node.operator === "-") return (root) => -numberOf(argument(root), "-");
  throw new SyntaxProblem(`there is no sign \`${node.operator}\`; there is ! and -`);
}

const builders: { readonly [type: string]: Builder } = {
  Literal: (node: { value: unknown; raw: string }) => {
    const { value } = node;
    if (typeof value === "number") finite(value, node.raw);
    return () => value;
  },
  Identifier: (node: { name: string }) => {
    if (node.name === "undefined") return () => undefined;
    if (node.name === "$") throw new SyntaxProblem("$ alone is no value; name a part of it, as $.input");
    throw new SyntaxProblem(
      `the only name is $; write $.input.${node.name} or $.variables.${node.name}, or "${node.name}" for text`,
    );
  },
  MemberExpression: buildMember,
  BinaryExpression: buildBinary,
  LogicalExpression: buildBinary,
  UnaryExpression: buildUnary,
  ConditionalExpression: (node: { test: Expression; consequent: Expression; alternate: Expression }, scope, depth) => {
    const [test, yes, no] = [node.test, node.consequent, node.alternate].map((part) => build(part, scope, depth)) as [
      Compute,
      Compute,
      Compute,
    ];
    return (root) => (test(root) ? yes(root) : no(root));
  },
  ArrayExpression: (node: { elements: readonly (Expression | null)[] }, scope, depth) => {
    const elements = node.elements.map((element) => (element === null ? () => null : build(element, scope, depth)));
    return (root) => elements.map((element) => element(root) ?? null);
  },
  CallExpression: buildCall,
  TemplateLiteral: buildTemplate,
  ObjectExpression: buildObject,
};

function build(node: Expression | undefined, scope: Scope, depth: number): Compute {
  if (node === undefined) throw new SyntaxProblem("a part is missing");
  scope.nodes += 1;
  if (scope.nodes > expressionNodesMax || depth > expressionDepthMax * 4)
    throw new SyntaxProblem(`larger than ${expressionNodesMax} parts; compute parts in steps of their own`);
  const builder = Object.hasOwn(builders, node.type) ? builders[node.type] : undefined;
  if (builder === undefined) throw new SyntaxProblem(unknownSyntax(node.type));
  if (node.type === "Literal" && typeof node["value"] === "string") scope.references.strings.add(node["value"]);
  return builder(node as never, scope, depth + 1);
}

function unknownSyntax(type: string): string {
  if (type === "Compound" || type === "SequenceExpression")
    return "more than one expression; an operator is missing between two parts";
  if (type === "ThisExpression") return "there is no `this`; the only name is $";
  return "this syntax is not part of expressions";
}

/** Compiles a parsed expression, and notes in `references` what it reads. */
export function buildExpression(tree: Expression, references: References): Compute {
  return build(tree, { references, nodes: 0 }, 0);
}

/** Compiles the source of an expression; throws `SyntaxProblem`. */
export function compileExpression(source: string, references: References = noReferences()): Compute {
  return buildExpression(parseExpression(source), references);
}

import type { Root } from "./root.ts";

/** A run-time problem of one expression: it fails the step that the expression belongs to. */
export class ExpressionProblem extends Error {
  override readonly name = "ExpressionProblem";
}

/** Longest text and longest list that an expression may build. */
export const expressionValueMax = 8_000_000;

interface FunctionEntry {
  /** As the guide shows it. */
  readonly form: string;
  readonly gives: string;
  readonly min: number;
  readonly max: number;
  readonly run: (root: Root, ...given: readonly unknown[]) => unknown;
}

function fail(message: string): never {
  throw new ExpressionProblem(message);
}

function nameOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  return Array.isArray(value) ? "a list" : typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function asText(value: unknown, of: string): string {
  return typeof value === "string" ? value : fail(`${of} wants a string, and got ${nameOf(value)}`);
}

function asList(value: unknown, of: string): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : fail(`${of} wants a list, and got ${nameOf(value)}`);
}

function asNumber(value: unknown, of: string): number {
  return typeof value === "number" && Number.isFinite(value)
    ? value
    : fail(`${of} wants a number, and got ${nameOf(value)}`);
}

/** A count or a position, or `otherwise` where none is given. */
function asInteger(value: unknown, of: string, otherwise: number): number {
  return value === undefined ? otherwise : Math.trunc(asNumber(value, of));
}

export function limitText(text: string): string {
  return text.length > expressionValueMax ? fail(`a text longer than ${expressionValueMax} characters`) : text;
}

/** Text of a value inside other text. Nothing and null have none: `"undefined/src"` helps nobody. */
export function textOf(value: unknown, source: string): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (value === undefined || value === null) {
    const what = value === undefined ? "is not there" : "is null";
    return fail(`${source} ${what}, so no text can be made of it; set it first, or write default(${source}, "…")`);
  }
  return limitText(JSON.stringify(value));
}

function lengthOf(value: unknown): number {
  if (typeof value === "string" || Array.isArray(value)) return value.length;
  if (typeof value === "object" && value !== null) return Object.keys(value).length;
  return fail(`len wants a string, a list or an object, and got ${nameOf(value)}`);
}

function entriesOf(value: unknown, of: string): [string, unknown][] {
  return typeof value === "object" && value !== null
    ? Object.entries(value)
    : fail(`${of} wants an object, and got ${nameOf(value)}`);
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return fail("parse wants JSON text, and this is none");
  }
}

function includes(within: unknown, what: unknown): boolean {
  if (typeof within === "string") return within.includes(asText(what, "includes in a string"));
  return asList(within, "includes").some((entry) => entry === what);
}

function slice(value: unknown, from: unknown, to: unknown): unknown {
  const start = asInteger(from, "slice", 0);
  const end = to === undefined ? undefined : asInteger(to, "slice", 0);
  return typeof value === "string" ? value.slice(start, end) : asList(value, "slice").slice(start, end);
}

function toNumber(value: unknown): number {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return asNumber(number, "number");
}

function concat(lists: readonly unknown[]): unknown[] {
  const all = lists.flatMap((list) => asList(list, "concat"));
  return all.length > expressionValueMax ? fail(`a list longer than ${expressionValueMax}`) : all;
}

/** Two 32-bit FNV-1a streams with different seeds: stable and well spread, not for security. */
function hash64(text: string): string {
  let [high, low] = [0x811c9dc5, 0x9747b28c];
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    high = Math.imul(high ^ unit, 0x01000193);
    low = Math.imul(low ^ (unit + at), 0x85ebca6b);
    low ^= low >>> 13;
  }
  return [high, low].map((part) => (part >>> 0).toString(16).padStart(8, "0")).join("");
}

/** A version 8 UUID from the run's id and a number within the run, so a replay gives the same one. Source: RFC 9562. */
function uuidOf(root: Root): string {
  const serial = root.nextSerial();
  const digits = hash64(`${root.executionId}/${serial}`) + hash64(`${serial}/${root.executionId}`);
  const variant = ((Number.parseInt(digits.charAt(16), 16) & 3) | 8).toString(16);
  const [a, b, c] = [digits.slice(0, 8), digits.slice(8, 12), digits.slice(13, 16)];
  return `${a}-${b}-8${c}-${variant}${digits.slice(17, 20)}-${digits.slice(20, 32)}`;
}

/** The functions of expressions. There are no methods: `$.name.trim()` is `trim($.name)`. */
export const expressionFunctions: { readonly [name: string]: FunctionEntry } = {
  len: { form: "len(x)", gives: "length of a string, list or object", min: 1, max: 1, run: (_, x) => lengthOf(x) },
  keys: {
    form: "keys(object)",
    gives: "its names",
    min: 1,
    max: 1,
    run: (_, x) => entriesOf(x, "keys").map(([k]) => k),
  },
  values: {
    form: "values(object)",
    gives: "its values",
    min: 1,
    max: 1,
    run: (_, x) => entriesOf(x, "values").map(([, v]) => v),
  },
  json: {
    form: "json(x)",
    gives: "x as JSON text",
    min: 1,
    max: 1,
    run: (_, x) => limitText(JSON.stringify(x ?? null)),
  },
  parse: {
    form: "parse(text)",
    gives: "the value of JSON text",
    min: 1,
    max: 1,
    run: (_, x) => parseText(asText(x, "parse")),
  },
  string: { form: "string(x)", gives: "x as text", min: 1, max: 1, run: (_, x) => textOf(x, "its argument") },
  number: { form: "number(x)", gives: "the number that a text is", min: 1, max: 1, run: (_, x) => toNumber(x) },
  lower: {
    form: "lower(text)",
    gives: "in small letters",
    min: 1,
    max: 1,
    run: (_, x) => asText(x, "lower").toLowerCase(),
  },
  upper: { form: "upper(text)", gives: "in capitals", min: 1, max: 1, run: (_, x) => asText(x, "upper").toUpperCase() },
  trim: {
    form: "trim(text)",
    gives: "without blanks at its ends",
    min: 1,
    max: 1,
    run: (_, x) => asText(x, "trim").trim(),
  },
  split: {
    form: "split(text, by)",
    gives: "a list of parts",
    min: 2,
    max: 2,
    run: (_, x, by) => asText(x, "split").split(asText(by, "split")),
  },
  join: {
    form: "join(list, by)",
    gives: "one text; by default with commas",
    min: 1,
    max: 2,
    run: (_, x, by) =>
      limitText(
        asList(x, "join")
          .map((part) => textOf(part, "an entry of the list"))
          .join(by === undefined ? "," : asText(by, "join")),
      ),
  },
  includes: {
    form: "includes(in, x)",
    gives: "whether a string or list has it",
    min: 2,
    max: 2,
    run: (_, x, what) => includes(x, what),
  },
  startsWith: {
    form: "startsWith(text, x)",
    gives: "whether it begins so",
    min: 2,
    max: 2,
    run: (_, x, what) => asText(x, "startsWith").startsWith(asText(what, "startsWith")),
  },
  endsWith: {
    form: "endsWith(text, x)",
    gives: "whether it ends so",
    min: 2,
    max: 2,
    run: (_, x, what) => asText(x, "endsWith").endsWith(asText(what, "endsWith")),
  },
  slice: {
    form: "slice(x, from, to)",
    gives: "part of a string or list",
    min: 2,
    max: 3,
    run: (_, x, from, to) => slice(x, from, to),
  },
  concat: { form: "concat(list, …)", gives: "one list of all", min: 1, max: 16, run: (_, ...lists) => concat(lists) },
  sum: {
    form: "sum(list)",
    gives: "of numbers",
    min: 1,
    max: 1,
    run: (_, x) => asList(x, "sum").reduce((sum: number, n) => sum + asNumber(n, "sum"), 0),
  },
  min: {
    form: "min(a, …)",
    gives: "the smallest",
    min: 1,
    max: 16,
    run: (_, ...ns) => Math.min(...ns.map((n) => asNumber(n, "min"))),
  },
  max: {
    form: "max(a, …)",
    gives: "the largest",
    min: 1,
    max: 16,
    run: (_, ...ns) => Math.max(...ns.map((n) => asNumber(n, "max"))),
  },
  round: {
    form: "round(n)",
    gives: "the nearest whole number",
    min: 1,
    max: 1,
    run: (_, n) => Math.round(asNumber(n, "round")),
  },
  default: {
    form: "default(x, y)",
    gives: "x, or y where x is not there or null",
    min: 2,
    max: 2,
    run: (_, x, y) => x ?? y,
  },
  now: { form: "now()", gives: "epoch milliseconds of the event in hand", min: 0, max: 0, run: (root) => root.now() },
  uuid: { form: "uuid()", gives: "a UUID of this run, the same on replay", min: 0, max: 0, run: uuidOf },
  hash: {
    form: "hash(x)",
    gives: "16 hex digits, not for security",
    min: 1,
    max: 1,
    run: (_, x) => hash64(JSON.stringify(x ?? null)),
  },
};

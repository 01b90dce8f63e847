import { type RootName, rootNames } from "./root.ts";

/**
 * What `$` gives: a path that is written down instead of read, and becomes an expression wherever it is used. Its type
 * is what `JSON.parse` gives, since it has whatever fields the run will have and may stand in texts and sums.
 */
export type RecordedPath = ReturnType<typeof JSON.parse>;

const source = Symbol.for("troupe.expression");

function refuseNumber(path: string): never {
  throw new TypeError(
    `${path} has no value while the workflow is being written; write the whole expression as a string, as "${path} > 0"`,
  );
}

function record(path: string): object {
  const answers: { readonly [name: string | symbol]: unknown } = {
    [source]: path,
    [Symbol.toPrimitive]: (hint: string) => (hint === "number" ? refuseNumber(path) : `\${${path}}`),
    toString: () => `\${${path}}`,
    toJSON: () => path,
  };
  const target = Object.freeze(Object.create(null) as object);
  return new Proxy(target, {
    get(_target, name) {
      if (Object.hasOwn(answers, name)) return answers[name];
      if (typeof name === "symbol") return undefined;
      if (/^[A-Za-z_]\w*$/.test(name)) return record(`${path}.${name}`);
      return record(`${path}[${/^\d+$/.test(name) ? name : JSON.stringify(name)}]`);
    },
  });
}

/**
 * The `$` of workflows written in TypeScript: `$.input.path` is the expression of that name, also inside template
 * literals (`` `Feature: ${$.input.name}` ``). Operators see no value, so expressions with operators are strings.
 * @example
 * ```ts
 * import { $ } from "troupe";
 * const input = { title: `Feature: ${$.input.name}`, path: $.input.path };
 * ```
 */
export const $: { readonly [Name in RootName]: RecordedPath } = Object.freeze(
  Object.fromEntries(Object.keys(rootNames).map((name) => [name, record(`$.${name}`)])),
) as { readonly [Name in RootName]: RecordedPath };

/** The expression that a recorded path stands for, or nothing where `value` is none. */
export function recordedSource(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const path = (value as { readonly [source]?: unknown })[source];
  return typeof path === "string" ? path : undefined;
}

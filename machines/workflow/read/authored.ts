import type { Json } from "../../failure.ts";
import { recordedSource } from "../expression/recorder.ts";
import type { Problems } from "./problem.ts";

/** Deepest nesting of a definition. */
export const definitionDepthMax = 64;
/** Most values in one definition; ten thousand steps have about two hundred thousand. */
export const definitionValuesMax = 1_000_000;

interface Copying {
  readonly problems: Problems;
  values: number;
}

type Path = readonly (string | number)[];

/**
 * Copies what a caller gave into plain JSON: paths that `$` recorded become expressions, and what is not JSON is a
 * problem with its place. The copy shares nothing with the original.
 */
export function copyAuthored(value: unknown, problems: Problems): Json | undefined {
  return copy(value, [], { problems, values: 0 });
}

function copy(value: unknown, path: Path, copying: Copying): Json | undefined {
  copying.values += 1;
  if (path.length > definitionDepthMax || copying.values > definitionValuesMax) return refuseSize(path, copying);
  if (value === undefined) return undefined;
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  const recorded = recordedSource(value);
  if (recorded !== undefined) return recorded;
  if (Array.isArray(value))
    return (value as readonly unknown[]).map((entry, at) => copy(entry, [...path, at], copying) ?? null);
  if (typeof value === "object") return copyRecord(value, path, copying);
  const what = typeof value === "number" ? "a number that is not finite" : `a ${typeof value}`;
  copying.problems.error(
    "definition/wrong-value",
    path,
    `is ${what}; a definition is data: texts, numbers, true, false, null, lists and objects`,
  );
  return null;
}

function copyRecord(value: object, path: Path, copying: Copying): Json {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) {
    copying.problems.error("definition/wrong-value", path, "is an instance of a class; a definition is plain data");
    return null;
  }
  const record: { [name: string]: Json } = {};
  for (const [name, inner] of Object.entries(value)) {
    const copied = copy(inner, [...path, name], copying);
    if (copied === undefined) continue;
    Object.defineProperty(record, name, { value: copied, enumerable: true, writable: true, configurable: true });
  }
  return record;
}

function refuseSize(path: Path, copying: Copying): Json {
  const deep = path.length > definitionDepthMax;
  const limit = deep ? `deeper than ${definitionDepthMax} levels` : `larger than ${definitionValuesMax} values`;
  if (!copying.problems.list.some(({ code }) => code === "definition/too-large"))
    copying.problems.error(
      "definition/too-large",
      path.slice(0, 8),
      `the definition is ${limit}; split it into sub-workflows`,
    );
  return null;
}

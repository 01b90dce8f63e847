import { backoffMaxMs } from "../../backoff.ts";
import type { Json } from "../../failure.ts";
import type { CompensateTask, ErrorRoute, FallbackTask, NextChoice, RetryPolicy, Step } from "../definition.ts";
import { asText, type JsonRecord } from "../json.ts";
import { compileSchema } from "../schema-check.ts";
import type { Path, StepReader } from "./reader.ts";

/** The fields that every step may have, in their normal form. */

/** What a definition says for all of its steps. */
export interface Defaults {
  readonly retry?: RetryPolicy;
  readonly timeout?: number;
  readonly effect?: string;
}

export interface Place {
  readonly reader: StepReader;
  readonly path: Path;
}

type Common = Omit<Step, "id" | "name" | "type">;

function listOf(value: Json | undefined): readonly string[] | undefined {
  if (value === undefined) return undefined;
  return Array.isArray(value) ? (value as readonly string[]) : [asText(value)];
}

/** The first of several names for one thing that is there. */
function firstOf(raw: JsonRecord, names: readonly string[]): { name: string; value: Json } | undefined {
  for (const name of names) {
    const value = raw[name];
    if (value !== undefined) return { name, value };
  }
  return undefined;
}

function delayOf(raw: JsonRecord, names: readonly string[], place: Place): number | undefined {
  const found = firstOf(raw, names);
  return found === undefined ? undefined : place.reader.duration(found.value, [...place.path, found.name]);
}

/** Attempts, first delay and growth of a retry that does not say. */
const retryDefaults = { attempts: 3, firstMs: 1_000, rate: 2 } as const;

export function readRetry(value: Json | undefined, place: Place): RetryPolicy | undefined {
  if (value === undefined) return undefined;
  const raw: JsonRecord =
    typeof value === "number"
      ? { attempts: value }
      : typeof value === "string"
        ? { strategy: value }
        : (value as JsonRecord);
  const attempts = firstOf(raw, ["attempts", "maxAttempts"])?.value;
  const firstMs = delayOf(raw, ["first", "firstMs", "interval", "baseDelay"], place) ?? retryDefaults.firstMs;
  const maxMs = delayOf(raw, ["max", "maxMs", "maxDelay"], place) ?? Math.max(backoffMaxMs, firstMs);
  const jitter = raw["jitter"];
  const errors = listOf(raw["errors"]);
  return {
    attempts: typeof attempts === "number" ? attempts : retryDefaults.attempts,
    strategy: (raw["strategy"] as RetryPolicy["strategy"] | undefined) ?? "exponential",
    firstMs,
    maxMs,
    rate: Number(firstOf(raw, ["rate", "backoffRate"])?.value ?? retryDefaults.rate),
    jitter: typeof jitter === "number" ? jitter : jitter === true ? 0.5 : 0,
    ...(errors === undefined ? {} : { errors }),
  };
}

function readFallback(value: Json): FallbackTask {
  return typeof value === "string" ? { capability: value } : (value as unknown as FallbackTask);
}

const wordsForActions: ReadonlyMap<string, ErrorRoute["action"]> = new Map([
  ["continue", "continue"],
  ["ignore", "continue"],
  ["fail", "fail"],
  ["abort", "fail"],
  ["rollback", "rollback"],
]);

function readRoute(raw: JsonRecord, place: Place): ErrorRoute {
  const { reader, path } = place;
  const given = raw["action"];
  const named = typeof given === "string" ? (wordsForActions.get(given) ?? (given as ErrorRoute["action"])) : undefined;
  const implied =
    raw["next"] !== undefined
      ? "next"
      : raw["fallback"] !== undefined
        ? "fallback"
        : raw["result"] !== undefined
          ? "continue"
          : undefined;
  const action = named ?? implied;
  if (action === undefined)
    reader.problems.error(
      "definition/missing-field",
      path,
      "says nothing to do; add next, fallback, result, or action: continue, rollback or fail",
    );
  if (action === "next" && raw["next"] === undefined)
    reader.problems.error("definition/missing-field", [...path, "next"], "`next` is missing: the step to go on at");
  if (action === "fallback" && raw["fallback"] === undefined)
    reader.problems.error(
      "definition/missing-field",
      [...path, "fallback"],
      "`fallback` is missing: the task that stands in",
    );
  const { when, next, result, fallback } = raw;
  return {
    error: listOf(raw["error"]) ?? ["*"],
    action: action ?? "fail",
    ...(typeof when === "string" ? { when } : {}),
    ...(typeof next === "string" ? { next } : {}),
    ...(result === undefined ? {} : { result }),
    ...(fallback === undefined ? {} : { fallback: readFallback(fallback) }),
  };
}

function readOnError(value: Json | undefined, place: Place): readonly ErrorRoute[] | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "string") {
    const action = wordsForActions.get(value);
    return action === undefined ? [{ error: ["*"], action: "next", next: value }] : [{ error: ["*"], action }];
  }
  const routes = Array.isArray(value) ? (value as readonly JsonRecord[]) : [value as JsonRecord];
  return routes.map((route, at) =>
    readRoute(route, Array.isArray(value) ? { ...place, path: [...place.path, at] } : place),
  );
}

function readNext(value: Json | undefined): Step["next"] | undefined {
  if (value === null) return "$end";
  if (typeof value === "string") return value;
  return value as readonly NextChoice[] | undefined;
}

function readCompensate(value: Json | undefined, place: Place): CompensateTask | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "string") return { capability: value };
  const { retry, ...task } = value as { retry?: Json } & CompensateTask;
  const policy = readRetry(retry, { ...place, path: [...place.path, "retry"] });
  if (task.capability === undefined && task.agent === undefined && task.mode === undefined)
    place.reader.problems.error("definition/missing-field", place.path, "names no task; add capability, agent or mode");
  return { ...task, ...(policy === undefined ? {} : { retry: policy }) };
}

/** Reports a schema that cannot be used. */
export function checkSchema(value: Json | undefined, place: Place): void {
  if (value === undefined) return;
  try {
    compileSchema(value as { readonly [keyword: string]: Json });
  } catch (error) {
    const reason = error instanceof Error ? error.message : "it cannot be read";
    place.reader.problems.error("definition/bad-schema", place.path, `is no JSON Schema that can be used: ${reason}`);
  }
}

function defined<Value extends object>(value: Value): { [Field in keyof Value]?: NonNullable<Value[Field]> } {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as never;
}

export function readCommon(raw: JsonRecord, place: Place): Common {
  const { reader, path } = place;
  const at = (field: string): Place => ({ reader, path: [...path, field] });
  checkSchema(raw["schema"], at("schema"));
  const { description, condition, output, schema, checkpoint, tags } = raw;
  const fields = {
    description,
    condition,
    output,
    schema,
    next: readNext(raw["next"]),
    onError: readOnError(raw["onError"], at("onError")),
    retry: readRetry(raw["retry"], at("retry")),
    timeout: reader.duration(raw["timeout"], [...path, "timeout"]),
    sla: reader.duration(raw["sla"], [...path, "sla"]),
    compensate: readCompensate(raw["compensate"], at("compensate")),
    checkpoint: checkpoint === true ? true : undefined,
    tags,
  };
  return defined(fields) as Common;
}

import { z } from "zod";
import type { Json } from "../../failure.ts";

/** The small values that definitions are made of: what authors may write, and how it is read. */

export const priorities = ["high", "normal", "low"] as const;
export const effectClasses = ["idempotent", "at-least-once", "at-most-once"] as const;

/** Any JSON; strings in it may be expressions. The ids are names in the published JSON Schema. */
export const templateSchema = z
  .unknown()
  .meta({ id: "template", description: "Any value; strings in it may be expressions, as `$.input.path`." });
export const expressionSchema = z
  .string()
  .min(1)
  .meta({ id: "expression", description: "An expression, as `$.variables.issues.length > 0`." });
export const durationSchema = z.union([z.number().min(0), z.string().min(1)]).meta({
  id: "duration",
  description: 'Milliseconds, a duration as "30 s", "5 min", "2 h" or "30 d", or (where it is computed) an expression.',
});
export const jsonSchemaSchema = z
  .union([z.boolean(), z.record(z.string(), z.unknown())])
  .meta({ id: "jsonSchema", description: "A JSON Schema." });
export const shareSchema = z
  .union([z.int().min(0), z.string().regex(/^\d{1,3}(\.\d+)?%$/, 'must be a whole number or a share as "10%"')])
  .meta({ id: "share", description: 'A number, or a share as "10%".' });
export const mergeSchema = z
  .string()
  .min(1)
  .meta({ id: "merge", description: "fail (default), list, last, or an expression of `$.values`." });
export const joinSchema = z.union([z.enum(["all", "settled", "any"]), z.strictObject({ atLeast: shareSchema })]).meta({
  id: "join",
  description: "How many branches must complete: all (default), none of them (settled), the first (any), or a number.",
});

/** A list of steps: each is read by the kind of its step. */
export const stepsSchema = z.array(z.unknown()).meta({ id: "steps", description: "A list of steps." });

export const targetShape = {
  capability: z.string().min(1).optional(),
  agent: z.string().min(1).optional(),
  mode: z.string().min(1).optional(),
};

export const branchesSchema = z
  .array(
    z.strictObject({
      id: z.string().optional(),
      name: z.string().optional(),
      description: z.string().optional(),
      steps: stepsSchema.optional(),
      after: z.array(z.string()).optional(),
      result: templateSchema.optional(),
    }),
  )
  .min(1);

const unitsMs: ReadonlyMap<string, number> = new Map([
  ["ms", 1],
  ["s", 1_000],
  ["sec", 1_000],
  ["second", 1_000],
  ["m", 60_000],
  ["min", 60_000],
  ["minute", 60_000],
  ["h", 3_600_000],
  ["hour", 3_600_000],
  ["d", 86_400_000],
  ["day", 86_400_000],
  ["w", 604_800_000],
  ["week", 604_800_000],
]);

/** Longest duration: ten thousand years would not fit a timer's date. */
export const durationMaxMs = 100 * 366 * 86_400_000;

/** Milliseconds of a number or of a text as "5 min"; undefined where it is neither. */
export function readDuration(value: unknown): number | undefined {
  if (typeof value === "number")
    return Number.isFinite(value) && value >= 0 && value <= durationMaxMs ? Math.round(value) : undefined;
  if (typeof value !== "string") return undefined;
  const [, count, word = ""] = /^\s*(\d{1,12}(?:\.\d{1,6})?)\s*([a-z]+)\s*$/i.exec(value) ?? [];
  const unit = unitsMs.get(word.toLowerCase()) ?? unitsMs.get(word.toLowerCase().replace(/s$/, ""));
  return count === undefined || unit === undefined ? undefined : readDuration(Number(count) * unit);
}

/** Days from 1970-01-01 to a date of the proleptic Gregorian calendar. Source: H. Hinnant, chrono-compatible date algorithms. */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return (
    era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
  );
}

const isoTime = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3})\d*)?)?(Z|[+-]\d\d:?\d\d)?)?$/;

/** Epoch milliseconds of a number or of an ISO 8601 time (UTC where it names no offset). */
export function readTime(value: Json | undefined): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  const parts = typeof value === "string" ? isoTime.exec(value.trim()) : null;
  if (parts === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  const isDate = month >= 1 && month <= 12 && day >= 1 && day <= 31 && hour < 24 && minute < 60 && second < 61;
  if (!isDate) return undefined;
  const zone = parts[8] ?? "Z";
  const sign = zone.startsWith("-") ? -1 : 1;
  const digits = zone.replace(/\D/g, "").padEnd(4, "0");
  const offsetMin = zone === "Z" ? 0 : sign * (Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2, 4)));
  const millis = Number((parts[7] ?? "0").padEnd(3, "0"));
  return (
    daysFromCivil(year, month, day) * 86_400_000 + (hour * 60 + minute - offsetMin) * 60_000 + second * 1_000 + millis
  );
}

/** A count, or a share of a total: `round` says which way a broken one goes. */
export function readShare(value: number | string, total: number, round: (share: number) => number): number {
  return typeof value === "number" ? value : round(Math.round(Number.parseFloat(value) * total * 1e6) / 1e8);
}

/** A name as an id: letters, digits and underscores. */
export function slugOf(name: string): string {
  const slug = name
    .normalize("NFKD")
    .replace(/[\u0300-\u036f]/g, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "");
  return /^[a-z]/.test(slug) ? slug : `s_${slug}`;
}

/** What an id may be: it names a state, and stands in paths. */
export const idPattern = /^[A-Za-z_][A-Za-z0-9_-]{0,99}$/;

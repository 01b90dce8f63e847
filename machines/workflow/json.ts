import type { Json } from "../failure.ts";

export type JsonRecord = { readonly [name: string]: Json };

/** Whether a value is an object, and neither null nor a list. */
export function isRecord(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isJsonRecord(value: Json | undefined): value is JsonRecord {
  return isRecord(value);
}

/** The text of a field that its schema has found to be one; anything else has none. */
export function asText(value: Json | undefined): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

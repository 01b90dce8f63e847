import type { z } from "zod";
import type { JsonRecord } from "../json.ts";

/** Fields of a record that are there. */
export function pick(raw: JsonRecord, names: readonly string[]): JsonRecord {
  return Object.fromEntries(names.flatMap((name) => (raw[name] === undefined ? [] : [[name, raw[name]]])));
}

/** The fields that a schema found nothing wrong with, so that the rest is checked all the same. */
export function pickSound(raw: JsonRecord, issues: readonly z.core.$ZodIssue[]): JsonRecord {
  const broken = new Set<unknown>();
  for (const issue of issues)
    if (issue.path.length > 0) broken.add(issue.path[0]);
    else if (issue.code === "unrecognized_keys") for (const key of issue.keys) broken.add(key);
  return Object.fromEntries(Object.entries(raw).filter(([field]) => !broken.has(field)));
}

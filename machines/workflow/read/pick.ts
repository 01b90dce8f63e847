import type { JsonRecord } from "../json.ts";

/** Fields of a record that are there. */
export function pick(raw: JsonRecord, names: readonly string[]): JsonRecord {
  return Object.fromEntries(names.flatMap((name) => (raw[name] === undefined ? [] : [[name, raw[name]]])));
}

import { z } from "zod";
import type { Json } from "../failure.ts";
import type { JsonSchema } from "./definition.ts";
import { asText, isJsonRecord, type JsonRecord } from "./json.ts";

/** What does not fit a schema: one sentence for each place, or nothing. */
export type SchemaCheck = (value: Json) => readonly SchemaIssue[];

export interface SchemaIssue {
  readonly path: string;
  readonly message: string;
  readonly [key: string]: Json;
}

/** Most places that are named of one value. */
const issuesMax = 20;

/** Words that only say something of values of one type. */
const wordsOfType: { readonly [type: string]: readonly string[] } = {
  object: ["properties", "required", "additionalProperties", "patternProperties", "minProperties", "maxProperties"],
  array: ["items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"],
  string: ["minLength", "maxLength", "pattern", "format"],
  number: ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
};

function typeByWords(schema: JsonRecord): string | undefined {
  return Object.entries(wordsOfType).find(([, words]) => words.some((word) => Object.hasOwn(schema, word)))?.[0];
}

/**
 * Says what authors mean but leave out, because the reader of schemas passes over it: a schema without `type` whose
 * words are of one type is of that type, and a required name has a property.
 */
function spellOut(value: Json, isSchema = true): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map((entry) => spellOut(entry));
  if (!isJsonRecord(value)) return value;
  const inner = Object.entries(value).map(([word, part]) => {
    const named =
      isSchema && (word === "properties" || word === "patternProperties" || word === "$defs" || word === "definitions");
    const data =
      isSchema &&
      (word === "enum" || word === "const" || word === "default" || word === "examples" || word === "required");
    return [word, data ? part : spellOut(part, !named)] as const;
  });
  const schema: JsonRecord = Object.fromEntries(inner);
  if (!isSchema) return schema;
  const implied = schema["type"] === undefined && schema["$ref"] === undefined ? typeByWords(schema) : undefined;
  return { ...schema, ...(implied === undefined ? {} : { type: implied }), ...requiredOf(schema) };
}

function requiredOf(schema: JsonRecord): JsonRecord {
  const { required, properties } = schema;
  if (!Array.isArray(required)) return {};
  const known = isJsonRecord(properties) ? properties : {};
  const missing = (required as readonly Json[]).filter(
    (name) => typeof name === "string" && !Object.hasOwn(known, name),
  );
  const added: JsonRecord = Object.fromEntries(missing.map((name) => [asText(name), {}] as const));
  return { properties: { ...known, ...added } };
}

function describe(message: string): string {
  return /received undefined/.test(message) ? "is missing" : message.charAt(0).toLowerCase() + message.slice(1);
}

/** Makes a JSON Schema ready to check values; throws with the reason where it is none. */
export function compileSchema(schema: JsonSchema): SchemaCheck {
  const type = z.fromJSONSchema(spellOut(schema) as JsonRecord | boolean);
  return (value) => {
    const result = type.safeParse(value);
    if (result.success) return [];
    return result.error.issues
      .slice(0, issuesMax)
      .map((issue) => ({ path: issue.path.map(String).join("."), message: describe(issue.message) }));
  };
}

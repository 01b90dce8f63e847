import { z } from "zod";
import { phaseSchema } from "../dialect/phases.ts";
import { isRecord, type JsonRecord } from "../json.ts";
import type { KindTable } from "../kinds/kind.ts";
import { definitionSchema, stepSchemaOf } from "./shapes.ts";

/** The JSON Schema of definitions, for editors: made from the schemas that definitions are read with. */

/** Steps in the forms of the documents that are not told apart by `type`. */
const otherSteps = {
  actionStep: {
    type: "object",
    description: "Calls the capability `action` with the parameters.",
    properties: { action: { type: "string" }, description: { type: "string" }, parameters: {} },
    required: ["action"],
  },
  serviceStep: {
    type: "object",
    description: "Calls the capability `tool` of the agent `service`.",
    properties: { service: { type: "string" }, tool: { type: "string" } },
    required: ["service"],
  },
} as const;

/** Every schema in one, so that what they have in common is written once. */
function writeAll(kinds: KindTable): { parts: JsonRecord; defs: JsonRecord } {
  const steps = [...kinds.values()].map((kind) => [`${kind.name}Step`, stepSchemaOf(kind)] as const);
  const all = z.object({ definition: definitionSchema, phase: phaseSchema, ...Object.fromEntries(steps) });
  const written: unknown = z.toJSONSchema(all, { io: "input", unrepresentable: "any", reused: "inline" });
  const { properties, $defs } = written as { properties: JsonRecord; $defs: JsonRecord };
  return { parts: withoutIds(properties) as JsonRecord, defs: withoutIds($defs) as JsonRecord };
}

/** An id within a schema would be the base of its references; the names under `$defs` say it all. */
function withoutIds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutIds);
  if (!isRecord(value)) return value;
  const isNamed = "properties" in value || "anyOf" in value || "type" in value || "description" in value;
  const entries = Object.entries(value).filter(
    ([name, inner]) => !(isNamed && name === "id" && typeof inner === "string"),
  );
  return Object.fromEntries(entries.map(([name, inner]) => [name, withoutIds(inner)]));
}

function stepDefs(kinds: KindTable, parts: JsonRecord): JsonRecord {
  const defs = [...kinds.values()].map(({ name, summary }) => {
    const part = parts[`${name}Step`] as JsonRecord;
    const properties: JsonRecord = { ...(part["properties"] as JsonRecord), type: { const: name } };
    return [`${name}Step`, { description: summary, ...part, properties }] as const;
  });
  return Object.fromEntries<JsonRecord>(defs);
}

/** The published JSON Schema of definitions in YAML and JSON. */
export function writeDefinitionSchema(kinds: KindTable): JsonRecord {
  const { parts, defs } = writeAll(kinds);
  const { properties } = parts["definition"] as { properties: JsonRecord };
  const names = [...[...kinds.keys()].map((name) => `${name}Step`), ...Object.keys(otherSteps)];
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "A workflow of Troupe",
    description: "Either `steps`, or one of the other forms: phases, branches, triggers, workflow_templates.",
    type: "object",
    properties: {
      ...properties,
      phases: { type: "array", items: { $ref: "#/$defs/phase" }, description: "Phases with dependencies." },
      branches: { type: "array", items: { type: "object" }, description: "Branches side by side, each with steps." },
      workflow_templates: { type: "object", description: "By name: phases, and which of them are parallel_phases." },
    },
    $defs: {
      ...defs,
      steps: { type: "array", items: { $ref: "#/$defs/step" }, description: "A list of steps." },
      step: { anyOf: names.map((name) => ({ $ref: `#/$defs/${name}` })) },
      ...stepDefs(kinds, parts),
      ...otherSteps,
      phase: parts["phase"] ?? {},
    },
  };
}

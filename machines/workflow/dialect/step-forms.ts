import { asText, type JsonRecord } from "../json.ts";
import { slugOf } from "../schema/values.ts";

/** Single steps in other forms than `type` with its fields: each becomes a task. */

interface StepForm {
  readonly name: string;
  readonly summary: string;
  matches(step: JsonRecord): boolean;
  convert(step: JsonRecord, freshId: (wanted: string) => string): JsonRecord;
}

function withoutFields(step: JsonRecord, names: readonly string[]): JsonRecord {
  return Object.fromEntries(Object.entries(step).filter(([name]) => !names.includes(name)));
}

function idOf(step: JsonRecord, wanted: string, freshId: (wanted: string) => string): string {
  return typeof step["id"] === "string" ? step["id"] : freshId(slugOf(wanted));
}

/** The user's document 000: `{ action, description, parameters }`. */
const actionForm: StepForm = {
  name: "action",
  summary:
    "`action`, `description` and `parameters`: a call of the capability `action` with the parameters; its output becomes the variable of that name.",
  matches: (step) => typeof step["action"] === "string" && step["type"] === undefined,
  convert(step, freshId) {
    const action = asText(step["action"]);
    const id = idOf(step, action, freshId);
    return {
      output: { [id]: "$.output" },
      ...withoutFields(step, ["action", "parameters"]),
      id,
      type: "task",
      capability: action,
      input: step["parameters"] ?? {},
    };
  },
};

/** The user's document 002: `{ service, tool }`. */
const serviceForm: StepForm = {
  name: "service",
  summary:
    "`service` and `tool`: a call of the capability `tool` of the agent `service` with the run's input and all variables; its output becomes the variable of the tool's name.",
  matches: (step) => typeof step["service"] === "string" && step["type"] === undefined,
  convert(step, freshId) {
    const { service, tool } = step;
    const id = idOf(step, asText(tool ?? service), freshId);
    return {
      output: { [id]: "$.output" },
      input: { input: "$.input", context: "$.variables" },
      ...withoutFields(step, ["service", "tool"]),
      id,
      type: "task",
      agent: asText(service),
      ...(typeof tool === "string" ? { capability: tool } : {}),
    };
  },
};

export const stepForms: readonly StepForm[] = [actionForm, serviceForm];

/** The step in the form of the kinds, where it was written in another one. */
export function convertStep(step: JsonRecord, freshId: (wanted: string) => string): JsonRecord {
  return stepForms.find((form) => form.matches(step))?.convert(step, freshId) ?? step;
}

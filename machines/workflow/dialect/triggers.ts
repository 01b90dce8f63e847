import type { Json } from "../../failure.ts";
import { isJsonRecord, type JsonRecord } from "../json.ts";
import { slugOf } from "../schema/values.ts";
import type { Dialect } from "./dialect.ts";

/** The user's document 002: a definition that is only `triggers`, each an event and the workflow that handles it. */

interface Handled {
  readonly event: string;
  readonly handler: string;
  readonly at: number;
}

function readHandled(value: Json | undefined): Handled[] {
  if (!Array.isArray(value)) return [];
  return (value as readonly Json[]).flatMap((raw, at) => {
    if (!isJsonRecord(raw)) return [];
    const { event, handler } = raw;
    return typeof event === "string" && typeof handler === "string" ? [{ event, handler, at }] : [];
  });
}

/** A run decides on the event that started it, and runs the workflow that handles it. */
function stepsOf(handled: readonly Handled[]): JsonRecord[] {
  const idOf = ({ event, at }: Handled): string => `${slugOf(event).slice(0, 80)}_${at + 1}`;
  const decision = {
    expression: "$.input.event",
    branches: Object.fromEntries(handled.map((entry) => [entry.event, idOf(entry)])),
  };
  const steps = handled.map((entry): JsonRecord => ({
    id: idOf(entry),
    name: `${entry.event}: ${entry.handler}`,
    type: "subworkflow",
    subworkflow: entry.handler,
    input: "$.input",
    output: { handled: "$.output" },
    next: "$end",
  }));
  return [{ id: "which_event", name: "Which event", type: "decision", decision }, ...steps];
}

export const triggersDialect: Dialect = {
  name: "triggers",
  summary:
    "Only `triggers`, each an `event` and a `handler`: the event starts a run with `{ event, payload }`, which runs the handler's workflow.",
  matches: (document) =>
    Array.isArray(document["triggers"]) && document["steps"] === undefined && document["branches"] === undefined,
  read(document, { problems }) {
    const triggers = document["triggers"] as readonly Json[];
    const handled = readHandled(triggers);
    triggers.forEach((raw, at) => {
      if (isJsonRecord(raw) && typeof raw["event"] === "string" && raw["handler"] === undefined)
        problems.error(
          "definition/missing-field",
          ["triggers", at, "handler"],
          "`handler` is missing: the key of the workflow that handles the event",
        );
    });
    if (handled.length === 0) {
      problems.error("definition/no-steps", ["triggers"], "has no trigger with an event and a handler");
      return { definitions: [] };
    }
    for (const { handler, at } of handled)
      problems.warn(
        "definition/assumed",
        ["triggers", at, "handler"],
        `assumed that \`${handler}\` is the key of a workflow`,
      );
    const own = triggers.map((raw) =>
      isJsonRecord(raw) ? Object.fromEntries(Object.entries(raw).filter(([name]) => name !== "handler")) : raw,
    );
    return { definitions: [{ document: { ...document, triggers: own, steps: stepsOf(handled) }, path: [] }] };
  },
};

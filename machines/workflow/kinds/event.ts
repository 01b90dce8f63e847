import { z } from "zod";
import type { EventStep } from "../definition.ts";
import { takeWaitingSignal } from "../run/signals.ts";
import type { StepRun } from "../run/step-run.ts";
import { expressionSchema, jsonSchemaSchema, templateSchema } from "../schema/values.ts";
import { isJsonRecord } from "../json.ts";
import { checkSchema } from "../read/step-fields.ts";
import type { StepKind } from "./kind.ts";

function emitEvent(run: StepRun, name: string): void {
  run.turn.emit({ type: "emitEvent", emitId: run.id, event: name, payload: run.evaluate("event.payload") ?? null });
  run.complete(null);
}

function listen(run: StepRun, event: Extract<EventStep["event"], { readonly name: string }>): void {
  const waiting = takeWaitingSignal(run, event.name);
  if (waiting !== undefined) {
    run.complete(waiting);
    return;
  }
  run.update({ waits: "event" });
  run.turn.emit({
    type: "listen",
    listenId: run.id,
    event: event.name,
    ...(event.form === undefined ? {} : { form: event.form }),
  });
  run.turn.tell({ type: "step.waiting", ...run.about, on: "event" });
}

export const eventKind: StepKind = {
  name: "event",
  summary: "Waits for an event of a name (with `form`, for what a person fills in), or emits one.",
  shape: {
    event: z.union([
      z.string(),
      z.strictObject({ name: z.string(), match: expressionSchema.optional(), form: jsonSchemaSchema.optional() }),
      z.strictObject({ emit: z.string(), payload: templateSchema.optional() }),
    ]),
  },
  read(raw, { reader, path }) {
    const event = raw["event"];
    if (!isJsonRecord(event)) return { event: { name: event } };
    checkSchema(event["form"], { reader, path: [...path, "event", "form"] });
    return { event };
  },
  waits: true,
  retries: false,
  describe(step) {
    const { event } = step as EventStep;
    return "emit" in event ? `emits ${event.emit}` : `waits for ${event.name}`;
  },
  sources(step) {
    const { event } = step as EventStep;
    if ("emit" in event)
      return event.payload === undefined ? [] : [{ path: ["event", "payload"], value: event.payload, as: "template" }];
    return event.match === undefined ? [] : [{ path: ["event", "match"], value: event.match, as: "expression" }];
  },
  begin(run) {
    const { event } = run.plan.step as EventStep;
    if ("emit" in event) emitEvent(run, event.emit);
    else listen(run, event);
  },
  receive(run, answer) {
    if (answer.type !== "signal") return;
    run.turn.emit({ type: "unlisten", listenId: run.id });
    run.complete(answer.payload);
  },
};

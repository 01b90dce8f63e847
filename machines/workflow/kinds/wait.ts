import { z } from "zod";
import type { Json } from "../../failure.ts";
import type { WaitStep } from "../definition.ts";
import { ExpressionProblem } from "../expression/functions.ts";
import type { StepRun } from "../run/step-run.ts";
import { durationSchema, readDuration, readTime, templateSchema } from "../schema/values.ts";
import { describeMs } from "./describe.ts";
import { classifyText } from "../expression/text.ts";
import { isJsonRecord } from "../json.ts";
import type { ReadPlace, StepKind } from "./kind.ts";

function durationOf(value: Json | undefined): number {
  const ms = readDuration(value);
  if (ms === undefined)
    throw new ExpressionProblem(
      `a wait takes milliseconds or a duration as "5 min", and got ${JSON.stringify(value ?? null)}`,
    );
  return ms;
}

function timeOf(value: Json | undefined): number {
  const at = readTime(value);
  if (at === undefined)
    throw new ExpressionProblem(
      `wait.until takes epoch milliseconds or an ISO 8601 time, and got ${JSON.stringify(value ?? null)}`,
    );
  return at;
}

function dueAt(run: StepRun): number {
  const { wait } = run.plan.step as WaitStep;
  if ("until" in wait) return timeOf(run.evaluate("wait.until"));
  return run.turn.at + (typeof wait.for === "number" ? wait.for : durationOf(run.evaluate("wait.for")));
}

function readUntil(until: Json | undefined, { reader, path }: Pick<ReadPlace, "reader" | "path">): object {
  const isText = typeof until === "string" && classifyText(until).form === "literal";
  if (isText && readTime(until) === undefined)
    reader.problems.error(
      "definition/wrong-value",
      path,
      "is no time; write ISO 8601, as 2026-11-20T08:00:00Z, epoch milliseconds or an expression",
    );
  return { until };
}

export const waitKind: StepKind = {
  name: "wait",
  summary: "Waits for a duration, or until a time.",
  shape: {
    wait: z.union([durationSchema, z.strictObject({ for: durationSchema }), z.strictObject({ until: templateSchema })]),
  },
  read(raw, { reader, path }) {
    const wait = raw["wait"];
    if (isJsonRecord(wait) && "until" in wait)
      return { wait: readUntil(wait["until"], { reader, path: [...path, "wait", "until"] }) };
    const isShort = !isJsonRecord(wait);
    const value = isShort ? wait : wait["for"];
    if (typeof value === "string" && classifyText(value).form === "expression") return { wait: { for: value } };
    const place = isShort ? [...path, "wait"] : [...path, "wait", "for"];
    return { wait: { for: reader.duration(value, place) ?? 0 } };
  },
  waits: true,
  retries: false,
  describe(step) {
    const { wait } = step as WaitStep;
    if ("until" in wait) return `until ${typeof wait.until === "string" ? wait.until : JSON.stringify(wait.until)}`;
    return typeof wait.for === "number" ? describeMs(wait.for) : wait.for;
  },
  sources(step) {
    const { wait } = step as WaitStep;
    if ("until" in wait) return [{ path: ["wait", "until"], value: wait.until, as: "template" }];
    return typeof wait.for === "string" ? [{ path: ["wait", "for"], value: wait.for, as: "expression" }] : [];
  },
  begin(run) {
    const due = dueAt(run);
    if (due <= run.turn.at) {
      run.complete(null);
      return;
    }
    run.update({ waits: "timer" });
    run.setTimer("wait", due);
    run.turn.tell({ type: "step.waiting", ...run.about, on: "time", until: due });
  },
  receive(run, answer) {
    if (answer.type === "timer.fired" && run.activation.waits === "timer") run.complete(null);
  },
};

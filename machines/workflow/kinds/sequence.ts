import { z } from "zod";
import type { StateNode } from "../chart/config.ts";
import type { SequenceStep } from "../definition.ts";
import type { StepPlan } from "../plan.ts";
import { emptyLedger, readLedger, writeLedger } from "../run/ledger.ts";
import { stepsSchema, templateSchema } from "../schema/values.ts";
import { startsBySignal, startState } from "./regions.ts";
import { type JsonRecord } from "../json.ts";
import { pick } from "../read/pick.ts";
import { readList } from "./branches.ts";
import type { StepKind } from "./kind.ts";

/** States inside the step's state, entered at once or when the step says so; at their end the kind is asked. */
export function bodyOf(plan: StepPlan, inner: readonly StateNode[], go: string): StateNode {
  const [body = {}] = inner;
  const first = plan.lists[0]?.steps[0]?.id ?? startState;
  return {
    ...body,
    ...(startsBySignal(plan) ? { on: { [go]: [{ target: `.${first}` }] } } : {}),
    onDone: [{ actions: [{ type: "again", params: { step: plan.id } }] }],
  };
}

export const sequenceKind: StepKind = {
  name: "sequence",
  summary: "Steps one after the other, as one step: one condition, one error route and one timeout for all of them.",
  shape: { sequence: z.strictObject({ steps: stepsSchema, result: templateSchema.optional() }) },
  read(raw, { reader, path }) {
    const sequence = raw["sequence"] as JsonRecord;
    const steps = readList(sequence["steps"], { reader, path: [...path, "sequence", "steps"] });
    return { sequence: { ...pick(sequence, ["result"]), steps } };
  },
  waits: false,
  retries: false,
  describe: (step) => `${(step as SequenceStep).sequence.steps.length} steps`,
  lists: (step) => [{ path: ["sequence", "steps"], steps: (step as SequenceStep).sequence.steps, as: "body" }],
  sources(step) {
    const { result } = (step as SequenceStep).sequence;
    return result === undefined ? [] : [{ path: ["sequence", "result"], value: result, as: "template" }];
  },
  chart: (plan, inner) => bodyOf(plan, inner, `${plan.id}.go`),
  begin(run) {
    const { context } = run.turn;
    const scope = { parent: run.scope, variables: emptyLedger<never>(), through: true };
    context.scopes = writeLedger(context.scopes, run.path, scope);
    if (startsBySignal(run.plan)) run.turn.raise(run.frame, { type: `${run.plan.id}.go` });
  },
  bodyDone(run) {
    const last = readLedger(run.turn.context.scopes, run.path)?.last ?? null;
    run.complete(
      run.source("sequence.result") === undefined ? last : (run.evaluate("sequence.result", { output: last }) ?? null),
    );
  },
};

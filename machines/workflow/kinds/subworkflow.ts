import { z } from "zod";
import type { SubworkflowStep } from "../definition.ts";
import { templateSchema } from "../schema/values.ts";
import type { StepKind } from "./kind.ts";

export const subworkflowKind: StepKind = {
  name: "subworkflow",
  summary: "A run of another definition, by its key; its output is the step's.",
  shape: {
    subworkflow: z.union([z.string(), z.strictObject({ workflow: z.string(), version: z.string().optional() })]),
    input: templateSchema.optional(),
  },
  read(raw) {
    const { subworkflow, input } = raw;
    const child = typeof subworkflow === "string" ? { workflow: subworkflow } : subworkflow;
    return { subworkflow: child, ...(input === undefined ? {} : { input }) };
  },
  waits: true,
  retries: true,
  describe: (step) => `runs ${(step as SubworkflowStep).subworkflow.workflow}`,
  sources: (step) =>
    "input" in step && step.input !== undefined ? [{ path: ["input"], value: step.input, as: "template" }] : [],
  begin(run) {
    const step = run.plan.step as SubworkflowStep;
    run.startChild(step.subworkflow, run.evaluate("input") ?? {});
    if (step.timeout !== undefined) run.setTimer("timeout", run.turn.at + step.timeout);
  },
  receive(run, answer) {
    if (answer.type === "child.completed") run.complete(answer.output);
  },
};

import { z } from "zod";
import type { TaskStep } from "../definition.ts";
import { priorities, effectClasses, targetShape, templateSchema } from "../schema/values.ts";
import { pick } from "../read/pick.ts";
import { describeTarget } from "./describe.ts";
import type { StepKind } from "./kind.ts";

export const taskKind: StepKind = {
  name: "task",
  summary: "One call of an agent: by capability, by agent, or by mode (a capability or an agent of that name).",
  shape: {
    ...targetShape,
    input: templateSchema.optional(),
    priority: z.enum(priorities).optional(),
    effect: z.enum(effectClasses).optional(),
  },
  read(raw, { reader, path }) {
    const { capability, agent, mode } = raw;
    if (capability === undefined && agent === undefined && mode === undefined)
      reader.problems.error("definition/missing-field", path, "names no task; add capability, agent or mode");
    return pick(raw, Object.keys(taskKind.shape));
  },
  waits: true,
  retries: true,
  describe: (step) => describeTarget(step as TaskStep),
  sources: (step) =>
    "input" in step && step.input !== undefined ? [{ path: ["input"], value: step.input, as: "template" }] : [],
  begin(run) {
    const step = run.plan.step as TaskStep;
    run.schedule(step, run.input("input", step), { timeout: step.timeout });
  },
  receive(run, answer) {
    if (answer.type === "task.completed") run.complete(answer.output);
  },
};

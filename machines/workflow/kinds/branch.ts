import { z } from "zod";
import { failure, type Json } from "../../failure.ts";
import type { BranchStep } from "../definition.ts";
import { expressionSchema } from "../schema/values.ts";
import type { StepRun } from "../run/step-run.ts";
import type { StepKind } from "./kind.ts";

/** The branch of a value: by its text, then by whether it is true, then the default. Source: workflows.md §3, rule 6. */
function findBranch(
  { branches, default: otherwise }: BranchStep["decision"],
  value: Json | undefined,
): string | undefined {
  const text = typeof value === "object" ? JSON.stringify(value) : String(value);
  if (Object.hasOwn(branches, text)) return branches[text];
  const truth = value ? "true" : "false";
  if (typeof value !== "boolean" && Object.hasOwn(branches, truth)) return branches[truth];
  return otherwise;
}

function decide(run: StepRun): void {
  const { decision } = run.plan.step as BranchStep;
  const value = run.evaluate("decision.expression");
  const target = findBranch(decision, value);
  if (target !== undefined) {
    run.complete(value ?? null, target);
    return;
  }
  const known = Object.keys(decision.branches).join(", ");
  const message = `${run.path} decided on ${JSON.stringify(value ?? null)}, and there is ${known}, and no default`;
  run.fail(failure("workflow/no-branch", message, { path: run.path, value: value ?? null }));
}

export const branchKind: StepKind = {
  name: "decision",
  summary:
    "Goes on at the branch that the value of an expression names; `true` and `false` also stand for whether it is true.",
  shape: {
    decision: z.strictObject({
      expression: expressionSchema,
      branches: z.record(z.string(), z.string()),
      default: z.string().optional(),
    }),
  },
  read(raw, { reader, path }) {
    const decision = raw["decision"] as unknown as BranchStep["decision"];
    if (Object.keys(decision.branches).length === 0 && decision.default === undefined)
      reader.problems.error(
        "definition/missing-field",
        [...path, "decision", "branches"],
        "has no branch; name at least one step to go on at",
      );
    return { decision };
  },
  waits: false,
  retries: false,
  describe: (step) => (step as BranchStep).decision.expression,
  sources: (step) => [
    { path: ["decision", "expression"], value: (step as BranchStep).decision.expression, as: "expression" },
  ],
  targets(step) {
    const { branches, default: otherwise } = (step as BranchStep).decision;
    return [...new Set([...Object.values(branches), ...(otherwise === undefined ? [] : [otherwise])])];
  },
  chart(plan) {
    const { branches, default: otherwise } = (plan.step as BranchStep).decision;
    const values = new Map<string, string[]>();
    for (const [value, target] of Object.entries(branches)) values.set(target, [...(values.get(target) ?? []), value]);
    if (otherwise !== undefined) values.set(otherwise, [...(values.get(otherwise) ?? []), "otherwise"]);
    return {
      always: [...values].map(([target, names]) => ({
        target,
        guard: { type: "chose", params: { step: plan.id, target } },
        description: names.join(", "),
      })),
    };
  },
  begin: decide,
};

import { compileExpression, noReferences } from "../../../../machines/workflow/expression/evaluate.ts";
import type { Root } from "../../../../machines/workflow/expression/root.ts";
import { compileTemplate, evaluateInput } from "../../../../machines/workflow/expression/template.ts";
import type { Json } from "../../../../machines/failure.ts";

/** What the user's document 003 has at hand when its expressions are computed. */
export const world: Record<string, Json> = {
  input: {
    requirements: "R",
    projectPath: "/p",
    feature: "F",
    outputPath: "/o/x",
    notificationEmail: "a@b.c",
    list: [1, 2],
    plan: { "a-b": 1 },
  },
  variables: {
    plan: { requiresScaffolding: true },
    issues: [{}, {}],
    testResults: { passed: false },
    projectPath: "/v",
  },
  output: { url: "u" },
  error: { message: "boom" },
  steps: { fetch: { output: 7 } },
  workflowName: "W",
  executionId: "E",
  stepId: "S",
  env: { HOME: "/h" },
};

export function rootOf(given: Record<string, unknown> = world): Root {
  let serial = 0;
  const part = (name: string): Record<string, unknown> => (given[name] ?? {}) as Record<string, unknown>;
  const own = (of: Record<string, unknown>, name: string): unknown => (Object.hasOwn(of, name) ? of[name] : undefined);
  return {
    variable: (name) => own(part("variables"), name),
    step: (id) => own(part("steps"), id),
    read: (name) => given[name],
    now: () => 1_000,
    nextSerial: () => (serial += 1),
    executionId: "run-1",
  };
}

export function compute(source: string, given?: Record<string, unknown>): unknown {
  return compileExpression(source)(rootOf(given));
}

export function fill(value: Json, given?: Record<string, unknown>): unknown {
  return compileTemplate(value, noReferences()).evaluate(rootOf(given));
}

export function fillShell(
  command: Json,
  given?: Record<string, unknown>,
): { command: string; env: Record<string, string> } {
  const { input, env } = evaluateInput(compileTemplate({ command }, noReferences()), rootOf(given), ["command"]);
  return { command: (input as { command: string }).command, env: { ...env } };
}

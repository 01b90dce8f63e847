import type { Json } from "../../../machines/failure.ts";
import type { CompiledWorkflow } from "../../../machines/workflow/compiled.ts";
import { compileExpression } from "../../../machines/workflow/expression/evaluate.ts";
import type { Root, RootName } from "../../../machines/workflow/expression/root.ts";
import { ledgerRecord, readLedger } from "../../../machines/workflow/run/ledger.ts";
import type { RunState } from "../../../machines/workflow/state.ts";
import { TroupeError } from "../../errors.ts";
import { variablesOf } from "./run-report.ts";
import { toJson } from "../desk/task-desk.ts";

/** Computes an expression over names under `$` that are given, outside of any run. */
export function evaluateOver(expression: string, known: { readonly [Name in RootName]?: unknown }): unknown {
  return compileExpression(expression)({
    variable: () => undefined,
    step: () => undefined,
    read: (name) => known[name],
    now: () => 0,
    nextSerial: () => 0,
    executionId: "",
  });
}

/** What `$` is for somebody who asks from outside: the run as a whole, at its newest durable fact. */
function rootOf(workflow: CompiledWorkflow, state: RunState): Root {
  const { context } = state;
  const variables = variablesOf(state);
  const known: { readonly [Name in RootName]?: unknown } = {
    input: context.input,
    variables,
    output: context.output,
    error: context.failure,
    steps: ledgerRecord(context.results),
    workflowName: workflow.definition.name,
    executionId: context.executionId,
    startedAt: context.startedAt,
    env: context.env,
  };
  let serial = context.serial;
  return {
    variable: (name) => (Object.hasOwn(variables, name) ? variables[name] : undefined),
    step: (id) => readLedger(context.results, id),
    read: (name) => known[name],
    now: () => context.at,
    nextSerial: () => (serial += 1),
    executionId: context.executionId,
  };
}

/**
 * Computes an expression over a run without changing it.
 * Errors: throws `usage/bad-argument` for an expression that is wrong or has no value here.
 */
export function queryRun(workflow: CompiledWorkflow, state: RunState | undefined, expression: string): Json {
  if (state === undefined) return null;
  try {
    const value = compileExpression(expression)(rootOf(workflow, state));
    const json = toJson(value);
    if (json.ok) return json.value;
    throw new Error(json.failure.message);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new TroupeError("usage/bad-argument", `the query ${JSON.stringify(expression)}: ${why}`, { cause: thrown });
  }
}

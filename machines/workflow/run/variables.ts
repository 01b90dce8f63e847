import type { Json } from "../../failure.ts";
import type { Scope } from "../state.ts";
import { emptyLedger, readLedger, writeLedger } from "./ledger.ts";
import type { StepRun } from "./step-run.ts";

/** Writing to the scope that a step belongs to. */

export function writeVariables(run: StepRun, values: readonly (readonly [string, Json])[]): void {
  if (values.length === 0) return;
  let path = run.scope;
  for (let scope = scopeAt(run, path); scope.through === true; scope = scopeAt(run, path)) path = scope.parent ?? "";
  const scope = scopeAt(run, path);
  let { variables } = scope;
  for (const [name, value] of values) variables = writeLedger(variables, name, value);
  setScope(run, path, { ...scope, variables });
}

function scopeAt(run: StepRun, path: string): Scope {
  return readLedger(run.turn.context.scopes, path) ?? { variables: emptyLedger<Json>() };
}

function setScope(run: StepRun, path: string, scope: Scope): void {
  run.turn.context.scopes = writeLedger(run.turn.context.scopes, path, scope);
  run.turn.touched = true;
}

/** Changes what the step's own scope keeps besides variables. */
export function noteInScope(run: StepRun, note: Pick<Scope, "last"> | Pick<Scope, "error">): void {
  setScope(run, run.scope, { ...scopeAt(run, run.scope), ...note });
}

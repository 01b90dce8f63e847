import type { MachineConfig, StateNode, StateValue } from "../../../machines/workflow/chart/config.ts";
import type { CompiledWorkflow } from "../../../machines/workflow/compiled.ts";
import { ledgerEntries } from "../../../machines/workflow/run/ledger.ts";
import type { Lane, RunState } from "../../../machines/workflow/state.ts";
import { stepsById } from "../view/run-report.ts";

/** States that are active and that a chart does not have, as paths. */
function missingStates(value: StateValue, node: StateNode, path: readonly string[] = []): readonly string[] {
  const inner = typeof value === "string" ? { [value]: {} } : value;
  return Object.entries(inner).flatMap(([name, below]) => {
    const child = node.states?.[name];
    const at = [...path, name];
    return child === undefined ? [at.join("/")] : missingStates(below, child, at);
  });
}

/** The chart of a lane: of the step's branch, or of the step itself where all its items share one. */
function bodyOf(workflow: CompiledWorkflow, { step, index }: Lane): MachineConfig | undefined {
  return workflow.bodies[`${step}/${index}`] ?? workflow.bodies[`${step}/0`];
}

/**
 * What stands against moving a run in this state to another definition: every step that is under way, and every state
 * that is active, must exist there with the same kind and in the same place. Empty when it may move.
 */
export function checkMigration(state: RunState, from: CompiledWorkflow, to: CompiledWorkflow): readonly string[] {
  const before = stepsById(from.definition.steps);
  const after = stepsById(to.definition.steps);
  const problems = missingStates(state.value, to.config).map(
    (path) => `state "${path}" is active, and version ${to.definition.version} does not have it`,
  );
  for (const [path, { step }] of ledgerEntries(state.context.active)) {
    const kind = before.get(step)?.type;
    const other = after.get(step)?.type;
    if (other === undefined)
      problems.push(`step "${step}" (${path}) is under way, and version ${to.definition.version} does not have it`);
    else if (kind !== undefined && kind !== other)
      problems.push(
        `step "${step}" (${path}) is under way as ${kind}, and is ${other} in version ${to.definition.version}`,
      );
  }
  for (const [path, lane] of ledgerEntries(state.context.lanes)) {
    const body = bodyOf(to, lane);
    if (body === undefined)
      problems.push(`"${path}" is under way, and version ${to.definition.version} does not have it`);
    else problems.push(...missingStates(lane.value, body).map((each) => `state "${each}" of "${path}" is not there`));
  }
  return [...new Set(problems)];
}

import type { Activation } from "../state.ts";
import type { StepPlan } from "../plan.ts";
import { joinPath, timerIdOf, writeId } from "../ids.ts";
import { dropEntry, ledgerEntries, readLedger } from "./ledger.ts";
import type { Turn } from "./turn.ts";

/** Leaving steps: whatever a visit still has open is taken back by effects, so nothing is left behind. */

/** Takes back what one visit has open. */
function cancelOpen(turn: Turn, path: string, activation: Activation): void {
  const id = writeId(turn.context.executionId, { path, ...activation });
  if (activation.waits === "task") turn.emit({ type: "cancelTask", taskId: id });
  if (activation.waits === "child") turn.emit({ type: "cancelChild", childId: id, compensate: true });
  if (activation.waits === "event") turn.emit({ type: "unlisten", listenId: id });
  for (const kind of Object.keys(activation.timers ?? {}))
    turn.emit({ type: "cancelTimer", timerId: timerIdOf(turn.context.executionId, { path, ...activation }, kind) });
}

/** Leaves one step; a visit that was not over is cancelled. */
export function leaveStep(turn: Turn, path: string): void {
  const activation = turn.activation(path);
  if (activation === undefined) return;
  const plan = turn.step(activation.step);
  cancelOpen(turn, path, activation);
  if (activation.waits !== "left") {
    const { step, kind } = plan;
    turn.tell({
      type: "step.cancelled",
      path,
      step: step.id,
      name: step.name,
      kind: kind.name,
      visit: activation.visit,
    });
  }
  if (plan.lists.length > 0) closeInside(turn, plan, path);
  turn.dropActivation(path);
}

/** Branches and items that still run are cancelled with their step; those that ended have nothing open. */
function closeInside(turn: Turn, plan: StepPlan, path: string): void {
  const { context } = turn;
  const fan = readLedger(context.fans, path);
  context.fans = dropEntry(context.fans, path);
  context.scopes = dropEntry(context.scopes, path);
  for (const { as, branch } of plan.lists)
    if (as === "branch" && branch !== undefined) context.scopes = dropEntry(context.scopes, joinPath(path, branch.id));
  if (fan !== undefined && fan.running > 0) cancelBelow(turn, path);
}

/** Whether `path` is an item or a branch of the step at `above`, or inside one. */
function isInside(path: string, above: string): boolean {
  return path.startsWith(above) && (path.charAt(above.length) === "[" || path.charAt(above.length) === "/");
}

/** Cancels every lane and every step below a path. */
export function cancelBelow(turn: Turn, above: string): void {
  const { context } = turn;
  const steps = [...ledgerEntries(context.active)].filter(([path]) => isInside(path, above));
  for (const [frame] of ledgerEntries(context.lanes)) if (isInside(frame, above)) turn.dropLane(frame);
  for (const [path] of steps) leaveStep(turn, path);
  for (const [scope] of ledgerEntries(context.scopes))
    if (isInside(scope, above)) context.scopes = dropEntry(context.scopes, scope);
}

/** Takes back everything that a run has open. */
export function cancelEverything(turn: Turn): void {
  for (const [path] of ledgerEntries(turn.context.active)) leaveStep(turn, path);
  for (const [frame] of ledgerEntries(turn.context.lanes)) turn.dropLane(frame);
}

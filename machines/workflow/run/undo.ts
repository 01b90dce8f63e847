import type { Failure } from "../../failure.ts";
import type { TaskInput } from "../expression/template.ts";
import type { Undo } from "../state.ts";
import { readId, writeId, writeTimerId } from "../ids.ts";
import { dropEntry, readLedger, writeLedger } from "./ledger.ts";
import { mayRetry, retryDelayMs } from "../codes.ts";
import type { StepRun } from "./step-run.ts";
import type { Turn } from "./turn.ts";

/**
 * Undoing: completed steps that declare how they are undone wait on a stack; a failure, a stop that asks for it and a
 * rollback take them off it, newest first, as ordinary tasks with ids and retries of their own.
 */

/** The path of the task that undoes: it is the only thing open while a run is undone. */
export const undoPath = "$undo";
/** Most rollbacks of one run; the next failure that would roll back fails the run. */
export const rollbacksMax = 3;

export function pushUndo(run: StepRun, { input, env, shell }: TaskInput): void {
  const { context } = run.turn;
  const undo: Undo = {
    step: run.plan.id,
    path: run.path,
    taskId: run.id,
    input,
    ...(env === undefined ? {} : { env }),
    ...(shell === undefined ? {} : { shell }),
  };
  context.undo = writeLedger(context.undo, String(context.undo.size), undo);
}

function topUndo(turn: Turn): Undo | undefined {
  return readLedger(turn.context.undo, String(turn.context.undo.size - 1));
}

export function hasUndo(turn: Turn): boolean {
  return turn.context.undo.size > (turn.context.undoing?.until ?? 0);
}

/** The entry of the state in which a run is undone. */
export function startUndoing(turn: Turn): void {
  const { context } = turn;
  context.phase = "compensating";
  context.undoing ??= { because: "failed", until: 0 };
  const { until } = context.undoing;
  turn.tell({ type: "compensation.started", steps: context.undo.size - until });
  undoNext(turn);
}

function undoNext(turn: Turn): void {
  const top = hasUndo(turn) ? topUndo(turn) : undefined;
  if (top === undefined) endUndoing(turn);
  else scheduleUndo(turn, top, 1);
}

function endUndoing(turn: Turn): void {
  turn.raise("", {
    type: turn.context.undoing?.because === "rollback" ? "compensation.rolledBack" : "compensation.completed",
  });
}

function undoVisit(turn: Turn): number {
  return readLedger(turn.context.visits, undoPath) ?? 0;
}

function scheduleUndo(turn: Turn, undo: Undo, attempt: number): void {
  const { context } = turn;
  const visit = undoVisit(turn) + (attempt === 1 ? 1 : 0);
  context.visits = writeLedger(context.visits, undoPath, visit);
  const { compensate } = turn.step(undo.step).step;
  if (compensate === undefined) return;
  turn.setActivation(undoPath, { step: undo.step, frame: "", visit, attempt, startedAt: turn.at, waits: "task" });
  const { capability, agent, mode } = compensate;
  turn.emit({
    type: "scheduleTask",
    taskId: writeId(context.executionId, { path: undoPath, visit, attempt }),
    path: undo.path,
    step: undo.step,
    visit,
    attempt,
    ...(capability === undefined ? {} : { capability }),
    ...(agent === undefined ? {} : { agent }),
    ...(mode === undefined ? {} : { mode }),
    input: undo.input,
    ...(undo.env === undefined ? {} : { env: undo.env }),
    ...(undo.shell === undefined ? {} : { shell: undo.shell }),
    priority: turn.plan.definition.priority ?? "normal",
    effect: "idempotent",
    compensates: undo.taskId,
  });
  turn.count("taskCount");
}

/** The task that undoes the newest step completed. */
export function undoCompleted(turn: Turn): void {
  const { context } = turn;
  const top = topUndo(turn);
  turn.dropActivation(undoPath);
  if (top === undefined) return;
  context.undo = dropEntry(context.undo, String(context.undo.size - 1));
  // The result that the run would go on with is no longer so, even if it came with the event that failed the run.
  delete context.before;
  turn.tell({ type: "compensation.completed", path: top.path, taskId: top.taskId });
  undoNext(turn);
}

export function undoFailed(turn: Turn, failure: Failure): void {
  const activation = turn.activation(undoPath);
  const top = topUndo(turn);
  if (activation === undefined || top === undefined) return;
  turn.count("errorCount");
  const policy = turn.step(top.step).step.compensate?.retry;
  const id = writeId(turn.context.executionId, { path: undoPath, ...activation });
  if (policy !== undefined && mayRetry(policy, activation.attempt, failure)) {
    const dueAt = turn.at + retryDelayMs(policy, activation.attempt, id);
    turn.setActivation(undoPath, { ...activation, waits: "retry", timers: { retry: dueAt } });
    turn.emit({
      type: "startTimer",
      timerId: writeTimerId(turn.context.executionId, { path: undoPath, ...activation }, "retry"),
      dueAt,
    });
    turn.count("retryCount");
    return;
  }
  turn.dropActivation(undoPath);
  turn.context.phase = "compensation-failed";
  turn.emit({ type: "parkCompensation", failure, taskId: top.taskId });
  turn.raise("", { type: "compensation.failed" });
}

export function retryUndo(turn: Turn): void {
  const activation = turn.activation(undoPath);
  const top = topUndo(turn);
  if (activation !== undefined && top !== undefined) scheduleUndo(turn, top, activation.attempt + 1);
}

/** Undoes the newest step again whose undoing is gone. */
export function restartUndo(turn: Turn): void {
  const top = topUndo(turn);
  if (top !== undefined) scheduleUndo(turn, top, 1);
}

/** Whether a task id is of the task that undoes. */
export function isUndo(turn: Turn, id: string): boolean {
  return readId(turn.context.executionId, id)?.path === undoPath;
}

/** Goes back to the last checkpoint: its variables, and on from where it led. Gives the reason where it cannot. */
export function rollBack(run: StepRun): string | undefined {
  const { turn } = run;
  const { context } = turn;
  const { checkpoint } = context;
  if (checkpoint === undefined) return "no step with checkpoint has completed";
  if (context.rollbacks >= rollbacksMax) return `it was rolled back ${rollbacksMax} times already`;
  context.rollbacks += 1;
  context.undoing = { because: "rollback", until: checkpoint.undone };
  const scope = readLedger(context.scopes, "");
  context.scopes = writeLedger(context.scopes, "", { ...scope, variables: checkpoint.variables });
  turn.tell({ type: "execution.rolledBack", path: run.path, to: checkpoint.step });
  run.update({ waits: "left" });
  turn.raise("", { type: "run.rollback" });
  return undefined;
}

import { applyPatches, enablePatches } from "immer";
import { failure as newFailure } from "../../failure.ts";
import type { Patch, Resume, RunEvent, RunEventType } from "../events.ts";
import { isJsonRecord } from "../json.ts";
import type { Activation } from "../state.ts";
import { beginAttempt, timeOutStep } from "./begin.ts";
import { type Address, readId, readTimerId, runTimersPath } from "../ids.ts";
import { handlerEnded, handlerPath, runTimerFired } from "./life.ts";
import { ledgerOf, ledgerRecord, readLedger, writeLedger } from "./ledger.ts";
import { heldTypes, type receivedTypes } from "./received.ts";
import { StepRun } from "./step-run.ts";
import { takeSignal } from "./signals.ts";
import type { Turn } from "./turn.ts";
import { isUndo, retryUndo, undoCompleted, undoFailed, undoPath } from "./undo.ts";

/** Events from outside: each finds the visit that waits for it, or is stale and changes nothing. */

enablePatches();

/** Most signals that a paused run holds; one more is refused. */
export const heldSignalsMax = 1_000;

type Receiver<Type extends RunEventType> = (turn: Turn, event: Extract<RunEvent, { readonly type: Type }>) => void;

/** The visit that an id was made for, if it still waits for that. */
function findOpen(turn: Turn, id: string, waits: Activation["waits"]): StepRun | undefined {
  const address = readId(turn.context.executionId, id);
  return address === undefined ? undefined : openAt(turn, address, waits);
}

function openAt(turn: Turn, address: Address, waits: Activation["waits"]): StepRun | undefined {
  const activation = turn.activation(address.path);
  if (activation?.waits !== waits || activation.visit !== address.visit || activation.attempt !== address.attempt)
    return undefined;
  return new StepRun(turn, turn.step(activation.step), activation.frame);
}

function answerTask(turn: Turn, event: Extract<RunEvent, { type: "task.completed" | "task.failed" }>): void {
  const run = findOpen(turn, event.taskId, "task");
  if (run === undefined) return;
  if (isUndo(turn, event.taskId)) {
    if (event.type === "task.completed") undoCompleted(turn);
    else undoFailed(turn, event.failure);
    return;
  }
  if (event.type === "task.failed") run.fail(event.failure);
  else if (run.activation.fallback === undefined && run.plan.kind.receive !== undefined)
    run.plan.kind.receive(run, event);
  else run.complete(event.output);
}

function answerChild(turn: Turn, event: Extract<RunEvent, { type: "child.completed" | "child.failed" }>): void {
  const address = readId(turn.context.executionId, event.childId);
  if (address?.path === handlerPath) {
    handlerEnded(turn, address.attempt, event);
    return;
  }
  const run = findOpen(turn, event.childId, "child");
  if (run === undefined) return;
  if (event.type === "child.failed") run.fail(event.failure);
  else run.plan.kind.receive?.(run, event);
}

function fireTimer(turn: Turn, event: Extract<RunEvent, { type: "timer.fired" }>): void {
  const timer = readTimerId(turn.context.executionId, event.timerId);
  if (timer === undefined) return;
  const { address, kind } = timer;
  if (address.path === runTimersPath) {
    runTimerFired(turn, kind);
    return;
  }
  const activation = turn.activation(address.path);
  const set = activation?.timers ?? {};
  if (activation === undefined || !Object.hasOwn(set, kind) || activation.visit !== address.visit) return;
  const { [kind]: dueAt = 0, ...timers } = set;
  if ((kind === "timeout" || kind === "retry") && activation.attempt !== address.attempt) return;
  turn.setActivation(address.path, { ...activation, timers });
  if (address.path === undoPath) {
    retryUndo(turn);
    return;
  }
  const run = new StepRun(turn, turn.step(activation.step), activation.frame);
  if (kind === "timeout") timeOutStep(run);
  else if (kind === "retry") beginAttempt(run);
  else if (kind === "sla") turn.tell({ type: "step.late", ...run.about, dueAt });
  else run.plan.kind.receive?.(run, event);
}

function pauseRun(turn: Turn): void {
  if (turn.context.phase !== "running") return;
  turn.context.phase = "paused";
  turn.touched = true;
}

function resumePaused(turn: Turn, event: Resume): void {
  const { context } = turn;
  if (context.phase !== "paused") return;
  context.phase = "running";
  if (event.input !== undefined) {
    context.input = { ...(isJsonRecord(context.input) ? context.input : {}), ...event.input };
  }
  const { held } = context;
  context.held = [];
  turn.touched = true;
  for (const heldEvent of held) turn.raise("", heldEvent);
}

function patchVariables(turn: Turn, event: Patch): void {
  const { context } = turn;
  const scope = readLedger(context.scopes, "");
  if (scope === undefined) return;
  const patches = event.patches.map((patch) => ({ ...patch, path: [...patch.path] }));
  try {
    const variables = applyPatches(ledgerRecord(scope.variables), patches);
    context.scopes = writeLedger(context.scopes, "", { ...scope, variables: ledgerOf(variables) });
    turn.touched = true;
  } catch (error) {
    const message = `the patch does not fit the variables: ${error instanceof Error ? error.message : "unknown reason"}`;
    turn.emit({ type: "refuseSignal", name: "patch", failure: newFailure("workflow/invalid-signal", message) });
  }
}

function holdEvent(turn: Turn, event: RunEvent): void {
  const { context } = turn;
  if (event.type === "signal" && context.held.filter((held) => held.type === "signal").length >= heldSignalsMax) {
    const message = `${heldSignalsMax} signals wait until this paused run is resumed`;
    turn.emit({ type: "refuseSignal", name: event.name, failure: newFailure("workflow/too-many-signals", message) });
    return;
  }
  context.held = [...context.held, event];
  turn.touched = true;
}

const receivers: { readonly [Type in (typeof receivedTypes)[number]]: Receiver<Type> } = {
  "task.completed": answerTask,
  "task.failed": answerTask,
  "child.completed": answerChild,
  "child.failed": answerChild,
  "timer.fired": fireTimer,
  signal: takeSignal,
  pause: pauseRun,
  resume: resumePaused,
  patch: patchVariables,
};

export function receiveEvent(turn: Turn, event: RunEvent): void {
  if (turn.context.phase === "paused" && heldTypes.has(event.type)) {
    holdEvent(turn, event);
    return;
  }
  const receiver = (receivers as { readonly [type: string]: Receiver<RunEventType> })[event.type];
  receiver?.(turn, event);
}

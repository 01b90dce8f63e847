import { failure as newFailure } from "../../failure.ts";
import type { Json } from "../../failure.ts";
import type { RunEvent } from "../events.ts";
import type { StepPlan } from "../plan.ts";
import { failList } from "./fan.ts";
import { joinPath, runTimersPath, writeId, writeTimerId } from "../ids.ts";
import { ledgerOf, writeLedger } from "./ledger.ts";
import { allVariables, rootAt } from "./root.ts";
import { mayRetry, retryDelayMs } from "../codes.ts";
import { failureOf } from "./problem.ts";
import type { Turn } from "./turn.ts";

/** How a run as a whole starts, fails over to its error handlers, and ends. */

/** The path of the child run that handles a failure. */
export const handlerPath = "$handler";

const runAddress = { path: runTimersPath, visit: 1, attempt: 1 };

function setRunTimer(turn: Turn, kind: string, dueAt: number): void {
  turn.context.timers = { ...turn.context.timers, [kind]: dueAt };
  turn.emit({ type: "startTimer", timerId: writeTimerId(turn.context.executionId, runAddress, kind), dueAt });
}

/** Sets the timers of the run anew, for a run that goes on after its effects were lost. */
export function restartRunTimers(turn: Turn): void {
  const { timers } = turn.context;
  const { timeoutMs, slaMs } = turn.plan.definition;
  turn.context.timers = {};
  if ("deadline" in timers && timeoutMs !== undefined) setRunTimer(turn, "deadline", turn.at + timeoutMs);
  if ("sla" in timers && slaMs !== undefined) setRunTimer(turn, "sla", turn.at + slaMs);
  if ("handler" in timers) setRunTimer(turn, "handler", turn.at);
}

/** Starts a handler again whose run is gone. */
export function restartHandler(turn: Turn): void {
  if (turn.context.handler?.open === true) startHandler(turn);
}

function clearRunTimers(turn: Turn): void {
  for (const kind of Object.keys(turn.context.timers))
    turn.emit({ type: "cancelTimer", timerId: writeTimerId(turn.context.executionId, runAddress, kind) });
  turn.context.timers = {};
}

export function openRun(turn: Turn): void {
  const { timeoutMs, slaMs } = turn.plan.definition;
  if (timeoutMs !== undefined) setRunTimer(turn, "deadline", turn.at + timeoutMs);
  if (slaMs !== undefined) setRunTimer(turn, "sla", turn.at + slaMs);
  const issues = turn.plan.checkInput?.(turn.context.input) ?? [];
  const [first] = issues;
  if (first !== undefined) {
    const message = `the input does not fit its schema: ${first.path === "" ? "it" : first.path} ${first.message}`;
    turn.failRun(newFailure("workflow/invalid-input", message, { issues }));
    return;
  }
  writeFirstVariables(turn);
  turn.raise("", { type: "run.opened" });
}

function writeFirstVariables(turn: Turn): void {
  const source = turn.plan.sources.get("variables");
  if (source === undefined) return;
  try {
    const variables = source.evaluate(rootAt(turn, { scope: "" })) as { readonly [name: string]: Json };
    turn.context.scopes = writeLedger(turn.context.scopes, "", { variables: ledgerOf(variables) });
  } catch (error) {
    turn.failRun(failureOf(error, "variables"));
  }
}

export function runTimerFired(turn: Turn, kind: string): void {
  if (!Object.hasOwn(turn.context.timers, kind)) return;
  const { [kind]: dueAt = 0, ...rest } = turn.context.timers;
  turn.context.timers = rest;
  turn.touched = true;
  if (kind === "sla") turn.tell({ type: "execution.late", dueAt });
  else if (kind === "handler") startHandler(turn);
  else
    turn.failRun(
      newFailure("workflow/timeout", `the run was not done within ${turn.plan.definition.timeoutMs ?? 0} ms`),
    );
}

/** The definition leads to `$fail` in one list. */
export function failHere(turn: Turn, plan: StepPlan, frame: string): void {
  const where = plan.list.prefix === "" ? turn.plan.definition.name : plan.list.prefix;
  const path = joinPath(frame, plan.list.prefix);
  failList(
    turn,
    { list: plan.list, frame, path },
    newFailure("workflow/failed-by-definition", `${where} leads to $fail`),
  );
}

/** The way of a run that has come to its end: its output, checked. */
export function concludeRun(turn: Turn): void {
  try {
    const source = turn.plan.sources.get("result");
    const output =
      source === undefined ? allVariables(turn, "") : (source.evaluate(rootAt(turn, { scope: "" })) ?? null);
    const issues = turn.plan.checkOutput?.(output) ?? [];
    const [first] = issues;
    if (first !== undefined) {
      const message = `the output of the run does not fit its schema: ${first.path === "" ? "it" : first.path} ${first.message}`;
      turn.failRun(newFailure("workflow/invalid-output", message, { issues }));
      return;
    }
    turn.context.output = output;
    turn.raise("", { type: "run.completed" });
  } catch (error) {
    turn.failRun(failureOf(error, "result"));
  }
}

export function endCompleted(turn: Turn): void {
  const { context } = turn;
  context.phase = "completed";
  context.output ??= allVariables(turn, "");
  clearRunTimers(turn);
  turn.emit({ type: "complete", output: context.output });
}

/** Starts the workflow that handles the failure of the run. */
export function startHandler(turn: Turn): void {
  const { context, plan } = turn;
  const handler = plan.definition.errorHandlers?.[context.handler?.index ?? -1];
  const { failure } = context;
  if (handler === undefined || failure === undefined) return;
  const attempt = (context.handler?.attempt ?? 0) + 1;
  context.handler = { index: context.handler?.index ?? 0, attempt, open: true };
  turn.emit({
    type: "startChild",
    childId: writeId(context.executionId, { path: handlerPath, visit: 1, attempt }),
    path: handlerPath,
    step: handlerPath,
    workflow: handler.handler,
    input: context.input,
    priority: plan.definition.priority ?? "normal",
    about: {
      workflowName: plan.definition.name,
      executionId: context.executionId,
      stepId: context.failedPath?.split("/").at(-1) ?? "",
      error: failure,
    },
  });
}

/** The handler's run ended; a handler that failed is tried again by its own policy, and the run fails either way. */
export function handlerEnded(
  turn: Turn,
  attempt: number,
  event: Extract<RunEvent, { type: "child.completed" | "child.failed" }>,
): void {
  const { context, plan } = turn;
  if (context.handler?.attempt !== attempt || !context.handler.open) return;
  context.handler = { ...context.handler, open: false };
  turn.touched = true;
  const policy = plan.definition.errorHandlers?.[context.handler.index]?.retry;
  if (event.type === "child.failed" && policy !== undefined && mayRetry(policy, attempt, event.failure)) {
    setRunTimer(turn, "handler", turn.at + retryDelayMs(policy, attempt, event.childId));
    turn.count("retryCount");
    return;
  }
  turn.raise("", { type: "handler.ended" });
}

export function endFailed(turn: Turn): void {
  const { context } = turn;
  context.phase = "failed";
  clearRunTimers(turn);
  const failure = context.failure ?? newFailure("workflow/failed-by-definition", "the run failed");
  context.failure = failure;
  turn.emit({ type: "fail", failure, ...(context.failedPath === undefined ? {} : { path: context.failedPath }) });
}

export function cancelRun(turn: Turn, event: RunEvent): void {
  const { context } = turn;
  if (event.type !== "cancel") return;
  turn.touched = true;
  context.held = [];
  if (event.reason !== undefined) context.cancelReason = event.reason;
  if (event.compensate === true) context.undoing = { because: "cancelled", until: 0 };
  clearRunTimers(turn);
}

export function endCancelled(turn: Turn): void {
  const { context } = turn;
  context.phase = "cancelled";
  turn.emit({ type: "cancelled", ...(context.cancelReason === undefined ? {} : { reason: context.cancelReason }) });
}

/** After a rollback: the run goes on from its checkpoint. */
export function resumeRun(turn: Turn): void {
  const { context } = turn;
  context.phase = "running";
  delete context.undoing;
  delete context.failure;
  delete context.failedPath;
  delete context.before;
}

/** The state in which the run's failure is handled is left: a handler that still runs is stopped. */
export function leaveHandler(turn: Turn): void {
  const { context } = turn;
  if (context.handler?.open !== true) return;
  const childId = writeId(context.executionId, { path: handlerPath, visit: 1, attempt: context.handler.attempt });
  context.handler = { ...context.handler, open: false };
  turn.emit({ type: "cancelChild", childId, compensate: false });
}

import type { RunEffect } from "../effects.ts";
import type { RunEvent } from "../events.ts";
import type { RunState } from "../state.ts";
import { beginVisit } from "./begin.ts";
import { restartHandler, restartRunTimers } from "./life.ts";
import { hasEntry, ledgerEntries, writeLedger } from "./ledger.ts";
import { startFallback } from "./settle.ts";
import { StepRun } from "./step-run.ts";
import type { Turn } from "./turn.ts";
import { restartUndo, undoPath } from "./undo.ts";

/**
 * Going on from a state whose effects are gone: a failed or cancelled run that is retried, or a copy of a run under a
 * new id. Steps that wait for the world begin again; what has ended keeps its result.
 */

/** The state that a retry goes on from, or nothing where there is none. */
export function stateBefore(state: RunState): RunState["context"]["before"] {
  const { phase, before } = state.context;
  return phase === "failed" || phase === "cancelled" ? before : undefined;
}

/** The state after an event that ended the run's way, with where that was; every other one as it is. */
export function withBefore(state: RunState, event: RunEvent, after: RunState): RunState {
  const { phase, failure } = state.context;
  if (event.type === "cancel" && (phase === "compensating" || phase === "compensation-failed")) {
    // The task that was undoing a step may have done so, hence there is nothing left that is sure to go on from.
    const { before: _before, ...context } = after.context;
    return { ...after, context };
  }
  const fails = after.context.failure !== undefined && failure === undefined;
  if (!fails && event.type !== "cancel") return after;
  const kept = keptEvent(event);
  const before = { state, ...(kept === undefined ? {} : { event: kept }) };
  return { ...after, context: { ...after.context, before } };
}

export interface Reopening {
  /** Counts the visits on, so that ids are new; a copy of a run has new ids anyway. */
  readonly again: boolean;
  /** Whether a step lost its effects; one that was begun just now has them. */
  readonly wasOpen: (path: string) => boolean;
}

/** Begins every open step again. */
export function reopen(turn: Turn, { again, wasOpen }: Reopening): void {
  restartRunTimers(turn);
  for (const [path, activation] of ledgerEntries(turn.context.active)) {
    // A step that is over may still stand where it was: below one that a fallback does.
    if (activation.waits === "left" || !wasOpen(path)) continue;
    if (path === undoPath) {
      restartUndo(turn);
      continue;
    }
    const plan = turn.step(activation.step);
    const { frame } = activation;
    if (plan.lists.length > 0) {
      const run = new StepRun(turn, plan, frame);
      restartTimers(turn, run);
      // Its branches or items are over: what was lost is the task that stands in for them.
      if (activation.waits === "task") startFallback(run, activation.fallback ?? 0);
      continue;
    }
    const visit = activation.visit + (again ? 1 : 0);
    if (again && hasEntry(turn.context.visits, path))
      turn.context.visits = writeLedger(turn.context.visits, path, visit);
    beginVisit(turn, { plan, frame, visit });
  }
  restartHandler(turn);
}

/** The timers of a step whose inner steps go on: they start over. */
function restartTimers(turn: Turn, run: StepRun): void {
  const { timers, ...activation } = run.activation;
  turn.setActivation(run.path, activation);
  const { sla, timeout } = run.plan.step;
  if (timers !== undefined && "sla" in timers && sla !== undefined) run.setTimer("sla", turn.at + sla);
  if (timers !== undefined && "timeout" in timers && timeout !== undefined) run.setTimer("timeout", turn.at + timeout);
}

/** What an effect opens in the world, or takes back. */
function subjectOf(effect: RunEffect): { readonly id: string; readonly opens: boolean } | undefined {
  switch (effect.type) {
    case "scheduleTask":
    case "cancelTask":
      return { id: effect.taskId, opens: effect.type === "scheduleTask" };
    case "startTimer":
    case "cancelTimer":
      return { id: effect.timerId, opens: effect.type === "startTimer" };
    case "startChild":
    case "cancelChild":
      return { id: effect.childId, opens: effect.type === "startChild" };
    case "listen":
    case "unlisten":
      return { id: effect.listenId, opens: effect.type === "listen" };
    case "emit":
    case "emitEvent":
    case "refuseSignal":
    case "complete":
    case "fail":
    case "cancelled":
    case "parkCompensation":
      return undefined;
  }
}

/** Of a run that has nothing open in the world, only what these effects open themselves can be taken back. */
export function withoutLost(effects: readonly RunEffect[]): readonly RunEffect[] {
  const opened = new Set<string>();
  return effects.filter((effect) => {
    const subject = subjectOf(effect);
    if (subject?.opens === true) opened.add(subject.id);
    return subject === undefined || opened.has(subject.id);
  });
}

/** What of an event is kept for a retry: results are, failures and the passing of time are not. */
export function keptEvent(event: RunEvent): RunEvent | undefined {
  return event.type === "task.completed" || event.type === "child.completed" || event.type === "signal"
    ? event
    : undefined;
}

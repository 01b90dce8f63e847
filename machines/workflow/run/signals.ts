import { failure as newFailure, type Failure, type Json } from "../../failure.ts";
import type { EventStep } from "../definition.ts";
import type { Signal } from "../events.ts";
import { ledgerEntries } from "./ledger.ts";
import { StepRun } from "./step-run.ts";
import type { Turn } from "./turn.ts";

/** Signals: to the steps that wait for them, or kept for steps that will. */

/** Most signals that wait in one run for steps that have not come yet; one more is refused. */
export const waitingSignalsMax = 1_000;
/** Steps that wait for an event of this name, in the order of their paths. */
function listenersOf(turn: Turn, name: string): StepRun[] {
  const runs: StepRun[] = [];
  for (const [, activation] of ledgerEntries(turn.context.active)) {
    if (activation.waits !== "event") continue;
    const plan = turn.step(activation.step);
    const event = (plan.step as EventStep).event as EventStep["event"] | undefined;
    if (event !== undefined && "name" in event && event.name === name)
      runs.push(new StepRun(turn, plan, activation.frame));
  }
  return runs.toSorted((left, right) => (left.path < right.path ? -1 : 1));
}

/** A payload that one waiting step refuses may be taken by another, so each is asked. */
export function takeSignal(turn: Turn, event: Signal): void {
  let refusal: Failure | undefined;
  let taken = false;
  for (const run of listenersOf(turn, event.name)) {
    refusal ??= refusalOf(run, event.payload);
    if (run.activation.waits !== "event" || refusalOf(run, event.payload) !== undefined) continue;
    taken = true;
    run.attempt(() => {
      if (run.test("event.match", true, { output: event.payload })) run.plan.kind.receive?.(run, event);
      else taken = false;
    });
  }
  if (taken) return;
  if (refusal !== undefined) turn.emit({ type: "refuseSignal", name: event.name, failure: refusal });
  else keepSignal(turn, event);
}

function refusalOf(run: StepRun, payload: Json): Failure | undefined {
  const issues = run.plan.form?.(payload) ?? [];
  const [first] = issues;
  if (first === undefined) return undefined;
  const message = `the payload does not fit the form of ${run.path}: ${first.path === "" ? "it" : first.path} ${first.message}`;
  return newFailure("workflow/invalid-signal", message, { path: run.path, issues });
}

function keepSignal(turn: Turn, event: Signal): void {
  const { context } = turn;
  if (context.signals.length >= waitingSignalsMax) {
    const message = `${waitingSignalsMax} signals wait in this run already`;
    turn.emit({ type: "refuseSignal", name: event.name, failure: newFailure("workflow/too-many-signals", message) });
    return;
  }
  context.signals = [...context.signals, { name: event.name, payload: event.payload }];
  turn.touched = true;
}

/** Takes the oldest waiting signal that the step would take, if there is one. */
export function takeWaitingSignal(run: StepRun, name: string): Json | undefined {
  const { context } = run.turn;
  const at = context.signals.findIndex(
    (signal) =>
      signal.name === name &&
      refusalOf(run, signal.payload) === undefined &&
      run.test("event.match", true, { output: signal.payload }),
  );
  const signal = context.signals[at];
  if (signal === undefined) return undefined;
  context.signals = context.signals.toSpliced(at, 1);
  return signal.payload;
}

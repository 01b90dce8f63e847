import { failure as newFailure } from "../../failure.ts";
import type { StepPlan } from "../plan.ts";
import type { Activation } from "../state.ts";
import { joinPath } from "../ids.ts";
import { readLedger, writeLedger } from "./ledger.ts";
import { failStep, skipStep } from "./settle.ts";
import { StepRun } from "./step-run.ts";
import type { Turn } from "./turn.ts";

/** Starting steps: a visit begins when the chart enters the step's state; an attempt begins within a visit. */

function nextVisit(turn: Turn, plan: StepPlan, path: string): number {
  if (!plan.revisits) return 1;
  const visit = (readLedger(turn.context.visits, path) ?? 0) + 1;
  turn.context.visits = writeLedger(turn.context.visits, path, visit);
  return visit;
}

export function beginStep(turn: Turn, plan: StepPlan, frame: string): void {
  const path = joinPath(frame, plan.path);
  beginVisit(turn, { plan, frame, visit: nextVisit(turn, plan, path) });
}

export function beginVisit(turn: Turn, at: { plan: StepPlan; frame: string; visit: number }): void {
  const { plan, frame, visit } = at;
  const run = new StepRun(turn, plan, frame);
  const activation: Activation = { step: plan.id, frame, visit, attempt: 1, startedAt: turn.at, waits: "steps" };
  turn.setActivation(run.path, activation);
  turn.count("stepCount");
  run.attempt(() => {
    if (!run.test("condition", true)) {
      skipStep(run);
      return;
    }
    turn.tell({ type: "step.started", ...run.about });
    const { sla, timeout } = plan.step;
    if (sla !== undefined) run.setTimer("sla", turn.at + sla);
    if (timeout !== undefined && !plan.kind.retries) run.setTimer("timeout", turn.at + timeout);
    plan.kind.begin(run);
  });
}

/** Begins the next attempt of a visit, after its delay. */
export function beginAttempt(run: StepRun): void {
  run.update({ attempt: run.activation.attempt + 1 });
  run.attempt(() => run.plan.kind.begin(run));
}

/** The step's time is up: what it has open is taken back, and the step has failed. */
export function timeOutStep(run: StepRun): void {
  const { activation, plan, turn } = run;
  if (activation.waits === "task") turn.emit({ type: "cancelTask", taskId: run.id });
  if (activation.waits === "child") turn.emit({ type: "cancelChild", childId: run.id, compensate: true });
  if (activation.waits === "event") turn.emit({ type: "unlisten", listenId: run.id });
  if (activation.waits !== "steps") run.update({ waits: "timer" });
  const message = `${run.path} was not done within ${plan.step.timeout ?? 0} ms`;
  failStep(run, newFailure("workflow/step-timeout", message, { path: run.path, timeoutMs: plan.step.timeout ?? 0 }));
}

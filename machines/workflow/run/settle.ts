import { failure as newFailure, type Failure, type Json } from "../../failure.ts";
import type { ErrorRoute, NextChoice } from "../definition.ts";
import type { StepPlan } from "../plan.ts";
import type { Checkpoint } from "../state.ts";
import { failList } from "./fan.ts";
import { matchesCode, mayRetry, retryDelayMs } from "../codes.ts";
import { emptyLedger, readLedger, writeLedger } from "./ledger.ts";
import type { RootPlace } from "./root.ts";
import { failureOf, StepProblem } from "./problem.ts";
import type { StepRun } from "./step-run.ts";
import { pushUndo, rollBack } from "./undo.ts";
import { noteInScope, writeVariables } from "./variables.ts";

/** How a visit of a step ends: what it writes, where the run goes on, what may be tried again. */

/** Where `next` leads. Every choice was checked, so a target that is not there cannot come out of it. */
export function chooseNext(run: StepRun, place: Partial<RootPlace>): string {
  const { targets, step } = run.plan;
  const [only] = targets;
  if (targets.length === 1 && only !== undefined && typeof step.next !== "object" && !run.plan.sources.has("next"))
    return only;
  if (run.plan.sources.has("next")) {
    const chosen = run.evaluate("next", place);
    if (typeof chosen === "string" && targets.includes(chosen)) return chosen;
    const message = `${run.path}: next gave ${JSON.stringify(chosen ?? null)}, and it may give ${targets.join(", ")}`;
    throw new StepProblem(newFailure("workflow/expression", message, { path: run.path }));
  }
  const choices = (step.next ?? []) as readonly NextChoice[];
  const at = choices.findIndex((_choice, index) => run.test(`next.${index}.when`, true, place));
  const choice = choices[at];
  return choice === undefined ? "$end" : choice.to;
}

interface Written {
  readonly variables: readonly (readonly [string, Json])[];
  readonly choice: string | undefined;
}

/** Everything that may fail is computed before anything is written. */
function computeEnd(run: StepRun, output: Json, place: Partial<RootPlace>): Written {
  const variables: (readonly [string, Json])[] = [];
  const root = run.plan.outputs.length === 0 ? undefined : run.root(place);
  if (root !== undefined)
    for (const [name, source] of run.plan.outputs) {
      const value = source.evaluate(root);
      if (value !== undefined) variables.push([name, value]);
    }
  return { variables, choice: run.plan.targets.length === 0 ? undefined : chooseNext(run, { ...place, output }) };
}

/** Ends a visit well. `choice` is the arrow of a kind that leads on by itself. */
export function completeStep(run: StepRun, output: Json, choice?: string, failures?: Json): void {
  const { turn, plan } = run;
  if (run.activation.waits === "left") return;
  const issues = plan.check?.(output) ?? [];
  if (issues.length > 0) {
    const first = issues[0];
    const where = first === undefined ? "" : `: ${first.path === "" ? "it" : first.path} ${first.message}`;
    failStep(
      run,
      newFailure("workflow/invalid-output", `the result of ${run.path} does not fit its schema${where}`, {
        path: run.path,
        issues,
      }),
    );
    return;
  }
  const place = { output, ...(failures === undefined ? {} : { failures }) };
  const end = tryToEnd(run, () => computeEnd(run, output, place));
  if (end === undefined) return;
  const undo = tryToEnd(run, () => ({
    input: plan.step.compensate === undefined ? undefined : run.input("compensate.input", plan.step.compensate, place),
  }));
  if (undo === undefined) return;
  const { attempt } = run.activation;
  writeVariables(run, end.variables);
  if (run.scope !== "") noteInScope(run, { last: output });
  if (plan.recorded) record(run, { status: "completed", output, attempts: attempt });
  if (undo.input !== undefined) pushUndo(run, undo.input);
  const led = choice ?? end.choice;
  if (plan.step.checkpoint === true) turn.context.checkpoint = checkpointOf(run, led ?? "$end");
  turn.count("completedSteps");
  turn.tell({ type: "step.completed", ...run.about, attempts: attempt, ...(choice === undefined ? {} : { choice }) });
  leaveBy(run, "completed", led);
}

/** Undefined where it failed: then the step has failed already. */
function tryToEnd<Value>(run: StepRun, compute: () => Value): Value | undefined {
  try {
    return compute();
  } catch (error) {
    failStep(run, failureOf(error, run.path));
    return undefined;
  }
}

function checkpointOf(run: StepRun, next: string): Checkpoint {
  const { scopes, undo } = run.turn.context;
  return { step: run.plan.id, next, variables: readLedger(scopes, "")?.variables ?? emptyLedger(), undone: undo.size };
}

function record(
  run: StepRun,
  result: { status: "completed" | "failed" | "skipped"; output?: Json; error?: Failure; attempts: number },
): void {
  run.turn.context.results = writeLedger(run.turn.context.results, run.plan.id, result);
}

/** Marks the visit as over and sends the chart on. */
export function leaveBy(run: StepRun, exit: "completed" | "failed" | "skipped", choice: string | undefined): void {
  for (const kind of Object.keys(run.activation.timers ?? {})) run.clearTimer(kind as "timeout");
  run.update({ waits: "left", ...(choice === undefined ? {} : { choice }) });
  run.turn.raise(run.frame, { type: `${run.plan.id}.${exit}` });
}

/** The step's condition is false: the run goes on where `next` leads. */
export function skipStep(run: StepRun): void {
  const choice = run.plan.targets.length === 0 ? undefined : chooseNext(run, {});
  if (run.plan.recorded) record(run, { status: "skipped", attempts: 0 });
  run.turn.tell({ type: "step.skipped", ...run.about });
  leaveBy(run, "skipped", choice);
}

/** Ends one attempt badly: retries, routes, or fails the list that the step is in. */
export function failStep(run: StepRun, failure: Failure): void {
  const { activation, plan, turn } = run;
  if (activation.waits === "left") return;
  turn.count("errorCount");
  const { retry } = plan.step;
  if (
    plan.kind.retries &&
    activation.fallback === undefined &&
    retry !== undefined &&
    mayRetry(retry, activation.attempt, failure)
  ) {
    const delayMs = retryDelayMs(retry, activation.attempt, run.id);
    run.clearTimer("timeout");
    run.update({ waits: "retry" });
    run.setTimer("retry", turn.at + delayMs);
    turn.count("retryCount");
    turn.tell({ type: "step.retrying", ...run.about, attempt: activation.attempt + 1, failure });
    return;
  }
  routeFailure(run, failure);
}

function errorOf(plan: StepPlan, failure: Failure): Json {
  return { code: failure.code, message: failure.message, data: failure.data, retry: failure.retry, step: plan.id };
}

function routeFailure(run: StepRun, failure: Failure): void {
  const { plan, turn } = run;
  noteInScope(run, { error: errorOf(plan, failure) });
  let found: { at: number; route: ErrorRoute } | undefined;
  try {
    found = findRoute(run, failure);
  } catch (error) {
    escalate(run, failureOf(error, run.path));
    return;
  }
  if (found === undefined) {
    escalate(run, failure);
    return;
  }
  const { at, route } = found;
  if (route.action === "fail") escalate(run, failure);
  else if (route.action === "rollback") rollBackOr(run, failure);
  else if (route.action === "fallback") startFallback(run, at, failure);
  else if (route.action === "continue") {
    turn.tell({ type: "execution.degraded", path: run.path, failure });
    continueAfter(run, at);
  } else {
    endFailed(run, failure);
    leaveBy(run, "failed", route.next);
  }
}

function rollBackOr(run: StepRun, failure: Failure): void {
  const refusal = rollBack(run);
  if (refusal !== undefined) escalate(run, { ...failure, message: `${failure.message} (not rolled back: ${refusal})` });
}

function findRoute(run: StepRun, failure: Failure): { at: number; route: ErrorRoute } | undefined {
  const routes = run.plan.step.onError ?? [];
  const taken = run.activation.fallback ?? -1;
  const at = routes.findIndex(
    (route, index) =>
      index > taken && matchesCode(route.error, failure.code) && run.test(`onError.${index}.when`, true),
  );
  const route = routes[at];
  return route === undefined ? undefined : { at, route };
}

function continueAfter(run: StepRun, at: number): void {
  const result = tryToEndPlain(run, () => run.evaluate(`onError.${at}.result`) ?? null);
  if (result !== undefined) completeStep(run, result);
}

/** As `tryToEnd`, for values computed while a failure is routed: a second failure is not routed again. */
function tryToEndPlain<Value>(run: StepRun, compute: () => Value): Value | undefined {
  try {
    return compute();
  } catch (error) {
    escalate(run, failureOf(error, run.path));
    return undefined;
  }
}

/** Has the task done that stands in for the step. Without a failure it is asked for again, its effects being gone. */
export function startFallback(run: StepRun, at: number, failure?: Failure): void {
  const fallback = run.plan.step.onError?.[at]?.fallback;
  if (fallback === undefined) return;
  const name = run.plan.sources.has(`onError.${at}.fallback.input`) ? `onError.${at}.fallback.input` : "input";
  const input = tryToEndPlain(run, () => run.input(name, fallback));
  if (input === undefined) return;
  if (failure !== undefined) run.turn.tell({ type: "execution.degraded", path: run.path, failure });
  run.clearTimer("timeout");
  run.update({ attempt: run.activation.attempt + 1 });
  run.schedule(fallback, input, { timeout: run.plan.step.timeout, fallback: at });
}

function endFailed(run: StepRun, failure: Failure): void {
  const { attempt } = run.activation;
  if (run.plan.recorded) record(run, { status: "failed", error: failure, attempts: attempt });
  run.turn.tell({ type: "step.failed", ...run.about, attempts: attempt, failure });
}

/** No route is left: the list that the step is in fails. */
export function escalate(run: StepRun, failure: Failure): void {
  const { frame, path, plan, turn } = run;
  endFailed(run, failure);
  for (const kind of Object.keys(run.activation.timers ?? {})) run.clearTimer(kind as "timeout");
  run.update({ waits: "left" });
  failList(turn, { list: plan.list, frame, path }, failure);
}

import { advanceChart, type ChartEvent, EndlessChart, startChart } from "../chart/interpret.ts";
import type { CompiledWorkflow, CompileOptions, Turn as TurnResult } from "../compiled.ts";
import type { Definition } from "../definition.ts";
import { failure } from "../../failure.ts";
import type { RunEffect } from "../effects.ts";
import type { RunEvent, Start } from "../events.ts";
import type { KindTable } from "../kinds/kind.ts";
import { builtinKinds } from "../kinds/table.ts";
import type { Plan } from "../plan.ts";
import { performAction } from "../run/actions.ts";
import { allowsArrow } from "../run/guards.ts";
import { cancelEverything } from "../run/leave.ts";
import { endFailed } from "../run/life.ts";
import { readLedger } from "../run/ledger.ts";
import { keptEvent, reopen, type Reopening, stateBefore, withBefore, withoutLost } from "../run/restart.ts";
import { completeStep, failStep } from "../run/settle.ts";
import { firstContext } from "../run/start.ts";
import { Turn, type TurnRules } from "../run/turn.ts";
import type { RunState } from "../state.ts";
import { createRunMachine } from "./machine.ts";
import { buildPlan } from "./plan.ts";
import { runStates } from "./write-chart.ts";

export const turnRules: TurnRules = {
  perform: performAction,
  allows: allowsArrow,
  complete: completeStep,
  fail: failStep,
};

/** An event that no chart knows: it only lets raised events run. */
const nothing = { type: "$nothing" };

class Runner {
  readonly plan: Plan;

  constructor(plan: Plan) {
    this.plan = plan;
  }

  initial(start: Start): TurnResult {
    const turn = new Turn({ plan: this.plan, rules: turnRules }, firstContext(start), start);
    return this.#run(turn, "", () => startChart(this.plan.root.chart, start, turn.host("")).value);
  }

  step(state: RunState, event: RunEvent): TurnResult {
    if (event.type === "fork") return this.#fork(state, event.executionId, event.at);
    const before = event.type === "retry" ? stateBefore(state) : undefined;
    if (before !== undefined) return this.#retry(before, event.at);
    return this.#advance(state, event);
  }

  #advance(state: RunState, event: RunEvent): TurnResult {
    const turn = new Turn({ plan: this.plan, rules: turnRules }, state.context, event);
    const [after, effects] = this.#run(turn, state.value, () => this.#chart(turn, state.value, event));
    if (!turn.touched) return [state, []];
    return [withBefore(state, event, after), effects];
  }

  #chart(turn: Turn, value: RunState["value"], event: ChartEvent): RunState["value"] {
    return advanceChart(this.plan.root.chart, { value, event }, turn.host("")).value;
  }

  /** A definition that leads in circles fails its run; it never hangs or throws. */
  #run(turn: Turn, value: RunState["value"], run: () => RunState["value"]): TurnResult {
    try {
      const after = run();
      return [{ value: after, context: turn.context }, turn.effects];
    } catch (error) {
      if (!(error instanceof EndlessChart)) throw error;
      const fresh = new Turn(turn, turn.context, turn.event);
      cancelEverything(fresh);
      fresh.context.failure = failure("workflow/endless", error.message, { state: value });
      endFailed(fresh);
      turn.touched = true;
      return [{ value: runStates.failed, context: fresh.context }, fresh.effects];
    }
  }

  #retry(before: NonNullable<RunState["context"]["before"]>, at: number): TurnResult {
    // What came in while the run was paused comes now; the times that passed then begin again.
    const { held, phase: left } = before.state.context;
    const phase = left === "paused" ? "running" : left;
    let state: RunState = { ...before.state, context: { ...before.state.context, phase, held: [] } };
    const first: RunEffect[] = [];
    for (const event of [
      ...held.flatMap((each) => keptEvent(each) ?? []),
      ...(before.event === undefined ? [] : [before.event]),
    ]) {
      const [next, effects] = this.#advance(state, { ...event, at });
      state = next;
      first.push(...effects);
      if (state.context.phase !== "running") return [state, withoutLost(first)];
    }
    const opened = before.state.context.active;
    const wasOpen = (path: string): boolean => readLedger(opened, path) === readLedger(state.context.active, path);
    const [after, effects] = this.#reopen(state, { at, again: true, wasOpen });
    return [after, [...withoutLost(first), ...effects]];
  }

  #fork(state: RunState, executionId: string, at: number): TurnResult {
    const from = stateBefore(state)?.state ?? state;
    const context = { ...from.context, executionId };
    return this.#reopen({ value: from.value, context }, { at, again: false, wasOpen: () => true });
  }

  #reopen(state: RunState, how: Reopening & { readonly at: number }): TurnResult {
    const turn = new Turn({ plan: this.plan, rules: turnRules }, state.context, { type: "retry", at: how.at });
    turn.depth += 1;
    reopen(turn, how);
    turn.depth -= 1;
    turn.drain();
    return this.#run(turn, state.value, () => this.#chart(turn, state.value, nothing));
  }
}

/**
 * Makes a valid definition ready to run.
 * Shape: an XState config, and two pure functions that run it; see `CompiledWorkflow`.
 * Errors: throws where the definition was not read by `readDefinition` first and is not valid.
 */
export function compile(
  definition: Definition,
  options: CompileOptions & { readonly kinds?: KindTable } = {},
): CompiledWorkflow {
  const { kinds = builtinKinds, ...rest } = options;
  const plan = buildPlan(definition, { kinds, options: rest });
  const runner = new Runner(plan);
  return {
    definition,
    config: plan.root.config,
    bodies: Object.fromEntries([...plan.frames].map(([key, frame]) => [key, frame.config])),
    initial: (start) => runner.initial(start),
    step: (state, event) => runner.step(state, event),
    machine: () => createRunMachine(plan, turnRules),
  };
}

import { compile } from "../../../machines/workflow/compile/compile.ts";
import type { CompiledWorkflow, CompileOptions } from "../../../machines/workflow/compiled.ts";
import type { RunEffect, RunFact, ScheduleTask, StartChild } from "../../../machines/workflow/effects.ts";
import type { RunEvent } from "../../../machines/workflow/events.ts";
import { failure, type Failure, type Json } from "../../../machines/failure.ts";
import type { KindTable } from "../../../machines/workflow/kinds/kind.ts";
import { readDefinition } from "../../../machines/workflow/read/definition.ts";
import { writePath } from "../../../machines/workflow/read/problem.ts";
import type { RunState } from "../../../machines/workflow/state.ts";

/** What a stand-in agent answers: a value, a failure, or nothing at all (`"never"` leaves the task open). */
export type Answer = Json | { readonly fail: Partial<Failure> & { readonly code: string } };
export type StandIn = (task: ScheduleTask, call: number) => Answer | undefined;

export interface BenchOptions extends CompileOptions {
  readonly input?: Json;
  /** By capability, agent or mode; `*` answers everything else. */
  readonly agents?: { readonly [name: string]: StandIn | Answer };
  readonly workflows?: { readonly [key: string]: CompiledWorkflow };
  readonly kinds?: KindTable;
  readonly env?: { readonly [name: string]: string };
  /** Passes every state through JSON before it is used again. */
  readonly throughJson?: boolean;
}

export function define(value: unknown, kinds?: KindTable, key = "test"): CompiledWorkflow {
  const { definitions, problems } = readDefinition(value, { key, ...(kinds === undefined ? {} : { kinds }) });
  const [definition] = definitions;
  if (definition === undefined)
    throw new Error(problems.map(({ path, message }) => `${writePath(path)}: ${message}`).join("\n"));
  return compile(definition, kinds === undefined ? {} : { kinds });
}

function isFailing(answer: Answer): answer is { readonly fail: Partial<Failure> & { readonly code: string } } {
  return typeof answer === "object" && answer !== null && !Array.isArray(answer) && "fail" in answer;
}

/** Runs one definition as an engine would, in memory and with a clock that jumps from timer to timer. */
export class Bench {
  readonly compiled: CompiledWorkflow;
  readonly options: BenchOptions;
  state: RunState;
  now = 1_000_000;
  readonly effects: RunEffect[] = [];
  readonly tasks: ScheduleTask[] = [];
  readonly open = new Map<string, ScheduleTask>();
  readonly timers = new Map<string, number>();
  readonly listening = new Map<string, string>();
  readonly children = new Map<string, { effect: StartChild; bench: Bench | undefined }>();
  readonly #ready: RunEvent[] = [];
  readonly #calls = new Map<string, number>();

  constructor(
    compiled: CompiledWorkflow,
    options: BenchOptions = {},
    executionId = "run-1",
    about?: StartChild["about"],
  ) {
    this.compiled = compiled;
    this.options = options;
    const [state, effects] = compiled.initial({
      type: "start",
      at: this.now,
      executionId,
      input: options.input ?? {},
      ...(options.env === undefined ? {} : { env: options.env }),
      ...(about === undefined ? {} : { about }),
    });
    this.state = this.#keep(state);
    this.#perform(effects);
  }

  #keep(state: RunState): RunState {
    return this.options.throughJson === true ? (JSON.parse(JSON.stringify(state)) as RunState) : state;
  }

  get facts(): readonly RunFact[] {
    return this.effects.flatMap((effect) => (effect.type === "emit" ? [effect.fact] : []));
  }

  /** Capabilities (or modes, or agents) in the order in which they were asked. */
  get calls(): readonly string[] {
    return this.tasks.map(({ capability, mode, agent }) => capability ?? mode ?? agent ?? "");
  }

  /** Ids of steps that were begun, in order. */
  get started(): readonly string[] {
    return this.facts.flatMap((fact) => (fact.type === "step.started" ? [fact.step] : []));
  }

  get output(): Json | undefined {
    return this.state.context.output;
  }

  get failure(): Failure | undefined {
    return this.state.context.failure;
  }

  get phase(): string {
    return this.state.context.phase;
  }

  taskOf(step: string): ScheduleTask {
    const task = this.tasks.findLast((candidate) => candidate.step === step);
    if (task === undefined)
      throw new Error(`no task of ${step}; there is ${this.tasks.map((one) => one.step).join(", ")}`);
    return task;
  }

  /** Sends one event and gives its effects. */
  send(event: RunEvent | { readonly type: RunEvent["type"]; readonly [field: string]: unknown }): readonly RunEffect[] {
    const [state, effects] = this.compiled.step(this.state, { at: this.now, ...event } as RunEvent);
    if ("taskId" in event) this.open.delete(String(event["taskId"]));
    this.state = this.#keep(state);
    this.#perform(effects);
    return effects;
  }

  /** Answers tasks, children and timers until nothing is left to do or the run is over. */
  run(turnsMax = 100_000): this {
    for (let turn = 0; turn < turnsMax; turn += 1) {
      const event = this.#ready.shift() ?? this.#nextTimer();
      if (event === undefined) return this;
      this.send(event);
    }
    throw new Error(`the run did not rest within ${turnsMax} events`);
  }

  /** Takes in so many answers and timers, and no more. */
  advance(count: number): this {
    for (let turn = 0; turn < count; turn += 1) {
      const event = this.#ready.shift() ?? this.#nextTimer();
      if (event !== undefined) this.send(event);
    }
    return this;
  }

  /** As `run`, but lets no time pass. */
  settle(): this {
    for (let event = this.#ready.shift(); event !== undefined; event = this.#ready.shift()) this.send(event);
    return this;
  }

  #nextTimer(): RunEvent | undefined {
    const [first] = [...this.timers].toSorted(([, left], [, right]) => left - right);
    if (first === undefined) return undefined;
    const [timerId, dueAt] = first;
    this.timers.delete(timerId);
    this.now = Math.max(this.now, dueAt);
    return { type: "timer.fired", at: this.now, timerId };
  }

  #answer(task: ScheduleTask): void {
    const { agents = {} } = this.options;
    const name = [task.capability, task.mode, task.agent, "*"].find((one) => one !== undefined && one in agents);
    const agent = name === undefined ? {} : agents[name];
    const call = (this.#calls.get(task.step) ?? 0) + 1;
    this.#calls.set(task.step, call);
    const answer = (typeof agent === "function" ? agent(task, call) : agent) ?? {};
    if (answer === "never") return;
    if (isFailing(answer)) {
      const { code, message = code, retry = "later", data = {} } = answer.fail;
      this.#ready.push({
        type: "task.failed",
        at: this.now,
        taskId: task.taskId,
        failure: { code, message, retry, data },
      });
    } else this.#ready.push({ type: "task.completed", at: this.now, taskId: task.taskId, output: answer });
  }

  #startChild(effect: StartChild): void {
    const compiled = this.options.workflows?.[effect.workflow];
    if (compiled === undefined) {
      this.children.set(effect.childId, { effect, bench: undefined });
      const missing = failure("workflow/unknown-definition", `no workflow ${effect.workflow}`, {
        workflow: effect.workflow,
      });
      this.#ready.push({ type: "child.failed", at: this.now, childId: effect.childId, failure: missing });
      return;
    }
    const bench = new Bench(compiled, { ...this.options, input: effect.input }, effect.childId, effect.about).run();
    this.children.set(effect.childId, { effect, bench });
    const { output, failure: failed } = bench.state.context;
    const end: RunEvent =
      bench.phase === "completed"
        ? { type: "child.completed", at: this.now, childId: effect.childId, output: output ?? null }
        : {
            type: "child.failed",
            at: this.now,
            childId: effect.childId,
            failure: failed ?? failure("workflow/cancelled", "cancelled"),
          };
    this.#ready.push(end);
  }

  #perform(effects: readonly RunEffect[]): void {
    for (const effect of effects) {
      this.effects.push(effect);
      if (effect.type === "scheduleTask") {
        if (this.open.has(effect.taskId)) throw new Error(`${effect.taskId} is open already`);
        this.tasks.push(effect);
        this.open.set(effect.taskId, effect);
        this.#answer(effect);
      } else if (effect.type === "cancelTask") this.open.delete(effect.taskId);
      else if (effect.type === "startTimer") this.timers.set(effect.timerId, effect.dueAt);
      else if (effect.type === "cancelTimer") this.timers.delete(effect.timerId);
      else if (effect.type === "listen") this.listening.set(effect.listenId, effect.event);
      else if (effect.type === "unlisten") this.listening.delete(effect.listenId);
      else if (effect.type === "startChild") this.#startChild(effect);
    }
  }
}

/** Defines and runs at once. */
export function runOf(value: unknown, options: BenchOptions = {}): Bench {
  return new Bench(define(value, options.kinds), options).run();
}

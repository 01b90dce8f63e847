import type { Failure, Json } from "../../failure.ts";
import type { TaskTarget } from "../effects.ts";
import type { Root } from "../expression/root.ts";
import { type CompiledTemplate, evaluateInput, type TaskInput } from "../expression/template.ts";
import type { StepPlan } from "../plan.ts";
import type { Activation } from "../state.ts";
import { joinPath, timerIdOf, type TimerKind, writeId } from "../ids.ts";
import { rootAt, type RootPlace } from "./root.ts";
import { failureOf } from "./problem.ts";
import type { Turn } from "./turn.ts";

/** What a task is asked, beyond its input. */
interface TaskOptions {
  readonly timeout?: number | undefined;
  readonly fallback?: number;
}

/** One visit of one step, as its kind sees it: what it may read, and the effects that it may name. */
export class StepRun {
  readonly turn: Turn;
  readonly plan: StepPlan;
  readonly frame: string;
  readonly path: string;

  constructor(turn: Turn, plan: StepPlan, frame: string) {
    this.turn = turn;
    this.plan = plan;
    this.frame = frame;
    this.path = joinPath(frame, plan.path);
  }

  get activation(): Activation {
    const activation = this.turn.activation(this.path);
    if (activation === undefined) throw new Error(`the step ${this.path} is not active`);
    return activation;
  }

  /** The scope whose variables the step reads and writes. */
  get scope(): string {
    return joinPath(this.frame, this.plan.scope);
  }

  get id(): string {
    return writeId(this.turn.context.executionId, { path: this.path, ...this.activation });
  }

  /** Which step a fact is about. */
  get about(): { path: string; step: string; name: string; kind: string; visit: number } {
    const { id, kind, step } = this.plan;
    return { path: this.path, step: id, name: step.name, kind: kind.name, visit: this.activation.visit };
  }

  update(change: Partial<Activation>): void {
    this.turn.setActivation(this.path, { ...this.activation, ...change });
  }

  /** What the kind keeps until the visit is over. */
  keep(data: Json): void {
    this.update({ data });
  }

  source(name: string): CompiledTemplate | undefined {
    return this.plan.sources.get(name);
  }

  /** What expressions of this step see now. */
  root(place: Partial<RootPlace> = {}): Root {
    return rootAt(this.turn, { scope: this.scope, stepId: this.plan.id, ...place });
  }

  /** The value of one source of the step now; undefined where it is not given or names nothing. */
  evaluate(name: string, place: Partial<RootPlace> = {}): Json | undefined {
    return this.source(name)?.evaluate(this.root(place));
  }

  /** Whether a condition holds; a missing one is `otherwise`. */
  test(name: string, otherwise: boolean, place: Partial<RootPlace> = {}): boolean {
    return this.source(name) === undefined ? otherwise : Boolean(this.evaluate(name, place));
  }

  input(name: string, target: TaskTarget = {}, place: Partial<RootPlace> = {}): TaskInput {
    const source = this.source(name);
    if (source === undefined) return { input: {} };
    const fields = this.turn.plan.options.shellFields?.(target) ?? [];
    return evaluateInput(source, this.root(place), fields);
  }

  /** Has a task done; its output or its failure comes back to this visit. */
  schedule(target: TaskTarget, input: TaskInput, options: TaskOptions = {}): void {
    const { step } = this.plan;
    const { timeout } = options;
    this.update({ waits: "task", ...(options.fallback === undefined ? {} : { fallback: options.fallback }) });
    const dueAt = timeout === undefined ? undefined : this.turn.at + timeout;
    this.turn.emit({
      type: "scheduleTask",
      taskId: this.id,
      path: this.path,
      step: this.plan.id,
      visit: this.activation.visit,
      attempt: this.activation.attempt,
      ...targetOf(target),
      ...input,
      ...(dueAt === undefined ? {} : { dueAt }),
      priority: ("priority" in step ? step.priority : undefined) ?? this.turn.plan.definition.priority ?? "normal",
      effect: ("effect" in step ? step.effect : undefined) ?? "at-least-once",
    });
    this.turn.count("taskCount");
    if (dueAt !== undefined) this.setTimer("timeout", dueAt);
  }

  /** Starts a run of another definition; its output or its failure comes back to this visit. */
  startChild(child: { readonly workflow: string; readonly version?: string | undefined }, input: Json): void {
    this.update({ waits: "child" });
    this.turn.emit({
      type: "startChild",
      childId: this.id,
      path: this.path,
      step: this.plan.id,
      workflow: child.workflow,
      ...(child.version === undefined ? {} : { version: child.version }),
      input,
      priority: this.turn.plan.definition.priority ?? "normal",
    });
  }

  /** Asks for one `timer.fired`; setting the same kind again replaces it. */
  setTimer(kind: TimerKind, dueAt: number): void {
    const { activation } = this;
    this.clearTimer(kind);
    this.update({ timers: { ...activation.timers, [kind]: dueAt } });
    this.turn.emit({ type: "startTimer", timerId: this.#timerId(kind), dueAt });
  }

  clearTimer(kind: TimerKind): void {
    const { timers } = this.activation;
    if (timers === undefined || !(kind in timers)) return;
    const { [kind]: _cleared, ...rest } = timers;
    this.update({ timers: rest });
    this.turn.emit({ type: "cancelTimer", timerId: this.#timerId(kind) });
  }

  #timerId(kind: TimerKind): string {
    return timerIdOf(this.turn.context.executionId, { path: this.path, ...this.activation }, kind);
  }

  complete(output: Json, choice?: string, failures?: Json): void {
    this.attempt(() => this.turn.rules.complete(this, output, choice, failures));
  }

  fail(failure: Failure): void {
    this.turn.rules.fail(this, failure);
  }

  /** Runs what may compute expressions: a problem fails the step that it belongs to. */
  attempt(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.fail(failureOf(error, this.path));
    }
  }
}

function targetOf({ capability, agent, mode }: TaskTarget): TaskTarget {
  return {
    ...(capability === undefined ? {} : { capability }),
    ...(agent === undefined ? {} : { agent }),
    ...(mode === undefined ? {} : { mode }),
  };
}

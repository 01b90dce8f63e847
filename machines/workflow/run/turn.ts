import type { Failure, Json } from "../../failure.ts";
import { advanceChart, type ChartEvent, type ChartHost, startChart } from "../chart/interpret.ts";
import type { NamedAction, NamedGuard } from "../chart/config.ts";
import type { RunEffect, RunFact } from "../effects.ts";
import { frameKey, type FramePlan, type Plan, type StepPlan } from "../plan.ts";
import type { Activation, Lane, RunContext, RunCounts } from "../state.ts";
import type { StepRun } from "./step-run.ts";
import { matchesCode } from "../codes.ts";
import { dropEntry, emptyLedger, readLedger, writeLedger } from "./ledger.ts";

type Draft = { -readonly [Field in keyof RunContext]: RunContext[Field] };

/** The event in hand: its time, and whatever else the actions read from it. */
export type TurnEvent = ChartEvent & { readonly at: number };

/** Where an action is performed: the lane whose chart names it, and the event that the chart has in hand. */
export interface ActionPlace {
  readonly frame: string;
  readonly event: ChartEvent;
}

/** What a turn needs of the rules that are built upon it. */
export interface TurnRules {
  perform(turn: Turn, action: NamedAction, place: ActionPlace): void;
  allows(turn: Turn, guard: NamedGuard, frame: string): boolean;
  complete(run: StepRun, output: Json, choice?: string, failures?: Json): void;
  fail(run: StepRun, failure: Failure): void;
}

/**
 * One event being taken in: a copy of the context to write to, and the effects named so far. It lives no longer than
 * the call it is made for. Every part that it replaces is immutable, so the state before stays as it was.
 */
export class Turn {
  readonly plan: Plan;
  readonly rules: TurnRules;
  readonly context: Draft;
  readonly effects: RunEffect[] = [];
  readonly event: TurnEvent;
  /** Whether anything came of the event. */
  touched = false;
  /** How many actions are being performed within each other. */
  depth = 0;
  /** Steps whose lanes are being started just now. */
  readonly filling = new Set<string>();
  readonly #queues = new Map<string, ChartEvent[]>();
  readonly #waiting = new Set<string>();
  readonly #running = new Set<string>();

  constructor(world: { readonly plan: Plan; readonly rules: TurnRules }, context: RunContext, event: TurnEvent) {
    this.plan = world.plan;
    this.rules = world.rules;
    this.event = event;
    this.context = { ...context, at: Math.max(context.at, event.at) };
  }

  get at(): number {
    return this.context.at;
  }

  emit(effect: RunEffect): void {
    this.effects.push(effect);
    this.touched = true;
  }

  tell(fact: RunFact): void {
    this.emit({ type: "emit", fact });
  }

  count(name: keyof RunCounts, by = 1): void {
    this.context.counts = { ...this.context.counts, [name]: this.context.counts[name] + by };
  }

  step(id: string): StepPlan {
    const plan = this.plan.steps.get(id);
    if (plan === undefined) throw new Error(`the definition has no step ${id}`);
    return plan;
  }

  activation(path: string): Activation | undefined {
    return readLedger(this.context.active, path);
  }

  setActivation(path: string, activation: Activation): void {
    this.context.active = writeLedger(this.context.active, path, activation);
    this.touched = true;
  }

  dropActivation(path: string): void {
    this.context.active = dropEntry(this.context.active, path);
    this.touched = true;
  }

  lane(frame: string): Lane | undefined {
    return readLedger(this.context.lanes, frame);
  }

  dropLane(frame: string): void {
    this.context.lanes = dropEntry(this.context.lanes, frame);
    this.context.scopes = dropEntry(this.context.scopes, frame);
    this.#queues.delete(frame);
    this.#waiting.delete(frame);
  }

  /** Puts an event into the queue of a chart: "" is the run's own. */
  raise(frame: string, event: ChartEvent): void {
    this.touched = true;
    const queue = this.#queues.get(frame);
    if (queue === undefined) this.#queues.set(frame, [event]);
    else queue.push(event);
    if (frame !== "" && !this.#running.has(frame)) this.#waiting.add(frame);
  }

  take(frame: string): ChartEvent | undefined {
    return this.#queues.get(frame)?.shift();
  }

  /** Runs the lanes that have events waiting, until none has. The run's own queue is left to its own interpreter. */
  drain(): void {
    for (const frame of this.#waiting) {
      this.#waiting.delete(frame);
      const event = this.take(frame);
      if (event !== undefined) this.#advance(frame, event);
    }
  }

  #frameOf(lane: Lane): FramePlan {
    const owner = this.step(lane.step);
    const at = owner.lists.length === 1 ? 0 : lane.index;
    const frame = this.plan.frames.get(frameKey(owner.id, at));
    if (frame === undefined) throw new Error(`the step ${owner.id} has no lane ${lane.index}`);
    return frame;
  }

  #advance(frame: string, event: ChartEvent): void {
    const lane = this.lane(frame);
    if (lane === undefined) return;
    this.#settleLane(frame, lane, () =>
      advanceChart(this.#frameOf(lane).chart, { value: lane.value, event }, this.host(frame)),
    );
  }

  /** Starts a lane that was put into the context already. */
  startLane(frame: string): void {
    const lane = this.lane(frame);
    if (lane === undefined) return;
    this.#settleLane(frame, lane, () => startChart(this.#frameOf(lane).chart, this.event, this.host(frame)));
  }

  #settleLane(frame: string, lane: Lane, run: () => { readonly value: Lane["value"]; readonly done: boolean }): void {
    this.#running.add(frame);
    const rest = run();
    this.#running.delete(frame);
    if (this.lane(frame) === undefined) return;
    this.context.lanes = writeLedger(this.context.lanes, frame, { ...lane, value: rest.value });
    if (rest.done) this.rules.perform(this, { type: "endLane" }, { frame, event: this.event });
  }

  /** How the interpreter reaches this turn for one chart. */
  host(frame: string): ChartHost {
    return {
      act: (action: NamedAction, event) => this.rules.perform(this, action, { frame, event }),
      allows: (guard) => this.rules.allows(this, guard, frame),
      raise: (event) => this.raise(frame, event),
      take: () => this.take(frame),
    };
  }

  /** The run itself fails: an error handler is chosen, and the run's own chart decides what follows. */
  failRun(failure: Failure, path?: string): void {
    const { context } = this;
    if (context.failure !== undefined) return;
    context.failure = failure;
    if (context.undoing?.because === "rollback") context.undoing = { because: "failed", until: 0 };
    if (path !== undefined) context.failedPath = path;
    const handlers = this.plan.definition.errorHandlers ?? [];
    const index =
      context.handler === undefined ? handlers.findIndex(({ error }) => matchesCode(error, failure.code)) : -1;
    delete context.handler;
    if (index >= 0) context.handler = { index, attempt: 0, open: false };
    const scope = readLedger(context.scopes, "") ?? { variables: emptyLedger() };
    const { code, message, data, retry } = failure;
    const error = { code, message, data, retry, step: path?.split("/").at(-1) ?? "" };
    context.scopes = writeLedger(context.scopes, "", { ...scope, error });
    this.raise("", { type: "run.failed" });
  }
}

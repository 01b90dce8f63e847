import { createActor, type AnyActorLogic, type AnyActorRef, type AnyStateMachine } from "xstate";
import type { Host } from "./interpret.ts";

/** A pure core, and the chart whose every event goes through it. */
export interface Charted<State, Event, Effect> {
  readonly initial: State;
  readonly step: (state: State, event: Event) => readonly [State, readonly Effect[]];
  /** With its effects kept, by `keepingEffects`. */
  readonly chart: AnyStateMachine;
}

/** One life of a core: events in, effects out, in order and after the transition. */
export interface Life<State, Event, Effect> {
  readonly state: State;
  tell(event: Event): readonly Effect[];
  stop(): void;
}

/** Where a life is shown: as a chart below this host, under this id. */
export interface Showing {
  readonly host: Host;
  readonly id: string;
}

/** Effects of each running chart, until the transition is over and the shell performs them. */
const effectsOf = new WeakMap<AnyActorRef, unknown[]>();

/** A chart whose named effects are kept for its shell. Make it once: building a machine costs more than a decision. */
export function keepingEffects(chart: AnyStateMachine, names: readonly string[]): AnyStateMachine {
  const keep = (type: string) => (scope: { readonly self: AnyActorRef }, params: unknown) => {
    effectsOf.get(scope.self)?.push({ type, params });
  };
  return chart.provide({ actions: Object.fromEntries(names.map((name) => [name, keep(name)])) } as never);
}

// Lives are classes: an object literal with a getter has a hidden class of its own, which is made in the old space and
// keeps the whole life there until a full collection. Source: docs/decisions/0018.

/** The chart itself, running. */
class ChartLife<State, Event, Effect> implements Life<State, Event, Effect> {
  readonly #actor: AnyActorRef;
  readonly #release: (actor: AnyActorRef) => void;
  readonly #effects: unknown[] = [];

  constructor(actor: AnyActorRef, release: (actor: AnyActorRef) => void) {
    this.#actor = actor;
    this.#release = release;
    effectsOf.set(actor, this.#effects);
  }

  get state(): State {
    return this.#snapshot().context;
  }

  get phase(): string {
    return this.#snapshot().value;
  }

  tell(event: Event): readonly Effect[] {
    this.#actor.send(event);
    return this.#effects.splice(0) as Effect[];
  }

  stop(): void {
    this.#release(this.#actor);
  }

  #snapshot(): { readonly context: State; readonly value: string } {
    return this.#actor.getSnapshot() as never;
  }
}

/** Runs the chart itself, started by `start`. */
export function runChart<State, Event, Effect>(
  { chart }: Charted<State, Event, Effect>,
  start: (logic: AnyActorLogic) => AnyActorRef = (logic) => createActor(logic).start(),
  release: (actor: AnyActorRef) => void = (actor) => (actor as { readonly stop?: () => void }).stop?.(),
): Life<State, Event, Effect> & { readonly phase: string } {
  return new ChartLife(start(chart), release);
}

/** The core by itself. */
class CoreLife<State, Event, Effect> implements Life<State, Event, Effect> {
  readonly #step: Charted<State, Event, Effect>["step"];
  #state: State;

  constructor({ initial, step }: Charted<State, Event, Effect>) {
    this.#state = initial;
    this.#step = step;
  }

  get state(): State {
    return this.#state;
  }

  tell(event: Event): readonly Effect[] {
    const [next, effects] = this.#step(this.#state, event);
    this.#state = next;
    return effects;
  }

  stop(): void {}
}

/**
 * Runs a core: as its chart where somebody watches, and otherwise by itself, which is cheaper. Both do the same, which
 * tests show over many schedules of each.
 */
export function run<State, Event, Effect>(
  charted: Charted<State, Event, Effect>,
  showing?: Showing,
): Life<State, Event, Effect> {
  if (showing === undefined) return new CoreLife(charted);
  const { host, id } = showing;
  return runChart(
    charted,
    (logic) => host.adopt(logic, id),
    (actor) => host.release(actor),
  );
}

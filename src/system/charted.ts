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

/** Runs the chart itself, started by `start`. */
export function runChart<State, Event, Effect>(
  { chart }: Charted<State, Event, Effect>,
  start: (logic: AnyActorLogic) => AnyActorRef = (logic) => createActor(logic).start(),
  release: (actor: AnyActorRef) => void = (actor) => (actor as { readonly stop?: () => void }).stop?.(),
): Life<State, Event, Effect> & { readonly phase: string } {
  const actor = start(chart);
  const effects: unknown[] = [];
  effectsOf.set(actor, effects);
  const snapshot = (): { readonly context: State; readonly value: string } => actor.getSnapshot() as never;
  return {
    get state() {
      return snapshot().context;
    },
    get phase() {
      return snapshot().value;
    },
    tell(event) {
      actor.send(event);
      return effects.splice(0) as Effect[];
    },
    stop: () => release(actor),
  };
}

function runCore<State, Event, Effect>({ initial, step }: Charted<State, Event, Effect>): Life<State, Event, Effect> {
  let state = initial;
  return {
    get state() {
      return state;
    },
    tell(event) {
      const [next, effects] = step(state, event);
      state = next;
      return effects;
    },
    stop: () => undefined,
  };
}

/**
 * Runs a core: as its chart where somebody watches, and otherwise by itself, which is cheaper. Both do the same, which
 * tests show over many schedules of each.
 */
export function run<State, Event, Effect>(
  charted: Charted<State, Event, Effect>,
  showing?: Showing,
): Life<State, Event, Effect> {
  if (showing === undefined) return runCore(charted);
  const { host, id } = showing;
  return runChart(
    charted,
    (logic) => host.adopt(logic, id),
    (actor) => host.release(actor),
  );
}

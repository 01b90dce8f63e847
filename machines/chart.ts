import { createMachine, type AnyStateMachine } from "xstate";

/** One arrow of a flat chart: where an event leads, and what it means in words. */
interface ChartArrow<State extends string> {
  readonly target: State;
  readonly description: string;
}

/** One state of a flat chart. A final state has no arrows. */
interface ChartState<State extends string> {
  readonly description: string;
  readonly type?: "final";
  readonly on?: { readonly [event: string]: ChartArrow<State> };
}

/** An XState machine config without guards, context or nesting: the config alone says all it does. */
export interface ChartConfig<State extends string> {
  readonly id: string;
  readonly description: string;
  readonly initial: NoInfer<State>;
  readonly states: { readonly [Name in State]: ChartState<NoInfer<State>> };
}

/**
 * A flat chart and its transition table, both read from one config, so the fast table and the machine that an
 * inspector draws cannot differ. Source: docs/decisions/0006 (flat charts).
 */
export interface Chart<State extends string> {
  readonly config: ChartConfig<State>;
  readonly initial: State;
  /** Every event that some arrow has, each once. */
  readonly events: readonly string[];
  /** The next state, or undefined where the chart has no arrow for the event. */
  next(state: State, event: string): State | undefined;
  /** Where one event leads, from every state that has an arrow for it: the table for what happens all the time. */
  arrows(event: string): { readonly [Name in State]?: State };
  isFinal(state: State): boolean;
  /** The same chart as a real XState machine. */
  machine(): AnyStateMachine;
}

export function flatChart<State extends string>(config: ChartConfig<State>): Chart<State> {
  const table = new Map<State, ReadonlyMap<string, State>>();
  const finals = new Set<State>();
  for (const [name, state] of Object.entries(config.states) as [State, ChartState<State>][]) {
    const arrows = Object.entries(state.on ?? {}).map(([event, arrow]) => [event, arrow.target] as const);
    table.set(name, new Map(arrows));
    if (state.type === "final") finals.add(name);
  }
  return {
    config,
    initial: config.initial,
    events: [...new Set([...table.values()].flatMap((arrows) => [...arrows.keys()]))],
    next: (state, event) => table.get(state)?.get(event),
    arrows(event) {
      const targets: { [Name in State]?: State } = {};
      for (const [state, arrows] of table) {
        const target = arrows.get(event);
        if (target !== undefined) targets[state] = target;
      }
      return Object.freeze(targets);
    },
    isFinal: (state) => finals.has(state),
    // The config is plain data; createMachine's generics cannot follow a mapped state type.
    machine: () => createMachine(config as never) as AnyStateMachine,
  };
}

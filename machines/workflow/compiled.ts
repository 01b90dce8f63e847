import type { AnyStateMachine } from "xstate";
import type { MachineConfig } from "./chart/config.ts";
import type { Definition } from "./definition.ts";
import type { RunEffect, TaskTarget } from "./effects.ts";
import type { RunEvent, Start } from "./events.ts";
import type { RunState } from "./state.ts";

/** The state after an event, and what is to be done about it, in order. */
export type Turn = readonly [state: RunState, effects: readonly RunEffect[]];

/**
 * A definition made ready to run: an XState config that a chart viewer draws, and two pure functions that run it.
 * `step` never throws for any event that its type allows: a bad expression fails the step it belongs to.
 */
export interface CompiledWorkflow {
  readonly definition: Definition;
  /** JSON-safe; an inspector draws it, and `createMachine` takes it. */
  readonly config: MachineConfig;
  /** Configs of the bodies that run by counters (map items, wide or dependent branches), by the path of their step. */
  readonly bodies: { readonly [path: string]: MachineConfig };
  initial(start: Start): Turn;
  /** An event that nothing waits for (a stale result, a fired timer that was cancelled) returns the same state object. */
  step(state: RunState, event: RunEvent): Turn;
  /** The same config with the same actions and guards as a real XState machine: effects arrive as its custom actions. */
  machine(): AnyStateMachine;
}

/** What the compiler asks of its surroundings. */
export interface CompileOptions {
  /** The fields of a capability's input that are shell text; asked when a task is scheduled. */
  readonly shellFields?: (target: TaskTarget) => readonly string[];
}

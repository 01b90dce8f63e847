/**
 * The subset of XState v5 that the compiler writes and that the interpreter runs. A config in this subset is a valid
 * XState config with the same meaning: a test runs both on the same events and compares state, context and effects.
 * Left out on purpose, because they are not durable: `invoke`, `after`, spawned actors, delayed sends, inline functions,
 * history states, several targets.
 * Source: docs/guide/workflows.md (the XState subset).
 */

/** What a named action or guard is given, as data. */
export type Params = { readonly [name: string]: string | number | boolean };

export interface NamedAction {
  readonly type: string;
  readonly params?: Params;
}

export interface NamedGuard {
  readonly type: string;
  readonly params?: Params;
}

export interface Arrow {
  /** A sibling by name, `.child`, or `#machine.path` from the root. None: only the actions run. */
  readonly target?: string;
  readonly guard?: NamedGuard;
  readonly actions?: readonly NamedAction[];
  readonly description?: string;
  /** Leaves and enters the state anew even when the target lies inside it or is it. */
  readonly reenter?: boolean;
}

export interface StateNode {
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly meta?: object;
  readonly type?: "atomic" | "compound" | "parallel" | "final";
  readonly initial?: string;
  readonly states?: { readonly [name: string]: StateNode };
  readonly entry?: readonly NamedAction[];
  readonly exit?: readonly NamedAction[];
  readonly on?: { readonly [event: string]: readonly Arrow[] };
  readonly always?: readonly Arrow[];
  readonly onDone?: readonly Arrow[];
}

export interface MachineConfig extends StateNode {
  readonly id: string;
  /** A cycle of arrows that waits for nothing is an error after this many microsteps, not a hang. */
  readonly options?: { readonly maxIterations: number };
}

/** Which states are active, as XState writes it. */
export type StateValue = string | { readonly [name: string]: StateValue };

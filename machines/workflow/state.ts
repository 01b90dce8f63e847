import type { Failure, Json } from "../failure.ts";
import type { StateValue } from "./chart/config.ts";
import type { About, RunEvent } from "./events.ts";
import type { Ledger } from "./run/ledger.ts";

/**
 * Where a run is. Plain JSON at every moment: the engine stores it as it is, and an XState snapshot of the compiled
 * machine is `{ status, value, context }` made of the same parts. Read it through the functions of `inspect.ts`.
 */
export interface RunState {
  /** The XState state value of the compiled machine. */
  readonly value: StateValue;
  readonly context: RunContext;
}

export type RunPhase =
  | "running"
  | "paused"
  | "compensating"
  | "completed"
  | "failed"
  | "cancelled"
  | "compensation-failed";

/** One visit of one step that is not over. */
export interface Activation {
  readonly step: string;
  /** The lane it runs in, by path; "" is the run itself. */
  readonly frame: string;
  readonly visit: number;
  /** Counts from 1; a fallback goes on counting. */
  readonly attempt: number;
  readonly startedAt: number;
  /** What it waits for; `left` means that it is over and about to be left. */
  readonly waits: "task" | "child" | "timer" | "event" | "retry" | "steps" | "left";
  /** Timers that are set, by kind: epoch milliseconds. */
  readonly timers?: { readonly [kind: string]: number };
  /** Where it goes on, once that is known. */
  readonly choice?: string;
  /** Which error route has had its fallback started. */
  readonly fallback?: number;
  /** What the kind of the step keeps, as the list of a map or the round of a loop. */
  readonly data?: Json;
}

/** Where variables are written: the run, a branch, an item. They are merged into the scope around at the end. */
export interface Scope {
  /** The path of the scope around it. */
  readonly parent?: string;
  readonly variables: Ledger<Json>;
  /** Variables are written to the scope around it: the body of a loop has only its item and index here. */
  readonly through?: boolean;
  /** What the branches before this one have written. */
  readonly seed?: Ledger<Json>;
  readonly item?: Json;
  readonly index?: number;
  /** The failure that was routed last in this scope: `$.error`. */
  readonly error?: Json;
  /** What the last completed step here gave. */
  readonly last?: Json;
}

/** One item or branch that runs by counters: a small machine of its own. */
export interface Lane {
  readonly value: StateValue;
  /** The step whose lane it is, and the lane that step runs in. */
  readonly step: string;
  readonly frame: string;
  readonly index: number;
}

/** The items or branches of one step. */
export interface Fan {
  readonly total: number;
  /** How many were started. */
  readonly started: number;
  readonly running: number;
  readonly completed: number;
  readonly failed: number;
  /** Ends by index. */
  readonly ends: Ledger<LaneEnd>;
}

export type LaneEnd =
  | { readonly ok: true; readonly result: Json; readonly writes: { readonly [variable: string]: Json } }
  | { readonly ok: false; readonly failure: Failure };

/** One completed step that can be undone. */
export interface Undo {
  readonly step: string;
  readonly path: string;
  readonly taskId: string;
  readonly input: Json;
  readonly env?: { readonly [name: string]: string };
  readonly shell?: readonly string[];
}

/** Where the run was when it last waited, before the event that failed or cancelled it: `retry` goes on from there. */
export interface Before {
  readonly state: RunState;
  /** The event, where it brought a result that is to be kept. */
  readonly event?: RunEvent;
}

/** A completed step with `checkpoint`: what a rollback returns to. */
export interface Checkpoint {
  readonly step: string;
  readonly variables: Ledger<Json>;
  /** Where the run went on from there. */
  readonly next: string;
  /** How many undo entries there were. */
  readonly undone: number;
}

/** What `$.steps.<id>` shows of a step that some expression asks for. */
export interface StepResult {
  readonly status: "completed" | "failed" | "skipped";
  readonly output?: Json;
  readonly error?: Failure;
  readonly attempts: number;
}

export interface RunContext {
  readonly executionId: string;
  readonly phase: RunPhase;
  readonly startedAt: number;
  /** The time of the latest event. */
  readonly at: number;
  readonly input: Json;
  readonly env: { readonly [name: string]: string };
  readonly about?: About;
  /** By path: "" is the run, `files[3]` an item, `checks/lint` a branch. */
  readonly scopes: Ledger<Scope>;
  readonly active: Ledger<Activation>;
  readonly fans: Ledger<Fan>;
  readonly lanes: Ledger<Lane>;
  readonly results: Ledger<StepResult>;
  /** Visits so far of the steps that were visited, where a second visit is possible. */
  readonly visits: Ledger<number>;
  readonly undo: Ledger<Undo>;
  readonly held: readonly RunEvent[];
  readonly signals: readonly { readonly name: string; readonly payload: Json }[];
  /** Numbers given out to `uuid()` and to emitted events. */
  readonly serial: number;
  readonly counts: RunCounts;
  readonly failure?: Failure;
  readonly failedPath?: string;
  /** Which error handler has the failure, by position. */
  readonly handler?: { readonly index: number; readonly attempt: number; readonly open: boolean };
  /** Timers of the run itself that are set, by kind: epoch milliseconds. */
  readonly timers: { readonly [kind: string]: number };
  readonly before?: Before;
  readonly checkpoint?: Checkpoint;
  readonly rollbacks: number;
  /** Why the run is being undone, and down to how many undo entries. */
  readonly undoing?: { readonly because: "failed" | "cancelled" | "rollback"; readonly until: number };
  readonly cancelReason?: string;
  readonly output?: Json;
}

/** The metrics of one run, by the names of the user's document 003. */
export interface RunCounts {
  readonly stepCount: number;
  readonly completedSteps: number;
  readonly taskCount: number;
  readonly errorCount: number;
  readonly retryCount: number;
}

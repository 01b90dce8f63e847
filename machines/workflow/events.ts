import type { Failure, Json } from "../failure.ts";

/**
 * What a run takes in. Each event is one journal fact: the engine stamps `at`, journals it and gives it to `step`,
 * so folding the same events over the same definition gives the same state.
 * Source: docs/guide/workflows.md (the contract between the law and the engine).
 */

/** `at` is epoch milliseconds, stamped by the engine; it never runs backwards within one run. */
interface Stamped {
  readonly at: number;
}

/** Where an error handler's run came from: its `$.workflowName`, `$.executionId`, `$.stepId` and `$.error` are these. */
export interface About {
  readonly workflowName: string;
  readonly executionId: string;
  readonly stepId: string;
  readonly error: Failure;
}

/** The first fact of every run. `executionId` must be unique and hard to guess: task ids and `uuid()` derive from it. */
export interface Start extends Stamped {
  readonly type: "start";
  readonly executionId: string;
  readonly input: Json;
  /** Values of the definition's `env` names. They are journaled, so they are no place for secrets. */
  readonly env?: { readonly [name: string]: string };
  readonly about?: About;
}

/** A task ended well. `output` is the capability's output, already checked against its schema by the dispatcher. */
export interface TaskCompleted extends Stamped {
  readonly type: "task.completed";
  readonly taskId: string;
  readonly output: Json;
}

/** A task's one attempt ended badly; whether it is tried again is decided here, by the step's policy. */
export interface TaskFailed extends Stamped {
  readonly type: "task.failed";
  readonly taskId: string;
  readonly failure: Failure;
}

/** A timer of this run is due: `at >= dueAt`. */
export interface TimerFired extends Stamped {
  readonly type: "timer.fired";
  readonly timerId: string;
}

/** A named message for this run, from `run.signal` or from `emit` while the run listens for that name. */
export interface Signal extends Stamped {
  readonly type: "signal";
  readonly name: string;
  readonly payload: Json;
}

/** A child run (sub-workflow or error handler) ended well. */
export interface ChildCompleted extends Stamped {
  readonly type: "child.completed";
  readonly childId: string;
  readonly output: Json;
}

/** A child run failed, was cancelled, or could not be started at all. */
export interface ChildFailed extends Stamped {
  readonly type: "child.failed";
  readonly childId: string;
  readonly failure: Failure;
}

/** Holds the run: what is in flight may end, but its ends and all timers and signals wait, in order. */
export interface Pause extends Stamped {
  readonly type: "pause";
}

/** Lets a paused run go on; with `input`, its fields replace those of `$.input`. */
export interface Resume extends Stamped {
  readonly type: "resume";
  readonly input?: { readonly [name: string]: Json };
}

/** Ends the run; with `compensate`, completed steps are undone first, newest first. */
export interface Cancel extends Stamped {
  readonly type: "cancel";
  readonly compensate?: boolean;
  readonly reason?: string;
}

/**
 * Goes on after an end that was not wanted: a failed or cancelled run starts its unfinished steps again as new
 * visits (finished ones, finished map items among them, keep their results); a run whose compensation failed tries
 * that compensation again.
 */
export interface Retry extends Stamped {
  readonly type: "retry";
}

/** Makes this state the start of another run: every open task, timer and child is begun again under the new id. */
export interface Fork extends Stamped {
  readonly type: "fork";
  readonly executionId: string;
}

/** A journaled live patch of the run's own variables, as immer writes patches; `path` starts at the variables. */
export interface Patch extends Stamped {
  readonly type: "patch";
  readonly patches: readonly {
    readonly op: "add" | "remove" | "replace";
    readonly path: readonly (string | number)[];
    readonly value?: Json;
  }[];
}

export type RunEvent =
  | Start
  | TaskCompleted
  | TaskFailed
  | TimerFired
  | Signal
  | ChildCompleted
  | ChildFailed
  | Pause
  | Resume
  | Cancel
  | Retry
  | Fork
  | Patch;

export type RunEventType = RunEvent["type"];

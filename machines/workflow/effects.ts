import type { Failure, Json } from "../failure.ts";
import type { About } from "./events.ts";

/**
 * What a run wants done. The engine writes each effect as a row in the transaction that journals the event, and acts
 * on it after the commit. Every id is unique within its run and derived from the step's path, visit and attempt, so
 * the same fold names the same effects.
 */

/** May this task be started twice when nobody knows whether it ran? */
export type EffectClass = "idempotent" | "at-least-once" | "at-most-once";

export type RunPriority = "high" | "normal" | "low";

/**
 * Whom a task is for. `capability` alone: any agent that offers it. `agent` too: only that agent. `mode`: a capability
 * of that name, or else the agent of that name with its only capability.
 */
export interface TaskTarget {
  readonly capability?: string;
  readonly agent?: string;
  readonly mode?: string;
}

/** Have one attempt of one task done. `taskId` is the idempotency key handed to the agent. */
export interface ScheduleTask extends TaskTarget {
  readonly type: "scheduleTask";
  /** `executionId/path/visit/attempt`. */
  readonly taskId: string;
  /** Where the step is: state names joined by `/`, an item of a map as `files[3]`. */
  readonly path: string;
  /** The step's own id. */
  readonly step: string;
  readonly visit: number;
  /** Counts from 1 within a visit. */
  readonly attempt: number;
  readonly input: Json;
  /** Values for the environment of a shell command; `input` names them as `${TROUPE_1}`. */
  readonly env?: { readonly [name: string]: string };
  /** The fields of the input that were written as shell text, with their values in `env`. */
  readonly shell?: readonly string[];
  /** When the attempt is over time; the matching timer is this run's own, so the engine need not watch it. */
  readonly dueAt?: number;
  readonly priority: RunPriority;
  readonly effect: EffectClass;
  /** Set on the task that undoes `compensates`, a task id. */
  readonly compensates?: string;
}

/** The task's result is no longer wanted. A result that comes all the same is stale. */
export interface CancelTask {
  readonly type: "cancelTask";
  readonly taskId: string;
}

/** Send `timer.fired` once, at `dueAt` (epoch milliseconds) or as soon after it as can be. */
export interface StartTimer {
  readonly type: "startTimer";
  /** `executionId/path/visit/attempt#kind`, where kind is timeout, retry, wait or sla; or `executionId#deadline`. */
  readonly timerId: string;
  readonly dueAt: number;
}

export interface CancelTimer {
  readonly type: "cancelTimer";
  readonly timerId: string;
}

/** Start a child run. Its end comes back as `child.completed` or `child.failed`. */
export interface StartChild {
  readonly type: "startChild";
  /** Unique as a task id is; the child's run id may be the same. */
  readonly childId: string;
  readonly path: string;
  readonly step: string;
  /** The key of the definition. When none is defined: `child.failed` with `workflow/unknown-definition`. */
  readonly workflow: string;
  readonly version?: string;
  readonly input: Json;
  readonly priority: RunPriority;
  /** Set for an error handler: goes into the child's `start` event. */
  readonly about?: About;
}

export interface CancelChild {
  readonly type: "cancelChild";
  readonly childId: string;
  readonly compensate: boolean;
}

/** From now on, `emit(event, …)` is to reach this run as a signal of that name. */
export interface Listen {
  readonly type: "listen";
  /** Unique as a task id is. */
  readonly listenId: string;
  readonly event: string;
  /** What a person is asked to fill in, as JSON Schema: the payload must fit it. */
  readonly form?: Json;
}

export interface Unlisten {
  readonly type: "unlisten";
  readonly listenId: string;
}

/** A signal was not taken: its payload does not fit the form, or too many signals wait already. */
export interface RefuseSignal {
  readonly type: "refuseSignal";
  readonly name: string;
  readonly failure: Failure;
}

/** Publish `event` to whoever listens, once: `emitId` is its event id. */
export interface EmitEvent {
  readonly type: "emitEvent";
  readonly emitId: string;
  readonly event: string;
  readonly payload: Json;
}

/** Something that a person following the run wants to know. It goes to the stream and into the step records. */
export interface Emit {
  readonly type: "emit";
  readonly fact: RunFact;
}

/** The run ended well. */
export interface Complete {
  readonly type: "complete";
  readonly output: Json;
}

/** The run ended badly; everything it had open was cancelled by effects before this one. */
export interface Fail {
  readonly type: "fail";
  readonly failure: Failure;
  /** The path of the step that failed, where one did. */
  readonly path?: string;
}

/** The run was cancelled. */
export interface Cancelled {
  readonly type: "cancelled";
  readonly reason?: string;
}

/** Undoing came to a stop; the run waits, visible, for `retry`. */
export interface ParkCompensation {
  readonly type: "parkCompensation";
  readonly failure: Failure;
  /** The task that could not be undone. */
  readonly taskId: string;
}

export type RunEffect =
  | ScheduleTask
  | CancelTask
  | StartTimer
  | CancelTimer
  | StartChild
  | CancelChild
  | Listen
  | Unlisten
  | RefuseSignal
  | EmitEvent
  | Emit
  | Complete
  | Fail
  | Cancelled
  | ParkCompensation;

/** Which visit of which step a fact is about. */
interface AboutStep {
  readonly path: string;
  readonly step: string;
  readonly name: string;
  readonly kind: string;
  readonly visit: number;
}

export type RunFact =
  | (AboutStep & { readonly type: "step.started" })
  /** The step waits for a time, an event or a free place; `until` is epoch milliseconds where a time is known. */
  | (AboutStep & { readonly type: "step.waiting"; readonly on: "time" | "event" | "retry"; readonly until?: number })
  | (AboutStep & { readonly type: "step.retrying"; readonly attempt: number; readonly failure: Failure })
  | (AboutStep & { readonly type: "step.completed"; readonly attempts: number; readonly choice?: string })
  | (AboutStep & { readonly type: "step.failed"; readonly attempts: number; readonly failure: Failure })
  /** Its condition was false. */
  | (AboutStep & { readonly type: "step.skipped" })
  | (AboutStep & { readonly type: "step.cancelled" })
  | (AboutStep & { readonly type: "step.late"; readonly dueAt: number })
  | { readonly type: "execution.late"; readonly dueAt: number }
  | { readonly type: "execution.degraded"; readonly path: string; readonly failure: Failure }
  | { readonly type: "execution.rolledBack"; readonly path: string; readonly to: string }
  | { readonly type: "compensation.started"; readonly steps: number }
  | { readonly type: "compensation.completed"; readonly path: string; readonly taskId: string };

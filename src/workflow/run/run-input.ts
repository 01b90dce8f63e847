import type { Failure } from "../../../machines/failure.ts";
import type { CompiledWorkflow } from "../../../machines/workflow/compiled.ts";
import type { RunState } from "../../../machines/workflow/state.ts";
import type { JournalEvent, Migrated } from "./fold.ts";

type WithoutTime<Event> = Event extends unknown ? Omit<Event, "at"> : never;

/** An event before the engine has stamped its time. */
export type Happened = WithoutTime<Exclude<JournalEvent, Migrated>>;

/** A move to another definition. What stands against it is asked at the moment of the move. */
export interface Move {
  readonly type: "move";
  readonly workflow: CompiledWorkflow;
  readonly hash: string;
  readonly check: (state: RunState) => readonly string[];
}

/** What is known of how a task was done. It is journaled with its end: later learning reads it. */
export interface TaskRecord {
  readonly capability?: string;
  /** The path of the agent, or the name of whoever did it outside. */
  readonly agent?: string;
  /** Milliseconds from the opening of the task to its dispatch, and from there to its end. */
  readonly queuedMs?: number;
  readonly ranMs?: number;
  readonly attempt?: number;
  readonly tokens?: number;
  readonly cost?: number;
  /** How many things were done less well than asked. */
  readonly degraded?: number;
}

/** What became of an input. */
export type Verdict =
  | { readonly taken: true }
  /** Nothing waits for it: the task, timer or run is over, or the message was taken before. */
  | { readonly taken: false; readonly why: "stale" | "known" }
  | { readonly taken: false; readonly why: "refused"; readonly failure: Failure };

/** Something for a run to take in. */
export interface RunInput {
  readonly event: Happened | Move;
  /** Makes the input a message: the same id is taken once. */
  readonly message?: string;
  /** The fence under which a task was given out. */
  readonly fence?: number;
  readonly record?: TaskRecord;
  /** A timer of the run that this takes; without it the input is stale. */
  readonly timer?: string;
  /** Called once the verdict is durable. */
  readonly settle?: (verdict: Verdict) => void;
  /** Called instead when the store failed; the input may or may not have been taken. */
  readonly reject?: (error: Error) => void;
}

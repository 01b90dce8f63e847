import type { Patch } from "immer";
import type { Failure, Json, Outcome } from "../../machines/failure.ts";
import { failure } from "../../machines/failure.ts";
import type { Happening } from "../ports/observe.ts";
import type { HistoryEntry } from "./view/history.ts";
import type { Operations } from "./operations.ts";
import type { RunActorRef } from "./run/run-actor.ts";
import type { Verdict } from "./run/run-input.ts";
import type { RunReport } from "./view/run-report.ts";
import type { StepRecord } from "./view/steps.ts";

/** A change of a run's variables, made on a draft of them. */
export type VariablesRecipe = (variables: { [name: string]: Json }) => void;

/** What a live patch changed, and what would change it back. */
export interface Patched {
  readonly patches: readonly Patch[];
  readonly inverse: readonly Patch[];
}

/**
 * One run: what it does, how it gets on, and what may be done to it. The handle stays good whatever happens to the
 * run, also over a restart of the process when it is taken anew with `troupe.runs.get(id)`.
 */
export interface RunHandle {
  readonly id: string;
  /**
   * The run as an XState actor: `send` enters as a signal, `subscribe` and `getSnapshot` show the state after the
   * newest durable fact. A run that has ended shows its last state.
   */
  readonly actor: RunActorRef;
  status(): Promise<RunReport>;
  /** Resolves when the run has ended, or stands still until somebody acts on it; never rejects for a failure of the run. */
  result(): Promise<Outcome<Json>>;
  /** Everything that happens to this run from now on. Leave the loop to unsubscribe. */
  events(): AsyncIterable<Happening>;
  /** The journal, each fact with a sentence about it. */
  history(): Promise<readonly HistoryEntry[]>;
  /** One record per visit of a step, those of child runs included. */
  steps(): Promise<readonly StepRecord[]>;
  /** Computes an expression over the run as it is now, while it runs: `$.variables.issues.length`. */
  query(expression: string): Promise<Json>;
  /** Holds the run: what is with agents may end, and waits with all that comes until it is resumed. */
  pause(): Promise<Outcome<null>>;
  /** Lets a paused run go on; fields of `input` replace those of its input. */
  resume(input?: { readonly [name: string]: Json }): Promise<Outcome<null>>;
  /**
   * Ends the run; with `compensate`, completed steps are undone first, the newest first. A run that is being undone
   * already is left with what is not undone yet; with `compensate` it undoes everything.
   */
  stop(options?: { readonly compensate?: boolean; readonly reason?: string }): Promise<Outcome<null>>;
  /** A named message for the run. The same `id` is taken once. */
  signal(name: string, payload?: unknown, options?: { readonly id?: string }): Promise<Outcome<null>>;
  /**
   * Goes on after a failure from the failed step; what was completed keeps its results. A run of which a step was undone
   * since, or that was stopped while it was being undone, is not taken up again.
   */
  retry(): Promise<Outcome<null>>;
  /** A new run that has done what this one had when `step` began, and goes on from there by itself. */
  fork(step: string): Promise<RunHandle>;
  /** Changes variables while the run goes on. The change is journaled. */
  patch(change: VariablesRecipe | readonly Patch[]): Promise<Outcome<Patched>>;
  /** Moves the run to another version of its workflow, where every step that is under way exists there too. */
  migrate(version: string): Promise<Outcome<null>>;
}

/** How a verdict reads as an outcome. */
export function outcomeOfVerdict(verdict: Verdict, what: string): Outcome<null> {
  if (verdict.taken) return { ok: true, value: null };
  if (verdict.why === "known") return { ok: true, value: null };
  const failed: Failure =
    verdict.why === "refused"
      ? verdict.failure
      : failure("workflow/not-waiting", `the run does not take ${what} now: it has ended, or is not in a state for it`);
  return { ok: false, failure: failed };
}

/** The handle of one run, on the operations of its engine. */
export class Handle implements RunHandle {
  readonly id: string;
  readonly #operations: Operations;
  #actor: RunActorRef;

  constructor(operations: Operations, id: string, actor: RunActorRef) {
    this.#operations = operations;
    this.id = id;
    this.#actor = actor;
  }

  get actor(): RunActorRef {
    return (this.#actor = this.#operations.actorOf(this.id) ?? this.#actor);
  }
  status(): Promise<RunReport> {
    return this.#operations.status(this.id);
  }
  result(): Promise<Outcome<Json>> {
    return this.#operations.result(this.id);
  }
  events(): AsyncIterable<Happening> {
    return this.#operations.events(this.id);
  }
  history(): Promise<readonly HistoryEntry[]> {
    return this.#operations.history(this.id);
  }
  steps(): Promise<readonly StepRecord[]> {
    return this.#operations.steps(this.id);
  }
  query(expression: string): Promise<Json> {
    return this.#operations.query(this.id, expression);
  }
  pause(): Promise<Outcome<null>> {
    return this.#operations.pause(this.id);
  }
  resume(input?: { readonly [name: string]: Json }): Promise<Outcome<null>> {
    return this.#operations.resume(this.id, input);
  }
  stop(options: { readonly compensate?: boolean; readonly reason?: string } = {}): Promise<Outcome<null>> {
    return this.#operations.stop(this.id, options);
  }
  signal(name: string, payload: unknown = null, options: { readonly id?: string } = {}): Promise<Outcome<null>> {
    return this.#operations.signal(this.id, { name, payload, ...options });
  }
  retry(): Promise<Outcome<null>> {
    return this.#operations.retry(this.id);
  }
  async fork(step: string): Promise<RunHandle> {
    return this.#operations.handle(await this.#operations.fork(this.id, step));
  }
  patch(change: VariablesRecipe | readonly Patch[]): Promise<Outcome<Patched>> {
    return this.#operations.patch(this.id, change);
  }
  migrate(version: string): Promise<Outcome<null>> {
    return this.#operations.migrate(this.id, version);
  }
}

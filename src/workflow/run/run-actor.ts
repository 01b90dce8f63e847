import { createActor, matchesState, type ActorLogic, type ActorRef, type EventObject, type Snapshot } from "xstate";
import type { Json, Outcome } from "../../../machines/failure.ts";
import type { StateValue } from "../../../machines/workflow/chart/config.ts";
import type { CompiledWorkflow } from "../../../machines/workflow/compiled.ts";
import type { RunContext, RunState } from "../../../machines/workflow/state.ts";
import { emptyWindow, type RestartWindow } from "../../../machines/supervision/restart-window.ts";
import { defaultChildSpec, type Child, type ChildSpec, type Started } from "../../system/supervision.ts";
import type { Supervisor } from "../../system/supervisor.ts";

/** What an inspector and a subscriber see of a run: the state after its newest durable fact, in XState's shape. */
export interface RunSnapshot {
  readonly status: "active" | "done" | "error" | "stopped";
  /** Empty while the run waits for its turn. */
  readonly value: StateValue;
  readonly context: RunContext | Record<string, never>;
  /** The outcome of the run, once it has ended. */
  readonly output: Outcome<Json> | undefined;
  readonly error: undefined;
  matches(value: StateValue): boolean;
}

class ShownSnapshot implements RunSnapshot {
  readonly status: RunSnapshot["status"];
  readonly value: StateValue;
  readonly context: RunSnapshot["context"];
  readonly output: Outcome<Json> | undefined;
  readonly error = undefined;

  constructor(state: RunState | undefined, output?: Outcome<Json>) {
    this.status = output === undefined ? "active" : "done";
    this.value = state?.value ?? {};
    this.context = state?.context ?? {};
    this.output = output;
  }

  matches(value: StateValue): boolean {
    return matchesState(value, this.value);
  }
}

/** An event for a run: its type is the name of the signal, everything else its payload. */
export interface RunMessage extends EventObject {
  readonly [field: string]: unknown;
}

type Shown = RunSnapshot & Snapshot<unknown>;
type RunLogic = ActorLogic<Shown, EventObject> & { readonly config: unknown };

/** A run as an XState actor: `send` enters as a signal, `subscribe` and `getSnapshot` show what is durable. */
export type RunActorRef = ActorRef<Shown, RunMessage>;

/**
 * The place of one resident run in the supervision tree. Its XState actor carries the config of the compiled
 * machine, and takes each committed state as it is: the engine folds, the actor shows.
 */
export class RunActor implements Child {
  readonly kind = "run";
  readonly name: string;
  readonly spec: ChildSpec = defaultChildSpec;
  readonly workflow: string;
  window: RestartWindow = emptyWindow;
  restarts = 0;
  ended = false;
  /** The status in the run's row. */
  status = "running";
  readonly #parent: Supervisor;
  readonly #config: unknown;
  readonly #onSignal: (name: string, payload: Json) => void;
  #ref: RunActorRef | undefined;
  #shown: RunSnapshot;
  /** The event that the engine itself is sending, with the snapshot that it leads to. */
  #relayed: { readonly event: EventObject; readonly snapshot: RunSnapshot } | undefined;

  constructor(
    parent: Supervisor,
    run: {
      readonly id: string;
      readonly workflow: CompiledWorkflow;
      readonly state: RunState | undefined;
      readonly onSignal: (name: string, payload: Json) => void;
    },
  ) {
    this.#parent = parent;
    this.name = run.id;
    this.workflow = run.workflow.definition.key;
    this.#config = run.workflow.config;
    this.#shown = new ShownSnapshot(run.state);
    this.#onSignal = run.onSignal;
  }

  get path(): string {
    return `${this.#parent.path}/${this.name}`;
  }

  get ref(): RunActorRef {
    return this.#ref as RunActorRef;
  }

  begin(): Started {
    this.ended = false;
    this.#ref = this.#parent.host.adopt(this.#logic() as never, this.name) as unknown as RunActorRef;
    return undefined;
  }

  #logic(): RunLogic {
    return {
      config: this.#config,
      transition: (snapshot, event) => {
        const relayed = this.#relayed;
        if (relayed?.event === event) return relayed.snapshot as Shown;
        if (event.type === "xstate.stop") return { ...snapshot, status: "stopped" } as typeof snapshot;
        if (!event.type.startsWith("xstate.")) {
          const { type, ...payload } = event as RunMessage;
          this.#onSignal(type, payload as unknown as Json);
        }
        return snapshot;
      },
      getInitialSnapshot: () => this.#shown as Shown,
      getPersistedSnapshot: (snapshot) => snapshot,
    };
  }

  /** Shows a state that is durable now, as the result of the event that led to it. */
  show(event: EventObject, state: RunState | undefined, output?: Outcome<Json>): void {
    this.#shown = new ShownSnapshot(state, output);
    this.#relayed = { event, snapshot: this.#shown };
    this.#ref?.send(event);
    this.#relayed = undefined;
  }

  halt(): void {
    if (this.ended) return;
    this.ended = true;
    if (this.#ref !== undefined) this.#parent.host.release(this.#ref);
  }

  dispose(): void {}
}

/** An actor that only shows the last state of a run. */
export function detachedActor(run: {
  readonly id: string;
  readonly workflow: CompiledWorkflow;
  readonly state: RunState | undefined;
  readonly outcome: Outcome<Json>;
}): RunActorRef {
  const shown = new ShownSnapshot(run.state, run.outcome) as Shown;
  const logic: RunLogic = {
    config: run.workflow.config,
    transition: (snapshot) => snapshot,
    getInitialSnapshot: () => shown,
    getPersistedSnapshot: (snapshot) => snapshot,
  };
  return createActor(logic, { id: run.id }).start();
}

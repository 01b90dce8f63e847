import type { Json } from "../../../machines/failure.ts";
import type { CompiledWorkflow } from "../../../machines/workflow/compiled.ts";
import type { RunEffect } from "../../../machines/workflow/effects.ts";
import type { RunEvent, Start } from "../../../machines/workflow/events.ts";
import type { RunState } from "../../../machines/workflow/state.ts";

/** The run waits for its turn: a limit on runs of its definition, or of the engine, is reached. `start` is what it will begin with. */
export interface Queued {
  readonly type: "queued";
  readonly at: number;
  readonly start: Omit<Start, "at">;
}

/** From here on the run follows another version of its definition, from this state. */
export interface Migrated {
  readonly type: "migrated";
  readonly at: number;
  readonly from: string;
  readonly to: string;
  readonly state: RunState;
}

/** What a journal is made of: the events of the law, and two that only the engine knows. */
export type JournalEvent = RunEvent | Queued | Migrated;

const nothing: readonly RunEffect[] = [];

/** The state of one run, and how events change it. */
export class Fold {
  workflow: CompiledWorkflow;
  state: RunState | undefined;
  /** What a run that waits for its turn will begin with. */
  queued: Queued["start"] | undefined;

  constructor(workflow: CompiledWorkflow, state?: RunState) {
    this.workflow = workflow;
    this.state = state;
  }

  /**
   * Takes one event in. Undefined when nothing waits for it: then nothing has changed.
   * `workflowOf` gives the definition that a migration leads to.
   */
  take(event: JournalEvent, workflowOf?: (hash: string) => CompiledWorkflow): readonly RunEffect[] | undefined {
    if (event.type === "queued") {
      this.queued = event.start;
      return nothing;
    }
    if (event.type === "migrated") {
      if (workflowOf !== undefined) this.workflow = workflowOf(event.to);
      this.state = event.state;
      return nothing;
    }
    if (event.type === "start") {
      const [state, effects] = this.workflow.initial(event);
      this.state = state;
      return effects;
    }
    if (this.state === undefined) return undefined;
    const [state, effects] = this.workflow.step(this.state, event);
    if (state === this.state && effects.length === 0) return undefined;
    this.state = state;
    return effects;
  }
}

/** The event of a journaled fact. */
export function eventOf(body: Json): JournalEvent {
  return body as unknown as JournalEvent;
}

import type { StepKind } from "../../machines/workflow/kinds/kind.ts";
import type { EventSource } from "./desk/event-source.ts";
import type { DeskOptions } from "./desk/task-desk.ts";
import type { Limits } from "./desk/task-limits.ts";
import type { ResidentOptions } from "./run/residents.ts";

/** How durable runs are limited, and what is done outside of this troupe. */
export interface EngineOptions extends ResidentOptions {
  /** Runs that may be under way at once; the others wait. */
  readonly runs?: Limits;
  readonly tasks?: DeskOptions;
  /** Capabilities whose tasks are done outside, through `troupe.tasks`. */
  readonly outside?: readonly string[];
  /** False: folds and writes, but dispatches nothing and fires no timer. For a process that only operates runs. */
  readonly isWorking?: boolean;
  /** Step kinds of your own, beside the built-in ones. A store that has runs with them needs them each time. */
  readonly kinds?: readonly StepKind[];
  /** Where events come from besides `emit`: webhooks, queues, alerts. Only a process that works on runs opens them. */
  readonly sources?: readonly EventSource[];
  readonly env?: (name: string) => string | undefined;
}

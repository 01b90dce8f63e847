import type { AnyActorLogic } from "xstate";
import type { Outcome } from "../../machines/failure.ts";
import type { Overflow } from "../../machines/mailbox/mailbox.ts";
import type { Cell } from "./cell.ts";
import type { Delivery, Skill } from "./delivery.ts";

/** What a cell runs: the difference between a default agent and a user's own machine. */
export interface Behaviour {
  /** The name of the definition, shared by all its agents. */
  readonly name: string;
  /** Its agents that have not ended for good, in whatever state. */
  residents: number;
  readonly skills: ReadonlyMap<string, Skill>;
  readonly concurrency: number;
  readonly capacity: number;
  readonly overflow: Overflow;
  readonly startTimeoutMs: number;
  /** The user's own XState logic; without it the cell's actor runs the agent life-cycle chart. */
  readonly logic: AnyActorLogic | undefined;
  readonly logicInput: unknown;
  /** Runs at each start; what it returns is the incarnation's state. Absent: the start is immediate. */
  readonly start: ((cell: Cell, signal: AbortSignal) => unknown) | undefined;
  readonly stop: ((cell: Cell, signal: AbortSignal) => unknown) | undefined;
  /** Works on one delivery. A throw or rejection is a crash; everything else is an outcome. */
  handle(cell: Cell, delivery: Delivery): Outcome<unknown> | Promise<Outcome<unknown>>;
  /** Whether a delivery in hand at a crash may be run again. */
  isIdempotent(delivery: Delivery): boolean;
}

import type { Outcome } from "../../machines/failure.ts";
import type { CallOptions, TellResult } from "../agent/context.ts";
import type { ItemSink } from "../agent/items.ts";
import type { Envelope } from "../agent/envelope.ts";
import type { Cell } from "../system/cell.ts";

/** The deadline of a call that names none. */
export const callTimeoutMs = 30_000;

/** What the dispatcher was asked for. */
export interface CallRequest {
  readonly capability: string;
  readonly input: unknown;
  readonly options: CallOptions | undefined;
  /** The call that this one is made under. */
  readonly under?: Envelope;
  /** The one agent that is meant. */
  readonly target?: Cell | undefined;
  /** Restricts the choice to these agents. */
  readonly among?: (cell: Cell) => boolean;
  /** It came from another node: it is answered here, and never passed on. */
  readonly isLocal?: boolean;
  /** The node that asks, where it is another one: its keys are its own. */
  readonly asker?: string;
  /** A task of a run: one attempt and no deadline but the one named, since the run retries and keeps time durably. */
  readonly isTask?: boolean;
  /** Takes what a stream yields. */
  readonly items?: ItemSink;
}

/** Epoch milliseconds at which a request made at `now` expires: never later than the call it is made under. */
export function deadlineOf(
  { options, under, isTask }: Pick<CallRequest, "options" | "under" | "isTask">,
  now: number,
): number {
  return Math.min(
    now + (options?.timeoutMs ?? (isTask === true ? Number.POSITIVE_INFINITY : callTimeoutMs)),
    options?.deadlineAt ?? Number.POSITIVE_INFINITY,
    under?.deadlineAt ?? Number.POSITIVE_INFINITY,
  );
}

/** A message that leaves this node: what it asks for, and everything that it carries. */
export interface Leaving extends Envelope {
  readonly capability: string;
  readonly input: unknown;
  readonly priority: "high" | "normal" | "low" | undefined;
  /** Somebody here listens to its progress. */
  readonly isFollowed: boolean;
}

/** Where calls go that nobody on this node can take; the floor above provides it. */
export interface Elsewhere {
  /** Undefined where no other node offers the capability. */
  call(call: Leaving, signal: AbortSignal): Promise<Outcome<unknown>> | undefined;
  tell(message: Leaving): TellResult | undefined;
}

import { draw, narrow, type Allowance, type BudgetField } from "../../machines/call/budget.ts";
import type { Degradation, Outcome } from "../../machines/failure.ts";
import type { Cell } from "../system/cell.ts";
import type { ItemSink } from "./items.ts";
import type { CallOptions, Peer, Progress, TellOptions, TellResult } from "./context.ts";

/** A running account of a budget. A nested account draws from its parent too, so no call can outspend its caller. */
export class Account {
  #left: Allowance;
  readonly #parent: Account | undefined;
  /** Drawn so far, in calls, tokens and cost. */
  calls = 0;
  tokens = 0;
  cost = 0;

  constructor(allowance: Allowance, parent: Account | undefined) {
    this.#left = allowance;
    this.#parent = parent;
  }

  /** What may still be used, here and above. */
  get left(): Allowance {
    const above = this.#parent?.left ?? {};
    return narrow(this.#left, above);
  }

  /** Draws; returns the first field that does not reach, here or above. */
  draw(used: Allowance): BudgetField | undefined {
    const above = this.#parent?.draw(used);
    const { left, crossed } = draw(this.#left, used);
    this.#left = left;
    this.calls += used.calls ?? 0;
    this.tokens += used.tokens ?? 0;
    this.cost += used.cost ?? 0;
    return crossed ?? above;
  }
}

/** The baggage of who carries none. */
export const noBaggage: Readonly<Record<string, string>> = Object.freeze({});

/** What a call carries besides its input: to its handler, and on to every call that the handler makes. */
export interface Envelope {
  readonly deadlineAt: number;
  readonly key: string | undefined;
  readonly runId: string | undefined;
  readonly decisionId: string | undefined;
  /** W3C trace context; made when it is first read. */
  readonly traceparent: string;
  readonly baggage: Readonly<Record<string, string>>;
  readonly account: Account | undefined;
  /** Takes what the handler of a stream yields; undefined where nobody reads it. */
  readonly items: ItemSink | undefined;
  /** Filled by the handler while it works. */
  degraded: Degradation[] | undefined;
  progressed(progress: Progress): void;
}

/** What handlers need of the floors above. */
export interface Caller {
  call(
    from: Cell,
    request: {
      readonly capability: string;
      readonly input: unknown;
      readonly options: CallOptions | undefined;
      readonly under: Envelope;
      readonly signal: AbortSignal;
    },
  ): Promise<Outcome<unknown>>;
  tell(request: {
    readonly capability: string;
    readonly input: unknown;
    readonly options: TellOptions | undefined;
    /** The call that the sender works on; undefined where it carries nothing to pass on. */
    readonly under: Envelope | undefined;
  }): TellResult;
  /** The peers of an agent; calls to them go under the call that it works on, as any nested call does. */
  peersOf(from: Cell, under: Envelope, signal: () => AbortSignal): readonly Peer[];
  /** The agent gave a sign of life. */
  beat(cell: Cell): void;
}

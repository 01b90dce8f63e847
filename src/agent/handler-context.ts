import { failure, type Degradation, type Failure, type Json } from "../../machines/failure.ts";
import { Refusal } from "../errors.ts";
import type { Cell } from "../system/cell.ts";
import type { Delivery } from "../system/delivery.ts";
import type { CallOptions, HandlerContext, Peer, Progress, TellOptions } from "./context.ts";
import { noBaggage, type Caller, type Envelope } from "./envelope.ts";

const ended = AbortSignal.abort(new DOMException("the agent's incarnation has ended", "AbortError"));

/** A tell has no deadline, no budget and nobody who waits for progress. */
const bareEnvelope: Envelope = {
  deadlineAt: Number.POSITIVE_INFINITY,
  key: undefined,
  runId: undefined,
  decisionId: undefined,
  traceparent: "",
  baggage: noBaggage,
  account: undefined,
  items: undefined,
  degraded: undefined,
  progressed() {},
};

/**
 * What a handler sees of its call. Everything that costs something is made when it is first read, so a handler
 * that reads only its input pays for its input only.
 */
export class Context implements HandlerContext<unknown, unknown> {
  readonly input: unknown;
  /** Of the incarnation that began the call, also when a late handler looks again. */
  readonly state: unknown;
  readonly #cell: Cell;
  readonly #delivery: Delivery;
  readonly #caller: Caller;
  readonly #incarnation: number;

  constructor(cell: Cell, delivery: Delivery, caller: Caller, input: unknown) {
    this.input = input;
    this.state = cell.userState;
    this.#cell = cell;
    this.#delivery = delivery;
    this.#caller = caller;
    this.#incarnation = cell.incarnation;
  }

  /** The incarnation that this handler belongs to has ended: whatever it still does concerns nobody. */
  get #isLate(): boolean {
    return this.#cell.ended || this.#cell.incarnation !== this.#incarnation;
  }

  get #envelope(): Envelope {
    return (this.#delivery.envelope as Envelope | undefined) ?? bareEnvelope;
  }
  get signal(): AbortSignal {
    return this.#isLate ? ended : this.#delivery.signal;
  }
  get key(): string | undefined {
    return this.#envelope.key;
  }
  get deadlineAt(): number {
    return this.#envelope.deadlineAt;
  }
  get runId(): string | undefined {
    return this.#envelope.runId;
  }
  get decisionId(): string | undefined {
    return this.#envelope.decisionId;
  }
  get traceparent(): string {
    return this.#envelope.traceparent;
  }
  get baggage(): Readonly<Record<string, string>> {
    return this.#envelope.baggage;
  }
  get agent(): { path: string; incarnation: number } {
    return { path: this.#cell.path, incarnation: this.#incarnation };
  }
  get peers(): readonly Peer[] {
    return this.#caller.peersOf(this.#cell, this.#envelope, () => this.signal);
  }
  get call(): HandlerContext<unknown>["call"] {
    return (capability: string, input: unknown, options?: CallOptions) =>
      this.#caller.call(this.#cell, { capability, input, options, under: this.#envelope, signal: this.signal });
  }
  get tell(): HandlerContext<unknown>["tell"] {
    return (capability: string, input: unknown, options?: TellOptions) =>
      this.#caller.tell({ capability, input, options, under: this.#delivery.envelope as Envelope | undefined });
  }
  get progress(): HandlerContext<unknown>["progress"] {
    return (progress: Progress | number, note?: string) => {
      if (this.#isLate) return;
      this.#caller.beat(this.#cell);
      this.#envelope.progressed(
        typeof progress === "number" ? { fraction: progress, ...(note === undefined ? {} : { note }) } : progress,
      );
    };
  }
  get heartbeat(): () => void {
    return () => {
      if (!this.#isLate) this.#caller.beat(this.#cell);
    };
  }
  get spend(): HandlerContext<unknown>["spend"] {
    return (used) => {
      const crossed = this.#envelope.account?.draw(used);
      if (crossed !== undefined)
        throw new Refusal(failure("call/budget-exhausted", `the budget of ${crossed} is used up`, { field: crossed }));
    };
  }
  get degrade(): (degradation: Degradation) => void {
    return (degradation) => {
      const envelope = this.#delivery.envelope as Envelope | undefined;
      // A tell has no outcome to mark.
      if (this.#isLate || envelope === undefined || this.#delivery.sender === undefined) return;
      (envelope.degraded ??= []).push(degradation);
    };
  }
  get fail(): HandlerContext<unknown>["fail"] {
    return (code: string, message: string, data: { readonly [key: string]: Json } = {}): never => {
      const refused: Failure = { code, message, retry: "never", data };
      throw new Refusal(refused);
    };
  }
  get exit(): () => void {
    return () => {
      if (!this.#isLate) this.#cell.exit();
    };
  }
  get log(): HandlerContext<unknown>["log"] {
    return (message, fields) => this.#cell.core.ports.log.write("info", message, { agent: this.#cell.path, ...fields });
  }
}

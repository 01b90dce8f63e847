import type { Envelope } from "../../../machines/wire/envelope.ts";
import { hopsMax, ttlMaxMs } from "../../../machines/wire/limits.ts";
import { unpackValue } from "../../../machines/wire/values.ts";
import { hostValues } from "../host-values.ts";
import { noHeaders, readAddress, type Address, type Incoming, type IncomingCall } from "../hosting.ts";

/** One message of the peer as this node is given it. */
export class Received implements Incoming {
  readonly peer: string;
  readonly to: Address;
  readonly capability: string;
  readonly input: unknown;
  readonly id: string;
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
  readonly hops: number;
  readonly headers: Incoming["headers"];

  constructor(peer: string, { id, to, ty, p, tp, ts, hp = hopsMax, x = noHeaders }: Envelope) {
    this.peer = peer;
    this.to = readAddress(to);
    this.capability = ty;
    this.input = p === undefined ? undefined : unpackValue(p, hostValues);
    this.id = id;
    this.traceparent = tp;
    this.tracestate = ts;
    this.hops = Math.max(0, hp - 1);
    this.headers = x;
  }
}

/** A call of the peer that has no answer yet. */
export class ServedCall extends Received implements IncomingCall {
  readonly ttlMs: number;
  /** Where it stands among the calls that are served; -1 before. */
  place = -1;
  /** Items that the caller takes; undefined where it takes none at all. */
  credit: number | undefined;
  readonly #emit: (served: ServedCall, item: unknown) => Promise<void>;
  /** Whoever waits for credit: an item and a progress report may. */
  #waiting: (() => void)[] | undefined;
  #cancel: (() => void) | undefined;
  #isGivenUp = false;

  constructor(peer: string, envelope: Envelope, emit: (served: ServedCall, item: unknown) => Promise<void>) {
    super(peer, envelope);
    this.ttlMs = envelope.ttl ?? ttlMaxMs;
    const credit = Number(envelope.x?.["credit"] ?? Number.NaN);
    this.credit = Number.isSafeInteger(credit) && credit >= 0 ? credit : undefined;
    this.#emit = emit;
  }

  get isFollowed(): boolean {
    return this.credit !== undefined;
  }

  onCancel(cancel: () => void): void {
    if (this.#isGivenUp) return cancel();
    // Nearly always there is one, and a list has room for many.
    const before = this.#cancel;
    this.#cancel =
      before === undefined
        ? cancel
        : () => {
            before();
            cancel();
          };
  }

  emit(item: unknown): Promise<void> {
    return this.#emit(this, item);
  }

  /** Resolves when there may be credit, or the call is over. */
  refilled(): Promise<void> {
    return new Promise((resolve) => (this.#waiting ??= []).push(resolve));
  }

  refill(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    for (const resolve of waiting ?? []) resolve();
  }

  giveUp(): void {
    this.#isGivenUp = true;
    this.refill();
    this.#cancel?.();
  }
}

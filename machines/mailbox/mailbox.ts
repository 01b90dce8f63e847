import { Ring } from "./ring.ts";

/** What happens to a message that comes when the mailbox is full. */
export type Overflow = "busy" | "drop-oldest" | "drop-newest";

export type Lane = 0 | 1 | 2;

/** Most messages one mailbox holds unless its agent declares another number (Effect cluster's default). */
export const mailboxCapacity = 4_096;

/** What became of an offered message. `dropped` is the one that had to go, which may be the offered one. */
export type Offer<Message> =
  | { readonly kind: "accepted" }
  | { readonly kind: "busy" }
  | { readonly kind: "dropped"; readonly dropped: Message };

const accepted = { kind: "accepted" } as const;
const busy = { kind: "busy" } as const;

/**
 * A bounded mailbox with three priorities. Order is first in, first out within one priority. Signals (stop,
 * pause, resume, crash) never enter it: they act on the cell directly and cannot be shed or delayed by messages.
 */
export class Mailbox<Message> {
  readonly #capacity: number;
  readonly #overflow: Overflow;
  readonly #normal = new Ring<Message>();
  #high: Ring<Message> | undefined;
  #low: Ring<Message> | undefined;
  size = 0;

  constructor(capacity: number, overflow: Overflow) {
    this.#capacity = capacity;
    this.#overflow = overflow;
  }

  offer(message: Message, lane: Lane): Offer<Message> {
    if (this.size < this.#capacity) {
      this.#lane(lane).push(message);
      this.size += 1;
      return accepted;
    }
    if (this.#overflow === "busy") return busy;
    if (this.#overflow === "drop-newest") return { kind: "dropped", dropped: message };
    const oldest = this.#leastUrgent(lane)?.shift();
    if (oldest === undefined) return { kind: "dropped", dropped: message };
    this.#lane(lane).push(message);
    return { kind: "dropped", dropped: oldest };
  }

  /** What has to make room for a message of this priority: never anything more urgent. */
  #leastUrgent(lane: Lane): Ring<Message> | undefined {
    if (this.#low !== undefined && this.#low.size > 0) return this.#low;
    if (lane <= 1 && this.#normal.size > 0) return this.#normal;
    return lane === 0 ? this.#high : undefined;
  }

  /** Puts back a message that was taken before a crash; it is not counted against the capacity. */
  putBack(message: Message, lane: Lane): void {
    this.#lane(lane).unshift(message);
    this.size += 1;
  }

  take(): Message | undefined {
    if (this.size === 0) return undefined;
    this.size -= 1;
    if (this.#high !== undefined && this.#high.size > 0) return this.#high.shift();
    if (this.#normal.size > 0) return this.#normal.shift();
    return this.#low?.shift();
  }

  /** Takes out, in one pass, every message that `isDead` names. */
  discard(isDead: (message: Message) => boolean): void {
    this.#high?.discard(isDead);
    this.#normal.discard(isDead);
    this.#low?.discard(isDead);
    this.size = (this.#high?.size ?? 0) + this.#normal.size + (this.#low?.size ?? 0);
  }

  #lane(lane: Lane): Ring<Message> {
    if (lane === 1) return this.#normal;
    if (lane === 0) return (this.#high ??= new Ring<Message>());
    return (this.#low ??= new Ring<Message>());
  }
}

import type { Clock, Timer } from "../ports/clock.ts";

interface Pending {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
}

/** Turns of the event loop granted to follow-up work after each timer. */
const settleTurns = 4;

/**
 * A clock that stands still until told otherwise. `advance` fires every due timer in order of its time, and lets
 * promises and message queues settle after each, so that a test reads like a transcript.
 * @example
 * ```ts
 * import { FakeClock } from "troupe/testing";
 * const clock = new FakeClock();
 * clock.after(1_000, () => console.log("a second has passed"));
 * await clock.advance(1_000);
 * ```
 */
export class FakeClock implements Clock {
  #now: number;
  #order = 0;
  readonly #pending = new Set<Pending>();

  constructor(startAt = 1_000_000) {
    this.#now = startAt;
  }

  now(): number {
    return this.#now;
  }

  after(delayMs: number, fire: () => void): Timer {
    this.#order += 1;
    const pending: Pending = { at: this.#now + Math.max(0, delayMs), order: this.#order, fire };
    this.#pending.add(pending);
    return { cancel: () => void this.#pending.delete(pending) };
  }

  /** Timers that wait. */
  get waiting(): number {
    return this.#pending.size;
  }

  /** Lets promises, microtasks and message queues come to rest without moving time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < settleTurns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Moves time forward by `ms`, firing what comes due on the way. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await this.settle();
    for (let next = this.#earliest(until); next !== undefined; next = this.#earliest(until)) {
      this.#pending.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.fire();
      await this.settle();
    }
    this.#now = until;
  }

  #earliest(until: number): Pending | undefined {
    let first: Pending | undefined;
    for (const pending of this.#pending) {
      if (pending.at > until) continue;
      if (first === undefined || pending.at < first.at || (pending.at === first.at && pending.order < first.order))
        first = pending;
    }
    return first;
  }
}

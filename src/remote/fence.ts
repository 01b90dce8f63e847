import { heartbeatsMissedMax } from "../../machines/session/limits.ts";
import type { Clock, Timer } from "../ports/clock.ts";

/** How long a message may be on its way after its connection was given up, for all that a fence knows. */
export const strayMessageMs = 2_000;

/**
 * When what an ended session left at the other end is over there too. It is at once where the other end has ended the
 * session itself, or welcomes the next one of the same dialer. Where it cannot be told, it ends the session by its own
 * clock: it notices the silence, keeps the session for its time to live, and then stops what was spawned in it.
 */
export class Fence {
  readonly #clock: Clock;
  #saidAt: number;
  #until = 0;
  #timer: Timer | undefined;
  #waiting: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#saidAt = clock.now();
  }

  /** Epoch milliseconds; in the past where nothing is left. */
  get until(): number {
    return this.#until;
  }

  /** The other end may have heard this side just now. */
  said(): void {
    this.#saidAt = this.#clock.now();
  }

  /** A session has ended on this side, and the other end keeps it with these times. */
  raise(pace: { readonly ttlMs: number; readonly heartbeatMs: number }): void {
    // A side takes a silence for death after its patience, or after twice that where silences were long before.
    const patienceMs = 2 * pace.heartbeatMs * heartbeatsMissedMax;
    this.#until = Math.max(this.#until, this.#saidAt + patienceMs + pace.ttlMs + strayMessageMs);
  }

  drop(): void {
    this.#until = 0;
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Resolves when nothing is left; never rejects. An abort lets go of the timer, and resolves too. */
  async passed(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#until > this.#clock.now()) {
      this.#timer ??= this.#clock.after(this.#until - this.#clock.now(), () => this.#ring());
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        signal.addEventListener("abort", () => this.#leave(resolve), { once: true });
      });
    }
  }

  #ring(): void {
    this.#timer = undefined;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #leave(resolve: () => void): void {
    this.#waiting = this.#waiting.filter((each) => each !== resolve);
    if (this.#waiting.length === 0) {
      this.#timer?.cancel();
      this.#timer = undefined;
    }
    resolve();
  }
}

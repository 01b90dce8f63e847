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
  /** Until when, by the address where a session has ended unsaid: a link may lead to one address after another. */
  readonly #raised = new Map<string, number>();
  #saidAt: number;
  #timer: Timer | undefined;
  #waiting: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#saidAt = clock.now();
  }

  /** Epoch milliseconds; in the past where nothing is left. */
  get until(): number {
    return Math.max(0, ...this.#raised.values());
  }

  /** The other end may have heard this side just now. */
  said(): void {
    this.#saidAt = this.#clock.now();
  }

  /** A session at this address has ended on this side, and the other end keeps it with these times. */
  raise(place: string, pace: { readonly ttlMs: number; readonly heartbeatMs: number }): void {
    // A side takes a silence for death after its patience, or after twice that where silences were long before.
    const patienceMs = 2 * pace.heartbeatMs * heartbeatsMissedMax;
    const until = this.#saidAt + patienceMs + pace.ttlMs + strayMessageMs;
    this.#raised.set(place, Math.max(this.#raised.get(place) ?? 0, until));
  }

  /** Nothing is left at this address; what may be left at another one is waited for. */
  drop(place: string): void {
    if (!this.#raised.delete(place)) return;
    this.#timer?.cancel();
    this.#ring();
  }

  /** Resolves when nothing is left; never rejects. An abort lets go of the timer, and resolves too. */
  async passed(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.until > this.#clock.now()) {
      this.#timer ??= this.#clock.after(this.until - this.#clock.now(), () => this.#ring());
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

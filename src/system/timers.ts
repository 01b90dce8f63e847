import type { Clock, Timer, TimerOptions } from "../ports/clock.ts";

const spent: Timer = { cancel() {} };

/** Timers that end with the troupe: after `close` none fires and none holds the process. */
export class Timers {
  readonly #clock: Clock;
  readonly #pending = new Set<Timer>();
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  after(delayMs: number, fire: () => void, options?: TimerOptions): Timer {
    if (this.#closed) return spent;
    const run = (): void => {
      this.#pending.delete(timer);
      fire();
    };
    const timer = this.#clock.after(delayMs, run, options);
    this.#pending.add(timer);
    return {
      cancel: () => {
        this.#pending.delete(timer);
        timer.cancel();
      },
    };
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#pending) timer.cancel();
    this.#pending.clear();
  }
}

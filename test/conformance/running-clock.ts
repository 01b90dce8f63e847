import { systemClock, type Clock, type Timer } from "../../src/ports/clock.ts";

/** How often time is looked at, and how much of it passes between two looks at most; both in milliseconds. */
const lookEveryMs = 5;
const passesAtMostMs = 10;

/**
 * The machine's time, without what this process stood still for. Where both ends of a socket are in one process, what
 * has arrived in time lies unread while it stands still; on the machine's clock each deadline would be over before
 * anybody looks. Here every timer that is due leaves the sockets some turns before it.
 */
export class RunningClock implements Clock, Disposable {
  readonly #looking: NodeJS.Timeout;
  #now = systemClock.now();
  #lookedAt = systemClock.now();

  constructor() {
    this.#looking = setInterval(() => this.#look(), lookEveryMs);
    this.#looking.unref();
  }

  #look(): void {
    this.#now = this.now();
    this.#lookedAt = systemClock.now();
  }

  now(): number {
    return this.#now + Math.min(passesAtMostMs, systemClock.now() - this.#lookedAt);
  }

  after(delayMs: number, fire: () => void): Timer {
    const dueAt = this.now() + Math.max(0, delayMs);
    let timer: Timer;
    const arm = (): void => {
      timer = systemClock.after(Math.max(0, dueAt - this.now()), () => (this.now() < dueAt ? arm() : fire()));
    };
    arm();
    return { cancel: () => timer.cancel() };
  }

  [Symbol.dispose](): void {
    clearInterval(this.#looking);
  }
}

import { Ring } from "../../machines/mailbox/ring.ts";

/** Anything with work waiting: does at most `turns` units of it, and queues itself again when more is left. */
export interface Runnable {
  runSome(turns: number): void;
}

/** Messages one actor handles before the next actor has its turn. */
export const turnsPerActorMax = 64;
/** Messages handled between two breaths of the event loop, in which timers and sockets are served. */
export const turnsPerBreathMax = 2_048;

/** A microtask by way of a settled promise costs half of `queueMicrotask`, which keeps a resource for async hooks. */
const now = Promise.resolve();

/**
 * The hybrid dispatcher: work runs in a microtask, for low latency, until the budget since the last breath is
 * used up; then the rest waits for `setImmediate`, so that timers and sockets are never starved.
 */
export class RunQueue {
  readonly #ready = new Ring<Runnable>();
  #scheduled = false;
  #turnsLeft = turnsPerBreathMax;
  #breathing = false;

  /** Queues `runnable`; the caller makes sure that it is queued once. */
  push(runnable: Runnable): void {
    this.#ready.push(runnable);
    if (this.#scheduled) return;
    this.#scheduled = true;
    if (this.#turnsLeft > 0) void now.then(this.#drain);
    else this.#breathe();
  }

  /** Counts work done outside of `runSome`, so that chains of it also give way. */
  spend(turns: number): void {
    this.#turnsLeft -= turns;
  }

  #breathe(): void {
    if (this.#breathing) return;
    this.#breathing = true;
    setImmediate(() => {
      this.#breathing = false;
      this.#turnsLeft = turnsPerBreathMax;
      this.#drain();
    });
  }

  readonly #drain = (): void => {
    while (this.#turnsLeft > 0) {
      const runnable = this.#ready.shift();
      if (runnable === undefined) break;
      try {
        runnable.runSome(Math.min(turnsPerActorMax, this.#turnsLeft));
      } catch (fault) {
        rethrowAside(fault);
      }
    }
    if (this.#ready.size > 0) this.#breathe();
    else this.#scheduled = false;
  };
}

/** A fault of ours must be seen, and must not hold up the other actors. */
function rethrowAside(fault: unknown): void {
  queueMicrotask(() => {
    throw fault;
  });
}

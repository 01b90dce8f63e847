import type { Clock, Timer } from "../../ports/clock.ts";
import { rowsMax, type Store } from "../../ports/store.ts";
import type { TimerRow } from "../../ports/store-rows.ts";
import { DueHeap } from "./due-heap.ts";

/**
 * Timers due within this time are kept in memory; all others wait in the store only, so a timer of any length is
 * exact, and a million sleeping runs cost nothing.
 */
export const horizonMs = 60_000;

/**
 * Fires the durable timers of all runs. The rows in the store are the truth: what is in memory is a window on the
 * nearest of them, and a timer that was taken back meanwhile is refused by its run.
 */
export class TimerWheel {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #after: (delayMs: number, fire: () => void) => Timer;
  readonly #fire: (timer: TimerRow) => void;
  readonly #report: (problem: unknown) => void;
  readonly #near = new Map<string, TimerRow>();
  readonly #heap = new DueHeap<TimerRow>();
  /** Up to this time every timer of the store is in memory. */
  #loadedUpTo = Number.NEGATIVE_INFINITY;
  /** The earliest timer that is only in the store. */
  #farFrom = Number.POSITIVE_INFINITY;
  #armed: { readonly at: number; readonly timer: Timer } | undefined;
  #sweeping = false;
  #closed = false;

  constructor(options: {
    readonly store: Store;
    readonly clock: Clock;
    readonly after: (delayMs: number, fire: () => void) => Timer;
    readonly fire: (timer: TimerRow) => void;
    readonly report: (problem: unknown) => void;
  }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#after = options.after;
    this.#fire = options.fire;
    this.#report = options.report;
  }

  /** Timers in memory. */
  get size(): number {
    return this.#near.size;
  }

  /** Reads the nearest timers of the store, and fires those that became due while nobody worked. */
  async open(): Promise<void> {
    await this.#sweep();
  }

  /** A timer was set; its row is durable. */
  set(timer: TimerRow): void {
    if (this.#closed) return;
    if (timer.dueAt > Math.max(this.#loadedUpTo, this.#clock.now() + horizonMs)) {
      this.#farFrom = Math.min(this.#farFrom, timer.dueAt);
    } else this.#keep(timer);
    this.#arm();
  }

  cancel(id: string): void {
    this.#near.delete(id);
  }

  close(): void {
    this.#closed = true;
    this.#armed?.timer.cancel();
    this.#near.clear();
  }

  /** While a full page of timers waits in memory, the next one is not read. */
  get #hasRoom(): boolean {
    return this.#near.size < rowsMax / 2;
  }

  #keep(timer: TimerRow): void {
    if (this.#near.get(timer.id)?.dueAt === timer.dueAt) return;
    this.#near.set(timer.id, timer);
    this.#heap.push(timer);
  }

  /** Wakes for the nearest timer, or in time to read the far ones. */
  #arm(): void {
    if (this.#closed) return;
    for (let first = this.#heap.first; first !== undefined; first = this.#heap.first) {
      if (this.#near.get(first.id) === first) break;
      this.#heap.pop();
    }
    const far = this.#hasRoom ? this.#farFrom - horizonMs / 2 : Number.POSITIVE_INFINITY;
    const at = Math.min(this.#heap.first?.dueAt ?? Number.POSITIVE_INFINITY, far);
    if (at === this.#armed?.at) return;
    this.#armed?.timer.cancel();
    this.#armed = undefined;
    if (at === Number.POSITIVE_INFINITY) return;
    const timer = this.#after(Math.max(0, at - this.#clock.now()), () => {
      this.#armed = undefined;
      this.#ring();
    });
    this.#armed = { at, timer };
  }

  #ring(): void {
    const now = this.#clock.now();
    for (let first = this.#heap.first; first !== undefined && first.dueAt <= now; first = this.#heap.first) {
      this.#heap.pop();
      if (this.#near.get(first.id) !== first) continue;
      this.#near.delete(first.id);
      this.#fire(first);
    }
    if (this.#farFrom - horizonMs <= now && this.#hasRoom) void this.#sweep();
    this.#arm();
  }

  async #sweep(): Promise<void> {
    if (this.#sweeping || this.#closed) return;
    this.#sweeping = true;
    try {
      const upTo = this.#clock.now() + horizonMs;
      this.#farFrom = Number.POSITIVE_INFINITY;
      const rows = await this.#store.listTimers({ dueUpTo: upTo });
      for (const row of rows) this.#keep(row);
      // A full page: the rest, which may be due at the same time as its last row, is read when these have fired.
      this.#loadedUpTo = rows.length < rowsMax ? upTo : (rows.at(-1)?.dueAt ?? upTo) - 1;
      const [far] = await this.#store.listTimers({ dueAfter: this.#loadedUpTo, limit: 1 });
      if (far !== undefined) this.#farFrom = Math.min(this.#farFrom, far.dueAt);
    } catch (problem) {
      this.#farFrom = this.#clock.now() + horizonMs;
      this.#report(problem);
    } finally {
      this.#sweeping = false;
    }
    this.#ring();
  }
}

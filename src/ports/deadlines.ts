import type { Clock, Timer } from "./clock.ts";

/** Something with a deadline. `heapIndex` belongs to the heap; -1 while it is not in one. */
export interface Expiring {
  readonly deadlineAt: number;
  heapIndex: number;
  expire(): void;
}

/**
 * The timer is never armed further ahead than this: when the last call has ended, it fires once more at the
 * latest then, finds nothing, and holds the process no longer.
 */
const lookAheadMs = 250;

/**
 * Exact deadlines for any number of calls on one native timer: a heap that knows where each entry stands, so that
 * a call that ends early leaves in O(log n), and in O(1) when deadlines come in order.
 */
export class Deadlines<Entry extends Expiring = Expiring> {
  readonly #clock: Clock;
  readonly #heap: Entry[] = [];
  #timer: Timer | undefined;
  #armedFor = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(entry: Entry): void {
    entry.heapIndex = this.#heap.length;
    this.#heap.push(entry);
    this.#up(entry.heapIndex);
    if (entry.deadlineAt < this.#armedFor) this.#arm(entry.deadlineAt);
  }

  remove(entry: Entry): void {
    const index = entry.heapIndex;
    if (index < 0) return;
    entry.heapIndex = -1;
    const last = this.#heap.pop() as Entry;
    if (last === entry) return;
    this.#place(last, index);
    this.#up(index);
    this.#down(last.heapIndex);
  }

  /** Takes out everything that still waits, and lets the process end. */
  close(): readonly Entry[] {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#armedFor = Number.POSITIVE_INFINITY;
    const waiting = this.#heap.splice(0);
    for (const entry of waiting) entry.heapIndex = -1;
    return waiting;
  }

  #arm(at: number): void {
    this.#timer?.cancel();
    const now = this.#clock.now();
    this.#armedFor = Math.min(at, now + lookAheadMs);
    this.#timer = this.#clock.after(Math.max(0, this.#armedFor - now), this.#fire);
  }

  readonly #fire = (): void => {
    this.#armedFor = Number.POSITIVE_INFINITY;
    this.#timer = undefined;
    const now = this.#clock.now();
    let next = this.#heap[0];
    while (next !== undefined && next.deadlineAt <= now) {
      this.remove(next);
      next.expire();
      next = this.#heap[0];
    }
    if (next !== undefined && next.deadlineAt < this.#armedFor) this.#arm(next.deadlineAt);
  };

  #place(entry: Entry, index: number): void {
    this.#heap[index] = entry;
    entry.heapIndex = index;
  }

  #up(from: number): void {
    let index = from;
    const entry = this.#heap[index] as Entry;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = this.#heap[parent] as Entry;
      if (above.deadlineAt <= entry.deadlineAt) break;
      this.#place(above, index);
      index = parent;
    }
    this.#place(entry, index);
  }

  #down(from: number): void {
    let index = from;
    const entry = this.#heap[index] as Entry;
    const count = this.#heap.length;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= count) break;
      const right = this.#heap[child + 1];
      if (right !== undefined && right.deadlineAt < (this.#heap[child] as Entry).deadlineAt) child += 1;
      const below = this.#heap[child] as Entry;
      if (below.deadlineAt >= entry.deadlineAt) break;
      this.#place(below, index);
      index = child;
    }
    this.#place(entry, index);
  }
}

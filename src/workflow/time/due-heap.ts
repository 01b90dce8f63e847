/** Something that is due at a time, in epoch milliseconds. */
export interface Due {
  readonly dueAt: number;
}

/** The earliest first; equal times in the order in which they came. */
export class DueHeap<Entry extends Due> {
  readonly #heap: { readonly entry: Entry; readonly order: number }[] = [];
  #order = 0;

  get size(): number {
    return this.#heap.length;
  }

  get first(): Entry | undefined {
    return this.#heap[0]?.entry;
  }

  push(entry: Entry): void {
    this.#order += 1;
    const heap = this.#heap;
    heap.push({ entry, order: this.#order });
    let at = heap.length - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!this.#isBefore(at, above)) return;
      this.#swap(at, above);
      at = above;
    }
  }

  pop(): Entry | undefined {
    const heap = this.#heap;
    const first = heap[0]?.entry;
    const last = heap.pop();
    if (heap.length === 0 || last === undefined) return first;
    heap[0] = last;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= heap.length) return first;
      const child = left + 1 < heap.length && this.#isBefore(left + 1, left) ? left + 1 : left;
      if (!this.#isBefore(child, at)) return first;
      this.#swap(at, child);
      at = child;
    }
  }

  #isBefore(one: number, other: number): boolean {
    const first = this.#heap[one] as { entry: Entry; order: number };
    const second = this.#heap[other] as { entry: Entry; order: number };
    const gap = first.entry.dueAt - second.entry.dueAt;
    return gap === 0 ? first.order < second.order : gap < 0;
  }

  #swap(one: number, other: number): void {
    const heap = this.#heap;
    const moved = heap[one] as { entry: Entry; order: number };
    heap[one] = heap[other] as { entry: Entry; order: number };
    heap[other] = moved;
  }
}

import type { ServedCall } from "./received.ts";

/**
 * The calls of a peer that have no answer yet, in places that are used again. The map holds numbers only: V8 keeps each
 * table that a map has outgrown, with what was in it, as long as the next one, until a full collection, and a map of
 * calls outgrows its table all the time (measured: a quarter of what a serving node allocates was kept so).
 */
export class ServedCalls {
  readonly #places = new Map<string, number>();
  readonly #calls: (ServedCall | undefined)[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#places.size;
  }

  get(id: string): ServedCall | undefined {
    const place = this.#places.get(id);
    return place === undefined ? undefined : this.#calls[place];
  }

  has(id: string): boolean {
    return this.#places.has(id);
  }

  add(call: ServedCall): void {
    const place = this.#free.pop() ?? this.#calls.length;
    call.place = place;
    this.#calls[place] = call;
    this.#places.set(call.id, place);
  }

  /** False: it has its answer already. */
  remove(call: ServedCall): boolean {
    const { id, place } = call;
    if (this.#calls[place] !== call) return false;
    this.#calls[place] = undefined;
    this.#free.push(place);
    this.#places.delete(id);
    return true;
  }

  /** All of them, as they stand now. */
  list(): readonly ServedCall[] {
    return this.#calls.filter((call) => call !== undefined);
  }
}

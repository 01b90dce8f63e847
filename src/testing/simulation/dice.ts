import { seededRandom } from "../seeded.ts";

/** Chance for one schedule: the same seed throws the same numbers. */
export interface Dice {
  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number;
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  /** True in `percent` of 100 throws. */
  chance(percent: number): boolean;
  pick<Item>(items: readonly Item[]): Item;
}

export function throwDice(seed: number): Dice {
  const random = seededRandom(seed);
  const below = (limit: number): number => Math.floor(random.next() * limit);
  return {
    below,
    between: (low, high) => low + below(high - low + 1),
    chance: (percent) => random.next() * 100 < percent,
    pick: (items) => {
      const item = items[below(items.length)];
      if (item === undefined) throw new Error("nothing to pick from");
      return item;
    },
  };
}

/** A running fingerprint of a schedule: two 32-bit lanes, so that chance collisions are out of reach. */
export class TraceHash {
  #high = 0x811c9dc5;
  #low = 0x01000193;

  add(value: number): void {
    this.#high = Math.imul(this.#high ^ value, 0x01000193);
    this.#low = Math.imul((this.#low + value) | 0, 0x85ebca6b) ^ (this.#high >>> 13);
  }

  toString(): string {
    const hex = (lane: number): string => (lane >>> 0).toString(16).padStart(8, "0");
    return hex(this.#high) + hex(this.#low);
  }
}

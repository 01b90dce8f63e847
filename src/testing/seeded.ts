import type { Ids, Random } from "../ports/chance.ts";

/** A reproducible source of chance: the same seed gives the same numbers. Source: Steele and Vigna, SplitMix32. */
export function seededRandom(seed: number): Random {
  let state = seed | 0;
  return {
    next() {
      state = (state + 0x9e3779b9) | 0;
      let mixed = state ^ (state >>> 16);
      mixed = Math.imul(mixed, 0x21f0aaad);
      mixed ^= mixed >>> 15;
      mixed = Math.imul(mixed, 0x735a2d97);
      return ((mixed ^ (mixed >>> 15)) >>> 0) / 4_294_967_296;
    },
  };
}

/** Reproducible identifiers from a seeded source of chance. */
export function seededIds(seed: number): Ids {
  const random = seededRandom(seed);
  const digit = (): string => Math.floor(random.next() * 16).toString(16);
  return { hex: (bytes = 8) => Array.from({ length: bytes * 2 }, digit).join("") };
}

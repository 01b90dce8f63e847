import { randomBytes } from "node:crypto";

/** Randomness comes in through this port only. `next()` is uniform in [0, 1). */
export interface Random {
  next(): number;
}

/** Identifiers come in through this port only. */
export interface Ids {
  /** A fresh lowercase hex string of `bytes` random bytes (default 8). */
  hex(bytes?: number): string;
}

export const systemRandom: Random = { next: Math.random };
export const systemIds: Ids = { hex: (bytes = 8) => randomBytes(bytes).toString("hex") };

import { randomFillSync } from "node:crypto";

/** Randomness comes in through this port only. `next()` is uniform in [0, 1). */
export interface Random {
  next(): number;
}

/** Identifiers come in through this port only. */
export interface Ids {
  /** A fresh lowercase hex string of `bytes` random bytes (default 8). */
  hex(bytes?: number): string;
}

/** Random bytes drawn at once: asking the system for each id would cost more than the rest of a call. */
const poolBytes = 8_192;
const pool = Buffer.allocUnsafeSlow(poolBytes);
let used = poolBytes;

function hex(bytes = 8): string {
  if (bytes > poolBytes) return randomFillSync(Buffer.allocUnsafe(bytes)).toString("hex");
  if (used + bytes > poolBytes) {
    randomFillSync(pool);
    used = 0;
  }
  used += bytes;
  return pool.toString("hex", used - bytes, used);
}

export const systemRandom: Random = { next: Math.random };
export const systemIds: Ids = { hex };

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

/**
 * Random bytes drawn and written as hex at once: asking the system for each id would cost more than the rest of a call.
 * An id that is kept may hold the text that it was cut from, so there is little of it.
 */
const poolBytes = 4_096;
const pool = Buffer.allocUnsafeSlow(poolBytes);
let text = "";
/** Characters of the text that have been given away. */
let used = 0;

function hex(bytes = 8): string {
  if (bytes > poolBytes) return randomFillSync(Buffer.allocUnsafe(bytes)).toString("hex");
  const from = used;
  used += bytes * 2;
  if (used <= text.length) return text.slice(from, used);
  text = randomFillSync(pool).toString("hex");
  used = bytes * 2;
  return text.slice(0, used);
}

export const systemRandom: Random = { next: Math.random };
export const systemIds: Ids = { hex };

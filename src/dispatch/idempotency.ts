import type { Outcome } from "../../machines/failure.ts";
import type { Clock } from "../ports/clock.ts";

/** How long an outcome answers its key again unless the troupe is created with another time. */
export const idempotencyRetentionMs = 600_000;
/** Keys remembered at once; beyond it the oldest is forgotten and would run again. */
export const idempotencyKeysMax = 65_536;

interface Remembered {
  readonly outcome: Promise<Outcome<unknown>>;
  /** Infinity while the first call is still out. */
  expiresAt: number;
}

/** Ends of the first caller's own making: they settle nothing for anybody else. */
const callersOwn: ReadonlySet<string> = new Set(["call/cancelled", "call/timeout", "call/budget-exhausted"]);

/** What a caller with a key can do: make the call, or wait for the one that is out. */
interface KeyedCaller {
  run(): Promise<Outcome<unknown>>;
  join(first: Promise<Outcome<unknown>>): Promise<Outcome<unknown>>;
}

/**
 * Remembers the first outcome of each idempotency key. A call whose key is still out joins it, and takes over where
 * the first caller gave up. A failure that a caller may try again frees its key, since nothing was settled.
 * Source: docs/decisions/0003.
 */
export class IdempotencyTable {
  readonly #clock: Clock;
  readonly #retentionMs: number;
  readonly #known = new Map<string, Remembered>();

  constructor(clock: Clock, retentionMs: number = idempotencyRetentionMs) {
    this.#clock = clock;
    this.#retentionMs = retentionMs;
  }

  once(key: string, caller: KeyedCaller): Promise<Outcome<unknown>> {
    const known = this.#known.get(key);
    if (known !== undefined && known.expiresAt > this.#clock.now())
      return known.expiresAt === Number.POSITIVE_INFINITY ? this.#join(key, known, caller) : known.outcome;
    this.#known.delete(key);
    this.#makeRoom();
    const entry: Remembered = { outcome: caller.run(), expiresAt: Number.POSITIVE_INFINITY };
    this.#known.set(key, entry);
    void entry.outcome.then((outcome) => {
      entry.expiresAt = this.#clock.now() + this.#retentionMs;
      if (!settles(outcome) && this.#known.get(key) === entry) this.#known.delete(key);
    });
    return entry.outcome;
  }

  #join(key: string, known: Remembered, caller: KeyedCaller): Promise<Outcome<unknown>> {
    return caller.join(
      known.outcome.then((outcome) =>
        !outcome.ok && callersOwn.has(outcome.failure.code) ? this.once(key, caller) : outcome,
      ),
    );
  }

  /** The map keeps its keys in order of arrival, so the expired and the oldest stand in front. */
  #makeRoom(): void {
    const now = this.#clock.now();
    for (const [key, entry] of this.#known) {
      if (entry.expiresAt > now && this.#known.size < idempotencyKeysMax) return;
      this.#known.delete(key);
    }
  }
}

function settles(outcome: Outcome<unknown>): boolean {
  return outcome.ok || (outcome.failure.retry === "never" && !callersOwn.has(outcome.failure.code));
}

import { TroupeError } from "../../errors.ts";

/** At most `count` starts within any `perMs` milliseconds. */
export interface RateLimit {
  readonly count: number;
  readonly perMs: number;
}

/** What may be under way at once, and how often it may begin. */
export interface Limits {
  readonly atOnce?: number;
  readonly rate?: RateLimit;
}

/** Counts what is under way under one limit. Only what runs counts: sleeping runs and waiting tasks are free. */
export class Gate {
  readonly #atOnce: number;
  readonly #rate: RateLimit | undefined;
  /** Times of the latest starts, the oldest first, at most as many as the rate allows. */
  readonly #starts: number[] = [];
  #running = 0;

  constructor(limits: Limits = {}) {
    this.#atOnce = limits.atOnce ?? Number.POSITIVE_INFINITY;
    this.#rate = limits.rate;
  }

  get running(): number {
    return this.#running;
  }

  /** Epoch milliseconds from which one more may begin; infinite while too many are under way. */
  opensAt(now: number): number {
    if (this.#running >= this.#atOnce) return Number.POSITIVE_INFINITY;
    const rate = this.#rate;
    if (rate === undefined || this.#starts.length < rate.count) return now;
    return Math.max(now, (this.#starts[0] ?? now) + rate.perMs);
  }

  enter(now: number): void {
    this.#running += 1;
    if (this.#rate === undefined) return;
    this.#starts.push(now);
    if (this.#starts.length > this.#rate.count) this.#starts.shift();
  }

  leave(): void {
    this.#running -= 1;
  }
}

/** Throws for limits that nothing could keep. */
export function checkLimits(name: string, { atOnce, rate }: Limits): void {
  const refuse = (what: string): never => {
    throw new TroupeError("usage/invalid-options", `${name}.${what}`);
  };
  if (atOnce !== undefined && !(Number.isInteger(atOnce) && atOnce >= 1))
    refuse(`atOnce is ${atOnce}; it must be a whole number of at least 1`);
  if (rate === undefined) return;
  if (!(Number.isInteger(rate.count) && rate.count >= 1 && rate.count <= 100_000))
    refuse(`rate.count is ${rate.count}; it must be a whole number from 1 to 100,000`);
  if (!(rate.perMs >= 1)) refuse(`rate.perMs is ${rate.perMs}; it must be at least 1`);
}

import type { Failure } from "../../machines/failure.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";

/** Crashes written to the log in one window; the rest is counted and told with the next window. */
export const crashLinesMax = 10;
/** Length of the window in which written crashes are counted. */
const windowMs = 1_000;

/** Writes crashes to the log, at a bounded rate: a crash loop cannot drown everything else. */
export class CrashLog {
  readonly #clock: Clock;
  readonly #log: Log;
  #windowFrom = Number.NEGATIVE_INFINITY;
  #written = 0;
  #suppressed = 0;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  write(path: string, failure: Failure): void {
    const now = this.#clock.now();
    if (now - this.#windowFrom >= windowMs) {
      this.#windowFrom = now;
      this.#written = 0;
    }
    if (this.#written >= crashLinesMax) {
      this.#suppressed += 1;
      return;
    }
    this.#written += 1;
    this.#log.write("error", failure.message, {
      agent: path,
      code: failure.code,
      suppressedBefore: this.#suppressed,
      ...failure.data,
    });
    this.#suppressed = 0;
  }
}

/** A timer that can be taken back. `cancel` after it fired does nothing. */
export interface Timer {
  cancel(): void;
}

/** Time comes in through this port only. `now()` is epoch milliseconds and never runs backwards. */
export interface Clock {
  now(): number;
  /** Runs `fire` once after `delayMs` (0 or more; longer than 24.8 days is split by the clock). */
  after(delayMs: number, fire: () => void, options?: TimerOptions): Timer;
}

export interface TimerOptions {
  /** Housekeeping: the process may end while it waits. */
  readonly background?: boolean;
}

/** The longest delay one native timer takes: 2^31-1 ms (Node.js `setTimeout` fires at once beyond it). */
const nativeDelayMsMax = 2_147_483_647;

const startedAt = performance.timeOrigin;

/** The machine's clock: wall time at start plus monotonic progress, so a clock step cannot fire deadlines early. */
export const systemClock: Clock = {
  now: () => startedAt + performance.now(),
  after(delayMs, fire, options) {
    let handle: NodeJS.Timeout;
    const arm = (left: number): void => {
      const wait = Math.min(left, nativeDelayMsMax);
      handle = setTimeout(() => (left > wait ? arm(left - wait) : fire()), wait);
      if (options?.background === true) handle.unref();
    };
    arm(Math.max(0, delayMs));
    return { cancel: () => clearTimeout(handle) };
  },
};

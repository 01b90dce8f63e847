import { breakerChart, type BreakerStateName } from "./machine.ts";

export interface BreakerLimits {
  /** Failures in a row that open it. */
  readonly failures: number;
  readonly openMs: number;
  /** Calls let through while half open; all must work to close it. */
  readonly probes: number;
}

export const defaultBreakerLimits: BreakerLimits = { failures: 5, openMs: 60_000, probes: 3 };

export interface BreakerState {
  readonly name: BreakerStateName;
  readonly failures: number;
  readonly openedAt: number;
  /** Half open: probes let through, and probes that worked. */
  readonly admitted: number;
  readonly worked: number;
}

export const closedBreaker: BreakerState = { name: "closed", failures: 0, openedAt: 0, admitted: 0, worked: 0 };

function move(state: BreakerState, event: string, rest: Partial<BreakerState>): BreakerState {
  const name = breakerChart.next(state.name, event);
  return name === undefined ? state : { ...closedBreaker, ...rest, name };
}

/** Asks to let one call through at `now`. */
export function admitCall(
  state: BreakerState,
  now: number,
  limits: BreakerLimits,
): { state: BreakerState; admitted: boolean } {
  if (state.name === "closed") return { state, admitted: true };
  const current = state.name === "open" && now - state.openedAt >= limits.openMs ? move(state, "cool", {}) : state;
  if (current.name === "open" || current.admitted >= limits.probes) return { state: current, admitted: false };
  return { state: { ...current, admitted: current.admitted + 1 }, admitted: true };
}

/** Whether `admitCall` would let a call through, without taking a probe. */
export function wouldAdmit(state: BreakerState, now: number, limits: BreakerLimits): boolean {
  return admitCall(state, now, limits).admitted;
}

/** Takes a probe back: the admitted call never ran, so it proves nothing. */
export function releaseProbe(state: BreakerState): BreakerState {
  return state.name === "halfOpen" && state.admitted > state.worked
    ? { ...state, admitted: state.admitted - 1 }
    : state;
}

/** Records how an admitted call ended. */
export function recordResult(
  state: BreakerState,
  worked: boolean,
  when: { readonly now: number; readonly limits: BreakerLimits },
): BreakerState {
  const { now, limits } = when;
  if (state.name === "halfOpen") {
    if (!worked) return move(state, "trip", { openedAt: now });
    const count = state.worked + 1;
    return count >= limits.probes ? move(state, "recover", {}) : { ...state, worked: count };
  }
  // A late result of a call that was let through before the breaker opened says nothing new.
  if (state.name === "open") return state;
  if (worked) return state.failures === 0 ? state : closedBreaker;
  const failures = state.failures + 1;
  return failures >= limits.failures ? move(state, "trip", { openedAt: now }) : { ...state, failures };
}

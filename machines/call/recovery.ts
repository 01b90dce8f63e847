import type { Failure } from "../failure.ts";

/** What a capability declares about failed calls; the order is fixed and the first success wins. */
export interface RecoveryPlan {
  /** Attempts include the first one. */
  readonly attempts: number;
  /** Failures that a retry may follow; without it, every failure whose advice is not "never". */
  readonly retryCodes: readonly string[] | undefined;
  readonly fallbacks: number;
  readonly otherAgents: number;
}

/** How far down the chain a call is. */
export interface RecoveryProgress {
  readonly attempts: number;
  readonly fallbacks: number;
  readonly otherAgents: number;
  /** Times that a call which had not been started was moved off a stopped agent. */
  readonly moves: number;
}

export type RecoveryLink =
  | { readonly link: "move" }
  | { readonly link: "retry"; readonly attempt: number }
  | { readonly link: "fallback"; readonly index: number }
  | { readonly link: "another-agent"; readonly index: number }
  | { readonly link: "give-up" };

export const firstAttempt: RecoveryProgress = { attempts: 1, fallbacks: 0, otherAgents: 0, moves: 0 };

/** How often a call that was never started may be moved to another agent for free. */
export const movesMax = 8;

/** Ends of the caller's own making: no link of the chain can help. */
const finalCodes: ReadonlySet<string> = new Set([
  "call/timeout",
  "call/cancelled",
  "call/budget-exhausted",
  "dispatch/stage-failed",
  "system/closed",
]);

function mayRetry(plan: RecoveryPlan, failure: Failure): boolean {
  return plan.retryCodes === undefined ? failure.retry !== "never" : plan.retryCodes.includes(failure.code);
}

/**
 * The next link of the recovery chain: retry with backoff, declared fallback, another healthy agent, give up.
 * A call that was provably never started moves to another agent first, at no attempt's cost.
 * Source: the user's document 004, recovery chain; docs/decisions/0007.
 */
export function nextLink(
  plan: RecoveryPlan,
  progress: RecoveryProgress,
  failed: { readonly failure: Failure; readonly started: boolean },
): { link: RecoveryLink; progress: RecoveryProgress } {
  const { failure, started } = failed;
  if (finalCodes.has(failure.code)) return { link: { link: "give-up" }, progress };
  if (!started && failure.code === "agent/stopped" && progress.moves < movesMax) {
    return { link: { link: "move" }, progress: { ...progress, moves: progress.moves + 1 } };
  }
  if (
    progress.attempts < plan.attempts &&
    progress.fallbacks === 0 &&
    progress.otherAgents === 0 &&
    mayRetry(plan, failure)
  ) {
    return {
      link: { link: "retry", attempt: progress.attempts },
      progress: { ...progress, attempts: progress.attempts + 1 },
    };
  }
  if (progress.fallbacks < plan.fallbacks && progress.otherAgents === 0) {
    return {
      link: { link: "fallback", index: progress.fallbacks },
      progress: { ...progress, fallbacks: progress.fallbacks + 1 },
    };
  }
  if (progress.otherAgents < plan.otherAgents) {
    return {
      link: { link: "another-agent", index: progress.otherAgents },
      progress: { ...progress, otherAgents: progress.otherAgents + 1 },
    };
  }
  return { link: { link: "give-up" }, progress };
}

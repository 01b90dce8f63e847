import { backoffMs } from "../backoff.ts";
import { failureCodes } from "../failure-codes.ts";
import type { Failure } from "../failure.ts";
import type { RetryPolicy } from "./definition.ts";
import { chanceOf } from "./ids.ts";

/** Which failures a pattern means, which of them are tried again, and when. */

export function matchesCode(patterns: readonly string[], code: string): boolean {
  return patterns.some(
    (pattern) =>
      pattern === "*" || pattern === code || (pattern.endsWith("*") && code.startsWith(pattern.slice(0, -1))),
  );
}

export function mayRetry(policy: RetryPolicy | undefined, attempt: number, failure: Failure): boolean {
  if (policy === undefined || policy.strategy === "none" || attempt >= policy.attempts) return false;
  if (policy.errors !== undefined) return matchesCode(policy.errors, failure.code);
  // An agent's own code comes without advice worth the name: that the step has a policy says enough.
  return failure.retry !== "never" || !Object.hasOwn(failureCodes, failure.code);
}

export function retryDelayMs(policy: RetryPolicy, attempt: number, id: string): number {
  const { firstMs, maxMs, rate, jitter } = policy;
  const chance = chanceOf(id);
  if (policy.strategy === "exponential")
    return Math.round(backoffMs({ firstMs, maxMs, rate, jitter }, attempt, chance));
  return Math.round(Math.min(firstMs * attempt, maxMs) * (1 - jitter * chance));
}

import { failureCodes, type RetryAdvice, type usageCodes } from "./failure-codes.ts";

/**
 * Failures are data. Their codes are in `failure-codes.ts`.
 * A failure crosses actor, wire and journal unchanged, so it is plain JSON.
 */

/** JSON values: what a failure, an event or a message may carry. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

export type FailureCode = keyof typeof failureCodes;
export type UsageCode = keyof typeof usageCodes;
export type ErrorCode = FailureCode | UsageCode;

/**
 * What went wrong, as data.
 * `code` is an entry of `failureCodes`, or an agent's own code of the form `area/reason`.
 */
export interface Failure {
  readonly code: FailureCode | (string & {});
  readonly message: string;
  readonly retry: RetryAdvice;
  readonly data: { readonly [key: string]: Json };
}

/** Something that worked less well than it should have; the outcome is still ok. */
export interface Degradation {
  readonly what: string;
  readonly why: string;
  readonly severity: "low" | "medium" | "high";
}

/** What a call ended with: a value, or a failure as data. `degraded` says what was done less well. */
export type Outcome<Value> =
  | { readonly ok: true; readonly value: Value; readonly degraded?: readonly Degradation[] }
  | { readonly ok: false; readonly failure: Failure };

/** Builds a failure whose retry advice comes from the table of codes. */
export function failure(code: FailureCode, message: string, data: { readonly [key: string]: Json } = {}): Failure {
  return { code, message, retry: failureCodes[code].retry, data };
}

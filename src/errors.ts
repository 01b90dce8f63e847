import type { ErrorCode, Failure, Json } from "../machines/failure.ts";

const brand = Symbol.for("troupe.error");

/**
 * The one error class: thrown where a caller broke the contract, with the fix in the message.
 * Failures of the world are never thrown; they are data in an outcome.
 * @example
 * ```ts
 * import { isTroupeError } from "troupe";
 * try {
 *   throw new Error("something else");
 * } catch (error) {
 *   if (isTroupeError(error, "usage/name-taken")) console.log(error.message);
 * }
 * ```
 */
export class TroupeError extends Error {
  override readonly name = "TroupeError";
  readonly code: ErrorCode;
  readonly data: { readonly [key: string]: Json };
  readonly [brand] = true;

  constructor(
    code: ErrorCode,
    message: string,
    options: { data?: { readonly [key: string]: Json }; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.data = options.data ?? {};
  }
}

/** Says whether `value` is a `TroupeError`, of that code when one is given. Works across copies of the package. */
export function isTroupeError(value: unknown, code?: ErrorCode): value is TroupeError {
  if (typeof value !== "object" || value === null || !(brand in value)) return false;
  return code === undefined || (value as { code?: unknown }).code === code;
}

/** Thrown by `context.fail` inside a handler to end the call with a failure as data, without a crash. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

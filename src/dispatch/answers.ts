import { capabilityKey } from "../agent/handler-behaviour.ts";
import type { Clock } from "../ports/clock.ts";

/** Earlier answers kept as stand-ins; beyond it the oldest is forgotten. */
export const answersMax = 1_024;

/** The last good answers of the capabilities that declare a cached fallback. */
export class Answers {
  readonly #clock: Clock;
  readonly #known = new Map<string, { readonly value: unknown; readonly at: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(capability: string, input: unknown, maxAgeMs: number): { readonly value: unknown } | undefined {
    const key = keyOf(capability, input);
    const answer = key === undefined ? undefined : this.#known.get(key);
    return answer !== undefined && this.#clock.now() - answer.at <= maxAgeMs ? answer : undefined;
  }

  keep(capability: string, input: unknown, value: unknown): void {
    const key = keyOf(capability, input);
    if (key === undefined) return;
    this.#known.delete(key);
    this.#known.set(key, { value, at: this.#clock.now() });
    if (this.#known.size <= answersMax) return;
    const oldest = this.#known.keys().next();
    if (oldest.done !== true) this.#known.delete(oldest.value);
  }
}

/** Inputs are told apart as JSON; one that JSON cannot tell apart from others has no key. */
function keyOf(capability: string, input: unknown): string | undefined {
  try {
    return `${capabilityKey(capability)} ${JSON.stringify(input, refuseOpaque)}`;
  } catch (thrown) {
    if (thrown instanceof TypeError) return undefined;
    throw thrown;
  }
}

function refuseOpaque(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw new TypeError("not plain data");
  return value;
}

import type { Clock } from "../ports/clock.ts";
import type { Observe } from "../ports/observe.ts";

/** Why a message reached no handler. `remote`: another node did not take it, or its session ended. */
export type DeadLetterReason =
  | "stopped"
  | "busy"
  | "overflow"
  | "invalid-input"
  | "no-agent"
  | "stage-failed"
  | "closed"
  | "remote";

/** Counts every undelivered message by reason, and publishes each while somebody listens. */
export class DeadLetters {
  readonly #clock: Clock;
  readonly #observe: Observe;
  readonly #counts = new Map<DeadLetterReason, number>();

  constructor(clock: Clock, observe: Observe) {
    this.#clock = clock;
    this.#observe = observe;
  }

  add(
    reason: DeadLetterReason,
    agent: string,
    capability: string,
    more: { readonly [key: string]: string } = {},
  ): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
    if (!this.#observe.heard) return;
    this.#observe.publish({
      type: "message.dead",
      at: this.#clock.now(),
      agent,
      data: { reason, capability, ...more },
    });
  }

  counts(): { readonly [reason in DeadLetterReason]?: number } {
    return Object.fromEntries(this.#counts);
  }
}

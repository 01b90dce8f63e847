import type { Outcome } from "../../machines/failure.ts";
import type { Lane } from "../../machines/mailbox/mailbox.ts";

/** Who waits for a delivery's outcome. A tell has nobody. */
export interface Sender {
  /** Called once, synchronously, when the delivery has its outcome. */
  settled(delivery: Delivery, outcome: Outcome<unknown>): void;
}

/** What a message asks for: one capability of one definition, as its behaviour compiled it. */
export interface Skill {
  readonly name: string;
}

/** How often a handler may begin on one idempotent call before its crashes are the call's own. */
export const deliveriesMax = 3;

/** One message on its way to one agent: the request of a call's attempt, or a tell. */
export class Delivery {
  readonly skill: Skill;
  readonly input: unknown;
  readonly sender: Sender | undefined;
  /** What the upper floors need at the handler: deadline, trace, budget and the like. */
  readonly envelope: unknown;
  lane: Lane = 1;
  settled = false;
  /** A probe of a half-open breaker: it proves something or is given back. */
  probing = false;
  /** How often a handler began to work on it. */
  deliveries = 0;
  #controller: AbortController | undefined;
  #aborted: string | undefined;

  constructor(skill: Skill, input: unknown, sender: Sender | undefined, envelope: unknown) {
    this.skill = skill;
    this.input = input;
    this.sender = sender;
    this.envelope = envelope;
  }

  /** A handler began to work on it, in any incarnation. */
  get started(): boolean {
    return this.deliveries > 0;
  }

  /** Nobody waits for the outcome any more: it has one, or the handler was told to give up. */
  get abandoned(): boolean {
    return this.settled || this.#aborted !== undefined;
  }

  /** The handler's signal; made when it is first asked for. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted !== undefined) this.#controller.abort(abortError(this.#aborted));
    }
    return this.#controller.signal;
  }

  /** Tells a handler at work to give up. */
  abort(reason: string): void {
    if (this.#aborted !== undefined) return;
    this.#aborted = reason;
    this.#controller?.abort(abortError(reason));
  }

  /** A retried delivery starts with a fresh signal. */
  renew(): void {
    this.#controller = undefined;
    this.#aborted = undefined;
  }

  settle(outcome: Outcome<unknown>): void {
    if (this.settled) return;
    this.settled = true;
    this.sender?.settled(this, outcome);
  }
}

function abortError(reason: string): DOMException {
  return new DOMException(reason, "AbortError");
}

import { frameBytesMax } from "../wire/limits.ts";
import { windowBytesMax, windowMessagesMax } from "./limits.ts";

/** What one peer may send in the long run. */
export interface Rate {
  readonly messagesPerSecond: number;
  readonly bytesPerSecond: number;
}

/**
 * The two buckets of one session, messages and bytes: one second's worth fits in, and never less than a window, which is
 * sent again at once after a lost connection. The rule is that of `takeToken`. A frame must not cost an object, so this
 * mutates: it is the session's own, like its outbox.
 */
export class Meter {
  readonly #rate: Rate;
  readonly #messagesMax: number;
  readonly #bytesMax: number;
  #messages: number;
  #bytes: number;
  #at: number;

  constructor(rate: Rate, now: number) {
    this.#rate = rate;
    this.#messages = this.#messagesMax = Math.max(rate.messagesPerSecond, windowMessagesMax);
    this.#bytes = this.#bytesMax = Math.max(rate.bytesPerSecond, windowBytesMax + frameBytesMax);
    this.#at = now;
  }

  /** Takes a frame's share, and gives 0; or takes nothing, and says in how many milliseconds both will be full again. */
  take(messages: number, bytes: number, now: number): number {
    // A millisecond's worth is enough to tell, and frames come far closer together.
    if (now - this.#at >= 1) this.#fill(now);
    if (messages <= this.#messages && bytes <= this.#bytes) {
      this.#messages -= messages;
      this.#bytes -= bytes;
      return 0;
    }
    const { messagesPerSecond, bytesPerSecond } = this.#rate;
    const seconds = Math.max(
      (this.#messagesMax - this.#messages) / messagesPerSecond,
      (this.#bytesMax - this.#bytes) / bytesPerSecond,
    );
    return Math.max(1, Math.ceil(seconds * 1_000));
  }

  #fill(now: number): void {
    const seconds = (now - this.#at) / 1_000;
    this.#at = now;
    this.#messages = Math.min(this.#messagesMax, this.#messages + seconds * this.#rate.messagesPerSecond);
    this.#bytes = Math.min(this.#bytesMax, this.#bytes + seconds * this.#rate.bytesPerSecond);
  }
}

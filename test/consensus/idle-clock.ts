import type { Timer } from "../../src/ports/clock.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";

/**
 * Time that passes by itself, to the next timer, as soon as nothing else is left to do: members that wait for each
 * other's silence need nobody who moves the clock, and a busy machine makes none of them late.
 */
export class IdleClock extends FakeClock {
  readonly #dueAt: number[] = [];
  #isPassing = false;

  override after(delayMs: number, fire: () => void): Timer {
    this.#dueAt.push(this.now() + Math.max(0, delayMs));
    const timer = super.after(delayMs, fire);
    if (!this.#isPassing) void this.#pass();
    return timer;
  }

  async #pass(): Promise<void> {
    this.#isPassing = true;
    while (this.waiting > 0) {
      await this.settle();
      this.#dueAt.sort((left, right) => right - left);
      const next = this.#dueAt.pop() ?? this.now();
      await this.advance(Math.max(0, next - this.now()));
    }
    this.#isPassing = false;
  }
}

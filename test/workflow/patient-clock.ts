import type { Store } from "../../src/ports/store.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";

/**
 * A fake clock that waits for a store's thread: no time passes while the store has something in hand. Turns of this
 * thread's event loop say nothing of how far another thread is, least of all on a busy machine.
 */
export class PatientClock extends FakeClock {
  #inHand = 0;
  #rest: (() => void) | undefined;

  override async settle(): Promise<void> {
    for (;;) {
      await super.settle();
      if (this.#inHand === 0) return;
      await new Promise<void>((resolve) => (this.#rest = resolve));
    }
  }

  /** The same store; what is asked of it holds up the time. */
  awaiting(store: Store): Store {
    return new Proxy(store, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return (...given: unknown[]) => {
          const answer: unknown = Reflect.apply(member, target, given);
          if (answer instanceof Promise) this.#hold(answer);
          return answer;
        };
      },
    });
  }

  #hold(answer: Promise<unknown>): void {
    this.#inHand += 1;
    void Promise.allSettled([answer]).then(() => {
      this.#inHand -= 1;
      if (this.#inHand === 0) this.#rest?.();
    });
  }
}

import type { Clock } from "../../ports/clock.ts";

/** Messages of one replica that wait to be carried; beyond them the oldest are dropped, and the protocol says them again. */
export const waitingMessagesMax = 1_024;
/** Messages of one replica that are carried at once. */
export const messagesPerAnswerMax = 256;
/** Characters that are carried at once, of up to three bytes each, so that they fit one frame; a longer message goes alone. */
export const answerCharactersMax = 262_144;
/** How long whoever carries messages waits for the next one before it asks again, in milliseconds. */
export const listenMs = 20_000;

/** One message and the places of those it is for. */
export interface Letter {
  readonly to: readonly number[];
  readonly message: unknown;
}

/** What a replica has to say to members elsewhere, until whoever carries it asks for it. */
export class Outgoing {
  readonly #clock: Clock;
  #letters: { readonly to: number[]; readonly message: unknown }[] = [];
  #wake: ((isForYou: boolean) => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A message to several members in turn is carried once; one to nobody is for the one who carries it. */
  put(to: number | undefined, message: unknown): void {
    const last = this.#letters.at(-1);
    const isNew = last === undefined || last.message !== message || (to !== undefined && last.to.includes(to));
    if (isNew) this.#letters.push({ to: to === undefined ? [] : [to], message });
    else if (to !== undefined) last.to.push(to);
    if (this.#letters.length > waitingMessagesMax) this.#letters.shift();
    this.#wake?.(true);
  }

  /** Resolves as soon as there is something, or with nothing: after `listenMs`, or when somebody else asks. */
  async next(signal: AbortSignal): Promise<readonly Letter[]> {
    this.#wake?.(false);
    if (signal.aborted) return [];
    const isForYou = this.#letters.length > 0 || (await this.#wait(signal));
    return isForYou ? this.#take() : [];
  }

  /** Answers whoever waits. */
  close(): void {
    this.#letters = [];
    this.#wake?.(false);
  }

  #wait(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const give = (isForYou: boolean): void => {
        timer.cancel();
        signal.removeEventListener("abort", stop);
        this.#wake = undefined;
        resolve(isForYou);
      };
      const stop = (): void => give(false);
      const timer = this.#clock.after(listenMs, stop, { background: true });
      signal.addEventListener("abort", stop, { once: true });
      this.#wake = give;
    });
  }

  #take(): readonly Letter[] {
    let count = 0;
    let characters = 0;
    for (const { message } of this.#letters.slice(0, messagesPerAnswerMax)) {
      characters += JSON.stringify(message).length;
      if (count > 0 && characters > answerCharactersMax) break;
      count += 1;
    }
    return this.#letters.splice(0, count);
  }
}

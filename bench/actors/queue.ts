import type { Readings, Scale } from "../measuring/arm.ts";
import { measureCalls, measureTells } from "./messages.ts";
import { measurePopulations, type Counts } from "./populations.ts";
import { Tally } from "./tally.ts";

/** The limit: an array and one microtask to empty it, without bounds, checks, supervision or failure. */
class BareQueue<Message> {
  #waiting: Message[] = [];
  #scheduled = false;
  readonly #handle: (message: Message) => void;

  constructor(handle: (message: Message) => void) {
    this.#handle = handle;
  }

  push(message: Message): void {
    this.#waiting.push(message);
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(this.#drain);
  }

  readonly #drain = (): void => {
    const waiting = this.#waiting;
    for (let index = 0; index < waiting.length; index += 1) this.#handle(waiting[index] as Message);
    this.#waiting = [];
    this.#scheduled = false;
  };
}

export async function tellQueue(scale: Scale): Promise<Readings> {
  const tally = new Tally();
  const queue = new BareQueue<{ n: number }>(() => tally.hit());
  return measureTells((n) => queue.push({ n }), tally, scale);
}

/** A reply by a resolver in the message; no timeout. */
export async function callQueue(scale: Scale): Promise<Readings> {
  const queue = new BareQueue<{ n: number; resolve: (n: number) => void }>(({ n, resolve }) => resolve(n));
  return measureCalls(
    { call: (n) => new Promise<number>((resolve) => queue.push({ n, resolve })), isRight: (reply, n) => reply === n },
    scale,
  );
}

/** The least that a registered actor can be: one small object and its place in a map. */
export function populateQueues(counts: Counts) {
  return (scale: Scale): Promise<Readings> =>
    measurePopulations(counts, scale, () => {
      const registry = new Map<number, object>();
      return {
        spawn: (count) =>
          Array.from({ length: count }, (_, id) => {
            const actor = { id, state: 0, queue: undefined, flags: 0, children: undefined };
            registry.set(id, actor);
            return actor;
          }),
        stop: () => registry.clear(),
      };
    });
}

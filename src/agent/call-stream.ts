import type { ErrorCode, Outcome } from "../../machines/failure.ts";
import type { CallOptions, StreamOptions } from "./context.ts";
import { itemsAheadMax, type ItemSink } from "./items.ts";
import { TroupeError } from "../errors.ts";

/**
 * What a stream yields, one item after another, and at its end its outcome. Reading it by `for await` throws a
 * `TroupeError` with the outcome's code where the call fails, after the items that came before; leaving the loop cancels
 * the call. It is read once, by one reader; the agent waits while 32 items are ahead of it.
 */
export interface CallStream<Item = unknown, Output = unknown>
  extends AsyncIterableIterator<Item, Output | undefined, undefined>, AsyncDisposable {
  /** How the call ended, as `call` says it; never rejects. It waits for the reader, as the agent does. */
  readonly outcome: Promise<Outcome<Output>>;
  /** Nobody reads any more: the call is cancelled, unless it is over. Resolves when it is. */
  return(): Promise<IteratorResult<Item, Output | undefined>>;
  [Symbol.asyncIterator](): CallStream<Item, Output>;
}

/** Makes the one call whose items a stream reads. */
type Begin = (given: { readonly options: CallOptions; readonly items: ItemSink }) => Promise<Outcome<unknown>>;

type Result = IteratorResult<unknown, unknown>;

class ReadStream implements CallStream, ItemSink {
  readonly outcome: Promise<Outcome<unknown>>;
  isBegun = false;
  taken: (() => void) | undefined = undefined;
  /** Items that nobody has read. */
  readonly #ahead: unknown[] = [];
  /** Readers that wait for an item. */
  readonly #readers: PromiseWithResolvers<Result>[] = [];
  readonly #leave = new AbortController();
  #room: PromiseWithResolvers<void> | undefined;
  #end: Outcome<unknown> | undefined;
  /** The end has been told, or nobody wants to hear it. */
  #isOver = false;

  constructor(options: StreamOptions, begin: Begin) {
    const { signal: own } = options;
    const signal = own === undefined ? this.#leave.signal : AbortSignal.any([own, this.#leave.signal]);
    this.outcome = begin({ options: { ...options, signal }, items: this }).then((outcome) => this.#finish(outcome));
  }

  push(item: unknown): Promise<void> | undefined {
    this.isBegun = true;
    if (this.#isOver || this.#end !== undefined) return undefined;
    const reader = this.#readers.shift();
    if (reader === undefined) this.#ahead.push(item);
    else {
      reader.resolve({ done: false, value: item });
      this.taken?.();
    }
    return this.#ahead.length < itemsAheadMax ? undefined : (this.#room ??= Promise.withResolvers()).promise;
  }

  async next(): Promise<Result> {
    if (this.#ahead.length > 0) {
      const value = this.#ahead.shift();
      this.#makeRoom();
      this.taken?.();
      return { done: false, value };
    }
    if (this.#end !== undefined || this.#isOver) return this.#tellEnd();
    const reader = Promise.withResolvers<Result>();
    this.#readers.push(reader);
    return await reader.promise;
  }

  async return(): Promise<Result> {
    this.#isOver = true;
    this.#ahead.length = 0;
    this.#makeRoom();
    for (const reader of this.#readers.splice(0)) reader.resolve({ done: true, value: undefined });
    this.#leave.abort(new DOMException("the reader left", "AbortError"));
    await this.outcome;
    return { done: true, value: undefined };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #makeRoom(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  #finish(outcome: Outcome<unknown>): Outcome<unknown> {
    this.#end = outcome;
    this.#makeRoom();
    for (const reader of this.#readers.splice(0)) {
      try {
        reader.resolve(this.#tellEnd());
      } catch (failed) {
        reader.reject(failed);
      }
    }
    return outcome;
  }

  /** The failure once, then nothing, as any iterator does. */
  #tellEnd(): Result {
    const end = this.#end;
    if (this.#isOver || end === undefined) return { done: true, value: undefined };
    this.#isOver = true;
    if (end.ok) return { done: true, value: end.value };
    const { code, message, data } = end.failure;
    // An agent's own codes are codes too.
    throw new TroupeError(code as ErrorCode, message, { data });
  }
}

/** Errors: throws `usage/invalid-options` for a key: whoever joined the call would have missed its items. */
export function openStream(options: StreamOptions, begin: Begin): CallStream<never, never> {
  if ("key" in options)
    throw new TroupeError("usage/invalid-options", "a stream takes no key: its items are told once, to one reader");
  return new ReadStream(options, begin) as CallStream as CallStream<never, never>;
}

import type { Happening, Observe } from "../ports/observe.ts";
import { passes, type EventFilter } from "./filter.ts";

/** Events that the stream remembers for subscribers that are behind; one that is further behind gets a gap. */
export const streamRingMax = 65_536;

/** One event of the stream: a happening with its place in the one order. */
export interface StreamEvent extends Happening {
  /** From 1, without gaps in one troupe. */
  readonly seq: number;
}

/** A subscription: iterate it, and leave the loop or call `return` to end it. */
export interface Subscription extends AsyncIterableIterator<StreamEvent, undefined, undefined>, AsyncDisposable {
  return(): Promise<IteratorResult<StreamEvent, undefined>>;
  [Symbol.asyncIterator](): Subscription;
}

/**
 * One ordered feed of what happens. It listens to the lower floors only while somebody subscribes. A slow
 * subscriber loses the oldest events and is told so by one `stream.gap` with `from` and `to`.
 */
export class Stream {
  readonly #observe: Observe;
  readonly #size: number;
  #ring: (StreamEvent | undefined)[] = [];
  #seq = 0;
  readonly #subscribers = new Set<Subscriber>();
  #leave: (() => void) | undefined;
  #closed = false;

  constructor(observe: Observe, size: number = streamRingMax) {
    this.#observe = observe;
    this.#size = size;
  }

  subscribe(filter: EventFilter = {}): Subscription {
    const subscriber = new Subscriber(this, filter, this.#seq + 1, () => this.#drop(subscriber));
    if (this.#closed) {
      subscriber.end();
      return subscriber;
    }
    this.#leave ??= this.#observe.listen((happening) => this.#append(happening));
    this.#subscribers.add(subscriber);
    return subscriber;
  }

  get newest(): number {
    return this.#seq;
  }

  get oldest(): number {
    return Math.max(1, this.#seq - this.#size + 1);
  }

  at(seq: number): StreamEvent {
    return this.#ring[seq % this.#size] as StreamEvent;
  }

  #append(happening: Happening): void {
    this.#seq += 1;
    this.#ring[this.#seq % this.#size] = { seq: this.#seq, ...happening };
    for (const subscriber of this.#subscribers) subscriber.wake();
  }

  #drop(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
    if (this.#subscribers.size > 0) return;
    this.#leave?.();
    this.#leave = undefined;
    this.#ring = [];
  }

  /** No further event comes; each subscriber can read what it has not read yet. */
  close(): void {
    this.#closed = true;
    this.#leave?.();
    this.#leave = undefined;
    for (const subscriber of this.#subscribers) subscriber.end();
  }
}

class Subscriber implements Subscription {
  readonly #stream: Stream;
  readonly #filter: EventFilter;
  readonly #onEnd: () => void;
  #next: number;
  #ended = false;
  #waiting: ((result: IteratorResult<StreamEvent, undefined>) => void)[] = [];

  constructor(stream: Stream, filter: EventFilter, from: number, onEnd: () => void) {
    this.#stream = stream;
    this.#filter = filter;
    this.#next = from;
    this.#onEnd = onEnd;
  }

  next(): Promise<IteratorResult<StreamEvent, undefined>> {
    const event = this.#take();
    if (event !== undefined) return Promise.resolve({ done: false, value: event });
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #take(): StreamEvent | undefined {
    const { oldest } = this.#stream;
    if (this.#next < oldest) {
      const gap = {
        type: "stream.gap",
        at: this.#stream.at(oldest).at,
        seq: oldest - 1,
        data: { from: this.#next, to: oldest - 1 },
      };
      this.#next = oldest;
      return gap;
    }
    while (this.#next <= this.#stream.newest) {
      const event = this.#stream.at(this.#next);
      this.#next += 1;
      if (passes(this.#filter, event)) return event;
    }
    return undefined;
  }

  wake(): void {
    while (this.#waiting.length > 0) {
      const event = this.#take();
      if (event === undefined) return;
      this.#waiting.shift()?.({ done: false, value: event });
    }
  }

  /** No further event comes; what is still unread can be read. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const resolve of this.#waiting.splice(0)) resolve({ done: true, value: undefined });
  }

  return(): Promise<IteratorResult<StreamEvent, undefined>> {
    this.end();
    this.#next = Number.POSITIVE_INFINITY;
    this.#onEnd();
    return Promise.resolve({ done: true, value: undefined });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  [Symbol.asyncIterator](): Subscription {
    return this;
  }
}

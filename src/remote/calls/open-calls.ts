import { failure, type Outcome } from "../../../machines/failure.ts";
import type { Clock } from "../../ports/clock.ts";
import { Deadlines, type Expiring } from "../../ports/deadlines.ts";

/** What a call needs while it is out. */
export interface CallTerms {
  readonly timeoutMs: number;
  /** When that is, where the caller has looked at the clock already. */
  readonly deadlineAt?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Hears that there is an outcome, just before whoever waits for it does. */
  readonly settled?: (() => void) | undefined;
  /** Hears what the handler emits; it may emit so many items before it is granted more. */
  readonly stream?: { readonly credit: number; next(item: unknown): void } | undefined;
}

/** What is asked, and until when. */
interface Asked {
  readonly id: string;
  readonly capability: string;
  readonly terms: CallTerms;
  readonly deadlineAt: number;
}

/** One call that has no outcome yet. It is its own deadline and hears its own signal: one object a call. */
export class OpenCall implements Expiring {
  readonly id: string;
  /** Where it stands among the calls that are out. */
  readonly place: number;
  readonly capability: string;
  readonly terms: CallTerms;
  readonly deadlineAt: number;
  heapIndex = -1;
  readonly #calls: OpenCalls;
  readonly #resolve: (outcome: Outcome<unknown>) => void;

  constructor(calls: OpenCalls, what: Asked, resolve: (outcome: Outcome<unknown>) => void) {
    this.#calls = calls;
    this.#resolve = resolve;
    this.id = what.id;
    this.place = placeOf(what.id);
    this.capability = what.capability;
    this.terms = what.terms;
    this.deadlineAt = what.deadlineAt;
  }

  settle(outcome: Outcome<unknown>): void {
    if (!this.#calls.remove(this)) return;
    this.terms.settled?.();
    this.#resolve(outcome);
  }

  expire(): void {
    const { capability } = this;
    const timeoutMs = Math.round(this.terms.timeoutMs);
    const message = `no outcome of ${capability} within ${timeoutMs} ms${this.#calls.trouble()}`;
    this.#calls.giveUp(this, { ok: false, failure: failure("call/timeout", message, { capability, timeoutMs }) });
  }

  /** The caller's signal aborted. */
  handleEvent(): void {
    const { capability } = this;
    const failed = failure("call/cancelled", `the caller aborted ${capability}`, { capability });
    this.#calls.giveUp(this, { ok: false, failure: failed });
  }
}

/**
 * The calls that are out over one session, in places that are used again, which their ids end with. A map from ids would
 * fill and empty its table all the time; V8 keeps each table that it has outgrown, with what was in it, as long as the
 * next one, until a full collection (measured: a fifth of the CPU time of a busy caller).
 */
export class OpenCalls implements Iterable<OpenCall> {
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #cancelled: (id: string) => void;
  /** What to say besides of a call that had no outcome in time; "" where nothing is wrong with the link. */
  readonly trouble: () => string;
  readonly #places: (OpenCall | undefined)[] = [];
  readonly #free: number[] = [];

  /** `cancelled` hears of each call that the caller has given up. */
  constructor(clock: Clock, cancelled: (id: string) => void, trouble: () => string) {
    this.trouble = trouble;
    this.#clock = clock;
    this.#deadlines = new Deadlines(clock);
    this.#cancelled = cancelled;
  }

  get size(): number {
    return this.#places.length - this.#free.length;
  }

  /** Takes a place for a call, whose id is to end with it, after a point. */
  reserve(): number {
    const place = this.#free.pop();
    return place ?? this.#places.push(undefined) - 1;
  }

  /** Gives a place back that no call was opened at. */
  release(place: number): void {
    this.#free.push(place);
  }

  /** When the time of a call that is asked now is over. */
  deadlineOf({ deadlineAt, timeoutMs }: CallTerms): number {
    return deadlineAt ?? this.#clock.now() + timeoutMs;
  }

  /** Waits for the outcome of a call that has a place. */
  open(asked: Asked): Promise<Outcome<unknown>> {
    return new Promise((resolve) => {
      const call = new OpenCall(this, asked, resolve);
      this.#places[call.place] = call;
      this.#deadlines.add(call);
      asked.terms.signal?.addEventListener("abort", call, { once: true });
    });
  }

  get(id: string): OpenCall | undefined {
    const call = this.#places[placeOf(id)];
    return call?.id === id ? call : undefined;
  }

  /** False: it has its outcome already. */
  remove(call: OpenCall): boolean {
    const { place } = call;
    if (this.#places[place] !== call) return false;
    this.#places[place] = undefined;
    this.release(place);
    this.#deadlines.remove(call);
    call.terms.signal?.removeEventListener("abort", call);
    return true;
  }

  giveUp(call: OpenCall, outcome: Outcome<unknown>): void {
    call.settle(outcome);
    this.#cancelled(call.id);
  }

  /** No call follows any more: nothing is left that holds the process. */
  close(): void {
    this.#deadlines.close();
  }

  *[Symbol.iterator](): Iterator<OpenCall> {
    for (const call of this.#places) if (call !== undefined) yield call;
  }
}

/** The number that an id of ours ends with; anything at all for another one. */
function placeOf(id: string): number {
  let place = 0;
  for (let index = id.lastIndexOf(".") + 1; index < id.length; index += 1)
    place = place * 10 + id.charCodeAt(index) - 0x30;
  return place;
}

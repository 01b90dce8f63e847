import { z } from "zod";
import { failure, type Outcome } from "../../../machines/failure.ts";
import { itemsAheadMax } from "../../agent/items.ts";
import type { Leaving } from "../../dispatch/request.ts";
import type { CallTerms } from "../../remote/calls/open-calls.ts";
import type { Requests } from "../../remote/requests.ts";

/** Progress reports of one call that a peer may send before this node has taken them. */
export const progressCreditMax = 64;
/** Items read before the other node hears that there is room for as many more. */
const itemsPerGrant = itemsAheadMax / 2;

const told = z.union([
  z.object({ progress: z.object({ fraction: z.number().exactOptional(), note: z.string().exactOptional() }) }),
  z.object({ spent: z.object({ calls: z.number(), tokens: z.number(), cost: z.number() }) }),
]);

/** Hears what one call to another node tells on the way: its progress, what it has spent, and the items of a stream. */
export class Following implements NonNullable<CallTerms["stream"]> {
  readonly credit: number;
  /** The call's id; known when it is out. */
  id = "";
  readonly #call: Leaving;
  readonly #from: { readonly node: string; readonly requests: Requests };
  readonly #stop: AbortController | undefined;
  /** Items that came and were not read. */
  #ahead = 0;
  /** Items that were read since room was granted last. */
  #read = 0;
  #hasOverrun = false;

  constructor(call: Leaving, from: { readonly node: string; readonly requests: Requests }) {
    this.#call = call;
    this.#from = from;
    const { items } = call;
    this.credit = items === undefined ? progressCreditMax : itemsAheadMax;
    this.#stop = items === undefined ? undefined : new AbortController();
    if (items !== undefined) items.taken = () => this.#taken();
  }

  /** Aborts with the caller's signal, or when the other node breaks its word. */
  orAbort(signal: AbortSignal | undefined): AbortSignal | undefined {
    const own = this.#stop?.signal;
    return own === undefined || signal === undefined ? (own ?? signal) : AbortSignal.any([own, signal]);
  }

  next(given: unknown): void {
    const { items } = this.#call;
    if (items !== undefined && typeof given === "object" && given !== null && "item" in given) {
      if (this.#ahead >= itemsAheadMax) return this.#overrun();
      this.#ahead += 1;
      // There is room for it: it was granted.
      void items.push(given.item);
      return;
    }
    this.#hear(given);
    this.#from.requests.grant(this.id, 1);
  }

  /** What the caller hears of the end. */
  end(outcome: Outcome<unknown>): Outcome<unknown> {
    if (!this.#hasOverrun) return outcome;
    const { node } = this.#from;
    const message = `node ${node} sent more items of ${this.#call.capability} than it was granted`;
    return { ok: false, failure: failure("remote/overrun", message, { node }) };
  }

  #taken(): void {
    this.#ahead -= 1;
    this.#read += 1;
    if (this.#read < itemsPerGrant) return;
    this.#from.requests.grant(this.id, this.#read);
    this.#read = 0;
  }

  #overrun(): void {
    this.#hasOverrun = true;
    this.#stop?.abort();
  }

  #hear(given: unknown): void {
    const parsed = told.safeParse(given);
    if (!parsed.success) return;
    if ("progress" in parsed.data) this.#call.progressed(parsed.data.progress);
    else this.#call.account?.draw(parsed.data.spent);
  }
}

import type { ItemSink } from "../../agent/items.ts";
import type { IncomingCall } from "../../remote/hosting.ts";

/** The items of a stream that an agent here tells a caller on another node. */
export class GoingItems implements ItemSink {
  isBegun = false;
  taken: (() => void) | undefined;
  readonly #call: IncomingCall;

  constructor(call: IncomingCall) {
    this.#call = call;
  }

  push(item: unknown): Promise<void> {
    this.isBegun = true;
    return this.#call.emit({ item });
  }
}

import type { Json } from "../../machines/failure.ts";

/** One thing that happened. `type` is dotted and lower case: facts in the past tense, so wildcards work. */
export interface Happening {
  readonly type: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly agent?: string;
  readonly runId?: string;
  readonly decisionId?: string;
  readonly traceparent?: string;
  readonly data: { readonly [key: string]: Json };
}

/**
 * The one way up from the lower floors. Publishers write `if (observe.heard) observe.publish(…)`, so that
 * nothing is built or sent while nobody listens.
 */
export class Observe {
  heard = false;
  readonly #sinks = new Set<(happening: Happening) => void>();

  publish(happening: Happening): void {
    for (const sink of this.#sinks) sink(happening);
  }

  /** Adds a listener; the returned function takes it away again. */
  listen(sink: (happening: Happening) => void): () => void {
    this.#sinks.add(sink);
    this.heard = true;
    return () => {
      this.#sinks.delete(sink);
      this.heard = this.#sinks.size > 0;
    };
  }
}

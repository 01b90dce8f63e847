import type { TellOptions } from "../agent/context.ts";
import { noBaggage, type Account, type Envelope } from "../agent/envelope.ts";
import type { Ids } from "../ports/chance.ts";
import { joinTrace } from "./trace.ts";

/** What a tell carries where its sender has something to pass on. It has no deadline, and nobody waits for its outcome. */
export class TellEnvelope implements Envelope {
  readonly deadlineAt = Number.POSITIVE_INFINITY;
  readonly items = undefined;
  readonly key = undefined;
  readonly runId: string | undefined;
  readonly decisionId: string | undefined;
  readonly baggage: Readonly<Record<string, string>>;
  /** Whoever tells cannot get round its own budget: what the told one calls is drawn from it too. */
  readonly account: Account | undefined;
  degraded = undefined;
  readonly #parentTrace: string | undefined;
  readonly #ids: Ids;
  #traceparent: string | undefined;

  constructor(options: TellOptions, under: Envelope | undefined, ids: Ids) {
    this.runId = options.runId ?? under?.runId;
    this.decisionId = options.decisionId ?? under?.decisionId;
    this.baggage =
      options.baggage === undefined ? (under?.baggage ?? noBaggage) : { ...under?.baggage, ...options.baggage };
    this.account = under?.account;
    this.#parentTrace = options.traceparent ?? under?.traceparent;
    this.#ids = ids;
  }

  get traceparent(): string {
    return (this.#traceparent ??= joinTrace(this.#parentTrace, this.#ids));
  }

  progressed(): void {}
}

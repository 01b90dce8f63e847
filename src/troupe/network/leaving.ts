import type { CallOptions } from "../../agent/context.ts";
import type { ItemSink } from "../../agent/items.ts";
import { Account, noBaggage } from "../../agent/envelope.ts";
import { deadlineOf, type Leaving } from "../../dispatch/request.ts";
import { joinTrace } from "../../dispatch/trace.ts";
import type { Ids } from "../../ports/chance.ts";
import type { Clock } from "../../ports/clock.ts";

/** A call or a tell that is meant for one agent of another node from the start. */
export function leavingOf(
  request: {
    readonly capability: string;
    readonly input: unknown;
    readonly options: CallOptions;
    readonly items?: ItemSink | undefined;
  },
  ports: { readonly clock: Clock; readonly ids: Ids },
): Leaving {
  const { capability, input, options, items } = request;
  const { onProgress } = options;
  return {
    capability,
    input,
    deadlineAt: deadlineOf(request, ports.clock.now()),
    key: options.key,
    runId: options.runId,
    decisionId: options.decisionId,
    priority: options.priority,
    traceparent: joinTrace(options.traceparent, ports.ids),
    baggage: options.baggage ?? noBaggage,
    account: options.budget === undefined ? undefined : new Account(options.budget, undefined),
    items,
    degraded: undefined,
    isFollowed: onProgress !== undefined,
    progressed: (progress) => onProgress?.(progress),
  };
}

import { z } from "zod";
import type { Allowance } from "../../../machines/call/budget.ts";
import { extraCharactersMax, extrasMax } from "../../../machines/wire/limits.ts";
import type { CallOptions } from "../../agent/context.ts";
import { noBaggage } from "../../agent/envelope.ts";
import type { Leaving } from "../../dispatch/request.ts";
import { noHeaders } from "../../remote/hosting.ts";

/** One header is kept for the credit of a stream. */
const headersMax = extrasMax - 1;

const carriedSchema = z.object({
  key: z.string().exactOptional(),
  runId: z.string().exactOptional(),
  decisionId: z.string().exactOptional(),
  priority: z.enum(["high", "normal", "low"]).exactOptional(),
  budget: z
    .object({
      calls: z.number().nonnegative().exactOptional(),
      tokens: z.number().nonnegative().exactOptional(),
      cost: z.number().nonnegative().exactOptional(),
    })
    .exactOptional(),
  baggage: z.record(z.string(), z.string()).exactOptional(),
  /** The caller reads what a stream yields. */
  items: z.literal(true).exactOptional(),
});

/** What a message carries from node to node besides its input, its deadline and its trace. */
export type Carried = z.infer<typeof carriedSchema>;

type Carrying = Pick<Leaving, "key" | "runId" | "decisionId" | "priority" | "baggage"> & {
  readonly left?: Allowance;
  readonly isRead?: boolean;
};

const nothingCarried: Carried = Object.freeze({});

/** As headers of the wire, in pieces that fit; undefined where it is too much for one message. */
export function writeCarried(what: Carrying): { readonly [name: string]: string } | undefined {
  const { key, runId, decisionId, priority, baggage, left, isRead = false } = what;
  const isBare = key === undefined && runId === undefined && decisionId === undefined && priority === undefined;
  const hasBaggage = baggage !== noBaggage && Object.keys(baggage).length > 0;
  if (isBare && !hasBaggage && left === undefined && !isRead) return noHeaders;
  const text = JSON.stringify({
    key,
    runId,
    decisionId,
    priority,
    ...(isRead ? { items: true } : {}),
    budget: left,
    ...(hasBaggage ? { baggage } : {}),
  });
  const headers: Record<string, string> = {};
  for (let from = 0, piece = 0; from < text.length; from += extraCharactersMax, piece += 1) {
    if (piece >= headersMax) return undefined;
    headers[`c${piece}`] = text.slice(from, from + extraCharactersMax);
  }
  return headers;
}

/** Undefined for what no node of ours has written. */
export function readCarried(headers: { readonly [name: string]: string }): Carried | undefined {
  if (headers === noHeaders) return nothingCarried;
  let text = "";
  for (let piece = 0; piece < headersMax; piece += 1) {
    const next = headers[`c${piece}`];
    if (next === undefined) break;
    text += next;
  }
  if (text === "") return nothingCarried;
  try {
    const parsed = carriedSchema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

type Given = Pick<CallOptions, "traceparent" | "timeoutMs" | "onProgress">;

/** The options of a tell or a call here that stands for one from another node. */
export function toOptions(carried: Carried, given: Given): CallOptions {
  if (carried === nothingCarried) return given;
  const { budget: _budget, items: _items, ...rest } = carried;
  return { ...rest, ...given };
}

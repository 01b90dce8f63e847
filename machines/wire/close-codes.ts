/** What a dialer does after a connection was closed with a code. */
export type ClosePolicy =
  /** Dial again and go on with the same session. */
  | "resume"
  /** As `resume`, but not before the time that the other side named. */
  | "wait"
  /** Dial again; the session is gone. */
  | "renew"
  /** As `renew`, but not before the time that the other side named. */
  | "rest"
  /** Never dial again by itself. */
  | "stop";

interface CloseEntry {
  readonly meaning: string;
  readonly policy: ClosePolicy;
  /** The other side found fault with what it was sent. */
  readonly isBreach?: true;
}

/**
 * WebSocket close codes of `troupe.v1`: those of RFC 6455 §7.4.1 that say something of the session, and its own (4000 to
 * 4999 are private use). To resume after a breach would bring the same frames again. 1008 is no breach for who is told it:
 * proxies close idle connections with it; where the other side did find a breach, its session is gone, and it says so.
 */
export const closeCodes = {
  1000: { meaning: "the orderly end of the session", policy: "renew" },
  1001: { meaning: "the other side, or something in between, goes away", policy: "resume" },
  1002: { meaning: "what came is no WebSocket frame", policy: "renew", isBreach: true },
  1003: { meaning: "a kind of data that is not taken", policy: "renew", isBreach: true },
  1006: { meaning: "the connection ended without a word", policy: "resume" },
  1007: { meaning: "text that is no UTF-8", policy: "renew", isBreach: true },
  1008: { meaning: "a rule of the other side, or of something in between, that no code says", policy: "resume" },
  1009: { meaning: "a frame was too large, and the WebSocket noticed first", policy: "renew", isBreach: true },
  4400: { meaning: "the other side broke the protocol", policy: "renew", isBreach: true },
  4401: { meaning: "not authenticated", policy: "stop" },
  4403: { meaning: "not allowed", policy: "stop" },
  4404: { meaning: "no such session", policy: "renew" },
  4406: { meaning: "no version or codec in common", policy: "stop" },
  4408: { meaning: "the handshake took too long", policy: "resume" },
  4409: { meaning: "a newer connection of the same session has taken over", policy: "stop" },
  4410: { meaning: "the session has expired", policy: "renew" },
  4413: { meaning: "a frame was too large", policy: "renew", isBreach: true },
  4429: { meaning: "too many connections or messages", policy: "wait" },
  4430: { meaning: "the other side reads too slowly, and its session has ended", policy: "rest" },
  4440: { meaning: "no sign of life", policy: "resume" },
  4500: { meaning: "an internal fault", policy: "resume" },
  4503: { meaning: "draining: nothing new is taken", policy: "wait" },
} as const satisfies Record<number, CloseEntry>;

export type CloseCode = keyof typeof closeCodes;

function entryOf(code: number): CloseEntry | undefined {
  return closeCodes[code as CloseCode];
}

/** Any other code of RFC 6455 is no verdict on the session. */
export function closePolicyOf(code: number): ClosePolicy {
  return entryOf(code)?.policy ?? "resume";
}

export function isBreach(code: number): boolean {
  return entryOf(code)?.isBreach === true;
}

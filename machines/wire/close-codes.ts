/** What a dialer does after a connection was closed with a code. */
export type ClosePolicy =
  /** Dial again and go on with the same session. */
  | "resume"
  /** Dial again; the session is gone. */
  | "renew"
  /** As `resume`, but not before the time that the other side named. */
  | "wait"
  /** Never dial again by itself. */
  | "stop";

interface CloseEntry {
  readonly meaning: string;
  readonly policy: ClosePolicy;
}

/** WebSocket close codes of `troupe.v1` (4000 to 4999 are private use, RFC 6455 §7.4.2). */
export const closeCodes = {
  4400: { meaning: "the other side broke the protocol", policy: "renew" },
  4401: { meaning: "not authenticated", policy: "stop" },
  4403: { meaning: "not allowed", policy: "stop" },
  4404: { meaning: "no such session", policy: "renew" },
  4406: { meaning: "no version or codec in common", policy: "stop" },
  4408: { meaning: "the handshake took too long", policy: "resume" },
  4409: { meaning: "a newer connection of the same session has taken over", policy: "stop" },
  4410: { meaning: "the session has expired", policy: "renew" },
  4413: { meaning: "a frame was too large", policy: "renew" },
  4429: { meaning: "too many connections or messages", policy: "wait" },
  4430: { meaning: "the other side reads too slowly", policy: "wait" },
  4440: { meaning: "no sign of life", policy: "resume" },
  4500: { meaning: "an internal fault", policy: "resume" },
  4503: { meaning: "draining: nothing new is taken", policy: "wait" },
} as const satisfies Record<number, CloseEntry>;

export type CloseCode = keyof typeof closeCodes;

/**
 * A connection lost without a word, and the codes of RFC 6455, are no verdict on the session; its orderly end is, and
 * so is a frame that was too large: it would be sent again for ever. An orderly end is none of the link: whoever dialled
 * wants to be connected until they say otherwise, and the other side may only be starting anew.
 */
export function closePolicyOf(code: number): ClosePolicy {
  if (code === 1000 || code === 1009) return "renew";
  return code in closeCodes ? closeCodes[code as CloseCode].policy : "resume";
}

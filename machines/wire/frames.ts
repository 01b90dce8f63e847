import type { Envelope } from "./envelope.ts";
import { isEnvelope } from "./envelope.ts";
import { batchEnvelopesMax } from "./limits.ts";

/** What one side is ready to take: bytes of one frame, and messages and bytes not yet acknowledged. */
export interface WireLimits {
  readonly frame: number;
  readonly msgs: number;
  readonly bytes: number;
}

/** How a dialer says who it is. Secrets travel in this frame only, never in an address or a header. */
export type Credentials =
  | { readonly k: "none" }
  | { readonly k: "token"; readonly token: string }
  | { readonly k: "ed25519"; readonly key: string }
  | { readonly k: "mtls" };

/** The dialer's first word. */
export interface Hello {
  readonly t: "H";
  /** Versions that it speaks, the best first. */
  readonly v: readonly number[];
  readonly node: string;
  /** One start of that node's process. */
  readonly inc: string;
  readonly nonce: string;
  readonly codec: string;
  readonly feat: readonly string[];
  readonly lim: WireLimits;
  readonly auth: Credentials;
  /** The session to go on with, and the last message of it that the dialer has. */
  readonly sess?: { readonly id: string; readonly recv: number };
}

/** The listener asks the dialer to prove its key. */
export interface Challenge {
  readonly t: "C";
  readonly nonce: string;
  readonly node: string;
  readonly inc: string;
  readonly key: string;
}

/** The dialer's signature, as lowercase hex. */
export interface Proof {
  readonly t: "P";
  readonly sig: string;
}

/** The listener lets the dialer in. */
export interface Welcome {
  readonly t: "W";
  readonly v: 1;
  readonly node: string;
  readonly inc: string;
  readonly sess: { readonly id: string; readonly resumed: boolean; readonly recv: number; readonly ttl: number };
  readonly lim: WireLimits;
  /** What the dialer may do here: "tell:/agents/*", "watch:*", "spawn:worker@1". */
  readonly grant: readonly string[];
  /** Milliseconds of silence after which this side sends a heartbeat. */
  readonly hb: number;
  /** The listener's own proof, as lowercase hex, where the dialer proved a key. */
  readonly sig?: string;
}

/** Messages. `a`: the highest one received; `l`: the highest one that the other side may send. Both are absolute. */
export interface Batch {
  readonly t: "M";
  readonly a: number;
  readonly l: number;
  readonly m: readonly Envelope[];
}

/** An acknowledgement that had no message to travel with. */
export interface Ack {
  readonly t: "A";
  readonly a: number;
  readonly l: number;
}

/** A sign of life. `lag`: how late this side's timers are, in milliseconds; `load`: messages that it has in hand. */
export interface Beat {
  readonly t: "I";
  readonly a: number;
  readonly l: number;
  readonly lag: number;
  readonly load: number;
}

/** Nothing new is taken here any more: what is under way may end. */
export interface GoAway {
  readonly t: "G";
  readonly code: number;
  readonly retryAfterMs?: number;
  readonly redirect?: string;
}

/** Why the connection is about to be closed. */
export interface WireError {
  readonly t: "E";
  readonly code: number;
  readonly message: string;
  readonly retryAfterMs?: number;
  readonly re?: string;
}

export type HandshakeFrame = Hello | Challenge | Proof | Welcome;
export type SessionFrame = Batch | Ack | Beat | GoAway | WireError;
export type Frame = HandshakeFrame | SessionFrame;

function isPosition(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isMeasure(value: unknown): boolean {
  return typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}

/** The hand-written guard of the frames that come often; a property test holds it to their schemas. */
export function isHotFrame(value: unknown): value is Batch | Ack | Beat {
  if (typeof value !== "object" || value === null) return false;
  const frame = value as { readonly [key: string]: unknown };
  if (!isPosition(frame["a"]) || !isPosition(frame["l"])) return false;
  switch (frame["t"]) {
    case "M": {
      const { m } = frame;
      return Array.isArray(m) && m.length > 0 && m.length <= batchEnvelopesMax && m.every(isEnvelope);
    }
    case "A":
      return true;
    case "I":
      return isMeasure(frame["lag"]) && isMeasure(frame["load"]);
    default:
      return false;
  }
}

import type { Draft } from "../wire/envelope.ts";
import type { GoAway, SessionFrame } from "../wire/frames.ts";

/** What a session is told. Times are epoch milliseconds; a connection is known by a number that is given once. */
export type SessionInput =
  /** This side has a message to send. `due`: when the time that its `ttl` names is over. */
  | { readonly type: "send"; readonly draft: Draft; readonly due?: number | undefined }
  /**
   * A connection was accepted: the peer has our messages up to `peerRecv` and takes them up to `limit`. `repack`: its
   * codec is another one than what is kept was encoded for. `load`: messages that this side has in hand. `bytes`: what
   * the peer takes of them unacknowledged. `beatMs`: the silence after which the peer gives a sign of life, where it said
   * so.
   */
  | {
      readonly type: "attach";
      readonly pipe: number;
      readonly peerRecv: number;
      readonly limit: number;
      readonly now: number;
      readonly load: number;
      readonly repack?: boolean;
      readonly bytes?: number;
      readonly beatMs?: number;
    }
  | { readonly type: "frame"; readonly pipe: number; readonly frame: SessionFrame; readonly now: number }
  /** A frame that breaks the protocol, or is too large. */
  | { readonly type: "broken"; readonly pipe: number; readonly code: number; readonly reason: string }
  /** The peer sends more than it may; all that it may would be free again after `waitMs`. What it sent last is not taken. */
  | { readonly type: "flooded"; readonly pipe: number; readonly waitMs: number; readonly now: number }
  /** A connection is gone. */
  | {
      readonly type: "lost";
      readonly pipe: number;
      readonly code: number;
      readonly now: number;
      readonly retryAfterMs?: number;
    }
  /** A dial came to nothing. */
  | { readonly type: "missed"; readonly code: number; readonly now: number; readonly retryAfterMs?: number }
  /** The end of the turn that a `wake` asked for. */
  | { readonly type: "flush"; readonly now: number }
  /** The connection's buffer is full, or empty again. */
  | { readonly type: "congested"; readonly pipe: number; readonly full: boolean }
  /** Time has passed. `lateMs`: how late this very tick is, since this side itself stood still; `load`: messages that it has in hand. */
  | { readonly type: "tick"; readonly now: number; readonly lateMs: number; readonly load: number }
  /** Bytes have come in, of a frame that is not complete. */
  | { readonly type: "heard"; readonly pipe: number; readonly now: number }
  /** This side takes nothing new any more. */
  | { readonly type: "drain"; readonly frame: GoAway }
  /** This side ends the session. */
  | { readonly type: "close"; readonly reason: EndReason; readonly code: number };

/** Why a session ended. */
export type EndReason =
  /** In good order. */
  | "closed"
  /** No connection within its time to live. */
  | "expired"
  /** The peer's process is another one now, or it no longer knows the session. */
  | "restarted"
  /** One side broke the protocol. */
  | "protocol"
  /** The peer refused this side, or another connection took over. */
  | "refused"
  /** The peer took too long to read what had to be sent. */
  | "overflow";

import type { Packed } from "../wire/codec.ts";
import type { Draft, Envelope } from "../wire/envelope.ts";
import type { Ack, Beat, GoAway, WireError } from "../wire/frames.ts";
import type { EndReason } from "./events.ts";
import type { LinkState } from "./machine.ts";

/** What a session wants done. The shell does it in this order, after the step. */
export type SessionEffect =
  /**
   * Give `flush` at the end of this turn, so that messages of one turn travel together; or at once, where enough of
   * them wait.
   */
  | { readonly type: "wake"; readonly atOnce: boolean }
  | {
      readonly type: "batch";
      readonly pipe: number;
      readonly a: number;
      readonly l: number;
      readonly bodies: readonly Packed[];
    }
  | { readonly type: "frame"; readonly pipe: number; readonly frame: Ack | Beat | GoAway | WireError }
  /** A message of the peer, each exactly once and in order. */
  | { readonly type: "deliver"; readonly envelope: Envelope }
  /** The peer has said how many messages it has in hand. */
  | { readonly type: "loaded"; readonly load: number }
  /** Close a connection; at once and without ceremony where the peer is believed dead. */
  | {
      readonly type: "disconnect";
      readonly pipe: number;
      readonly code: number;
      readonly reason: string;
      readonly hard: boolean;
    }
  /** Dial after a time drawn between the two bounds. */
  | { readonly type: "dial"; readonly fromMs: number; readonly toMs: number }
  | { readonly type: "moved"; readonly from: LinkState; readonly to: LinkState }
  /** The peer takes nothing new any more. */
  | { readonly type: "goAway"; readonly frame: GoAway }
  /** The session has ended; these messages were never acknowledged. */
  | {
      readonly type: "ended";
      readonly reason: EndReason;
      readonly code: number;
      readonly unsettled: readonly Draft[];
    };

import type { Draft } from "./envelope.ts";
import type { Frame } from "./frames.ts";
import type { FrameReading } from "./read-frame.ts";

/** A frame as it travels: text, or bytes where the codec is a binary one. */
export type WireData = string | Uint8Array;

/** A message encoded at its place in the session; encoded once, however often it is sent. */
export interface Packed {
  readonly data: WireData;
  readonly bytes: number;
}

export type Pack = (draft: Draft, seq: number) => Packed;

/** How the frames of one connection are written and read. No frame depends on one before it. */
export interface Codec {
  /** As the subprotocol `troupe.v1.<name>` and the hello have it. */
  readonly name: string;
  /** Bytes that a message takes on the wire, but for its place in the session. */
  measure(draft: Draft): number;
  pack: Pack;
  /** A batch of messages that are encoded already. */
  join(ack: number, limit: number, bodies: readonly Packed[]): WireData;
  /** Any other frame. */
  write(frame: Frame): WireData;
  /** Never throws, whatever has come. */
  read(data: WireData): FrameReading;
}

import type { Packed } from "../../machines/session/outbox.ts";
import type { Draft } from "../../machines/wire/envelope.ts";
import type { Frame } from "../../machines/wire/frames.ts";

/** The codec every node speaks: JSON text frames. */
export const jsonCodec = "json";

/** The draft encoded last: it is measured before it is sent, and must not be encoded twice for that. */
let measured: { readonly draft: Draft; readonly text: string; readonly bytes: number } | undefined;

function encode(draft: Draft): { readonly text: string; readonly bytes: number } {
  if (measured?.draft === draft) return measured;
  const text = JSON.stringify(draft);
  measured = { draft, text, bytes: Buffer.byteLength(text) };
  return measured;
}

/** Bytes that a message takes on the wire, but for its place in the session. */
export function measureDraft(draft: Draft): number {
  return encode(draft).bytes;
}

/** Encodes a message at its place in the session. */
export function packDraft(draft: Draft, seq: number): Packed {
  const { text, bytes } = encode(draft);
  measured = undefined;
  const place = `{"s":${seq},`;
  return { text: place + text.slice(1), bytes: bytes + place.length };
}

/** A batch of messages that are encoded already. */
export function joinBatch(ack: number, limit: number, bodies: readonly Packed[]): string {
  const only = bodies.length === 1 ? bodies[0]?.text : bodies.map((body) => body.text).join(",");
  return `{"t":"M","a":${ack},"l":${limit},"m":[${only}]}`;
}

/** Any other frame as text. */
export function writeFrame(frame: Frame): string {
  return JSON.stringify(frame);
}

import type { Codec, Packed } from "../../../machines/wire/codec.ts";
import type { Draft } from "../../../machines/wire/envelope.ts";
import { readTextFrame } from "../../../machines/wire/read-frame.ts";

/** The draft encoded last: it is measured before it is sent, and must not be encoded twice for that. */
let measured: { readonly draft: Draft; readonly text: string; readonly bytes: number } | undefined;

function encode(draft: Draft): { readonly text: string; readonly bytes: number } {
  if (measured?.draft === draft) return measured;
  const text = JSON.stringify(draft);
  measured = { draft, text, bytes: Buffer.byteLength(text) };
  return measured;
}

/** The codec every node speaks: JSON text frames. */
export const jsonCodec: Codec = {
  name: "json",
  measure: (draft) => encode(draft).bytes,
  pack(draft, seq): Packed {
    const { text, bytes } = encode(draft);
    measured = undefined;
    const place = `{"s":${seq},`;
    return { data: place + text.slice(1), bytes: bytes + place.length - 1 };
  },
  join(ack, limit, bodies) {
    const only = bodies.length === 1 ? bodies[0]?.data : bodies.map((body) => body.data).join(",");
    return `{"t":"M","a":${ack},"l":${limit},"m":[${only as string}]}`;
  },
  write: (frame) => JSON.stringify(frame),
  read: (data) =>
    typeof data === "string"
      ? readTextFrame(data)
      : { kind: "refused", code: 4400, reason: "frames of this codec are text" },
};

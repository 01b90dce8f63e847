import type { Json } from "../../../machines/failure.ts";
import type { Codec, Packed } from "../../../machines/wire/codec.ts";
import type { Draft } from "../../../machines/wire/envelope.ts";
import { readTextFrame } from "../../../machines/wire/read-frame.ts";
import { isPlainText } from "./plain-text.ts";

/** Characters of a text from which on it is worth while to see whether it can be written as it is. */
const longTextMin = 512;

interface Encoded {
  readonly text: string;
  readonly bytes: number;
}

function stringify(value: unknown): Encoded {
  const text = JSON.stringify(value);
  return { text, bytes: Buffer.byteLength(text) };
}

/** Whether a value is or has, not in a list, a text that is long. */
function hasLongText(value: Json | undefined): boolean {
  if (typeof value === "string") return value.length >= longTextMin;
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Uint8Array) return false;
  for (const name of Object.keys(value))
    if (hasLongText((value as { readonly [name: string]: Json })[name])) return true;
  return false;
}

/** JSON of a value, in which a long text that needs no escapes is copied: JSON.stringify takes six times as long for it. */
function encodeValue(value: Json): Encoded {
  if (!hasLongText(value)) return stringify(value);
  if (typeof value === "string")
    return isPlainText(value) ? { text: `"${value}"`, bytes: value.length + 2 } : stringify(value);
  let [text, bytes] = ["", 1];
  for (const [name, item] of Object.entries(value as { readonly [name: string]: Json })) {
    const [key, inner] = [stringify(name), encodeValue(item)];
    text += `${text === "" ? "{" : ","}${key.text}:${inner.text}`;
    bytes += key.bytes + inner.bytes + 2;
  }
  return { text: `${text}}`, bytes };
}

/** The fields of a message, without the brace before them: there its place in the session goes. */
function encodeFields(draft: Draft): Encoded {
  if (!hasLongText(draft.p)) return withoutBrace(stringify(draft));
  const { p = null, ...rest } = draft;
  const [head, payload] = [withoutBrace(stringify(rest)), encodeValue(p)];
  return { text: `${head.text.slice(0, -1)},"p":${payload.text}}`, bytes: head.bytes + payload.bytes + 5 };
}

function withoutBrace({ text, bytes }: Encoded): Encoded {
  return { text: text.slice(1), bytes: bytes - 1 };
}

/** The draft encoded last: it is measured before it is sent, and must not be encoded twice for that. */
let measured: { readonly draft: Draft; readonly encoded: Encoded } | undefined;

function encode(draft: Draft): Encoded {
  if (measured?.draft !== draft) measured = { draft, encoded: encodeFields(draft) };
  return measured.encoded;
}

/** The codec every node speaks: JSON text frames. */
export const jsonCodec: Codec = {
  name: "json",
  measure: (draft) => encode(draft).bytes + 1,
  pack(draft, seq): Packed {
    const { text, bytes } = encode(draft);
    measured = undefined;
    const place = `{"s":${seq},`;
    return { data: place + text, bytes: place.length + bytes };
  },
  join(ack, limit, bodies) {
    let text = `{"t":"M","a":${ack},"l":${limit},"m":[`;
    for (let index = 0; index < bodies.length; index += 1)
      text += `${index === 0 ? "" : ","}${(bodies[index] as Packed).data as string}`;
    return `${text}]}`;
  },
  write: (frame) => JSON.stringify(frame),
  read: (data) =>
    typeof data === "string"
      ? readTextFrame(data)
      : { kind: "refused", code: 4400, reason: "frames of this codec are text" },
};

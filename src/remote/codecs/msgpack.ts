import type * as msgpackr from "msgpackr";
// @ts-expect-error The package declares its main build only; this one makes no functions of what a peer says.
import * as withoutEval from "msgpackr/index-no-eval";
import type { Codec, Packed } from "../../../machines/wire/codec.ts";
import { findContentFault, nestsDeeper } from "../../../machines/wire/depth.ts";
import type { Draft } from "../../../machines/wire/envelope.ts";
import { depthMax } from "../../../machines/wire/limits.ts";
import { findMsgpackFault } from "../../../machines/wire/msgpack.ts";
import { checkFrame, refuse, type FrameReading } from "../../../machines/wire/read-frame.ts";
import { jsonCodec } from "./json.ts";

const { Packr, RESET_BUFFER_MODE, Unpackr } = withoutEval as typeof msgpackr;

/** Objects in one list whose field names are written only once; with fewer of them each object names its own. */
export const tableRowsMin = 4;
/** A message nests two levels less than its frame. */
const messageDepthMax = depthMax - 2;
/** msgpackr keeps the names of a record under this key, in the same place as the names themselves. */
const takenKey = "__keys__";

/** The objects of the present message that are rows of tables. */
const rows = new Set<object>();

const packr = new Packr({
  useRecords: (value: object) => rows.has(value),
  variableMapSize: true,
  encodeUndefinedAsNil: true,
  useToJSON: false,
});
const unpackr = new Unpackr({ mapsAsObjects: true, int64AsType: "number" });

/** A view of msgpackr's own buffer, good until the next call: there is one buffer, whatever the number of sessions. */
function packOver(value: unknown): Uint8Array {
  return packr.pack(value, RESET_BUFFER_MODE);
}

function isRow(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

/** Whether a list looks like a table: its first and its last item have the same fields. */
function isTable(list: readonly unknown[]): boolean {
  const [first] = list;
  const last = list.at(-1);
  if (list.length < tableRowsMin || !isRow(first) || !isRow(last)) return false;
  const names = Object.keys(first);
  return names.length > 0 && names.join("\n") === Object.keys(last).join("\n");
}

/** Finds the tables of a message. False: it has text that is no Unicode, which UTF-8 cannot say. */
function survey(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed();
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return true;
  if (Array.isArray(value)) {
    if (isTable(value))
      for (const row of value as readonly unknown[]) if (isRow(row) && !Object.hasOwn(row, takenKey)) rows.add(row);
    for (const item of value) if (!survey(item)) return false;
    return true;
  }
  for (const key of Object.keys(value))
    if (!key.isWellFormed() || !survey((value as { readonly [key: string]: unknown })[key])) return false;
  return true;
}

/** The draft encoded last: it is measured before it is sent. Undefined once the buffer has something else. */
let measured: { readonly draft: Draft; readonly view: Uint8Array; readonly isText: boolean } | undefined;

/** A message with text that is no Unicode travels as JSON within the frame, where such text is escaped. */
function encode(draft: Draft): { readonly view: Uint8Array; readonly isText: boolean } {
  if (measured?.draft === draft) return measured;
  measured = undefined;
  try {
    const isText = !survey(draft);
    measured = { draft, view: packOver(isText ? JSON.stringify(draft) : draft), isText };
    return measured;
  } finally {
    rows.clear();
  }
}

/** Bytes of a number from 0 as `putCount` writes it. */
function countBytes(value: number): number {
  if (value < 0x40) return 1;
  if (value < 0x100) return 2;
  if (value < 0x10000) return 3;
  return value < 0x100000000 ? 5 : 9;
}

/** The numbers from 64 on are not written in one byte: there they would be records. Gives where the next thing goes. */
function putCount(target: Buffer, value: number, at: number): number {
  switch (countBytes(value)) {
    case 1:
      return target.writeUInt8(value, at);
    case 2:
      return target.writeUInt8(value, target.writeUInt8(0xcc, at));
    case 3:
      return target.writeUInt16BE(value, target.writeUInt8(0xcd, at));
    case 5:
      return target.writeUInt32BE(value, target.writeUInt8(0xce, at));
    default:
      return target.writeBigUInt64BE(BigInt(value), target.writeUInt8(0xcf, at));
  }
}

function pack(draft: Draft, seq: number): Packed {
  const { view, isText } = encode(draft);
  if (isText) {
    measured = undefined;
    const data = Buffer.from(packOver(jsonCodec.pack(draft, seq).data));
    return { data, bytes: data.length };
  }
  const placeBytes = 2 + countBytes(seq);
  const data = Buffer.allocUnsafe(view.length + placeBytes);
  // A draft has fewer than 15 fields, so that its map begins with one byte, and has room for another one.
  data[0] = (view[0] as number) + 1;
  data.write("\u00a1s", 1, "latin1");
  data.set(view.subarray(1), putCount(data, seq, 3));
  return { data, bytes: data.length };
}

/** `{t: "M", a, l, m: [...]}` around messages that are encoded already. */
function join(ack: number, limit: number, bodies: readonly Packed[]): Uint8Array {
  const isShort = bodies.length < 16;
  const head = 11 + countBytes(ack) + countBytes(limit) + (isShort ? 1 : 3);
  const frame = Buffer.allocUnsafe(bodies.reduce((bytes, body) => bytes + body.bytes, head));
  let at = frame.write("\u0084\u00a1t\u00a1M\u00a1a", "latin1");
  at = putCount(frame, ack, at);
  at += frame.write("\u00a1l", at, "latin1");
  at = putCount(frame, limit, at);
  at += frame.write("\u00a1m", at, "latin1");
  at = isShort
    ? frame.writeUInt8(0x90 + bodies.length, at)
    : frame.writeUInt16BE(bodies.length, frame.writeUInt8(0xdc, at));
  for (const { data } of bodies) {
    frame.set(data as Uint8Array, at);
    at += data.length;
  }
  return frame;
}

/** A message that came as JSON; undefined, which is no message, where it is not in order. */
function readTextMessage(text: string): unknown {
  if (nestsDeeper(text, messageDepthMax)) return undefined;
  try {
    const message: unknown = JSON.parse(text);
    return findContentFault(message, messageDepthMax) === undefined ? message : undefined;
  } catch {
    return undefined;
  }
}

function readTextMessages(messages: unknown[]): void {
  for (let index = 0; index < messages.length; index += 1) {
    const message = messages[index];
    if (typeof message === "string") messages[index] = readTextMessage(message);
  }
}

function read(data: Uint8Array): FrameReading {
  const fault = findMsgpackFault(data);
  if (fault !== undefined) return refuse(`the frame ${fault}`);
  let frame: { readonly m?: unknown } | null;
  try {
    frame = unpackr.unpack(data) as typeof frame;
  } catch {
    return refuse("the frame is not MessagePack");
  }
  if (Array.isArray(frame?.m)) readTextMessages(frame.m);
  return checkFrame(frame);
}

/**
 * Binary frames: bytes travel as they are, and a table's field names once. For small messages JSON is quicker. Source:
 * github.com/kriszyp/msgpackr#readme, whose records stand for themselves in each message, and are never shared by two.
 */
export const msgpackCodec: Codec = {
  name: "msgpack",
  measure: (draft) => encode(draft).view.length,
  pack,
  join,
  write(frame) {
    measured = undefined;
    return Buffer.from(packOver(frame));
  },
  read: (data) => (typeof data === "string" ? refuse("frames of this codec are binary") : read(data)),
};

import type { Codec, WireData } from "../../machines/wire/codec.ts";
import type { Envelope } from "../../machines/wire/envelope.ts";
import type { Frame } from "../../machines/wire/frames.ts";
import { batchEnvelopesMax, depthMax, frameBytesMax, unscannedCharactersMax } from "../../machines/wire/limits.ts";
import { handshakeFrameBytesMax } from "../../src/remote/limits.ts";
import { helloOf, type Dice } from "./fuzz-frames.ts";

/** Who speaks, and how far it has come. */
export interface Speaker {
  readonly codec: Codec;
  readonly isWelcome: boolean;
  readonly recv: number;
  readonly dice: Dice;
}

/** Levels of a message's frame around its payload: the frame, the list of messages, and the message. */
const levelsAround = 3;
/** One frame in so many of these is as large as a frame may be: they take a hundred times as long as others. */
const largeEvery = 400;

/** A message in its place, which everybody may tell. */
export function tellOf(s: number, more: object = {}): Envelope {
  return { s, id: `t${s}`, k: "tell", f: "", to: "/a", ty: "t", p: s, ...more };
}

export function batchOf(...m: readonly Envelope[]): Frame {
  return { t: "M", a: 0, l: 64, m };
}

function nested(levels: number): unknown {
  let value: unknown = "";
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { in: value };
  return value;
}

/** A frame made as long as it may be, or one byte longer or shorter. */
function paddedTo({ codec, isWelcome, recv, dice }: Speaker): WireData {
  const size = (isWelcome ? frameBytesMax : handshakeFrameBytesMax) + dice.below(3) - 1;
  const padded = (more: string): WireData =>
    codec.write(
      isWelcome
        ? batchOf(tellOf(recv + 1, { p: more }))
        : ({ ...helloOf({ node: "long", inc: "i", codec: codec.name }), more } as Frame),
    );
  const text = "x".repeat(size - padded("x".repeat(size)).length + size);
  return padded(text);
}

/** Beside the limit of depth, with so much text in front that it is scanned before it is parsed, or without. */
function deepFrame(dice: Dice, recv: number): Frame {
  const p = nested(depthMax - levelsAround + dice.below(4) - 2);
  const text = "x".repeat(unscannedCharactersMax);
  const ty = dice.pick(["t", "u"]);
  return batchOf(tellOf(recv + 1, { ty, p: dice.below(4) > 0 ? p : { text, in: p } }));
}

const lengths = [0, 1, 54, 55, 56, 127, 128, 129, 256, 257, 512, 513];
const numbers = [-1, 0, 0.5, 1, 16, 17, 3_600_000, 3_600_001, 2 ** 53 - 1, 2 ** 53, "1", null];

/** One field of a message beside its limit. */
function fieldAtEdge(dice: Dice): object {
  const text = "x".repeat(dice.pick(lengths));
  switch (dice.below(4)) {
    case 0:
      return { [dice.pick(["id", "f", "to", "ty", "re", "tp", "ts", "k"])]: text };
    case 1:
      return { k: dice.pick(["x-", `x-${text}`, "X-note", "y-note", "note", "Tell", "tell ", "constructor"]) };
    case 2:
      return { [dice.pick(["s", "ttl", "hp"])]: dice.pick(numbers) };
    default: {
      const names = Array.from({ length: dice.pick([0, 1, 15, 16, 17]) }, (_, index) => [`h${index}`, "v"]);
      return { x: dice.pick([Object.fromEntries(names), { [text]: "" }, { h: text }, { constructor: "h" }, [], 1]) };
    }
  }
}

/** What a frame may say of the session, and a little more. */
function positionAtEdge(dice: Dice): object {
  const [t, a, l] = [dice.pick(["A", "I"]), dice.pick([0, 0, 0, ...numbers]), dice.pick([0, 64, 64, 64, ...numbers])];
  return t === "A" ? { t, a, l } : { t, a, l, lag: dice.pick(numbers), load: dice.pick(numbers) };
}

const kinds = ["x-", "x-later", "X-later", "y", "", "m", "__proto__", "constructor", "M ", 1, null];

/** A frame at one of the limits, on this side of it or beyond. */
export function edgeFrame(speaker: Speaker): WireData {
  const { codec, isWelcome, recv, dice } = speaker;
  const write = (frame: unknown): WireData => codec.write(frame as Frame);
  switch (dice.below(8)) {
    case 0:
      return !isWelcome || dice.below(largeEvery) === 0 ? paddedTo(speaker) : write(deepFrame(dice, recv));
    case 1:
      return write(deepFrame(dice, recv));
    case 2:
      return write(positionAtEdge(dice));
    case 3:
      return write({ t: dice.pick(kinds), n: 1 });
    case 4: {
      const count = batchEnvelopesMax + dice.below(3) - 1;
      return write(batchOf(...Array.from({ length: count }, (_, index) => tellOf(recv + 1 + index))));
    }
    case 5:
      // In its place, before it, and with a gap.
      return write(batchOf(tellOf(recv + dice.below(3))));
    case 6: {
      const text = JSON.stringify(batchOf(tellOf(recv + 1, { p: { before: 1, deep: { key: 1 } } })));
      return write(JSON.parse(text.replace(/before|key/, "__proto__")));
    }
    default:
      return write(batchOf(tellOf(recv + 1, fieldAtEdge(dice)), tellOf(recv + 2)));
  }
}

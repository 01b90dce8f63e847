import { readFileSync } from "node:fs";
import type { Frame, Hello } from "../../machines/wire/frames.ts";

/** Dice of one seed. */
export interface Dice {
  below(limit: number): number;
  pick<Item>(items: readonly Item[]): Item;
}

export function diceOf(random: { next(): number }): Dice {
  const below = (limit: number): number => Math.floor(random.next() * limit);
  return { below, pick: (items) => items[below(items.length)]! };
}

/** Real frames of every kind, which the mutations begin with. */
const realFrames: readonly Frame[] = readFileSync(new URL("../fixtures/wire/v1.jsonl", import.meta.url), "utf8")
  .split("\n")
  .filter((line) => line !== "")
  .map((line) => JSON.parse(line) as Frame);

/** A hello that an open door takes. */
export function helloOf(names: Pick<Hello, "node" | "inc" | "codec">): Hello {
  return { ...(realFrames[0] as Hello), ...names };
}

/** A real frame, now and then with the place in the session that it would have, so that it is taken if it stays whole. */
export function realFrame(dice: Dice, recv: number): Frame {
  const frame = dice.pick(realFrames);
  if (!("a" in frame) || dice.below(2) === 0) return frame;
  const m = frame.t === "M" ? { m: frame.m.map((one, index) => ({ ...one, s: recv + 1 + index })) } : {};
  return { ...frame, a: 0, ...m };
}

const oddValues: readonly unknown[] = [
  null,
  true,
  -1,
  -0,
  0.5,
  2 ** 53,
  1e308,
  "",
  "x".repeat(300),
  "x".repeat(5_000),
  "\ud800",
  "\u0000",
  "__proto__",
  "constructor",
  [],
  {},
  [[[]]],
  { toString: 1, hasOwnProperty: 2 },
  { $: "bigint", v: "1" },
];

const oddTexts: readonly string[] = [
  '{"__proto__":{"admin":true}}',
  '"\\u005f_proto__":1,',
  "[".repeat(100),
  "[".repeat(30_000),
  '{"a":'.repeat(100),
  "1e999",
  "-0",
  "9007199254740993",
  "NaN",
  '"\\ud800"',
  "\u0000",
  "\\",
  '"',
  "}",
  ",",
];

/** Puts another value at a random place of a parsed frame. */
function changeValue(value: unknown, dice: Dice): unknown {
  if (typeof value !== "object" || value === null || dice.below(4) === 0) return dice.pick(oddValues);
  if (Array.isArray(value)) {
    if (value.length === 0) return [dice.pick(oddValues)];
    const at = dice.below(value.length);
    if (dice.below(6) === 0) return Array.from({ length: 200 }, () => value[at] as unknown);
    return value.map((item, index) => (index === at ? changeValue(item, dice) : (item as unknown)));
  }
  const entries = Object.entries(value);
  if (entries.length === 0) return { odd: dice.pick(oddValues) };
  const at = dice.below(entries.length);
  if (dice.below(5) === 0) return Object.fromEntries(entries.filter((_, index) => index !== at));
  return Object.fromEntries(
    entries.map(([key, item], index) => (index === at ? [key, changeValue(item, dice)] : [key, item])),
  );
}

function changeText(text: string, dice: Dice): string {
  const [from, length] = [dice.below(text.length), 1 + dice.below(20)];
  switch (dice.below(5)) {
    case 0:
      return text.slice(0, from) + String.fromCharCode(dice.below(256)) + text.slice(from + 1);
    case 1:
      return text.slice(0, from) + text.slice(from + length);
    case 2:
      return text.slice(0, from) + text.slice(from, from + length).repeat(1 + dice.below(50)) + text.slice(from);
    case 3:
      return text.slice(0, from) + dice.pick(oddTexts) + text.slice(from);
    default:
      return text.slice(0, from);
  }
}

/** The same frames in MessagePack, which is mutated as bytes. */
const realBytes: readonly Uint8Array[] = readFileSync(
  new URL("../fixtures/wire/v1-msgpack.jsonl", import.meta.url),
  "utf8",
)
  .split("\n")
  .filter((line) => line !== "")
  .map((line) => new Uint8Array(Buffer.from((JSON.parse(line) as { hex: string }).hex, "hex")));

/** Sizes that lie, types that nobody takes, records, and what nests. */
const oddBytes: readonly string[] = [
  "c1",
  "d40000",
  "d6ff00000000",
  "d7ffffffffffffffffff",
  "d67000000001",
  "d66900000001",
  "d4730093010203",
  "d4780092a128a167",
  "c7017400",
  "c7086200000000000000ff",
  "d4724091a16101",
  "d4724091a95f5f70726f746f5f5f01",
  "a95f5f70726f746f5f5f",
  "4040404040",
  "ddffffffff",
  "dfffffffff",
  "dbffffffff",
  "c6ffffffff",
  "cfffffffffffffffff",
  "cb7ff8000000000000",
  "c400",
  "a3eda080",
];
const nestings: readonly string[] = ["91", "81a161", "dc0001", "d4724191a161"];

function piece(dice: Dice): Buffer {
  if (dice.below(4) > 0) return Buffer.from(dice.pick(oddBytes), "hex");
  return Buffer.from(dice.pick(nestings).repeat(dice.pick([10, 70, 10_000])), "hex");
}

function changeBytes(bytes: Buffer, dice: Dice): Buffer {
  const [from, length] = [dice.below(bytes.length), 1 + dice.below(20)];
  const [before, after] = [bytes.subarray(0, from), bytes.subarray(from)];
  switch (dice.below(5)) {
    case 0:
      return Buffer.concat([before, Buffer.of(dice.below(256)), after.subarray(1)]);
    case 1:
      return Buffer.concat([before, after.subarray(length)]);
    case 2:
      return Buffer.concat([before, ...Array<Buffer>(1 + dice.below(50)).fill(after.subarray(0, length)), after]);
    case 3:
      // In the place of a value, or between two.
      return Buffer.concat([before, piece(dice), after.subarray(dice.below(2))]);
    default:
      return before;
  }
}

/** A binary frame that was real once, this one or one of the stored ones. Now and then it is left as it was. */
export function mutateBytes(frame: Uint8Array, dice: Dice): Uint8Array {
  let bytes: Buffer = Buffer.from(dice.below(2) === 0 ? frame : dice.pick(realBytes));
  for (let changes = dice.below(4); changes > 0 && bytes.length > 0; changes -= 1) bytes = changeBytes(bytes, dice);
  return bytes;
}

/** A frame that was real once. Now and then it is left as it was. */
export function mutateFrame(frame: Frame, dice: Dice): string {
  let text = JSON.stringify(dice.below(2) === 0 ? changeValue(frame, dice) : frame);
  for (let changes = dice.below(3); changes > 0 && text.length > 0; changes -= 1) text = changeText(text, dice);
  return text;
}

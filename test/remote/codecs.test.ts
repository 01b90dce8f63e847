import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Codec } from "../../machines/wire/codec.ts";
import type { Draft, Envelope } from "../../machines/wire/envelope.ts";
import type { Batch, Frame } from "../../machines/wire/frames.ts";
import { packValue, unpackValue } from "../../machines/wire/values.ts";
import { jsonCodec } from "../../src/remote/codecs/json.ts";
import { msgpackCodec } from "../../src/remote/codecs/msgpack.ts";
import { hostValues } from "../../src/remote/host-values.ts";

interface Golden {
  readonly frame: Frame;
  readonly hex: string;
}

const golden = ["v1-msgpack.jsonl", "v1-messages-msgpack.jsonl"].flatMap((file) =>
  readFileSync(new URL(`../fixtures/wire/${file}`, import.meta.url), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Golden),
);

function packed(value: unknown): NonNullable<Draft["p"]> {
  const outcome = packValue(value, hostValues);
  if (!outcome.ok) throw new Error(`${outcome.fault.path} ${outcome.fault.what}`);
  return outcome.value as NonNullable<Draft["p"]>;
}

/** A frame whose payloads are as a sender has them, before a codec sees them. */
function asSent<Any extends Frame>(frame: Any): Any {
  if (frame.t !== "M") return frame;
  const m = frame.m.map((one) => (one.p === undefined ? one : { ...one, p: packed(unpackValue(one.p, hostValues)) }));
  return { ...frame, m };
}

function writeBy(codec: Codec, frame: Frame): string | Uint8Array {
  if (frame.t !== "M") return codec.write(frame);
  const bodies = frame.m.map(({ s, ...draft }) => {
    const bytes = codec.measure(draft);
    const body = codec.pack(draft, s);
    expect(body.bytes).toBe(Buffer.byteLength(body.data));
    expect(body.bytes - bytes).toBeGreaterThan(0);
    return body;
  });
  return codec.join(frame.a, frame.l, bodies);
}

function readBy(codec: Codec, data: string | Uint8Array): Frame {
  const reading = codec.read(data);
  if (reading.kind !== "frame") throw new Error(`it was ${JSON.stringify(reading)}`);
  return reading.frame;
}

/** Frames of v1 never change: a line of that file may be added, none may be edited. */
describe("the frozen frames of v1 in MessagePack", () => {
  test("there is one of every kind", () => {
    expect(new Set(golden.map(({ frame }) => frame.t))).toEqual(new Set(["H", "C", "P", "W", "M", "A", "I", "E", "G"]));
  });

  test.each(golden.map(({ frame, hex }) => [JSON.stringify(frame).slice(0, 60), frame, hex] as const))(
    "%s… is read and written as it was",
    (_, frame, hex) => {
      const bytes = new Uint8Array(Buffer.from(hex, "hex"));
      expect(JSON.stringify(asSent(readBy(msgpackCodec, bytes)))).toBe(JSON.stringify(frame));
      expect(Buffer.from(writeBy(msgpackCodec, asSent(frame)) as Uint8Array).toString("hex")).toBe(hex);
    },
  );
});

const text = fc.oneof(
  { weight: 9, arbitrary: fc.string({ unit: "grapheme", maxLength: 80 }) },
  { weight: 1, arbitrary: fc.constantFrom("\ud800", "a\udfff", "x".repeat(300), "é".repeat(40), "__keys__", "$") },
);
const key = text.filter((name) => name !== "__proto__");
const leaf = fc.oneof(
  text,
  fc.constantFrom(null, true, false, -0, 63, 64, 127, 128, 2 ** 32, 2 ** 53, Number.NaN),
  fc.integer(),
  fc.double(),
  fc.uint8Array({ maxLength: 300 }),
  fc.bigInt(),
  fc.date(),
);
/** Lists of objects with the same fields, and with almost the same ones. */
const table = fc
  .tuple(fc.uniqueArray(key, { minLength: 1, maxLength: 4 }), fc.array(fc.array(leaf, { minLength: 4, maxLength: 4 })))
  .chain(([names, lines]) =>
    fc.nat(5).map((odd) =>
      lines.map((values, index) => {
        const entries = names.map((name, at) => [name, values[at]] as const);
        return index === odd ? { ...Object.fromEntries(entries), __keys__: 1 } : Object.fromEntries(entries);
      }),
    ),
  );
const { value } = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: "small" }, leaf, table, fc.array(tie("value")), fc.dictionary(key, tie("value"))),
}));
const draft = fc.record({
  id: fc.string({ minLength: 1, maxLength: 20 }),
  p: value,
  ty: text.map((name) => name.slice(0, 99)),
});
const runs = { numRuns: 300, seed: 20_261 };

function batchOf(drafts: readonly { id: string; p: unknown; ty: string }[], first: number): Batch {
  const m = drafts.map(({ id, p, ty }, index): Envelope => ({
    s: first + index,
    id,
    k: "tell",
    f: "",
    to: "/a",
    ty,
    p: packed(p),
  }));
  return { t: "M", a: first, l: first + 64, m };
}

describe.each([
  ["JSON", jsonCodec],
  ["MessagePack", msgpackCodec],
])("%s", (_, codec) => {
  test("whatever can travel comes back the same, whatever it travels with", () => {
    fc.assert(
      fc.property(fc.array(draft, { minLength: 1, maxLength: 5 }), fc.nat(2 ** 40), (drafts, before) => {
        const back = readBy(codec, writeBy(codec, batchOf(drafts, before + 1))) as Batch;
        expect([back.a, back.l]).toEqual([before + 1, before + 65]);
        back.m.forEach(({ s, id, ty, p }, index) => {
          const sent = drafts[index] as (typeof drafts)[number];
          expect([s, id, ty]).toEqual([before + 1 + index, sent.id, sent.ty]);
          expect(unpackValue(p as never, hostValues)).toEqual(sent.p);
        });
      }),
      runs,
    );
  });

  test("frames of the other kind, and what is no frame, are refused and never throw", () => {
    for (const data of ["", "{", "null", new Uint8Array(), new Uint8Array([0xc1]), new Uint8Array([0xc0])])
      expect(codec.read(data)).toMatchObject({ kind: "refused", code: 4400 });
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.uint8Array()), (data) => {
        expect(codec.read(data).kind).not.toBe("frame");
      }),
      runs,
    );
  });

  test("long texts travel whole, whatever is in them and wherever they are", () => {
    const long = "x".repeat(600);
    const odd = ['"', "\\", "\n", "\u0000", "\u001f", "\u007f", "\u0080", "é", "€", "\ud800", "\u{1f600}", "\u2028"];
    const texts = [long, "y".repeat(70_000)].flatMap((text) => [
      text,
      ...odd.flatMap((one) => [one + text, text + one, `${text.slice(0, 301)}${one}${text.slice(301)}`]),
    ]);
    const places = (text: string): unknown[] => [
      text,
      { value: text, 'é"': 1, rest: [text, { text }] },
      { in: { it: { text }, empty: {}, list: [], nothing: null }, short: "s" },
    ];
    const drafts = texts.flatMap(places).map((p) => ({ id: "1", p, ty: "t" }));
    for (const each of drafts) {
      const back = readBy(codec, writeBy(codec, batchOf([each], 1))) as Batch;
      expect(unpackValue(back.m[0]?.p as never, hostValues)).toEqual(each.p);
    }
  });

  test("a frame of a later version is passed over", () => {
    expect(codec.read(codec.write({ t: "x-later", y: [1] } as never))).toEqual({ kind: "ignored" });
  });
});

describe("MessagePack", () => {
  const tellOf = (p: unknown): Draft => ({ id: "1", k: "tell", f: "", to: "/a", ty: "t", p: packed(p) });
  const sizeBy = (codec: Codec, p: unknown): number => codec.measure(tellOf(p));

  test("bytes take no more than they are, and a table names its fields once", () => {
    const blob = new Uint8Array(65_536).fill(7);
    expect(sizeBy(msgpackCodec, blob)).toBeLessThan(65_536 + 100);
    expect(sizeBy(jsonCodec, blob)).toBeGreaterThan(87_000);
    const rows = Array.from({ length: 200 }, (_, id) => ({ identifier: id, amount: id / 7, remark: "none" }));
    expect(sizeBy(msgpackCodec, rows) * 2).toBeLessThan(sizeBy(jsonCodec, rows));
    expect(
      Buffer.from(msgpackCodec.pack(tellOf(rows), 1).data as Uint8Array)
        .toString("latin1")
        .split("remark"),
    ).toHaveLength(2);
  });

  test("no frame leans on one before it: each is read alone, and in any order", () => {
    const rows = Array.from({ length: 5 }, (_, id) => ({ id, name: `n${id}` }));
    const frames = [1, 2, 3].map((first) => writeBy(msgpackCodec, batchOf([{ id: "1", ty: "t", p: rows }], first)));
    for (const frame of frames.toReversed()) expect((readBy(msgpackCodec, frame) as Batch).m[0]?.p).toEqual(rows);
    expect(frames.map((frame) => frame.length)).toEqual([frames[0]?.length, frames[0]?.length, frames[0]?.length]);
  });

  test("what was measured and then changed hands is encoded anew", () => {
    const [one, two] = [tellOf("one"), tellOf("two")];
    msgpackCodec.measure(two);
    msgpackCodec.measure(one);
    msgpackCodec.write({ t: "E", code: 4400, message: "in between" });
    const bodies = [msgpackCodec.pack(one, 1), msgpackCodec.pack(two, 2)];
    const back = readBy(msgpackCodec, msgpackCodec.join(0, 9, bodies)) as Batch;
    expect(back.m.map(({ p }) => p)).toEqual(["one", "two"]);
  });

  test("bytes that were received do not keep the frame they came in", () => {
    const frame = writeBy(msgpackCodec, batchOf([{ id: "1", ty: "t", p: { blob: new Uint8Array(10) } }], 1));
    const [message] = (readBy(msgpackCodec, frame) as Batch).m;
    const { blob } = unpackValue(message?.p as never, hostValues) as { blob: Uint8Array };
    expect(Object.getPrototypeOf(blob)).toBe(Uint8Array.prototype);
    expect(blob.buffer.byteLength).toBe(10);
  });

  test("a message within a frame may be JSON, with the same limits", () => {
    const text = (message: string): unknown =>
      msgpackCodec.read(msgpackCodec.write({ t: "M", a: 0, l: 1, m: [message] } as never));
    const message = '{"s":1,"id":"1","k":"tell","f":"","to":"/a","ty":"t"';
    expect(text(`${message}}`)).toMatchObject({ kind: "frame" });
    for (const rest of [
      "",
      ',"p":{"__proto__":1}}',
      `,"p":${"[".repeat(62)}${"]".repeat(62)}}`,
      `,"p":${"[".repeat(100_000)}`,
    ])
      expect(text(message + rest)).toEqual({ kind: "refused", code: 4400, reason: "a frame M is malformed" });
    expect(text(`${message},"p":${"[".repeat(61)}${"]".repeat(61)}}`)).toMatchObject({ kind: "frame" });
  });
});

import fc from "fast-check";
import type * as msgpackr from "msgpackr";
// @ts-expect-error The package declares its main build only; this is the one that the codec uses.
import * as withoutEval from "msgpackr/index-no-eval";
import { describe, expect, test } from "vitest";
import { findContentFault } from "../../../machines/wire/depth.ts";
import { depthMax } from "../../../machines/wire/limits.ts";
import { findMsgpackFault } from "../../../machines/wire/msgpack.ts";

const { Packr, Unpackr } = withoutEval as typeof msgpackr;
const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(" ", ""), "hex"));
const nested = (levels: number): Uint8Array => new Uint8Array([...Array<number>(levels).fill(0x91), 0xc0]);
const plain = new Packr({ useRecords: false, variableMapSize: true });
const recording = new Packr({ useRecords: true });
const unpackr = new Unpackr({ mapsAsObjects: true, int64AsType: "number" });
const seed = 20_261;

describe("a look through MessagePack", () => {
  test.each([
    ["", "is not MessagePack"],
    ["c1", "has a type of its own"],
    ["00 00", "is not MessagePack"],
    ["a3 61 62", "is not MessagePack"],
    ["c6 ff ff ff ff 00", "is not MessagePack"],
    ["c5 00", "is not MessagePack"],
    ["dd ff ff ff ff", "is not MessagePack"],
    ["df ff ff ff ff", "is not MessagePack"],
    ["81 01 02", "has a key that is not text"],
    ["81 c4 01 00 02", "has a key that is not text"],
    ["81 a9 5f 5f 70 72 6f 74 6f 5f 5f 80", "has a __proto__ key"],
    ["81 d9 09 5f 5f 70 72 6f 74 6f 5f 5f 80", "has a __proto__ key"],
    ["81 db 00 00 00 09 5f 5f 70 72 6f 74 6f 5f 5f 80", "has a __proto__ key"],
    ["d4 72 40 91 a9 5f 5f 70 72 6f 74 6f 5f 5f 80", "has a __proto__ key"],
    ["d4 72 40 91 01 80", "has a key that is not text"],
    ["d4 72 40 a1 61", "has a type of its own"],
    ["d4 72 40", "is not MessagePack"],
    ["92 d4 72 40 92 a1 61 a1 62 01 02 40 01", "is not MessagePack"],
    ["d4 00 00", "has a type of its own"],
    ["d5 72 40 01 91 a1 61 01", "has a type of its own"],
    ["d6 ff 00 00 00 00", "has a type of its own"],
    ["d6 70 00 00 00 01", "has a type of its own"],
    ["c7 01 65 00", "has a type of its own"],
    ["c9 00 00 00 01 62 00", "has a type of its own"],
  ])("%s %s", (hex, fault) => {
    expect(findMsgpackFault(bytesOf(hex))).toBe(fault);
  });

  test.each([
    "7f",
    "e0",
    "93 c0 c2 c3",
    "c4 02 00 ff",
    "cf ff ff ff ff ff ff ff ff",
    "d3 80 00 00 00 00 00 00 00",
    "cb 3f f0 00 00 00 00 00 00",
    "da 00 02 61 62",
    "de 00 01 a1 61 dc 00 01 a1 62",
    "93 d4 72 40 92 a1 61 a1 62 01 02 40 03 04 40 05 06",
    "92 d4 72 40 90 40",
  ])("%s is in order", (hex) => {
    expect(findMsgpackFault(bytesOf(hex))).toBe(undefined);
    expect(() => unpackr.unpack(bytesOf(hex)) as unknown).not.toThrow();
  });

  test("nesting counts as in JSON, in lists, maps and records, and as soon as it is met", () => {
    expect(findMsgpackFault(nested(depthMax))).toBe(undefined);
    expect(findMsgpackFault(nested(depthMax + 1))).toBe("too deep");
    expect(findMsgpackFault(nested(1_000_000))).toBe("too deep");
    // Neither the end, which is missing, nor what has a type of its own is come to.
    const met = Array<number>(depthMax + 1).fill(0x91);
    for (const rest of [[], [0xc1]]) expect(findMsgpackFault(new Uint8Array([...met, ...rest]))).toBe("too deep");
    const record = [0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61];
    const levels = (count: number): Uint8Array =>
      new Uint8Array([0x92, ...record, 0x00, ...Array<number>(count).fill(0x40), 0x00]);
    expect(findMsgpackFault(levels(depthMax - 1))).toBe(undefined);
    expect(findMsgpackFault(levels(depthMax))).toBe("too deep");
    const maps = new Uint8Array(Array.from({ length: 100 }, () => [0x81, 0xa1, 0x61]).flat());
    expect(findMsgpackFault(maps)).toBe("too deep");
  });

  test("what the packer writes of a value passes exactly where the value itself does", () => {
    const values = fc.oneof(
      fc.jsonValue({ maxDepth: 8 }),
      fc.json({ maxDepth: 4 }).map((text) => JSON.parse(text)),
    );
    let refused = 0;
    fc.assert(
      fc.property(values, fc.integer({ min: 0, max: 6 }), (value, levels) => {
        for (const packr of [plain, recording]) {
          const fault = findMsgpackFault(packr.pack(value), levels);
          expect(fault === undefined).toBe(findContentFault(value, levels) === undefined);
          if (fault !== undefined) refused += 1;
        }
      }),
      { numRuns: 2_000, seed },
    );
    expect(refused).toBeGreaterThan(100);
  });

  test("whatever passes is decoded without fault, to nothing but JSON and bytes", () => {
    const often = [0x40, 0x41, 0x61, 0x72, 0x80, 0x81, 0x90, 0x92, 0xa1, 0xc0, 0xc4, 0xcf, 0xd4, 0xd9, 0xdc, 0xde];
    const tokens = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...often) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }) },
    );
    const loose = fc.array(tokens, { maxLength: 24 });
    const real = fc
      .tuple(fc.jsonValue(), fc.boolean(), fc.array(fc.tuple(fc.nat(), tokens), { maxLength: 3 }))
      .map(([value, isRecording, changes]) => {
        const bytes = [...(isRecording ? recording : plain).pack([value, value])];
        for (const [at, token] of changes) bytes[at % bytes.length] = token;
        return bytes;
      });
    let passed = 0;
    fc.assert(
      fc.property(fc.oneof(loose, real), (list) => {
        const bytes = new Uint8Array(list);
        if (findMsgpackFault(bytes) !== undefined) return;
        passed += 1;
        expectPlain(unpackr.unpack(bytes));
      }),
      { numRuns: 20_000, seed },
    );
    expect(passed).toBeGreaterThan(2_000);
  });
});

function expectPlain(value: unknown): void {
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean") return;
  if (value instanceof Uint8Array) return;
  expect(typeof value).toBe("object");
  expect([Object.prototype, Array.prototype]).toContain(Object.getPrototypeOf(value));
  expect(Object.hasOwn(value as object, "__proto__")).toBe(false);
  for (const item of Object.values(value as object)) expectPlain(item);
}

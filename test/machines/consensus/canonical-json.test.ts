import canonicalizeOracle from "canonicalize";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeHex, encodeUtf8, sameBytes } from "../../../machines/consensus/codec/bytes.ts";
import { canonicalDepthMax, canonicalText, canonicalize } from "../../../machines/consensus/codec/canonical-json.ts";

function textOf(value: unknown): string {
  const result = canonicalize(value);
  if (!result.ok) throw new Error(result.fault.problem);
  return result.text;
}

describe("canonical JSON", () => {
  it("writes any JSON value as the canonicalize package does (RFC 8785)", () => {
    let seen = 0;
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        fc.pre(JSON.stringify(value).isWellFormed() && !JSON.stringify(value).includes("\\ud"));
        seen += 1;
        expect(textOf(value)).toBe(canonicalizeOracle(value));
      }),
      { numRuns: 500 },
    );
    expect(seen).toBeGreaterThan(100);
  });

  it("writes what has its keys in order, which is written another way, as it writes the same out of order", () => {
    const inOrder = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(inOrder);
      if (typeof value !== "object" || value === null) return value;
      const entries = Object.entries(value).map(([key, member]): [string, unknown] => [key, inOrder(member)]);
      return Object.fromEntries(entries.sort(([left], [right]) => (left < right ? -1 : 1)));
    };
    const odd = fc.constantFrom<unknown>("\ud800", "\\ud800", "\udc00x", "\u2028", -0, Number.NaN, undefined, 1n, "");
    const { value: anything } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        { arbitrary: fc.oneof(fc.string({ unit: "binary" }), fc.double(), fc.boolean(), fc.constant(null)), weight: 8 },
        { arbitrary: odd, weight: 1 },
        { arbitrary: fc.array(tie("value"), { maxLength: 4 }), weight: 3 },
        { arbitrary: fc.dictionary(fc.string({ unit: "binary", maxLength: 3 }), tie("value")), weight: 3 },
      ),
    }));
    let written = 0;
    fc.assert(
      fc.property(anything, (value) => {
        // An array brings a last member that is out of order, so that its whole is written the long way.
        const long = canonicalize([inOrder(value), { b: 0, a: 0 }]);
        const short = canonicalize(inOrder(value));
        expect(short.ok).toBe(long.ok);
        if (!short.ok || !long.ok) return;
        written += 1;
        expect(`[${short.text},{"a":0,"b":0}]`).toBe(long.text);
      }),
      { numRuns: 2_000 },
    );
    expect(written).toBeGreaterThan(500);
  });

  it("writes the example of RFC 8785 §3.2.2 and sorts by UTF-16 code units", () => {
    const value = {
      numbers: [JSON.parse("333333333.33333329") as number, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"/",
      literals: [null, true, false],
    };
    expect(textOf(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
    expect(textOf({ "\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\ud83d\ude00": 5, "\u0080": 6, "\u00f6": 7 })).toBe(
      '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}',
    );
  });

  it("asks no value how it would like to be written", () => {
    const listed = Object.assign([1, 2], { toJSON: () => ({ b: 1, a: 2 }) });
    class Own extends Array<number> {
      toJSON(): string {
        return "evil";
      }
    }
    const hidden = Object.defineProperty({ a: 1 }, "toJSON", { value: () => "evil", enumerable: false });
    const raw = (JSON as unknown as { rawJSON(text: string): object }).rawJSON("1.00");
    expect([listed, Own.of(1, 2), hidden, { x: raw }].map(textOf)).toEqual([
      "[1,2]",
      "[1,2]",
      '{"a":1}',
      '{"x":{"rawJSON":"1.00"}}',
    ]);
  });

  it("leaves absent members out and writes minus zero as zero", () => {
    expect(textOf({ a: undefined, b: -0 })).toBe('{"b":0}');
  });

  it("says where a value has no canonical form", () => {
    const deep = Array.from({ length: canonicalDepthMax + 2 }).reduce<unknown>((inner) => [inner], 0);
    const cases: [unknown, string][] = [
      [{ a: [1, Number.NaN] }, "/a/1"],
      [{ a: Number.POSITIVE_INFINITY }, "/a"],
      [{ a: "\ud800" }, "/a"],
      [{ "\udc00": 1 }, "/\udc00"],
      [[undefined], "/0"],
      [{ a: () => 1 }, "/a"],
      [{ a: 1n }, "/a"],
      [{ a: new Map() }, "/a"],
    ];
    for (const [value, path] of cases) expect(canonicalize(value)).toMatchObject({ ok: false, fault: { path } });
    expect(canonicalize(deep)).toMatchObject({ ok: false });
  });

  it("survives parsing: the canonical text of the parsed text is the same text", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const first = canonicalize(value);
        if (first.ok) expect(textOf(JSON.parse(first.text))).toBe(first.text);
      }),
    );
  });
});

describe("bytes", () => {
  it("encodes text as the platform's UTF-8 encoder does", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        fc.pre(text.isWellFormed());
        expect(encodeUtf8(text)).toEqual(new TextEncoder().encode(text));
      }),
      { numRuns: 500 },
    );
    expect(canonicalText("😀")).toBe('"😀"');
  });

  it("reads lowercase hex, and nothing else", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(decodeHex(Buffer.from(bytes).toString("hex"))).toEqual(bytes);
      }),
    );
    for (const bad of ["0", "0g", "AB", " 00", "0x00"]) expect(decodeHex(bad)).toBeUndefined();
    expect(sameBytes(new Uint8Array([1, 2]), new Uint8Array([1, 2]))).toBe(true);
    expect(sameBytes(new Uint8Array([1, 2]), new Uint8Array([1, 3]))).toBe(false);
    expect(sameBytes(new Uint8Array([1]), new Uint8Array([1, 0]))).toBe(false);
  });
});

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

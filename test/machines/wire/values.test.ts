import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { packValue, unpackValue } from "../../../machines/wire/values.ts";
import { hostValues } from "../../../src/remote/host-values.ts";

function travel(value: unknown): unknown {
  const packed = packValue(value, hostValues);
  if (!packed.ok) throw new Error(`${packed.fault.path} ${packed.fault.what}`);
  return unpackValue(JSON.parse(JSON.stringify(packed.value)) as never, hostValues);
}

describe("values on the wire", () => {
  test.each([
    ["minus zero", -0],
    ["a number beyond the safe ones", 2 ** 53 + 2],
    ["not a number", Number.NaN],
    ["infinities", [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]],
    ["nothing", { a: null, list: [undefined, null], empty: {}, none: [] }],
    ["lone surrogates and other text", ["\ud800", "\udfff\ud800", "é\u0000\u2028😀", ""]],
    ["a bigint", 2n ** 80n],
    ["a date", new Date(1_700_000_000_123)],
    ["a date that is none", new Date(Number.NaN)],
    ["bytes", new Uint8Array([0, 1, 254, 255])],
    ["an object that looks like a mark", { $: "bigint", v: "12" }],
    ["a mark inside a mark", { $: { $: { $: -0 } } }],
    ["keys of the prototype", { constructor: 1, toString: "x", hasOwnProperty: null }],
  ])("%s comes back the same", (_, value) => {
    expect(travel(value)).toEqual(value);
    expect(Object.is(travel({ deep: [value] }), value)).toBe(false);
  });

  test("minus zero keeps its sign", () => {
    expect(Object.is(travel(-0), -0)).toBe(true);
  });

  test("any JSON value comes back the same", () => {
    fc.assert(
      fc.property(
        fc.jsonValue().filter((value) => !JSON.stringify(value).includes("__proto__")),
        (value) => {
          expect(travel(value)).toEqual(value);
        },
      ),
      { seed: 7 },
    );
  });

  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  test.each([
    ["a function", { a: [() => 1] }, "value.a[0]", /function/],
    ["a class instance", { map: new Map() }, "value.map", /Map/],
    ["a key __proto__", JSON.parse('{"a":{"__proto__":{"admin":true}}}'), "value.a", /__proto__/],
    ["a cycle", cycle, /^value(\.self)+$/, /contains itself/],
    ["a bigint of a million digits", 10n ** 100_000n, "value", /digits/],
  ])("%s cannot travel, and the refusal says where it is", (_, value, path, what) => {
    const packed = packValue(value, hostValues);
    if (packed.ok) throw new Error("it was packed");
    expect(packed.fault.path).toEqual(path instanceof RegExp ? expect.stringMatching(path) : path);
    expect(packed.fault.what).toMatch(what);
  });

  test("a mark of a later version, or a broken one, gives undefined and never throws", () => {
    for (const marked of [
      { $: "later" },
      { $: "bigint", v: "1e9" },
      { $: "bytes", v: 7 },
      { $: "date", v: "now" },
      { $: "object", v: [] },
      { $: 5 },
    ])
      expect(unpackValue(marked as never, hostValues)).toBe(undefined);
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { envelopeKinds, isEnvelope } from "../../../machines/wire/envelope.ts";
import { isHotFrame } from "../../../machines/wire/frames.ts";
import { envelopeSchema, hotFrameSchema } from "../../../machines/wire/schemas.ts";

const oddText = fc.oneof(
  fc.string({ maxLength: 6 }),
  fc.constantFrom("", "x-later", "x".repeat(128), "x".repeat(129), "x".repeat(256), "x".repeat(257), "t".repeat(55)),
);
const odd = fc.oneof(
  oddText,
  fc.integer(),
  fc.double(),
  fc.constantFrom(null, undefined, 0, 1, -1, 16, 17, 3_600_000, 3_600_001, Number.MAX_SAFE_INTEGER, 2 ** 53, true),
  fc.constantFrom([], {}, [1], { a: "b" }, Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`k${n}`, "v"]))),
);

/** Mostly right envelopes, of which each field is now and then anything. */
function mostly<Value>(right: fc.Arbitrary<Value>): fc.Arbitrary<unknown> {
  return fc.oneof<fc.MaybeWeightedArbitrary<unknown>[]>(
    { weight: 12, arbitrary: right },
    { weight: 1, arbitrary: odd },
  );
}
const nothing = Symbol("left out");
function maybe<Value>(right: fc.Arbitrary<Value>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 2, arbitrary: fc.constant<unknown>(nothing) }, mostly(right));
}
function dense(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== nothing && value !== undefined));
}
const words = fc.dictionary(
  fc.string({ maxLength: 4 }).filter((key) => key !== "__proto__"),
  oddText,
);
const envelopes = fc
  .record({
    s: mostly(fc.integer({ min: 1 })),
    id: mostly(fc.string({ minLength: 1, maxLength: 40 })),
    k: mostly(fc.constantFrom<string>(...envelopeKinds, "x-later", "unknown")),
    f: mostly(fc.string({ maxLength: 20 })),
    to: mostly(fc.string({ maxLength: 20 })),
    ty: mostly(fc.string({ maxLength: 20 })),
    p: maybe(fc.jsonValue()),
    re: maybe(fc.string({ minLength: 1, maxLength: 20 })),
    tp: maybe(fc.constant("t".repeat(55))),
    ts: maybe(fc.string({ maxLength: 20 })),
    ttl: maybe(fc.integer({ min: 0, max: 3_600_000 })),
    hp: maybe(fc.integer({ min: 0, max: 16 })),
    x: maybe(words),
    later: maybe(fc.jsonValue()),
  })
  .map(dense);

const runs = { numRuns: 4_000, seed: 20_261 };

describe("the hand-written guard", () => {
  test("accepts exactly the envelopes that the schema accepts", () => {
    let accepted = 0;
    fc.assert(
      fc.property(fc.oneof({ weight: 9, arbitrary: envelopes }, { weight: 1, arbitrary: odd }), (value) => {
        const guarded = isEnvelope(value);
        if (guarded) accepted += 1;
        expect(guarded).toBe(envelopeSchema.safeParse(value).success);
      }),
      runs,
    );
    expect(accepted).toBeGreaterThan(400);
    expect(accepted).toBeLessThan(3_800);
  });

  test("accepts exactly the batches, acknowledgements and heartbeats that the schemas accept", () => {
    const position = mostly(fc.nat());
    const frames = fc
      .record({
        t: mostly(fc.constantFrom("M", "A", "I")),
        a: position,
        l: position,
        m: maybe(fc.array(envelopes, { maxLength: 3 })),
        lag: maybe(fc.nat()),
        load: maybe(fc.double({ min: 0, max: 1, noNaN: true })),
      })
      .map(dense);
    let accepted = 0;
    fc.assert(
      fc.property(frames, (value) => {
        const guarded = isHotFrame(value);
        if (guarded) accepted += 1;
        expect(guarded).toBe(hotFrameSchema.safeParse(value).success);
      }),
      runs,
    );
    expect(accepted).toBeGreaterThan(400);
  });

  test("a guard that forgot one bound would be found", () => {
    const careless = (value: unknown): boolean =>
      isEnvelope(typeof value === "object" && value !== null && "hp" in value ? { ...value, hp: 1 } : value);
    const outcome = fc.check(
      fc.property(envelopes, (value) => careless(value) === envelopeSchema.safeParse(value).success),
      runs,
    );
    expect(outcome.failed).toBe(true);
  });
});

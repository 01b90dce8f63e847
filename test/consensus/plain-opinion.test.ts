import fc from "fast-check";
import { expect, test } from "vitest";
import { opinion } from "../../src/consensus/opinion/opinion.ts";
import { readPlainOpinion } from "../../src/consensus/opinion/plain-opinion.ts";

/** Mostly what belongs there, and now and then anything. */
function mostly(usual: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const odd = fc.oneof(fc.constantFrom<unknown>(null, undefined, "", 0, -1, 1.5, Number.NaN, [], {}), fc.anything());
  return fc.oneof({ arbitrary: usual, weight: 12 }, { arbitrary: odd, weight: 1 });
}

function textAround(max: number): fc.Arbitrary<unknown> {
  const long = fc.constantFrom("x".repeat(max), "x".repeat(max + 1));
  return mostly(fc.oneof({ arbitrary: fc.string({ minLength: 1 }), weight: 20 }, { arbitrary: long, weight: 1 }));
}

function seldom(value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ arbitrary: fc.constant(undefined), weight: 20 }, { arbitrary: value, weight: 1 });
}

const concerns = fc.record(
  {
    message: textAround(2_000),
    severity: mostly(fc.constantFrom("critical", "high", "medium", "low")),
    file: textAround(4_096),
    line: mostly(fc.integer({ min: 1 })),
    figure: textAround(500),
    rule: textAround(200),
  },
  { requiredKeys: ["message"] },
);

const forms = fc.record(
  {
    recommendation: textAround(200),
    approves: seldom(fc.array(fc.string())),
    ranking: seldom(fc.array(fc.array(fc.string()))),
    grades: seldom(fc.dictionary(fc.string(), fc.integer({ min: 0, max: 100 }))),
    confidence: mostly(fc.option(fc.double({ min: 0, max: 1, noNaN: true }))),
    reasoning: textAround(65_536),
    concerns: mostly(fc.array(mostly(concerns), { maxLength: 4 })),
    alternatives: mostly(fc.constant([])),
  },
  { requiredKeys: ["recommendation", "confidence"] },
);

/** A form with a field that it has not, at the top or in a concern. */
const overfull = fc
  .tuple(forms, fc.string(), fc.anything(), fc.boolean())
  .map(([form, field, value, isWithin]) =>
    isWithin
      ? { ...(form as object), concerns: [{ message: "m", [field]: value }] }
      : { ...(form as object), [field]: value },
  );

test("what is read without the schema is what the schema reads", () => {
  let read = 0;
  fc.assert(
    fc.property(
      fc.oneof({ arbitrary: forms, weight: 4 }, { arbitrary: mostly(forms), weight: 4 }, overfull),
      (value) => {
        const plain = readPlainOpinion(value);
        if (plain === undefined) return;
        read += 1;
        expect(opinion.safeParse(value)).toEqual({ success: true, data: plain });
      },
    ),
    { numRuns: 3_000 },
  );
  expect(read).toBeGreaterThan(300);
});

test("too many concerns are for the schema to refuse", () => {
  const one = { message: "m" };
  const form = { recommendation: "x", confidence: 0.5, concerns: Array.from({ length: 1_000 }, () => one) };
  expect(readPlainOpinion(form)?.concerns).toHaveLength(1_000);
  expect(readPlainOpinion({ ...form, concerns: [...form.concerns, one] })).toBeUndefined();
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkAllowance, draw, type Allowance } from "../../../machines/call/budget.ts";

describe("budgets", () => {
  test.each([
    [{ calls: 3 }, { calls: 1 }, { calls: 2 }, undefined],
    [{ calls: 1 }, { calls: 1 }, { calls: 0 }, undefined],
    [{ calls: 0 }, { calls: 1 }, { calls: 0 }, "calls"],
    [{}, { calls: 1, tokens: 5 }, {}, undefined],
    [{ tokens: 5 }, { tokens: 9, cost: 1 }, { tokens: 0 }, "tokens"],
    [{ tokens: 5, cost: 0 }, { cost: 0 }, { tokens: 5, cost: 0 }, undefined],
    [{ cost: 1 }, { cost: Number.NaN }, { cost: 0 }, "cost"],
    [{ cost: 1 }, { cost: -5 }, { cost: 0 }, "cost"],
    [{ cost: 1 }, { cost: Number.POSITIVE_INFINITY }, { cost: 0 }, "cost"],
    [{ cost: Number.POSITIVE_INFINITY }, { cost: 5 }, { cost: Number.POSITIVE_INFINITY }, undefined],
  ] as const)("from %j, %j leaves %j and crosses %s", (left, used, rest, crossed) => {
    expect(draw(left, used)).toEqual({ left: rest, crossed });
  });

  test("however it is drawn on: what is left is never negative nor more than before, and once crossed it stays crossed", () => {
    const amount = fc.oneof(fc.double(), fc.nat(10));
    fc.assert(
      fc.property(
        fc.record(
          { calls: fc.nat(9), tokens: fc.nat(9), cost: fc.double({ min: 0, max: 9, noNaN: true }) },
          { requiredKeys: [] },
        ),
        fc.array(fc.record({ calls: amount, tokens: amount, cost: amount }, { requiredKeys: [] }), { maxLength: 20 }),
        (first, draws) => {
          expect(checkAllowance(first)).toBeUndefined();
          let left: Allowance = first;
          for (const used of draws) {
            const after = draw(left, used);
            for (const field of ["calls", "tokens", "cost"] as const) {
              const [before, now] = [left[field], after.left[field]];
              expect(now === undefined).toBe(before === undefined);
              if (now === undefined || before === undefined) continue;
              expect(now).toBeGreaterThanOrEqual(0);
              expect(now).toBeLessThanOrEqual(before);
            }
            if (after.crossed !== undefined)
              expect(draw(after.left, { [after.crossed]: 1 }).crossed).toBe(after.crossed);
            left = after.left;
          }
        },
      ),
    );
  });

  test.each([[{ calls: -1 }], [{ tokens: Number.NaN }], [{ cost: "1" as never }]])("%j is no budget", (allowance) => {
    expect(checkAllowance(allowance)).toMatch(/^budget\.\w+ must be 0 or more/);
  });
});

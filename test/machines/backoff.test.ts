import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { backoffMaxMs, backoffMs, checkBackoff } from "../../machines/backoff.ts";

describe("backoff", () => {
  test.each([
    [{ firstMs: 100 }, 1, 0, 100],
    [{ firstMs: 100 }, 2, 0, 200],
    [{ firstMs: 100 }, 4, 0, 800],
    [{ firstMs: 100, rate: 1 }, 9, 0, 100],
    [{ firstMs: 100, rate: 3 }, 3, 0, 900],
    [{ firstMs: 100, maxMs: 250 }, 3, 0, 250],
    [{ firstMs: 100 }, 60, 0, backoffMaxMs],
    [{ firstMs: 100, jitter: 0.5 }, 1, 0.5, 75],
    [{ firstMs: 100, jitter: 1 }, 1, 0.9, 10],
    [{ firstMs: 0 }, 5, 0.5, 0],
  ])("%j before attempt %d + 1, at chance %d, waits %d ms", (plan, attempt, chance, expected) => {
    expect(backoffMs(plan, attempt, chance)).toBeCloseTo(expected, 9);
  });

  test("any plan that passes the check waits a finite time from 0 to its most, and never less without jitter", () => {
    fc.assert(
      fc.property(
        fc.record({
          firstMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
          maxMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
          rate: fc.double({ min: 1, max: 1e3, noNaN: true }),
          jitter: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
        fc.integer({ min: 1, max: 100_000 }),
        fc.double({ min: 0, max: 0.999_999, noNaN: true }),
        (plan, attempt, chance) => {
          expect(checkBackoff("backoff", plan)).toBeUndefined();
          const wait = backoffMs(plan, attempt, chance);
          expect(wait).toBeGreaterThanOrEqual(0);
          expect(wait).toBeLessThanOrEqual(plan.maxMs);
          const steady = { ...plan, jitter: 0 };
          expect(backoffMs(steady, attempt + 1, chance)).toBeGreaterThanOrEqual(backoffMs(steady, attempt, chance));
        },
      ),
    );
  });

  test.each([
    [{ firstMs: -1 }, "firstMs"],
    [{ firstMs: Number.NaN }, "firstMs"],
    [{ firstMs: Number.POSITIVE_INFINITY }, "firstMs"],
    [{ firstMs: 1, maxMs: -1 }, "maxMs"],
    [{ firstMs: 1, maxMs: Number.NaN }, "maxMs"],
    [{ firstMs: 1, rate: 0.5 }, "rate"],
    [{ firstMs: 1, rate: Number.POSITIVE_INFINITY }, "rate"],
    [{ firstMs: 1, jitter: 1.5 }, "jitter"],
    [{ firstMs: 1, jitter: Number.NaN }, "jitter"],
  ])("%j is refused for its %s", (plan, field) => {
    expect(checkBackoff("plan", plan)).toContain(`plan.${field} is `);
  });
});

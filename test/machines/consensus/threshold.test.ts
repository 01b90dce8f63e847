import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  boundsOf,
  parseThreshold,
  quorumOf,
  twoThirds,
  type Threshold,
  type ThresholdInput,
} from "../../../machines/consensus/electorate/threshold.ts";

function parsed(input: ThresholdInput): Threshold {
  const result = parseThreshold(input);
  if (!result.ok) throw new Error(result.problem);
  return result.value;
}

describe("thresholds", () => {
  it("reads every way of writing a share, exactly", () => {
    const registered = { of: "registered" } as const;
    expect(parsed(">2/3")).toEqual({ num: 2, den: 3, strict: true, ...registered });
    expect(parsed("2/3")).toEqual({ num: 2, den: 3, strict: false, ...registered });
    expect(parsed(">= 2/3")).toEqual({ num: 2, den: 3, strict: false, ...registered });
    expect(parsed("67%")).toEqual({ num: 67, den: 100, strict: false, ...registered });
    expect(parsed("66.7 %")).toEqual({ num: 667, den: 1_000, strict: false, ...registered });
    expect(parsed(">50%")).toEqual({ num: 1, den: 2, strict: true, ...registered });
    expect(parsed(0.67)).toEqual({ num: 67, den: 100, strict: false, ...registered });
    expect(parsed(1)).toEqual({ num: 1, den: 1, strict: false, ...registered });
    expect(parsed({ num: 4, den: 6, strict: true, of: "cast" })).toEqual({ num: 2, den: 3, strict: true, of: "cast" });
  });

  it("refuses what is not a share, in words that say the way out", () => {
    for (const input of [
      "",
      "most",
      "3/2",
      "0",
      "2/0",
      ">1/1",
      "-1/2",
      "1/3000001",
      0,
      1.5,
      Number.NaN,
      2 / 3,
      { num: 0, den: 1 },
    ]) {
      expect(parseThreshold(input), JSON.stringify(input)).toMatchObject({
        ok: false,
        problem: expect.stringContaining("threshold"),
      });
    }
  });

  it("gives the table of consensus design §2 for equal weights", () => {
    const sizes = [3, 4, 5, 6, 7, 9, 10, 12, 100];
    const table = sizes.map((n) => boundsOf(twoThirds, n));
    expect(table.map(({ q }) => q)).toEqual([3, 3, 4, 5, 5, 7, 7, 9, 67]);
    expect(table.map(({ fSafe }) => fSafe)).toEqual([2, 1, 2, 3, 2, 4, 3, 5, 33]);
    expect(table.map(({ fLive }) => fLive)).toEqual([0, 1, 1, 1, 2, 2, 3, 3, 33]);
  });

  it.each([3, 6, 9, 12])("tells more than two thirds from at least two thirds at W = %i", (total) => {
    expect(quorumOf(parsed(">2/3"), total)).toBe((2 * total) / 3 + 1);
    expect(quorumOf(parsed("2/3"), total)).toBe((2 * total) / 3);
  });

  it("keeps 0.67 apart from two thirds: three voters must be unanimous", () => {
    expect(quorumOf(parsed(0.67), 3)).toBe(3);
    expect(quorumOf(parsed("2/3"), 3)).toBe(2);
  });

  it("finds the least weight that meets the share, for any share and total", () => {
    const share = fc.record({
      num: fc.integer({ min: 1, max: 1_000_000 }),
      den: fc.integer({ min: 1, max: 1_000_000 }),
      strict: fc.boolean(),
    });
    fc.assert(
      fc.property(share, fc.integer({ min: 0, max: 1_000_000_000 }), ({ num, den, strict }, total) => {
        fc.pre(num <= den);
        const meets = (weight: number): boolean => {
          const [left, right] = [BigInt(weight) * BigInt(den), BigInt(num) * BigInt(total)];
          return weight > 0 && (strict ? left > right : left >= right);
        };
        const q = quorumOf({ num, den, strict }, total);
        expect(meets(q)).toBe(true);
        expect(meets(q - 1)).toBe(false);
      }),
    );
  });
});

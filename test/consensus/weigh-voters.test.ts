import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { brierScore, posteriorMean, weightOfRecord } from "../../machines/consensus/electorate/reliability.ts";
import { weighVoters, type VerifiedOutcome } from "../../src/consensus/weights/weigh-voters.ts";
import { convene, equals, single } from "./council.ts";

const { electorate } = await convene(equals(5));

function outcomes(voter: string, right: number, wrong: number): VerifiedOutcome[] {
  return Array.from({ length: right + wrong }, (_, index) => ({
    decisionId: `d${index}`,
    voter,
    wasRight: index < right,
    confidence: 0.8,
  }));
}

describe("weights from verified outcomes", () => {
  it("are the log-odds of the Beta(2,2) posterior mean", () => {
    expect(posteriorMean({ right: 0, wrong: 0 })).toBe(0.5);
    expect(posteriorMean({ right: 8, wrong: 2 })).toBeCloseTo(10 / 14);
    expect(weightOfRecord({ right: 8, wrong: 2 })).toBe(Math.round(100 * Math.log(10 / 4)));
    expect(weightOfRecord({ right: 2, wrong: 8 })).toBe(0);
  });

  it("rise with every verified success and fall with every failure", () => {
    fc.assert(
      fc.property(fc.nat(500), fc.nat(500), (right, wrong) => {
        const weight = weightOfRecord({ right, wrong });
        expect(weightOfRecord({ right: right + 1, wrong })).toBeGreaterThanOrEqual(weight);
        expect(weightOfRecord({ right, wrong: wrong + 1 })).toBeLessThanOrEqual(weight);
      }),
    );
  });

  it("give newcomers the least weight, none to chance, and nobody a third", () => {
    const record = [
      ...outcomes("a", 40, 0),
      ...outcomes("b", 8, 2),
      ...outcomes("c", 8, 2),
      ...outcomes("d", 2, 8),
      ...outcomes("stranger", 9, 0),
    ];
    const weighed = weighVoters(electorate, { outcomes: record });
    expect(weighed.map(({ id, standing }) => [id, standing])).toEqual([
      ["a", "proven"],
      ["b", "proven"],
      ["c", "proven"],
      ["d", "no-better-than-chance"],
      ["e", "newcomer"],
    ]);
    const total = weighed.reduce((sum, { weight }) => sum + weight, 0);
    for (const { weight } of weighed) expect(3 * weight).toBeLessThan(total);
    expect(weighed.find(({ id }) => id === "d")?.weight).toBe(0);
    expect(weighed[0]?.weight).toBeGreaterThanOrEqual(weighed[1]?.weight ?? 0);
  });

  it("do not know what the majority thought: the same verified outcomes give the same weights", () => {
    const record = outcomes("a", 5, 1);
    const loud = record.map((outcome) => ({ ...outcome, agreedWithMajority: false }));
    expect(weighVoters(electorate, { outcomes: loud })).toEqual(weighVoters(electorate, { outcomes: record }));
  });

  it("count a decision once, and refuse one that is told both ways", () => {
    const once = outcomes("a", 3, 0);
    expect(weighVoters(electorate, { outcomes: [...once, ...once] })).toEqual(
      weighVoters(electorate, { outcomes: once }),
    );
    const both = [...once, { decisionId: "d0", voter: "a", wasRight: false, confidence: null }];
    expect(() => weighVoters(electorate, { outcomes: both })).toThrow("right and wrong in decision d0");
  });

  it("bury whoever is convicted by evidence that holds, and nobody else", async () => {
    const council = await convene(equals(5), { method: "single" });
    const pair = await Promise.all(["x", "y"].map((option) => council.sign(council.body("a", single(option)))));
    const evidence = { kind: "DuplicateBallot", voter: "a", decisionId: "decision-1", round: 1, ballots: pair };
    const forged = { ...evidence, voter: "b" };
    const standings = weighVoters(council.electorate, { outcomes: outcomes("a", 9, 0), evidence: [evidence, forged] });
    expect(standings.map(({ weight, standing }) => [weight > 0, standing])).toEqual([
      [false, "tombstoned"],
      [true, "newcomer"],
      [true, "newcomer"],
      [true, "newcomer"],
      [true, "newcomer"],
    ]);
  });

  it("tell calibration and availability without weighing them", () => {
    expect(brierScore([{ confidence: 1, wasRight: true }])).toBe(0);
    expect(brierScore([{ confidence: 1, wasRight: false }])).toBe(1);
    expect(brierScore([{ confidence: null, wasRight: true }])).toBeNull();
    const attendance = [{ voter: "a", asked: 4, answered: 1 }];
    const [a, b] = weighVoters(electorate, { outcomes: [], attendance });
    expect([a?.availability, a?.weight, b?.availability, b?.weight]).toEqual([0.25, 1, null, 1]);
  });
});

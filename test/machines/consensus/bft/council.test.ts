import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  defineCouncil,
  findVetoer,
  localTimeouts,
  proposerOf,
  wideTimeouts,
} from "../../../../machines/consensus/bft/council.ts";

const scope = { decision: "d", electorate: "e" };
const weightsOf = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 9 });

describe("the council", () => {
  it("needs strictly more than two thirds, also where the weight divides by three", () => {
    const quorums = [3, 6, 9, 12].map(
      (size) =>
        defineCouncil(
          scope,
          Array.from({ length: size }, () => 1),
        ).quorum,
    );
    expect(quorums).toEqual([3, 5, 7, 9]);
  });

  it("knows a member that could stop every quorum", () => {
    expect(findVetoer(defineCouncil(scope, [1, 1, 1]))).toBe(0);
    expect(findVetoer(defineCouncil(scope, [1, 1, 1, 1]))).toBe(-1);
    expect(findVetoer(defineCouncil(scope, [2, 2, 3, 2]))).toBe(2);
  });

  it("waits a tenth as long within one local network", () => {
    for (const name of ["proposeMs", "voteMs", "growthMs", "resendMs"] as const) {
      expect(localTimeouts[name] * 10).toBe(wideTimeouts[name]);
    }
  });
});

describe("the rotation of proposers", () => {
  it("gives every member its share of turns in every stretch of W rounds, up to one or two turns", () => {
    fc.assert(
      fc.property(weightsOf, fc.string(), fc.nat(50), (weights, decision, start) => {
        const council = defineCouncil({ decision, electorate: "e" }, weights);
        const turns = weights.map(() => 0);
        for (let round = start; round < start + council.total; round += 1) {
          const proposer = proposerOf(council, round);
          turns[proposer] = (turns[proposer] ?? 0) + 1;
        }
        for (const [index, weight] of weights.entries())
          expect(Math.abs((turns[index] ?? 0) - weight)).toBeLessThanOrEqual(2);
      }),
    );
  });

  it("is a pure function of council and round: the same in any order of asking, and for an equal council", () => {
    fc.assert(
      fc.property(weightsOf, fc.array(fc.nat(60), { minLength: 1, maxLength: 20 }), (weights, rounds) => {
        const council = defineCouncil(scope, weights);
        const again = defineCouncil(scope, weights);
        const forward = rounds.map((round) => proposerOf(council, round));
        const backward = rounds.toReversed().map((round) => proposerOf(again, round));
        expect(backward.toReversed()).toEqual(forward);
      }),
    );
  });

  it("does not let the same member begin every decision", () => {
    const first = new Set(
      Array.from({ length: 64 }, (_, index) => {
        return proposerOf(defineCouncil({ decision: `d${index}`, electorate: "e" }, [1, 1, 1, 1]), 0);
      }),
    );
    expect(first).toEqual(new Set([0, 1, 2, 3]));
  });
});

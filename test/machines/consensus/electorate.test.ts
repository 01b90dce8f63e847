import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { analyzeMembers } from "../../../machines/consensus/electorate/analysis.ts";
import {
  arrangeElectorate,
  findElectorateFault,
  indexOfMember,
  type Member,
} from "../../../machines/consensus/electorate/electorate.ts";
import { lowerWeights } from "../../../machines/consensus/electorate/weight-cap.ts";
import { findPublicKeyFault } from "../../../machines/consensus/codec/public-key.ts";

const third = { num: 1, den: 3 };

function key(index: number): string {
  return index.toString(16).padStart(2, "0").repeat(31) + "11";
}

function member(id: string, index: number, rest: Partial<Member> = {}): Member {
  return { id, publicKey: key(index + 2), weight: 1, ...rest };
}

function plain(weights: readonly number[]): { id: string; weight: number }[] {
  return weights.map((weight, index) => ({ id: `v${index}`, weight }));
}

function capped(weights: readonly number[], cap = third): readonly number[] {
  const result = lowerWeights(plain(weights), cap);
  if (!result.ok) throw new Error(result.problem);
  return result.value;
}

describe("electorate", () => {
  it("is sorted by id whatever order it was given in", () => {
    const electorate = arrangeElectorate([member("b", 1), member("a", 2), member("C", 3)], 4);
    expect(electorate.members.map(({ id }) => id)).toEqual(["C", "a", "b"]);
    expect(electorate.epoch).toBe(4);
    expect(indexOfMember(electorate, "a")).toBe(1);
    expect(indexOfMember(electorate, "constructor")).toBe(-1);
    expect(findElectorateFault(electorate)).toBeUndefined();
  });

  it("refuses what cannot vote, by code", () => {
    const of = (...members: Member[]): unknown => ({ v: 1, epoch: 0, members });
    const weak = "0100000000000000000000000000000000000000000000000000000000000000";
    expect(findElectorateFault(of(member("a", 1), member("a", 2)))?.code).toBe("DUPLICATE_ID");
    expect(findElectorateFault(of(member("a", 1), member("b", 1)))?.code).toBe("DUPLICATE_KEY");
    expect(findElectorateFault(of(member("b", 1), member("a", 2)))?.code).toBe("UNSORTED");
    expect(findElectorateFault(of(member("a", 1, { publicKey: weak })))?.code).toBe("WEAK_KEY");
    expect(findElectorateFault(of(member("a", 1, { weight: 1e9 }), member("b", 2)))?.code).toBe("TOO_HEAVY");
    for (const weight of [0, -1, 1.5, Number.NaN, "1"]) {
      expect(findElectorateFault(of(member("a", 1, { weight: weight as number })))?.code).toBe("MALFORMED");
    }
    for (const id of ["", "__proto__", "a b", "ä", "x".repeat(201)])
      expect(findElectorateFault(of(member(id, 1)))?.code).toBe("MALFORMED");
    for (const value of [null, 7, {}, { v: 2, epoch: 0, members: [] }, of()])
      expect(findElectorateFault(value)?.code).toBe("MALFORMED");
  });

  it("refuses public keys of small order and non-canonical ones, with either sign", () => {
    const small = [
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0100000000000000000000000000000000000000000000000000000000000000",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    ];
    const negated = small.map((hex) => hex.slice(0, 62) + (Number.parseInt(hex.slice(62), 16) | 0x80).toString(16));
    for (const hex of [...small, ...negated]) expect(findPublicKeyFault(hex), hex).toBe("small-order");
    expect(findPublicKeyFault("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f")).toBe(
      "non-canonical",
    );
    expect(findPublicKeyFault("ee" + "ff".repeat(31))).toBe("non-canonical");
    expect(findPublicKeyFault("EE" + "00".repeat(31))).toBe("malformed");
    // The key of RFC 8032 §7.1, test 1.
    expect(findPublicKeyFault("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")).toBeUndefined();
  });

  it("names deciders, vetoers, and groups and hosts that are too strong", () => {
    const members = [
      { id: "a", weight: 7, group: "x", host: "h1" },
      { id: "b", weight: 1, group: "x", host: "h2" },
      { id: "c", weight: 1, group: "y", host: "h2" },
      { id: "d", weight: 1 },
    ];
    expect(analyzeMembers(members)).toEqual({
      W: 10,
      q: 7,
      fSafe: 3,
      fLive: 3,
      deciders: ["a"],
      vetoers: ["a"],
      groupsOverCap: [{ name: "x", weight: 8 }],
      hostsOverCap: [{ name: "h1", weight: 7 }],
    });
    expect(analyzeMembers(plain([1, 1, 1])).vetoers).toEqual(["v0", "v1", "v2"]);
    expect(analyzeMembers(plain([1, 1, 1, 1])).vetoers).toEqual([]);
    expect(analyzeMembers(plain([1, 1, 1]), { threshold: { num: 1, den: 2, strict: true } })).toMatchObject({
      q: 2,
      fSafe: 0,
      fLive: 1,
    });
  });
});

describe("capped weights", () => {
  it("fill like water, as in the example of consensus design §2", () => {
    expect(capped([10, 1, 1, 1, 1])).toEqual([1_999, 1_000, 1_000, 1_000, 1_000]);
    expect(capped([2, 2, 1, 1])).toEqual([1_999, 1_999, 1_000, 1_000]);
    expect(capped([1, 1, 1, 1])).toEqual([1, 1, 1, 1]);
  });

  it("cap a group as one, in proportion to its members", () => {
    const members = [
      { id: "a", weight: 4, group: "x" },
      { id: "b", weight: 2, group: "x" },
      { id: "c", weight: 1 },
      { id: "d", weight: 1 },
      { id: "e", weight: 1 },
    ];
    const result = lowerWeights(members, third, "group");
    expect(result).toEqual({ ok: true, value: [999, 500, 1_000, 1_000, 1_000] });
  });

  it("say what is needed where no weights can fit", () => {
    expect(lowerWeights(plain([5, 1, 1]), third)).toMatchObject({
      ok: false,
      problem: expect.stringContaining("at least 4 members"),
    });
    expect(lowerWeights(plain([1, 1, 1]), third)).toMatchObject({ ok: false });
  });

  it("end strictly below the cap, keep the order of weights, and never raise a share above its old one but by rounding", () => {
    const weights = fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 4, maxLength: 40 });
    fc.assert(
      fc.property(weights, (own) => {
        const result = capped(own);
        const total = result.reduce((sum, weight) => sum + weight, 0);
        for (const weight of result) expect(3 * weight).toBeLessThan(total);
        const order = [...own.keys()].sort((left, right) => own[left]! - own[right]!);
        for (const [place, index] of order.entries()) {
          const next = order[place + 1];
          if (next !== undefined && own[index]! < own[next]!)
            expect(result[index]!).toBeLessThanOrEqual(result[next]! + 2);
        }
      }),
    );
  });
});

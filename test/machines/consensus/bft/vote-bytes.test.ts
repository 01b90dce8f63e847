import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Statement, Unsigned } from "../../../../machines/consensus/bft/statement.ts";
import { encodeStatement } from "../../../../machines/consensus/bft/vote-bytes.ts";

const digest = fc.constantFrom("00", "01", "ab", "ff").map((byte) => byte.repeat(32));
const statements: fc.Arbitrary<Unsigned<Statement>> = fc.record({
  kind: fc.constantFrom("proposal" as const, "prevote" as const, "precommit" as const),
  decision: digest,
  electorate: digest,
  voter: fc.constant(0),
  round: fc.constantFrom(0, 1, 256, 2 ** 32 - 1),
  validRound: fc.constantFrom(-1, 0, 1, 256),
  value: fc.option(digest),
});

function hexOf(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? new Uint8Array()).toString("hex");
}

describe("the bytes of a statement", () => {
  it("are these, for ever (golden vector)", () => {
    const bytes = encodeStatement({
      kind: "prevote",
      decision: "11".repeat(32),
      electorate: "22".repeat(32),
      voter: 3,
      round: 258,
      validRound: -1,
      value: "33".repeat(32),
    });
    const tag = Buffer.from("troupe/v1/prevot").toString("hex");
    const rounds = "00000102ffffffff";
    expect(hexOf(bytes)).toBe(
      tag + "11".repeat(32) + "22".repeat(32) + rounds + "00" + "33".repeat(32) + "00".repeat(7),
    );
  });

  it("are 128 for every statement, and the same only for the same content", () => {
    fc.assert(
      fc.property(statements, statements, (left, right) => {
        const [a, b] = [encodeStatement(left), encodeStatement(right)];
        expect(a).toHaveLength(128);
        expect(hexOf(a) === hexOf(b)).toBe(JSON.stringify(left) === JSON.stringify(right));
      }),
    );
  });

  it("tell nil from the value of thirty-two zeros", () => {
    const base = { kind: "precommit", decision: "00".repeat(32), electorate: "00".repeat(32), voter: 0 } as const;
    const rest = { round: 0, validRound: -1 };
    expect(encodeStatement({ ...base, ...rest, value: null })).not.toEqual(
      encodeStatement({ ...base, ...rest, value: "00".repeat(32) }),
    );
  });

  it("do not exist for a digest or a round that is none", () => {
    const good = { kind: "prevote", decision: "00".repeat(32), electorate: "00".repeat(32), voter: 0 } as const;
    const base = { ...good, round: 0, validRound: -1, value: "00".repeat(32) };
    expect(encodeStatement(base)).toBeDefined();
    const wrong = [{ decision: "d" }, { electorate: "AB".repeat(32) }, { value: "00" }, { round: -1 }, { round: 0.5 }];
    for (const change of [...wrong, { round: 2 ** 32 }, { validRound: 2 ** 31 }]) {
      expect(encodeStatement({ ...base, ...change }), JSON.stringify(change)).toBeUndefined();
    }
  });
});

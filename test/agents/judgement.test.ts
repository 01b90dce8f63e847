import fc from "fast-check";
import { decisionQuestion } from "troupe";
import { describe, expect, it } from "vitest";
import type { Finding, Severity } from "../../agents/check.ts";
import { type Bias, confidenceOf, judge, type Level, mendingOf } from "../../agents/judgement.ts";
import { concernsMax, concernsOf, concernsPerRuleMax } from "../../agents/opinions.ts";
import { optionsFor, readQuestion } from "../../agents/question.ts";

const bias: Bias = {
  points: { critical: 20, high: 6, medium: 2, low: 0.5 },
  mendAt: 6,
  holdAt: 30,
  criticalHolds: true,
  damped: ["medium", "low"],
};
const finding = (rule: string, severity: Severity): Finding => ({ rule, severity, message: "m", figure: "1" });
const findings = fc.array(
  fc.record({
    rule: fc.constantFrom("a", "b", "c"),
    severity: fc.constantFrom<Severity>("critical", "high", "medium", "low"),
    message: fc.constant("m"),
    figure: fc.constant("1"),
  }),
  { maxLength: 60 },
);
const question = (more: object) => decisionQuestion.parse({ decisionId: "d", description: "?", ...more });
const ids = (...names: string[]) => names.map((id) => ({ id }));

describe("judging", () => {
  it("goes on with nothing found, mends at a high finding, holds at a critical one", () => {
    const level = (list: readonly Finding[]): Level => judge([{ findings: list, scale: "project" }], 1_000, bias).level;
    expect(level([])).toBe(0);
    expect(level([finding("a", "medium")])).toBe(0);
    expect(level([finding("a", "high")])).toBe(1);
    expect(level([finding("a", "critical")])).toBe(2);
    expect(level(Array.from({ length: 5 }, (_, index) => finding(`r${index}`, "high")))).toBe(2);
  });

  it("weighs the first case of a rule more than the tenth, and size-scaled findings less in a large code base", () => {
    const burden = (count: number, lines: number): number =>
      judge([{ findings: Array.from({ length: count }, () => finding("a", "medium")), scale: "size" }], lines, bias)
        .burden;
    expect(burden(10, 0)).toBeLessThan(10 * burden(1, 0));
    expect(burden(10, 200_000)).toBeLessThan(burden(10, 1_000));
    expect(judge([{ findings: [finding("a", "high")], scale: "size" }], 1_000_000, bias).level).toBe(1);
  });

  it("never becomes bolder by finding more, whatever the order", () => {
    fc.assert(
      fc.property(findings, findings, fc.integer({ min: 0, max: 500_000 }), (some, more, lines) => {
        const before = judge([{ findings: some, scale: "size" }], lines, bias);
        const after = judge([{ findings: [...more, ...some], scale: "size" }], lines, bias);
        const turned = judge([{ findings: [...some, ...more].toReversed(), scale: "size" }], lines, bias);
        expect(after.burden).toBeGreaterThanOrEqual(before.burden - 1e-9);
        expect(after.level).toBeGreaterThanOrEqual(before.level);
        expect(turned.level).toBe(after.level);
        expect(after.margin).toBeGreaterThanOrEqual(0);
        expect(after.margin).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("is less sure with less measured, with fewer files seen, and near a threshold", () => {
    expect(confidenceOf(1, 1, 1)).toBe(0.95);
    expect(confidenceOf(0.5, 1, 1)).toBeLessThan(confidenceOf(1, 1, 1));
    expect(confidenceOf(1, 0.25, 1)).toBe(0.475);
    expect(confidenceOf(1, 1, 0)).toBe(0.475);
  });

  it("names the rules whose mending would move the judgement", () => {
    const judged = judge(
      [{ findings: [finding("heavy", "high"), finding("light", "low")], scale: "project" }],
      0,
      bias,
    );
    expect(mendingOf(judged, bias)).toEqual(["heavy"]);
    expect(mendingOf(judge([], 0, bias), bias)).toEqual([]);
  });

  it("lists a limited number of concerns per rule and says how many more there are", () => {
    const list = concernsOf(Array.from({ length: concernsPerRuleMax + 5 }, () => finding("a", "low")));
    expect(list).toHaveLength(concernsPerRuleMax);
    expect(list.at(-1)?.message).toBe("m (and 5 more of this kind)");
    const many = concernsOf(Array.from({ length: concernsMax * 2 }, (_, index) => finding(`r${index}`, "low")));
    expect(many).toHaveLength(concernsMax);
  });
});

describe("reading a question", () => {
  it("judges a folder of the context where the options run from bold to cautious", () => {
    expect(readQuestion(question({ options: ids("release", "fix-first", "hold"), context: { folder: "x" } }))).toEqual({
      kind: "ordered",
      folder: "x",
      options: [
        { id: "release", level: 0 },
        { id: "fix-first", level: 1 },
        { id: "hold", level: 2 },
      ],
    });
    expect(
      readQuestion(question({ options: ids("merge now", "request_changes", "reject"), context: { folder: "x" } })),
    ).toMatchObject({ kind: "ordered" });
    expect(
      readQuestion(question({ options: ids("a", "b", "c", "d"), context: { folder: "x", ordered: true } })),
    ).toMatchObject({ options: [{ level: 0 }, { level: 1 }, { level: 1 }, { level: 2 }] });
  });

  it("compares folders of options", () => {
    expect(readQuestion(question({ options: [{ id: "a", folder: "x" }, { id: "b" }] }))).toEqual({
      kind: "compare",
      options: [{ id: "a", folder: "x" }],
      without: ["b"],
    });
  });

  it("says what it cannot measure", () => {
    expect(readQuestion(question({ options: ids("release", "hold") }))).toMatchObject({
      kind: "unmeasurable",
      why: expect.stringContaining("names a folder"),
    });
    expect(readQuestion(question({ options: ids("redis", "postgres"), context: { folder: "x" } }))).toMatchObject({
      kind: "unmeasurable",
      why: expect.stringContaining("redis, postgres are not known to run"),
    });
    expect(readQuestion(question({ options: ids("hold", "release"), context: { folder: "x" } }))).toMatchObject({
      kind: "unmeasurable",
    });
  });

  it("approves its recommendation and every more cautious option, for any number of options", () => {
    fc.assert(
      fc.property(
        fc.constantFrom<Level>(0, 1, 2),
        fc.array(fc.constantFrom<Level>(0, 1, 2), { minLength: 1, maxLength: 8 }),
        (level, levels) => {
          const options = levels
            .toSorted((left, right) => left - right)
            .map((each, index) => ({ id: `${index}`, level: each }));
          const approved = optionsFor(level, options);
          const first = options.findIndex((option) => option.level >= level);
          expect(approved).toEqual(first === -1 ? [] : options.slice(first).map(({ id }) => id));
        },
      ),
    );
  });
});

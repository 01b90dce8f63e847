import { describe, expect, it } from "vitest";
import { medianConfidence } from "../../../machines/consensus/ballot/score.ts";
import { tally } from "../../../machines/consensus/ballot/tally.ts";
import { type Choice } from "../../../machines/consensus/codec/messages.ts";
import { abstain, approve, single } from "../../consensus/council.ts";
import { castsOfScene, roundOf, type Act, type SceneRules } from "./ballot-scenes.ts";

const five = Array.from({ length: 5 }, () => ({ weight: 1 }));

function act(choice: Choice, confidence: number | null = null): Act {
  return { choice, confidence };
}

function result(
  members: readonly { weight: number; group?: string }[],
  acts: readonly Act[],
  rules: SceneRules = {},
): ReturnType<typeof tally> {
  const round = roundOf(members, rules);
  return tally(round, castsOfScene({ round, acts }));
}

describe("the tally of a single choice", () => {
  it("decides for the option that reaches the quorum of registered weight", () => {
    const yes = [1, 2, 3, 4].map(() => act(single("x")));
    expect(result(five, [...yes, act(single("y"))])).toMatchObject({
      status: "decided",
      option: "x",
      W: 5,
      q: 4,
      fSafe: 2,
      fLive: 1,
      participating: 5,
      agreement: { num: 4, den: 5 },
      marginOfVictory: 1,
    });
    expect(result(five, [...yes.slice(1), act(single("y")), act(single("y"))])).toMatchObject({
      status: "no-majority",
      option: null,
      leading: "x",
    });
  });

  it("counts an abstention as taking part, and silence as nothing", () => {
    const three = [1, 2, 3].map(() => act(single("x")));
    expect(result(five, [...three, act(abstain), null])).toMatchObject({
      status: "no-majority",
      participating: 4,
      abstaining: 1,
      absent: 1,
    });
    expect(result(five, [...three, null, null])).toMatchObject({ status: "no-quorum", participating: 3, absent: 2 });
  });

  it("lets nobody decide over a shrunken denominator: three opinions of thirty are no quorum", () => {
    const thirty = Array.from({ length: 30 }, () => ({ weight: 1 }));
    const acts = [...[1, 2, 3].map(() => act(single("x"), 10_000)), ...Array.from({ length: 27 }, () => null)];
    expect(result(thirty, acts).status).toBe("no-quorum");
    expect(result(thirty, acts, { threshold: { num: 2, den: 3, strict: true, of: "cast" } }).status).toBe("no-quorum");
  });

  it("takes a ballot below the confidence floor as an abstention, and a missing confidence as none", () => {
    const rules = { confidence: { floor: 3_000, gate: null, weight: 3_000 } };
    const acts = [
      act(single("x"), 2_999),
      act(single("x"), 3_000),
      act(single("x"), 0),
      act(single("x")),
      act(single("x"), 9_000),
    ];
    expect(result(five, acts, rules)).toMatchObject({
      status: "no-majority",
      abstaining: 2,
      ballots: 3,
      participating: 5,
    });
  });

  it("asks for a minimum of ballots besides weight", () => {
    const heavy = [{ weight: 8 }, { weight: 1 }, { weight: 1 }];
    expect(result(heavy, [act(single("x")), act(single("x")), null], { minBallots: 3 })).toMatchObject({
      status: "no-quorum",
      ballots: 2,
    });
    expect(result(heavy, [act(single("x")), act(single("x")), null], { minBallots: 2 }).status).toBe("decided");
  });

  it("voids the weight of a double voter for options and for participation", () => {
    const acts = [1, 2, 3, 4].map(() => act(single("x")));
    const twice: Act = { choice: single("x"), confidence: null, isTwice: true };
    expect(result(five, [...acts, twice])).toMatchObject({ status: "decided", participating: 4, voided: 1, absent: 0 });
    expect(result(five, [...acts.slice(1), twice, twice])).toMatchObject({
      status: "no-quorum",
      participating: 3,
      voided: 2,
    });
  });
});

describe("the tally of approvals", () => {
  const ladder = { options: ["release", "fix-first", "hold"], method: "approval", prefer: "bold" } as const;
  const bold = act(approve("release", "fix-first", "hold"));
  const middle = act(approve("fix-first", "hold"));
  const careful = act(approve("hold"));

  it("picks the boldest option that reaches the quorum", () => {
    expect(result(five, [bold, bold, bold, bold, careful], ladder).option).toBe("release");
    expect(result(five, [bold, bold, bold, middle, careful], ladder).option).toBe("fix-first");
    expect(result(five, [bold, bold, middle, careful, careful], ladder).option).toBe("hold");
    expect(result(five, [bold, bold, act(abstain), act(abstain), middle], ladder)).toMatchObject({
      status: "no-majority",
    });
  });

  it("ranks by score where the proposal prefers that, whatever the order of options", () => {
    const rules = { options: ["a", "b"], method: "approval", prefer: "score" } as const;
    const both = act(approve("a", "b"), 5_000);
    expect(result(five, [both, both, both, both, act(approve("b"), 5_000)], rules).option).toBe("b");
  });

  it("counts an approval of nothing as a vote against everything", () => {
    expect(
      result(
        five,
        [1, 2, 3, 4, 5].map(() => act(approve())),
        ladder,
      ),
    ).toMatchObject({ status: "no-majority", ballots: 5, leading: null, agreement: { num: 0, den: 5 } });
  });
});

describe("the score", () => {
  it("is support/W · (1 - λ + λ·conf + δ·div), in integer arithmetic", () => {
    const members = [
      { weight: 3, group: "g1" },
      { weight: 2, group: "g2" },
      { weight: 5, group: "g1" },
    ];
    const round = roundOf(members, { confidence: { floor: 0, gate: null, weight: 3_000 }, diversity: 1_000 });
    const casts = castsOfScene({ round, acts: [act(single("x"), 8_000), act(single("x"), 5_000), null] });
    // support 5 of 10; mean confidence 0.68; Gini-Simpson 1 - (9 + 4)/25 = 0.48, normalised by 2/(2-1): 0.96.
    const expected = 0.5 * (1 - 0.3 + 0.3 * 0.68 + 0.1 * 0.96);
    expect(tally(round, casts).options[0]?.score).toBe(Math.floor(expected * 10_000 + 1e-9));
  });

  it("ranks only what passed: confidence never makes a quorum", () => {
    const acts = [...[1, 2, 3].map(() => act(single("x"), 10_000)), act(single("y"), 0), act(single("y"), 0)];
    expect(result(five, acts).status).toBe("no-majority");
  });

  it("never overflows at the largest weights", () => {
    const members = Array.from({ length: 10 }, (_, index) => ({ weight: 100_000_000, group: `g${index}` }));
    const outcome = result(
      members,
      members.map(() => act(single("x"), 10_000)),
      { diversity: 10_000 },
    );
    expect(outcome.options[0]?.score).toBe(20_000);
  });
});

describe("the gate", () => {
  const rules = { confidence: { floor: 0, gate: 7_000, weight: 3_000 } };

  it("reads the weighted lower median of the winner's supporters", () => {
    const supporters = (list: [number, number | null][]): Parameters<typeof medianConfidence>[0] =>
      list.map(([weight, confidence], member) => ({ member, weight, confidence, group: "" }));
    expect(
      medianConfidence(
        supporters([
          [1, 9_000],
          [1, 1_000],
          [1, 5_000],
        ]),
      ),
    ).toBe(5_000);
    expect(
      medianConfidence(
        supporters([
          [1, 9_000],
          [1, 1_000],
        ]),
      ),
    ).toBe(1_000);
    expect(
      medianConfidence(
        supporters([
          [3, 9_000],
          [1, 1_000],
          [1, 2_000],
        ]),
      ),
    ).toBe(9_000);
    expect(
      medianConfidence(
        supporters([
          [1, null],
          [1, 9_000],
        ]),
      ),
    ).toBeNull();
    expect(medianConfidence([])).toBeNull();
  });

  it("ends in low-confidence where the supporters are not sure enough", () => {
    expect(
      result(
        five,
        five.map(() => act(single("x"), 6_999)),
        rules,
      ),
    ).toMatchObject({ status: "low-confidence", option: null, leading: "x", confidence: 6_999 });
    expect(
      result(
        five,
        five.map(() => act(single("x"), 7_000)),
        rules,
      ).status,
    ).toBe("decided");
    expect(
      result(
        five,
        five.map(() => act(single("x"))),
        rules,
      ),
    ).toMatchObject({ status: "low-confidence", confidence: null });
  });

  it("is not moved by a minority of liars at full confidence (fault matrix, row 25)", () => {
    const acts = [...[1, 2, 3].map(() => act(single("x"), 6_000)), ...[4, 5].map(() => act(single("x"), 10_000))];
    expect(result(five, acts, rules)).toMatchObject({ status: "low-confidence", confidence: 6_000 });
  });
});

describe("ties", () => {
  const members = [
    { weight: 1, group: "g1" },
    { weight: 1, group: "g1" },
    { weight: 1, group: "g2" },
    { weight: 1, group: "g2" },
  ];
  const rules: SceneRules = {
    options: ["x", "y"],
    threshold: { num: 1, den: 2, strict: false, of: "registered" },
    participation: { num: 1, den: 2, strict: false },
    diversity: 0,
  };
  const apart = [act(single("x")), act(single("x")), act(single("y")), act(single("y"))];

  it("go to the option with supporters from more groups", () => {
    const acts = [act(single("y")), act(single("x")), act(single("y")), act(single("x"))];
    const more = [
      { weight: 1, group: "g1" },
      { weight: 1, group: "g1" },
      { weight: 1, group: "g1" },
      { weight: 1, group: "g2" },
    ];
    expect(result(more, acts, rules).option).toBe("x");
    expect(result([...more].reverse(), acts, rules).option).toBe("y");
  });

  it("then to the declared default", () => {
    expect(result(members, apart, { ...rules, defaultOption: "x" }).option).toBe("x");
    expect(result(members, apart, { ...rules, defaultOption: "y" }).option).toBe("y");
  });

  it("then to the smaller hash of decision, round and option, the same for every order of options", () => {
    const forward = result(members, apart, rules).option;
    expect(result(members, apart, { ...rules, options: ["y", "x"] }).option).toBe(forward);
    const winners = Array.from(
      { length: 16 },
      (_, index) => result(members, apart, { ...rules, decisionId: `d${index}` }).option,
    );
    expect(new Set(winners)).toEqual(new Set(["x", "y"]));
  });

  it("are never between scores that differ below a basis point", () => {
    const heavy = [{ weight: 300_000_002 }, { weight: 300_000_001 }, { weight: 1_000 }];
    const close = result(heavy, [act(single("y")), act(single("x")), null], {
      ...rules,
      threshold: { num: 1, den: 3, strict: false, of: "registered" },
    });
    expect(close.options.map(({ score }) => score)[0]).toBe(close.options.map(({ score }) => score)[1]);
    expect(close.option).toBe("y");
  });
});

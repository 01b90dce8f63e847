import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tally, type Tally } from "../../../machines/consensus/ballot/tally.ts";
import { methods, type Choice, type Method } from "../../../machines/consensus/codec/messages.ts";
import { abstain, approve, single } from "../../consensus/council.ts";
import { castsOfScene, confidences, choices, roundOf, type Act, type Scene, type SceneRules } from "./ballot-scenes.ts";

function tallyOf(scene: Scene): Tally {
  return tally(scene.round, castsOfScene(scene));
}

/** Everything one member could do instead, with the extremes of confidence. */
function replies(method: Method): Act[] {
  const options = ["x", "y"];
  const subsets = [[], ["x"], ["y"], ["x", "y"]];
  const orders = [[["x"]], [["y"]], [["x", "y"]]];
  const grades = [0, 40, 60, 100].flatMap((x) => [0, 40, 60, 100].map((y) => ({ x, y })));
  const all: Record<Method, Choice[]> = {
    single: options.map((option) => single(option)),
    approval: subsets.map((subset) => approve(...subset)),
    ranked: orders.map((order) => ({ kind: "ranked", order })),
    grades: grades.map((given) => ({ kind: "grades", grades: given })),
  };
  const votes = all[method];
  return [
    null,
    { choice: abstain, confidence: null },
    ...votes.flatMap((choice) => [0, 10_000].map((confidence) => ({ choice, confidence }))),
  ];
}

/** The least weight of members whose different behaviour gives another status or option, by trying everything. */
function leastWeightToFlip(scene: Scene): number {
  const { round, acts } = scene;
  const before = tallyOf(scene);
  const others = replies(round.proposal.method);
  let least = Infinity;
  const visit = (index: number, weight: number, current: readonly Act[]): void => {
    if (weight >= least) return;
    if (index === acts.length) {
      const after = tallyOf({ round, acts: current });
      if (weight > 0 && (after.status !== before.status || after.option !== before.option)) least = weight;
      return;
    }
    visit(index + 1, weight, current);
    for (const other of others) {
      visit(index + 1, weight + (round.electorate.members[index]?.weight ?? 0), current.with(index, other));
    }
  };
  visit(0, 0, acts);
  return least;
}

const small = fc
  .record({
    weights: fc.array(fc.record({ weight: fc.integer({ min: 1, max: 3 }), group: fc.constantFrom("g1", "g2") }), {
      minLength: 2,
      maxLength: 4,
    }),
    method: fc.constantFrom(...methods),
    prefer: fc.constantFrom("score" as const, "bold" as const),
    threshold: fc.constantFrom(
      { num: 2, den: 3, strict: true },
      { num: 1, den: 2, strict: false },
      { num: 1, den: 3, strict: false },
    ),
    of: fc.constantFrom("registered" as const, "cast" as const),
    gate: fc.constantFrom(null, 7_000),
    floor: fc.constantFrom(0, 3_000),
    lambda: fc.constantFrom(0, 3_000),
    diversity: fc.constantFrom(0, 1_000),
    minBallots: fc.constantFrom(1, 2),
  })
  .chain((spec) => {
    const rules: SceneRules = {
      options: ["x", "y"],
      method: spec.method,
      prefer: spec.prefer,
      threshold: { ...spec.threshold, of: spec.of },
      participation: { num: 1, den: 2, strict: false },
      confidence: { floor: spec.floor, gate: spec.gate, weight: spec.lambda },
      diversity: spec.diversity,
      minBallots: spec.minBallots,
    };
    const act = fc.option(fc.record({ choice: choices(spec.method, ["x", "y"]), confidence: confidences }), {
      freq: 8,
    });
    return fc
      .array(act, { minLength: spec.weights.length, maxLength: spec.weights.length })
      .map((acts): Scene => ({ round: roundOf(spec.weights, rules), acts }));
  });

describe("the margin of victory", () => {
  it("is support - q + 1 for an option certified by the threshold", () => {
    const acts = (count: number): Act[] =>
      Array.from({ length: 7 }, (_, index) => (index < count ? { choice: single("x"), confidence: null } : null));
    const round = roundOf(Array.from({ length: 7 }, () => ({ weight: 1 })));
    expect([5, 6, 7].map((count) => tallyOf({ round, acts: acts(count) }).marginOfVictory)).toEqual([1, 2, 3]);
  });

  it("is half the lead, rounded up, where two options passed and the score decides", () => {
    const rules: SceneRules = {
      options: ["x", "y"],
      method: "approval",
      threshold: { num: 1, den: 3, strict: false, of: "registered" },
      confidence: { floor: 0, gate: null, weight: 0 },
      diversity: 0,
    };
    const round = roundOf(
      Array.from({ length: 12 }, () => ({ weight: 1 })),
      rules,
    );
    const acts = Array.from({ length: 12 }, (_, index): Act => ({
      choice: index < 8 ? approve("x") : approve("y"),
      confidence: null,
    }));
    expect(tallyOf({ round, acts })).toMatchObject({ option: "x", marginOfVictory: 2 });
    const wider = acts.with(8, { choice: approve("x"), confidence: null });
    expect(tallyOf({ round, acts: wider })).toMatchObject({ option: "x", marginOfVictory: 3 });
  });

  it("is what a bolder option lacks, where that is less", () => {
    const rules: SceneRules = { options: ["bold", "safe"], method: "approval", prefer: "bold" };
    const round = roundOf(
      Array.from({ length: 7 }, () => ({ weight: 1 })),
      rules,
    );
    const acts = Array.from({ length: 7 }, (_, index): Act => ({
      choice: index < 4 ? approve("bold", "safe") : approve("safe"),
      confidence: null,
    }));
    expect(tallyOf({ round, acts })).toMatchObject({ option: "safe", marginOfVictory: 1 });
  });

  it("never claims more than what trying every other behaviour of every member shows", () => {
    const gaps: number[] = [];
    fc.assert(
      fc.property(small, (scene) => {
        const least = leastWeightToFlip(scene);
        const { marginOfVictory } = tallyOf(scene);
        expect(marginOfVictory).toBeGreaterThanOrEqual(0);
        expect(marginOfVictory).toBeLessThanOrEqual(least);
        if (least !== Infinity) gaps.push(least - marginOfVictory);
      }),
      { numRuns: 400 },
    );
    // It is tight: mostly exact, and the rest comes from weights that do not divide.
    expect(gaps.filter((gap) => gap === 0).length / gaps.length).toBeGreaterThan(0.5);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { marginsOf, schulzeWinners, smithSetOf, strengthsOf } from "../../../machines/consensus/ballot/pairwise.ts";
import { gaugeOf, gradingOf } from "../../../machines/consensus/ballot/grading.ts";
import { tally, type Tally } from "../../../machines/consensus/ballot/tally.ts";
import { recount } from "../../../machines/consensus/certificate/recount.ts";
import type { Choice } from "../../../machines/consensus/codec/messages.ts";
import { castsOfScene, choices, roundOf, type Act, type SceneRules } from "./ballot-scenes.ts";

/** One member per line of a published example: its weight is the number of voters, "ACBED" their ranking. */
function tallyRankings(lines: readonly (readonly [number, string])[], rules: SceneRules = {}): Tally {
  const options = [...new Set(lines.flatMap(([, order]) => order.split("")))].sort();
  const round = roundOf(
    lines.map(([weight]) => ({ weight })),
    { options, method: "ranked", ...rules },
  );
  const acts = lines.map(([, order]): Act => ({
    choice: { kind: "ranked", order: order.split("").map((option) => [option]) },
    confidence: null,
  }));
  return tally(round, castsOfScene({ round, acts }));
}

describe("the method ranked", () => {
  it("elects the Condorcet winner, whoever has the most first places", () => {
    // Tennessee: 42 % Memphis, 26 % Nashville, 15 % Chattanooga, 17 % Knoxville.
    const result = tallyRankings([
      [42, "MNCK"],
      [26, "NCKM"],
      [15, "CKNM"],
      [17, "KCNM"],
    ]);
    expect(result).toMatchObject({ status: "decided", option: "N" });
    // Nashville beats Memphis 58 to 42, its narrowest pair: 16 ahead, so 8 may change their mind.
    expect(result.marginOfVictory).toBe(8);
  });

  it("elects by the strongest paths where the majorities run in a circle (Schulze 2011, example 1)", () => {
    const lines = [
      [5, "ACBED"],
      [5, "ADECB"],
      [8, "BEDAC"],
      [3, "CABED"],
      [7, "CAEBD"],
      [2, "CBADE"],
      [7, "DCEBA"],
      [8, "EBADC"],
    ] as const;
    const result = tallyRankings(lines);
    expect(result).toMatchObject({ status: "decided", option: "E" });
    expect(result.options.filter(({ passed }) => passed).map(({ option }) => option)).toEqual(["E"]);
  });

  it("looks for the winner inside the Smith set only", () => {
    // a, b, c run in a circle and all beat d, who has the most first places.
    const margins = marginsOf(
      [
        { weight: 4, tiers: [1, 2, 3, 0] },
        { weight: 5, tiers: [2, 0, 1, 3] },
        { weight: 4, tiers: [1, 2, 0, 3] },
      ],
      4,
    );
    expect([...smithSetOf(margins)]).toEqual([0, 1, 2]);
    // The narrowest step of the circle is a over b.
    expect(schulzeWinners(margins)).toEqual([1]);
  });

  it("counts an option that a ballot leaves out as below every listed one, and equals as equals", () => {
    const round = roundOf([{ weight: 3 }, { weight: 2 }], { method: "ranked" });
    const acts: Act[] = [
      { choice: { kind: "ranked", order: [["x", "y"]] }, confidence: null },
      { choice: { kind: "ranked", order: [["y"]] }, confidence: null },
    ];
    expect(tally(round, castsOfScene({ round, acts }))).toMatchObject({ option: "y", marginOfVictory: 1 });
  });

  it("decides nothing where every ballot ranks all options alike, or where too few take part", () => {
    const all: Act = { choice: { kind: "ranked", order: [["x", "y", "z"]] }, confidence: null };
    const one: Act = { choice: { kind: "ranked", order: [["x"]] }, confidence: null };
    const round = roundOf([{ weight: 1 }, { weight: 1 }, { weight: 1 }], { method: "ranked" });
    expect(tally(round, castsOfScene({ round, acts: [all, all, all] })).status).toBe("no-majority");
    expect(tally(round, castsOfScene({ round, acts: [one, one, null] })).status).toBe("no-quorum");
  });

  it("finds a Schulze winner inside the Smith set for every set of ballots, and its margin is safe", () => {
    const options = ["x", "y", "z"];
    const rankings = fc.array(fc.tuple(fc.integer({ min: 1, max: 5 }), choices("ranked", options)), {
      minLength: 1,
      maxLength: 7,
    });
    const orders: Choice[] = ["xyz", "yzx", "zxy", "zyx", "yxz", "xzy"].map((order) => ({
      kind: "ranked",
      order: order.split("").map((option) => [option]),
    }));
    let circles = 0;
    fc.assert(
      fc.property(rankings, fc.nat(), fc.constantFrom(...orders), (lines, place, other) => {
        const round = roundOf(
          lines.map(([weight]) => ({ weight })),
          { options, method: "ranked", participation: { num: 1, den: 2, strict: true } },
        );
        const acts = lines.map(([, choice]): Act => ({ choice, confidence: null }));
        const before = tally(round, castsOfScene({ round, acts }));
        if (before.status !== "decided") return;
        const tiers = lines.flatMap(([weight, choice]) =>
          choice.kind === "ranked"
            ? [{ weight, tiers: options.map((id) => (choice.order.findIndex((tier) => tier.includes(id)) + 4) % 4) }]
            : [],
        );
        const margins = marginsOf(
          tiers.map(({ weight, tiers: list }) => ({ weight, tiers: list.map((tier) => (tier === 3 ? 9 : tier)) })),
          3,
        );
        const smith = smithSetOf(margins);
        if (
          smith.size === 3 &&
          strengthsOf(margins)
            .flat()
            .some((strength) => strength > 0)
        )
          circles += 1;
        expect(schulzeWinners(margins).every((winner) => smith.has(winner))).toBe(true);
        // Any one member turning round moves the outcome only if it weighs at least the margin.
        const index = place % lines.length;
        const after = tally(
          round,
          castsOfScene({ round, acts: acts.with(index, { choice: other, confidence: null }) }),
        );
        if (after.option !== before.option)
          expect(lines[index]?.[0] ?? 0).toBeGreaterThanOrEqual(before.marginOfVictory);
      }),
      { numRuns: 1_500 },
    );
    expect(circles).toBeGreaterThan(20);
  });
});

describe("the method grades", () => {
  const graded = (grades: { readonly [option: string]: number }, confidence: number | null = null): Act => ({
    choice: { kind: "grades", grades },
    confidence,
  });

  it("elects the highest majority grade: the weighted lower median", () => {
    // Tennessee again, graded by distance: excellent 100, good 70, fair 40, poor 10.
    const round = roundOf([{ weight: 42 }, { weight: 26 }, { weight: 15 }, { weight: 17 }], {
      method: "grades",
      options: ["M", "N", "C", "K"],
    });
    const acts = [
      graded({ M: 100, N: 40, C: 10, K: 10 }),
      graded({ M: 10, N: 100, C: 40, K: 40 }),
      graded({ M: 10, N: 40, C: 100, K: 70 }),
      graded({ M: 10, N: 40, C: 70, K: 100 }),
    ];
    const result = tally(round, castsOfScene({ round, acts }));
    expect(result.options.map(({ majorityGrade }) => majorityGrade)).toEqual([10, 40, 40, 40]);
    // Nashville, Chattanooga and Knoxville tie at 40; above it stand 26, 32 and 32, below it 0, 42 and 42.
    expect(result).toMatchObject({ status: "decided", option: "N", leading: "N" });
  });

  it("keeps the median inside the honest range while less than half of the weight lies", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ grade: fc.integer({ min: 30, max: 60 }), weight: fc.integer({ min: 1, max: 9 }) }), {
          minLength: 1,
          maxLength: 9,
        }),
        fc.array(fc.record({ grade: fc.constantFrom(0, 100), weight: fc.integer({ min: 1, max: 9 }) }), {
          maxLength: 9,
        }),
        (honest, liars) => {
          const weigh = (list: typeof honest): number => list.reduce((sum, { weight }) => sum + weight, 0);
          if (weigh(liars) >= weigh(honest)) return;
          const { grade } = gaugeOf(gradingOf([...honest, ...liars]));
          expect(grade).toBeGreaterThanOrEqual(Math.min(...honest.map((each) => each.grade)));
          expect(grade).toBeLessThanOrEqual(Math.max(...honest.map((each) => each.grade)));
        },
      ),
      { numRuns: 500 },
    );
  });

  it("takes an option without a grade as rejected, also one that is called like a method of objects", () => {
    const round = roundOf([{ weight: 1 }, { weight: 1 }, { weight: 1 }], {
      method: "grades",
      options: ["constructor", "y"],
    });
    const acts = [graded({ y: 50 }), graded({ y: 50 }), graded({ y: 0 })];
    const result = tally(round, castsOfScene({ round, acts }));
    expect(result).toMatchObject({ option: "y", agreement: { num: 2, den: 3 } });
    expect(result.options[0]).toMatchObject({ majorityGrade: 0, support: 0 });
  });

  it("decides nothing where the majority rejects every option", () => {
    const round = roundOf([{ weight: 2 }, { weight: 1 }], { method: "grades" });
    const result = tally(round, castsOfScene({ round, acts: [graded({}), graded({ x: 100 })] }));
    expect(result).toMatchObject({ status: "no-majority", option: null, marginOfVictory: 1 });
  });

  it("asks the confidence gate of those who give the majority grade or more", () => {
    const rules: SceneRules = { method: "grades", confidence: { floor: 0, gate: 7_000, weight: 3_000 } };
    const round = roundOf([{ weight: 1 }, { weight: 1 }, { weight: 1 }], rules);
    const sure = [graded({ x: 80 }, 9_000), graded({ x: 80 }, 9_000), graded({ x: 10 }, 1_000)];
    expect(tally(round, castsOfScene({ round, acts: sure })).status).toBe("decided");
    const unsure = [graded({ x: 80 }, 1_000), graded({ x: 80 }, 9_000), graded({ x: 10 }, 9_000)];
    const result = tally(round, castsOfScene({ round, acts: unsure }));
    expect(result.status).toBe("low-confidence");
    const voices = castsOfScene({ round, acts: unsure }).flatMap((cast, index) => {
      const member = round.electorate.members[index];
      if (cast === null || member === undefined) return [];
      return [{ member, choice: cast.ballot.body.choice, confidence: cast.ballot.body.confidence }];
    });
    expect(recount(round.proposal, round.electorate, { voices, tieKey: (option) => option })).toEqual({
      status: "low-confidence",
    });
  });
});

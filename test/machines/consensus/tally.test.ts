import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { collect, idleCollection, type CollectState } from "../../../machines/consensus/ballot/collect.ts";
import { medianConfidence, scoreOf, toBasisPoints, type Fraction } from "../../../machines/consensus/ballot/score.ts";
import { tally } from "../../../machines/consensus/ballot/tally.ts";
import { recount } from "../../../machines/consensus/certificate/recount.ts";
import { digestOf } from "../../../machines/consensus/codec/sign-bytes.ts";
import { methods, type Choice } from "../../../machines/consensus/codec/messages.ts";
import { sha256 } from "../../../src/consensus/ed25519.ts";
import { abstain, approve, single, unsigned } from "../../consensus/council.ts";
import {
  bodyOf,
  castsOfScene,
  confidences,
  roundOf,
  scenes,
  type Act,
  type Scene,
  type SceneRules,
} from "./ballot-scenes.ts";

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

function collected(scene: Scene, order: readonly number[], copies: number): CollectState {
  const { round } = scene;
  const ballots = castsOfScene(scene).flatMap((cast) =>
    cast === null ? [] : [cast.ballot, ...(cast.conflicting === null ? [] : [cast.conflicting])],
  );
  let state = collect(idleCollection, { type: "round.open", round, close: "all" })[0];
  // One more member than ever votes keeps the round open until the time is over.
  for (let copy = 0; copy < copies; copy += 1) {
    for (const place of order) {
      const ballot = ballots[place % Math.max(1, ballots.length)];
      if (ballot !== undefined) state = collect(state, { type: "ballots.received", at: 1, ballots: [ballot] })[0];
    }
  }
  return collect(state, { type: "time.expired", at: round.proposal.closesAt })[0];
}

describe("properties of the tally", () => {
  it("P11: any order and any number of copies of the same ballots give the same result, evidence and closing", () => {
    fc.assert(
      fc.property(scenes, fc.infiniteStream(fc.nat()), (drawn, dice) => {
        const spare = { weight: 1 };
        const round = roundOf(
          [
            ...drawn.round.electorate.members.map(({ weight, group }) =>
              group === undefined ? { weight } : { weight, group },
            ),
            spare,
          ],
          {
            ...drawn.round.proposal,
            options: drawn.round.proposal.options.map(({ id }) => id),
          },
        );
        const scene = { round, acts: [...drawn.acts, null] };
        const count = castsOfScene(scene).reduce(
          (sum, cast) => sum + (cast === null ? 0 : cast.conflicting === null ? 1 : 2),
          0,
        );
        const fifo = Array.from({ length: count }, (_, index) => index);
        const shuffled = [...fifo];
        for (let index = shuffled.length - 1; index > 0; index -= 1) {
          const other = dice.next().value % (index + 1);
          [shuffled[index], shuffled[other]] = [shuffled[other] ?? 0, shuffled[index] ?? 0];
        }
        const first = collected(scene, fifo, 1);
        const second = collected(scene, shuffled, 1 + (dice.next().value % 3));
        expect(second.tally).toEqual(first.tally);
        expect(second.evidence).toEqual(first.evidence);
        expect(second.draft).toEqual(first.draft);
        expect(second.casts).toEqual(first.casts);
      }),
      { numRuns: 300 },
    );
  });

  it("P11: three different ballots of one voter are the same evidence in every order of arrival", () => {
    const round = roundOf(five);
    const ballots = ["x", "y", "z"].map((option) =>
      unsigned(bodyOf(round, 0, { choice: single(option), confidence: null })),
    );
    const orders = [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ];
    const states = orders.map((order) => {
      let state = collect(idleCollection, { type: "round.open", round, close: "all" })[0];
      for (const place of order)
        state = collect(state, { type: "ballots.received", at: 1, ballots: [ballots[place]!] })[0];
      return state;
    });
    for (const state of states) {
      expect(state.evidence).toEqual(states[0]?.evidence);
      expect(state.casts).toEqual(states[0]?.casts);
    }
  });

  it("P12: one more ballot for the winner never hurts it (single and approval, without a gate)", () => {
    fc.assert(
      fc.property(scenes, confidences, (scene, confidence) => {
        const { round, acts } = scene;
        const free = acts.indexOf(null);
        const before = tally(round, castsOfScene(scene));
        const { method } = round.proposal;
        fc.pre(method === "single" || method === "approval");
        fc.pre(round.proposal.confidence.gate === null && free >= 0 && before.option !== null);
        const choice: Choice =
          round.proposal.method === "single" ? single(before.option ?? "") : approve(before.option ?? "");
        const more = acts.map((own, index) => (index === free ? { choice, confidence } : own));
        const after = tally(round, castsOfScene({ round, acts: more }));
        // On cast weight a ballot below the confidence floor is an abstention and raises the bar.
        const isHeard = confidence === null || confidence >= round.proposal.confidence.floor;
        if (isHeard || round.proposal.threshold.of === "registered") expect(after.option).toBe(before.option);
      }),
      // A scene that meets both is one in about fifty: fast-check draws until this many were met.
      { numRuns: 60, maxSkipsPerRun: 1_000 },
    );
  });

  it("P13: weights times k give the same outcome, scores and order", () => {
    fc.assert(
      fc.property(scenes, fc.integer({ min: 2, max: 1_000 }), (scene, k) => {
        const scaled = {
          ...scene.round,
          electorate: {
            ...scene.round.electorate,
            members: scene.round.electorate.members.map((member) => ({ ...member, weight: member.weight * k })),
          },
        };
        const one = tally(scene.round, castsOfScene(scene));
        const many = tally(scaled, castsOfScene({ round: scaled, acts: scene.acts }));
        expect(many.status).toBe(one.status);
        expect(many.option).toBe(one.option);
        expect(many.options.map(({ score, confidence, passed }) => [score, confidence, passed])).toEqual(
          one.options.map(({ score, confidence, passed }) => [score, confidence, passed]),
        );
      }),
      { numRuns: 500 },
    );
  });

  it("agrees with the verifier's own recount on every scene", () => {
    const winners = new Set<string>();
    fc.assert(
      fc.property(scenes, (scene) => {
        const { round } = scene;
        const voices = castsOfScene(scene).flatMap((cast, index) => {
          const member = round.electorate.members[index];
          if (cast === null || cast.conflicting !== null || member === undefined) return [];
          const { choice, confidence } = cast.ballot.body;
          return [{ member, choice, confidence }];
        });
        const tieKey = (option: string): string => digestOf(["scene", 1, option], sha256);
        const counted = recount(round.proposal, round.electorate, { voices, tieKey });
        const result = tally(round, castsOfScene(scene));
        const winner = counted.status === "decided" ? counted : undefined;
        expect(counted.status).toBe(result.status);
        expect(winner?.option ?? null).toBe(result.option);
        const own = result.options.find(({ option }) => option === result.option);
        expect(winner?.backers.map(({ member }) => member.id)).toEqual(own?.voters);
        winners.add(`${round.proposal.method} ${winner?.option ?? "none"}`);
      }),
      { numRuns: 4_000 },
    );
    const every = methods.flatMap((method) => ["none", "x", "y", "z"].map((option) => `${method} ${option}`));
    expect([...winners].sort()).toEqual(every.sort());
  });

  it("gives scores that rise or stay with every further supporter", () => {
    const supporter = fc.record({
      member: fc.constant(0),
      weight: fc.integer({ min: 1, max: 50 }),
      confidence: confidences,
      group: fc.constantFrom("g1", "g2", "g3"),
    });
    const round = roundOf(
      [
        { weight: 400, group: "g1" },
        { weight: 300, group: "g2" },
        { weight: 300, group: "g3" },
      ],
      { diversity: 10_000 },
    );
    const exact = ({ num, den }: Fraction): number => Number(num) / Number(den);
    fc.assert(
      fc.property(fc.array(supporter, { maxLength: 6 }), supporter, (list, more) => {
        const before = scoreOf(round, list);
        const after = scoreOf(round, [...list, more]);
        expect(exact(after)).toBeGreaterThanOrEqual(exact(before));
        expect(toBasisPoints(after)).toBeGreaterThanOrEqual(toBasisPoints(before));
      }),
      { numRuns: 1_000 },
    );
  });
});

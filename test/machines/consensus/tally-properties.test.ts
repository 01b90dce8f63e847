import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { collect, idleCollection, type CollectState } from "../../../machines/consensus/ballot/collect.ts";
import { scoreOf, toBasisPoints, type Fraction } from "../../../machines/consensus/ballot/score.ts";
import { tally } from "../../../machines/consensus/ballot/tally.ts";
import { recount } from "../../../machines/consensus/certificate/recount.ts";
import { digestOf } from "../../../machines/consensus/codec/sign-bytes.ts";
import { methods, type Choice } from "../../../machines/consensus/codec/messages.ts";
import { sha256 } from "../../../src/consensus/ed25519.ts";
import { approve, single, unsigned } from "../../consensus/council.ts";
import { bodyOf, castsOfScene, confidences, roundOf, scenes, type Scene } from "./ballot-scenes.ts";

const five = Array.from({ length: 5 }, () => ({ weight: 1 }));

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

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isOutcomeFixed } from "../../../machines/consensus/ballot/early-close.ts";
import { tally } from "../../../machines/consensus/ballot/tally.ts";
import type { Choice } from "../../../machines/consensus/codec/messages.ts";
import { abstain, approve, single } from "../../consensus/council.ts";
import { castsOfScene, roundOf, scenes, type Act, type Scene, type SceneRules } from "./ballot-scenes.ts";

function isFixed(scene: Scene, settled: readonly number[] = []): boolean {
  return isOutcomeFixed(scene.round, castsOfScene(scene), (member) => settled.includes(member));
}

function outcome(scene: Scene): string {
  const { status, option } = tally(scene.round, castsOfScene(scene));
  return `${status}/${option ?? ""}`;
}

/** Everything a member could still do: nothing, abstain, or any choice, unsure or sure. */
function replies(scene: Scene): Act[] {
  const { method, options } = scene.round.proposal;
  const ids = options.map(({ id }) => id);
  const subsets = ids.reduce<string[][]>((found, id) => [...found, ...found.map((subset) => [...subset, id])], [[]]);
  const votes: Choice[] =
    method === "single" ? ids.map((id) => single(id)) : subsets.map((subset) => approve(...subset));
  return [
    null,
    { choice: abstain, confidence: null },
    ...votes.flatMap((choice) => [0, 10_000].map((confidence) => ({ choice, confidence }))),
  ];
}

/** Every outcome the members not yet heard could bring about. */
function reachable(scene: Scene): Set<string> {
  const open = scene.acts.flatMap((act, index) => (act === null ? [index] : []));
  const found = new Set<string>();
  const visit = (place: number, acts: readonly Act[]): void => {
    const member = open[place];
    if (member === undefined) {
      found.add(outcome({ round: scene.round, acts }));
      return;
    }
    for (const reply of replies(scene)) visit(place + 1, acts.with(member, reply));
  };
  visit(0, scene.acts);
  return found;
}

const three = fc.constantFrom<SceneRules>(
  { method: "single" },
  { method: "approval", prefer: "bold" },
  { method: "single", threshold: { num: 2, den: 3, strict: true, of: "cast" } },
);

describe("closing early", () => {
  it("happens as soon as an option has its quorum and nothing bolder can pass", () => {
    const members = Array.from({ length: 5 }, () => ({ weight: 1 }));
    const vote = (choice: Choice): Act => ({ choice, confidence: null });
    const single4 = roundOf(members);
    expect(
      isFixed({ round: single4, acts: [vote(single("x")), vote(single("x")), vote(single("x")), null, null] }),
    ).toBe(false);
    expect(
      isFixed({
        round: single4,
        acts: [vote(single("x")), vote(single("x")), vote(single("x")), vote(single("x")), null],
      }),
    ).toBe(true);
    const ladder = roundOf(members, { method: "approval", prefer: "bold", options: ["x", "y"] });
    const safe = vote(approve("y"));
    const both = vote(approve("x", "y"));
    expect(isFixed({ round: ladder, acts: [both, both, both, safe, null] })).toBe(false);
    expect(isFixed({ round: ladder, acts: [both, both, safe, safe, null] })).toBe(true);
  });

  it("happens when no option can reach the quorum any more, or too few can take part", () => {
    const round = roundOf(Array.from({ length: 5 }, () => ({ weight: 1 })));
    const acts: Act[] = ["x", "x", "y", "y"].map((option) => ({ choice: single(option), confidence: null }));
    expect(isFixed({ round, acts: [...acts, null] })).toBe(true);
    expect(isFixed({ round, acts: [null, null, null, null, null] }, [0, 1])).toBe(true);
    expect(isFixed({ round, acts: [null, null, null, null, null] }, [0])).toBe(false);
  });

  it("is sound: whatever the others do afterwards, the outcome is the same", () => {
    let closed = 0;
    fc.assert(
      fc.property(scenes, (scene) => {
        const open = scene.acts.filter((act) => act === null).length;
        if (open === 0 || open > 2 || !isFixed(scene)) return;
        closed += 1;
        expect(reachable(scene).size).toBe(1);
      }),
      { numRuns: 1_500 },
    );
    expect(closed).toBeGreaterThan(50);
  });

  it("is complete where scores do not rank: it closes whenever every completion gives the same outcome", () => {
    const seen = { fixed: 0, open: 0 };
    const drawn = fc.record({
      weights: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 3, maxLength: 5 }),
      rules: three,
      picks: fc.array(fc.integer({ min: 0, max: 1_000 }), { minLength: 5, maxLength: 5 }),
      missing: fc.integer({ min: 1, max: 2 }),
    });
    fc.assert(
      fc.property(drawn, ({ weights, rules, picks, missing }) => {
        const round = roundOf(
          weights.map((weight) => ({ weight })),
          { ...rules, options: ["x", "y"] },
        );
        const possible = replies({ round, acts: [] }).filter((act) => act !== null);
        const acts = weights.map((_, index): Act =>
          index < missing ? null : (possible[(picks[index] ?? 0) % possible.length] ?? null),
        );
        const isOnly = reachable({ round, acts }).size === 1;
        expect(isFixed({ round, acts })).toBe(isOnly);
        seen[isOnly ? "fixed" : "open"] += 1;
      }),
      { numRuns: 300 },
    );
    expect(Math.min(seen.fixed, seen.open)).toBeGreaterThan(30);
  });
});

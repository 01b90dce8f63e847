import { describe, expect, it } from "vitest";
import { proposerOf } from "../../../../machines/consensus/bft/council.ts";
import { Scene } from "./scene.ts";

describe("one member among faulty others", () => {
  it("that hears two proposals of one round convicts the proposer and prevotes once (fault matrix, row 3)", () => {
    const scene = new Scene().start().propose("v").propose("w");
    expect(scene.effectsOf("reportEvidence")).toMatchObject([
      {
        evidence: {
          kind: "DuplicateProposal",
          culprits: [proposerOf(scene.council, 0)],
          statements: [{ value: "v" }, { value: "w" }],
        },
      },
    ]);
    expect(scene.effectsOf("castVote")).toEqual([]);
    expect(scene.state.phase).toBe("prevote");
    // Shown again, they are the same evidence and are not told twice.
    scene.propose("w");
    expect(scene.effectsOf("reportEvidence")).toEqual([]);
  });

  it("whose waits are always a little too short waits longer in each round (fault matrix, row 8)", () => {
    const scene = new Scene().start();
    const { proposeMs, voteMs, growthMs } = scene.council.timeouts;
    const waits: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      // Each message of the others comes just after its wait is over.
      scene.expire("propose").vote("prevote", scene.others, { round, value: null });
      expect(scene.state.phase).toBe("precommit");
      scene.vote("precommit", scene.others, { round, value: null });
      waits.push(...scene.effectsOf("setTimer").flatMap(({ kind, ms }) => (kind === "precommit" ? [ms] : [])));
      scene.expire("precommit");
      expect(scene.state.round).toBe(round + 1);
      expect(scene.effectsOf("setTimer")).toContainEqual({
        kind: "propose",
        round: round + 1,
        ms: proposeMs + growthMs * (round + 1),
      });
    }
    expect(waits).toEqual([0, 1, 2, 3, 4, 5].map((round) => voteMs + growthMs * round));
  });
});

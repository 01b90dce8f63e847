import { describe, expect, it } from "vitest";
import type { BftEvidence } from "../../../../machines/consensus/bft/evidence.ts";
import {
  countCulprits,
  explainDisagreement,
  findAmnesia,
  findEquivocations,
  isEvidenceSound,
  type Transcript,
} from "../../../../machines/consensus/bft/forensics.ts";
import type { Commit } from "../../../../machines/consensus/bft/statement.ts";
import { step } from "../../../../machines/consensus/bft/step.ts";
import { unstartedState } from "../../../../machines/consensus/bft/state.ts";
import { fine, Scene } from "./scene.ts";

const scene = new Scene();
const rules = { council: scene.council, verify: scene.notary.verify };
const isInvalid = (value: string): boolean => value.startsWith("!");

function commitOf(voters: readonly number[], about: { round: number; value: string }): Commit {
  return { ...about, votes: voters.map((voter) => scene.sign("precommit", voter, about)) };
}

function polkaOf(voters: readonly number[], about: { round: number; value: string; validRound?: number }) {
  return voters.map((voter) => scene.sign("prevote", voter, about));
}

/** What a member that heard all this knows. */
function heard(...votes: ReturnType<typeof polkaOf>): Transcript {
  let state = unstartedState(scene.council, 0);
  for (const vote of votes) [state] = step(state, { type: "status.received", from: 1, polka: [vote], entry: [] });
  return state.rounds;
}

describe("evidence", () => {
  const prevotes = [scene.sign("prevote", 1, { value: "v" }), scene.sign("prevote", 1, { value: null })] as const;
  const leaning = scene.sign("prevote", 1, { round: 2, value: "v", validRound: 0 });
  const free = scene.sign("prevote", 1, { round: 2, value: "v" });

  it("of double votes holds for two contents of one place, and the valid round is content", () => {
    const [found] = findEquivocations(heard(...prevotes));
    expect(found).toMatchObject({ kind: "DuplicatePrevote", culprits: [1] });
    expect(isEvidenceSound(found as BftEvidence, rules, isInvalid)).toBe(true);
    const [second] = findEquivocations(heard(leaning, free));
    expect(isEvidenceSound(second as BftEvidence, rules, isInvalid)).toBe(true);
  });

  it("of double votes is refused for one content, two places, another culprit or a bad signature", () => {
    const [first, second] = prevotes;
    const later = scene.sign("prevote", 1, { round: 1, value: "w" });
    const base = { kind: "DuplicatePrevote", culprits: [1] } as const;
    for (const evidence of [
      { ...base, statements: [first, first] },
      { ...base, statements: [first, later] },
      { ...base, culprits: [2], statements: [first, second] },
      { ...base, kind: "DuplicatePrecommit", statements: [first, second] },
      { ...base, statements: [first, { ...second, value: "w" }] },
      { ...base, statements: [first, scene.sign("precommit", 1, { value: "w" })] },
    ] as BftEvidence[]) {
      expect(isEvidenceSound(evidence, rules, isInvalid)).toBe(false);
    }
  });

  it("of a proposal out of turn holds only for a member whose turn it was not", () => {
    const right = scene.proposal("v");
    const wrong = scene.proposal("v", { voter: (right.voter + 1) % 4 });
    const evidence = { kind: "WrongProposer", culprits: [wrong.voter], statements: [wrong] } as const;
    expect(isEvidenceSound(evidence, rules, isInvalid)).toBe(true);
    const slander = { kind: "WrongProposer", culprits: [right.voter], statements: [right] } as const;
    expect(isEvidenceSound(slander, rules, isInvalid)).toBe(false);
  });

  it("of a vote for an invalid value is told by the core, before or after it learns the value", () => {
    const vote = scene.sign("prevote", 1, { value: "!v" });
    const late = new Scene();
    late.start().tell({ type: "vote.received", vote });
    late.tell({ type: "value.learned", value: "!v", judgement: { ...fine, isValid: false } });
    const [told] = late.effectsOf("reportEvidence");
    expect(told?.evidence).toEqual({ kind: "InvalidVote", culprits: [1], statements: [vote] });
    expect(isEvidenceSound(told?.evidence as BftEvidence, rules, isInvalid)).toBe(true);
    expect(isEvidenceSound(told?.evidence as BftEvidence, rules, () => false)).toBe(false);
    const early = new Scene();
    early.start().tell({ type: "value.learned", value: "!v", judgement: { ...fine, isValid: false } });
    expect(early.tell({ type: "vote.received", vote }).effectsOf("reportEvidence")).toHaveLength(1);
  });
});

describe("forensics of a disagreement", () => {
  it("in one round convicts whoever precommitted both values", () => {
    const commits = [
      commitOf([0, 1, 2], { round: 0, value: "v" }),
      commitOf([1, 2, 3], { round: 0, value: "w" }),
    ] as const;
    const found = explainDisagreement(scene.council, commits, []);
    expect(countCulprits(scene.council, found)).toEqual({ members: [1, 2], weight: 2 });
    for (const evidence of found) expect(isEvidenceSound(evidence, rules, isInvalid)).toBe(true);
  });

  it("across rounds convicts whoever forgot its lock, in whichever order the commits come", () => {
    const commits = [
      commitOf([0, 1, 2], { round: 0, value: "v" }),
      commitOf([1, 2, 3], { round: 2, value: "w" }),
    ] as const;
    const transcript = heard(...polkaOf([1, 2, 3], { round: 2, value: "w" }));
    for (const order of [commits, [commits[1], commits[0]] as const]) {
      const found = explainDisagreement(scene.council, order, [transcript]);
      expect(found).toMatchObject([{ kind: "Amnesia", culprits: [1, 2] }]);
      for (const evidence of found) expect(isEvidenceSound(evidence, rules, isInvalid)).toBe(true);
    }
  });

  it("pairwiseAmnesiaFrames: only the next polka convicts; a later one would accuse a member that moved its lock", () => {
    const commits = [
      commitOf([0, 1, 2], { round: 0, value: "v" }),
      commitOf([0, 1, 3], { round: 3, value: "w" }),
    ] as const;
    const transcript = heard(
      ...polkaOf([1, 2, 3], { round: 1, value: "w" }),
      ...polkaOf([0, 2, 3], { round: 2, value: "w", validRound: 1 }),
      ...polkaOf([0, 1, 3], { round: 3, value: "w" }),
    );
    // Member 0 saw the polka of round 1, moved its lock in round 2, and in round 3 voted for what it was locked on.
    expect(findAmnesia(scene.council, commits, transcript)?.culprits).toEqual([1, 2]);
    const framing = findAmnesia(
      scene.council,
      commits,
      transcript.filter(({ round }) => round !== 1 && round !== 2),
    );
    expect(framing?.culprits, "without everybody's votes the rule would be wrong").toContain(0);
  });

  it("accuses nobody of amnesia where the next polka leans on one since the commit", () => {
    const commits = [
      commitOf([0, 1, 2], { round: 0, value: "v" }),
      commitOf([1, 2, 3], { round: 3, value: "w" }),
    ] as const;
    const transcript = heard(...polkaOf([1, 2, 3], { round: 3, value: "w", validRound: 2 }));
    expect(findAmnesia(scene.council, commits, transcript)).toBeUndefined();
  });

  it("refuses evidence of amnesia that names others, or whose quorums are not whole", () => {
    const commit = commitOf([0, 1, 2], { round: 0, value: "v" }).votes;
    const polka = polkaOf([1, 2, 3], { round: 2, value: "w" });
    const sound = { kind: "Amnesia", culprits: [1, 2], commit, polka } as const;
    expect(isEvidenceSound(sound, rules, isInvalid)).toBe(true);
    for (const evidence of [
      { ...sound, culprits: [1, 2, 3] },
      { ...sound, culprits: [1] },
      { ...sound, commit: commit.slice(1) },
      { ...sound, polka: polka.slice(1) },
      { ...sound, polka: polkaOf([1, 2, 3], { round: 2, value: "w", validRound: 1 }) },
      { ...sound, polka: polkaOf([1, 2, 3], { round: 2, value: "v" }) },
    ]) {
      expect(isEvidenceSound(evidence, rules, isInvalid)).toBe(false);
    }
  });
});

import { describe, expect, it } from "vitest";
import { admitMessage, isQuorum, type BftRow } from "../../../../machines/consensus/bft/admission.ts";
import { proposerOf } from "../../../../machines/consensus/bft/council.ts";
import type { BftMessage } from "../../../../machines/consensus/bft/messages.ts";
import type { Proposal, Vote } from "../../../../machines/consensus/bft/statement.ts";
import { Scene } from "./scene.ts";

const scene = new Scene();
const rules = { council: scene.council, verify: scene.notary.verify };
const [a = 0, b = 0, c = 0] = scene.others;

function rowOf(message: BftMessage): BftRow {
  return admitMessage(message, rules).row;
}

function rowOfVote(change: Partial<Vote>): BftRow {
  const { sig: _, ...content } = scene.sign("prevote", a, { round: 2, value: "v" });
  return rowOf({ type: "vote", vote: scene.notary.sign<Vote>({ ...content, ...change }) });
}

describe("admission of votes (fault matrix, rows 9 to 13)", () => {
  it("takes a vote whose scope, round and signature are right", () => {
    expect(rowOfVote({})).toBe("admitted");
    expect(rowOfVote({ value: null })).toBe("admitted");
    expect(rowOfVote({ validRound: 1 })).toBe("admitted");
  });

  it.each([
    ["a replay from another decision", { decision: "other" }, "stale"],
    ["a replay from another electorate", { electorate: "other" }, "stale"],
    ["a phantom member", { voter: 9 }, "unknownVoter"],
    ["a round below zero", { round: -1 }, "malformed"],
    ["a round beyond the last", { round: 10_000 }, "malformed"],
    ["a valid round that is not earlier", { validRound: 2 }, "malformed"],
    ["a nil vote that leans on a polka", { value: null, validRound: 1 }, "malformed"],
    ["a precommit that leans on a polka", { kind: "precommit", validRound: 1 }, "malformed"],
  ] as const)("refuses %s", (_what, change, row) => {
    expect(rowOfVote(change)).toBe(row);
  });

  it("refuses a vote whose content is not the one that was signed, in each of its fields", () => {
    const vote = scene.sign("prevote", a, { round: 2, value: "v" });
    const changes: Partial<Vote>[] = [{ voter: b }, { round: 1 }, { value: "w" }, { value: null }, { validRound: 0 }];
    for (const change of [...changes, { kind: "precommit" } as const, { sig: "s999" }]) {
      expect(rowOf({ type: "vote", vote: { ...vote, ...change } })).toBe("forged");
    }
  });
});

describe("admission of proposals", () => {
  const polka = scene.polka("v");

  it("takes the right proposer's one, alone or with its whole polka", () => {
    expect(rowOf({ type: "proposal", proposal: scene.proposal("v"), polka: [] })).toBe("admitted");
    expect(rowOf({ type: "proposal", proposal: scene.proposal("v", { round: 1, validRound: 0 }), polka })).toBe(
      "admitted",
    );
  });

  it("nilValueLivelock: drops a proposal of nil, so that nobody can ever lock it", () => {
    const nil = { ...scene.proposal("v"), value: null };
    expect(rowOf({ type: "proposal", proposal: nil, polka: [] })).toBe("malformed");
  });

  it("turns a proposal out of turn into evidence", () => {
    const voter = scene.others.find((member) => member !== proposerOf(scene.council, 0)) ?? 0;
    const { row, evidence } = admitMessage(
      { type: "proposal", proposal: scene.proposal("v", { voter }), polka: [] },
      rules,
    );
    expect(row).toBe("wrongProposer");
    expect(evidence).toMatchObject({ kind: "WrongProposer", culprits: [voter] });
  });

  it("refuses a polka that is not about this value and round", () => {
    const proposal = (about: object): Proposal => scene.proposal("v", { round: 2, validRound: 0, ...about });
    expect(rowOf({ type: "proposal", proposal: proposal({ validRound: 1 }), polka })).toBe("badCertificate");
    expect(rowOf({ type: "proposal", proposal: proposal({}), polka: scene.polka("w") })).toBe("badCertificate");
    expect(rowOf({ type: "proposal", proposal: proposal({}), polka: polka.slice(1) })).toBe("badCertificate");
  });
});

describe("certificates", () => {
  const votes = [a, b, c].map((voter) => scene.sign("precommit", voter, { value: "v" }));
  const wanted = { kind: "precommit", round: 0, value: "v" } as const;

  it("hold as a whole quorum in ascending order", () => {
    expect(isQuorum(votes, wanted, rules)).toBe(true);
    expect(rowOf({ type: "commit", commit: { round: 0, value: "v", votes } })).toBe("admitted");
  });

  it.each([
    ["one vote short", votes.slice(1)],
    ["unsorted", votes.toReversed()],
    ["a member twice", [votes[0], votes[0], votes[1], votes[2]]],
    ["a vote of another round", [votes[0], votes[1], scene.sign("precommit", c, { round: 1, value: "v" })]],
    ["a vote for another value", [votes[0], votes[1], scene.sign("precommit", c, { value: "w" })]],
    ["a prevote among them", [votes[0], votes[1], scene.sign("prevote", c, { value: "v" })]],
    ["a forged vote", [votes[0], votes[1], { ...votes[2], sig: votes[0]?.sig }]],
    ["nothing", []],
  ])("are refused: %s", (_what, given) => {
    expect(isQuorum(given as Vote[], wanted, rules)).toBe(false);
    expect(rowOf({ type: "commit", commit: { round: 0, value: "v", votes: given as Vote[] } })).toBe("badCertificate");
  });

  it("need more than two thirds where the weight divides by three", () => {
    const thirds = new Scene([1, 1, 1, 1, 1, 1], 0);
    const of = (voters: number[]): Vote[] => voters.map((voter) => thirds.sign("precommit", voter, { value: "v" }));
    const given = { council: thirds.council, verify: thirds.notary.verify };
    expect(isQuorum(of([0, 1, 2, 3]), wanted, given)).toBe(false);
    expect(isQuorum(of([0, 1, 2, 3, 4]), wanted, given)).toBe(true);
  });

  it("are checked in a status too: a polka as a whole, entry votes one by one", () => {
    const status = (polka: Vote[], entry: Vote[] = []): BftRow =>
      rowOf({ type: "status", from: a, round: 1, polka, entry });
    expect(status([], [])).toBe("admitted");
    expect(status(scene.polka("v"), votes)).toBe("admitted");
    expect(status(scene.polka("v").slice(1))).toBe("badCertificate");
    expect(status(scene.others.map((voter) => scene.sign("prevote", voter, { value: null })))).toBe("malformed");
    expect(
      status(
        [],
        votes.map((vote) => ({ ...vote, round: 3 })),
      ),
    ).toBe("forged");
    expect(rowOf({ type: "transcript", votes: votes.map((vote) => ({ ...vote, value: "w" })) })).toBe("forged");
  });
});

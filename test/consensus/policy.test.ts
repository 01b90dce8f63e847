import { describe, expect, it } from "vitest";
import type { DecideRequest } from "../../src/consensus/decide.ts";
import { analyzeElectorate, capWeights, defineElectorate } from "../../src/consensus/electorate.ts";
import { signBallot } from "../../src/consensus/ballot.ts";
import { signProposal } from "../../src/consensus/proposal.ts";
import { verifyCertificate } from "../../src/consensus/verify.ts";
import { convene, coordinatorSigner, equals, memberWithKey } from "./council.ts";
import { opinionOf, openRoom, voterOf } from "./panel.ts";

const five = (): DecideRequest["voters"] => ["a", "b", "c", "d", "e"].map((name) => voterOf(name, opinionOf("x")));

describe("a broken contract", () => {
  const cases: [string, Partial<DecideRequest>, string, string][] = [
    ["no voters", { voters: [] }, "usage/invalid-electorate", "at least one voter"],
    ["the same voter twice", { voters: [...five(), ...five()] }, "usage/invalid-electorate", "listed twice"],
    [
      "a claim beyond the bounds",
      { maxFaultyWeight: 2 },
      "usage/invalid-policy",
      "F_safe = 2, F_live = 1. Claim at most 1",
    ],
    ["a negative claim", { maxFaultyWeight: -1 }, "usage/invalid-policy", "maxFaultyWeight"],
    ["a threshold that is none", { threshold: "most" }, "usage/invalid-policy", "threshold"],
    ["a threshold that cannot be reached", { threshold: ">1/1" }, "usage/invalid-policy", "never be reached"],
    [
      "participation of cast weight",
      { participation: { num: 1, den: 2, of: "cast" } },
      "usage/invalid-policy",
      "registered",
    ],
    ["more ballots than voters", { minBallots: 6 }, "usage/invalid-policy", "minBallots"],
    ["a confidence above one", { confidence: { gate: 70 } }, "usage/invalid-policy", "confidence.gate"],
    ["no time to vote", { timeoutMs: 0 }, "usage/invalid-policy", "timeoutMs"],
    ["a mode that is not offered", { mode: "paxos" as never }, "usage/invalid-options", "mode"],
    [
      "a rule that nobody would apply",
      { silence: "abstains" } as never,
      "usage/invalid-options",
      "silence: no such option",
    ],
    ["an unknown secrecy", { secrecy: "whispered" as never }, "usage/invalid-policy", "sealed"],
    ["an unknown close", { close: "never" as never }, "usage/invalid-policy", "close"],
    ["an unknown method", { method: "borda" as never }, "usage/invalid-policy", "single, approval"],
    ["an unknown preference", { prefer: "loud" as never }, "usage/invalid-policy", "score, bold"],
    ["a default that is no option", { defaultOption: "w" }, "usage/invalid-policy", "defaultOption"],
    ["options that repeat", { options: ["x", "x"] }, "usage/invalid-policy", "listed twice"],
    ["no options", { options: [] }, "usage/invalid-options", "options"],
    ["an option called abstain", { options: ["x", "abstain"] }, "usage/invalid-options", "abstain"],
    [
      "an option that JSON cannot carry",
      { options: [{ id: "x", payload: Number.NaN }] },
      "usage/invalid-options",
      "options.0/payload",
    ],
    ["a question that is too long", { question: "?".repeat(20_001) }, "usage/invalid-options", "question"],
    [
      "a cap that cannot be kept",
      { voters: five().slice(0, 3), diversity: { groupCap: "1/3" } },
      "usage/invalid-electorate",
      "at least 4 groups",
    ],
  ];

  it.each(cases)("(%s) throws before anybody is asked, and says what to mend", async (_, change, code, words) => {
    await expect(openRoom().decide({ voters: five(), ...change })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(words),
    });
  });
});

describe("electorates", () => {
  it("are analysed by any threshold", () => {
    expect(analyzeElectorate(equals(5).map(({ id }) => ({ id, weight: 1 })))).toMatchObject({
      W: 5,
      q: 4,
      fSafe: 2,
      fLive: 1,
      deciders: [],
      vetoers: [],
    });
    expect(analyzeElectorate([{ id: "a", weight: 1 }], { threshold: "1/2" })).toMatchObject({
      deciders: ["a"],
      vetoers: ["a"],
    });
    expect(() => analyzeElectorate([], { threshold: "x" })).toThrow(
      expect.objectContaining({ code: "usage/invalid-policy" }),
    );
  });

  it("are capped, keeping everything else of a member", () => {
    const members = [10, 1, 1, 1, 1].map((weight, index) => ({ id: `v${index}`, weight, note: index }));
    expect(capWeights(members, "1/3")).toEqual(
      [1_999, 1_000, 1_000, 1_000, 1_000].map((weight, index) => ({ id: `v${index}`, weight, note: index })),
    );
    expect(() => capWeights(members.slice(0, 3), "1/3")).toThrow(
      expect.objectContaining({ code: "usage/invalid-electorate", data: { reason: "OVER_CAP" } }),
    );
  });

  it("are refused with a reason", () => {
    const { member } = memberWithKey({ id: "a" });
    expect(() => defineElectorate([member, { ...member, id: "b" }])).toThrow(
      expect.objectContaining({ code: "usage/invalid-electorate", data: { reason: "DUPLICATE_KEY" } }),
    );
  });

  it("are frozen with capped groups in a decision: one crowded group cannot decide alone", async () => {
    const crowd = ["a", "b", "c", "d", "e", "f"].map((id) => voterOf({ id, group: "crowd" }, opinionOf("x")));
    const rest = ["g", "h", "i"].map((id) => voterOf({ id, group: id }, opinionOf("y")));
    const free = await openRoom().decide({
      voters: [...crowd, ...rest],
      method: "single",
      threshold: "2/3",
      close: "all",
    });
    expect(free).toMatchObject({ status: "decided", option: "x" });
    const capped = await openRoom().decide({
      voters: [...crowd, ...rest],
      method: "single",
      threshold: "2/3",
      diversity: { groupCap: "1/3" },
      close: "all",
    });
    expect(capped).toMatchObject({ status: "decided", option: "y" });
    expect(verifyCertificate(capped.certificate, capped.electorate)).toMatchObject({
      ok: true,
      option: "y",
      weight: 3_000,
    });
  });

  it("warn where they are weak", async () => {
    const voters = [
      voterOf({ id: "a", weight: 8, group: "g", host: "h" }, opinionOf("x")),
      ...["b", "c"].map((id) => voterOf({ id, host: "h" }, opinionOf("x"))),
    ];
    const decision = await openRoom().decide({ voters, close: "all", threshold: { num: 1, den: 2, of: "cast" } });
    expect(decision.assumptions.warnings.map(({ code }) => code)).toEqual([
      "decider",
      "vetoer",
      "group-over-cap",
      "host-over-cap",
      "threshold-of-cast",
      "two-may-pass",
    ]);
    const message = decision.assumptions.warnings.find(({ code }) => code === "threshold-of-cast")?.message;
    expect(message).toContain("as little as 4 of 10");
  });
});

describe("signing by hand", () => {
  it("gives ballots that a round admits", async () => {
    const { electorate, signers, round } = await convene(equals(2), { method: "approval" });
    const proposal = await signProposal(
      { decisionId: "d", question: "?", options: ["x", "y"], electorate, closesAt: 10, method: "approval" },
      coordinatorSigner,
    );
    const ballot = await signBallot(
      { proposal, voter: "a", choice: "x", confidence: 0.5, reasoning: "because" },
      signers.get("a")!,
    );
    expect(ballot.body).toMatchObject({
      voter: "a",
      choice: { kind: "approval", options: ["x"] },
      confidence: 5_000,
      electorateDigest: round.electorateDigest,
    });
    expect((await signBallot({ proposal, voter: "a", choice: null }, signers.get("a")!)).body).toMatchObject({
      choice: { kind: "abstain" },
      confidence: null,
    });
    expect((await signBallot({ proposal, voter: "a", choice: ["x", "y"] }, signers.get("a")!)).body.choice).toEqual({
      kind: "approval",
      options: ["x", "y"],
    });
    const single = await signProposal(
      { question: "?", options: ["x", "y"], electorate, closesAt: 10 },
      coordinatorSigner,
    );
    const refused = [
      { proposal, voter: "a", choice: "w" },
      { proposal, voter: "a", choice: ["x", "x"] },
      { proposal: single, voter: "a", choice: ["x"] },
      { proposal, voter: "a b", choice: "x" },
      { proposal, voter: "a", choice: "x", confidence: 2 },
    ];
    for (const options of refused) {
      await expect(signBallot(options, signers.get("a")!)).rejects.toMatchObject({ code: "usage/invalid-options" });
    }
  });
});

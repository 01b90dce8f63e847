import {
  createTroupe,
  decisionQuestion,
  defineAgent,
  makeEquivocate,
  opinion,
  opinionCapability,
  renderDecision,
  verifyCertificate,
  verifyEvidence,
  type AgentDefinition,
  type Decision,
} from "troupe";
import { FakeClock } from "troupe/testing";
import { describe, expect, it } from "vitest";

const ballotMs = 30_000;
/** Long enough for the ballots and for whatever rounds the agreement takes. */
const agreedMs = 120_000;

/** A real agent that holds one opinion, with what it does instead of answering where it is faulty. */
function panelist(name: string, recommendation: string, fault?: "crash" | "silence"): AgentDefinition {
  return defineAgent({
    name,
    capabilities: {
      [opinionCapability]: {
        input: decisionQuestion,
        output: opinion,
        async run({ signal }) {
          if (fault === "crash") throw new Error("the judge fell over");
          if (fault === "silence")
            await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
          return { recommendation, confidence: 0.8, reasoning: `${name} says ${recommendation}.` };
        },
      },
    },
  });
}

const seats: readonly AgentDefinition[] = [
  panelist("liar", "canary"),
  panelist("sleeper", "canary", "silence"),
  panelist("wreck", "canary", "crash"),
  panelist("ops", "canary"),
  panelist("security", "canary"),
  panelist("ux", "canary"),
  panelist("sales", "canary"),
];

/** A panel of seven real agents: one lies, one is silent, one crashes. Weights are in the order of the seats. */
async function holdPanel(
  weights: readonly number[],
  seated: readonly AgentDefinition[] = seats,
  rules: { readonly threshold?: string; readonly mode?: "ballot" | "bft" } = {},
): Promise<Decision> {
  const { threshold = ">1/2", mode = "ballot" } = rules;
  const clock = new FakeClock();
  await using troupe = await createTroupe({ ports: { clock } });
  const refs = (
    await Promise.all(seated.map((seat, index) => troupe.spawn(seat, { weight: weights[index] ?? 1 })))
  ).flat();
  const voters = refs.map((ref, index) => (index === 0 ? makeEquivocate(troupe.voter(ref)) : ref));
  const deciding = troupe.decide({
    question: "Which rollout?",
    options: ["big-bang", "canary"],
    voters,
    mode,
    method: "single",
    threshold,
    participation: threshold,
    close: "all",
    timeoutMs: ballotMs,
  });
  await clock.advance(agreedMs);
  return await deciding;
}

describe("a panel of seven agents, of whom one lies, one is silent and one crashes", () => {
  it("decides with the weight of the honest four, proves the lie and tells the absences apart", async () => {
    const decision = await holdPanel([1, 1, 1, 1, 1, 1, 1]);
    expect(decision).toMatchObject({ status: "decided", option: "canary" });
    expect(decision.tally).toMatchObject({ quorum: 4, participating: 4, voided: 1, absent: 2 });
    expect(decision.absent.map(({ voter, reason }) => [voter, reason])).toEqual([
      ["sleeper/1", "silent"],
      ["wreck/1", "failed"],
    ]);
    expect(decision.absent[1]?.failure?.code).toBe("agent/crashed");
    expect(decision.evidence).toHaveLength(1);
    expect(verifyEvidence(decision.evidence[0], decision.electorate)).toEqual({ ok: true, voter: "liar/1" });
    expect(verifyCertificate(decision.certificate, decision.electorate)).toEqual({
      ok: true,
      option: "canary",
      weight: 4,
      members: ["ops/1", "sales/1", "security/1", "ux/1"],
    });
    const page = renderDecision(decision);
    for (const words of ["VOID: cast two different ballots", "silent", "the judge fell over", "DECIDED: canary"])
      expect(page).toContain(words);
  });

  it("decides at two thirds too, as long as the three hold no more than F_live", async () => {
    const decision = await holdPanel([1, 1, 1, 2, 2, 2, 2], seats, { threshold: ">2/3" });
    expect(decision).toMatchObject({ status: "decided", option: "canary", tally: { quorum: 8, participating: 8 } });
    expect(decision.assumptions).toMatchObject({ fSafe: 4, fLive: 3, faulty: 3 });
    expect(verifyCertificate(decision.certificate, decision.electorate)).toMatchObject({ ok: true, weight: 8 });
  });

  it("decides nothing where the three hold more than F_live, and never what the liar wants", async () => {
    const decision = await holdPanel([2, 2, 2, 1, 1, 1, 1]);
    expect(decision).toMatchObject({ status: "no-quorum", option: null, certificate: null });
    expect(decision.assumptions.warnings.map(({ code }) => code)).toContain("beyond-f-live");
    expect(decision.evidence).toMatchObject([{ kind: "DuplicateBallot", voter: "liar/1" }]);
  });

  it("is not turned by the lie where the honest are split", async () => {
    const split = seats.with(6, panelist("sales", "big-bang"));
    const decision = await holdPanel([1, 1, 1, 1, 1, 1, 1], split);
    expect(decision).toMatchObject({ status: "no-majority", option: null });
    expect(decision.tally.options.map(({ support }) => support)).toEqual([1, 3]);
  });
});

describe("the same panel in mode bft", () => {
  it("agrees on the honest four's option, convicts the liar twice over and certifies it", async () => {
    const decision = await holdPanel([1, 1, 1, 1, 1, 1, 1], seats, { mode: "bft" });
    expect(decision).toMatchObject({ status: "decided", option: "canary", assumptions: { q: 5, fSafe: 2, fLive: 2 } });
    expect(decision.tally).toMatchObject({ quorum: 4, participating: 4, voided: 1, absent: 2 });
    expect(decision.absent.map(({ voter, reason }) => [voter, reason])).toEqual([
      ["sleeper/1", "silent"],
      ["wreck/1", "failed"],
    ]);
    const check = verifyCertificate(decision.certificate, decision.electorate);
    expect(check).toMatchObject({ ok: true, option: "canary", weight: 4, agreed: { status: "decided" } });
    const kinds = new Set(decision.evidence.map(({ kind }) => kind));
    expect(kinds).toContain("DuplicateBallot");
    expect(kinds.size).toBeGreaterThan(1);
    for (const evidence of decision.evidence) {
      const names = evidence.kind === "DuplicateBallot" ? [evidence.voter] : evidence.culprits;
      expect(names).toEqual(["liar/1"]);
      expect(verifyEvidence(evidence, decision.electorate).ok).toBe(true);
    }
    expect(renderDecision(decision)).toContain("liar/1 signed two different");
  });

  it("decides at two thirds too, as long as the three hold no more than F_live", async () => {
    const decision = await holdPanel([1, 1, 1, 2, 2, 2, 2], seats, { mode: "bft", threshold: ">2/3" });
    expect(decision).toMatchObject({ status: "decided", option: "canary", tally: { quorum: 8, participating: 8 } });
    expect(verifyCertificate(decision.certificate, decision.electorate)).toMatchObject({ ok: true, weight: 8 });
  });

  it("decides nothing, and certifies nothing, where the three hold more", async () => {
    const decision = await holdPanel([2, 2, 2, 1, 1, 1, 1], seats, { mode: "bft" });
    expect(decision).toMatchObject({ status: "no-quorum", option: null, certificate: null });
    expect(decision.evidence).toMatchObject([{ kind: "DuplicateBallot", voter: "liar/1" }]);
  });
});

import { describe, expect, it } from "vitest";
import type { CoordinatorEquivocation } from "../../machines/consensus/certificate/evidence.ts";
import type { DecisionQuestion } from "../../src/consensus/opinion/opinion.ts";
import { renderDecision } from "../../src/consensus/report.ts";
import { signBallotBody, signClosing, signProposalBody } from "../../src/consensus/signing.ts";
import { verifyCertificate, verifyEvidence } from "../../src/consensus/verify.ts";
import { joinAsParticipant } from "../../src/consensus/participant/participant.ts";
import { type Invitation, type Participant, type Voter } from "../../src/consensus/voter.ts";
import { coordinatorSigner, convene, conclude, equals, single } from "./council.ts";
import { openRoom, opinionOf, voterOf } from "./panel.ts";

const soft = { id: "soft-launch", description: "Launch to one country first." };

/** A voter that wants a new option: it proposes it, and chooses it as soon as it is on the list. */
function wishing(id: string, first: string, wish = soft): Voter {
  return voterOf(id, async (question: DecisionQuestion) => {
    const isOffered = question.options.some((option) => option.id === wish.id);
    return { ok: true, value: opinionOf(isOffered ? wish.id : first, { alternatives: isOffered ? [] : [wish] }) };
  });
}

const four = [wishing("a", "x"), wishing("b", "x"), wishing("c", "y"), voterOf("d", opinionOf("y"))];
const rules = { options: ["x", "y"], onAlternatives: "next-round", close: "all" } as const;

describe("rounds", () => {
  it("put an alternative on the list when more than the faulty weight proposes it, and decide for it", async () => {
    const room = openRoom();
    const decision = await room.decide({ ...rules, voters: four });
    expect(decision).toMatchObject({
      status: "decided",
      option: "soft-launch",
      round: 2,
      earlier: [{ round: 1, status: "no-majority" }],
      metrics: { rounds: 2, verifies: 8, signs: 4 },
    });
    expect(decision.proposal.body.options.map(({ id }) => id)).toEqual(["x", "y", "soft-launch"]);
    expect(decision.proposal.body.method).toBe("single");
    expect(verifyCertificate(decision.certificate, decision.electorate)).toMatchObject({ ok: true, weight: 3 });
    expect(renderDecision(decision)).toContain("round 1: no-majority");
  });

  it("end after maxRounds, at the first decision, or when nothing new is endorsed", async () => {
    const room = openRoom();
    const rounds = async (request: Parameters<typeof room.decide>[0]): Promise<number> =>
      (await room.decide(request)).metrics.rounds;
    expect(await rounds({ ...rules, voters: four, maxRounds: 1 })).toBe(1);
    expect(await rounds({ ...rules, voters: four, onAlternatives: "report" })).toBe(1);
    expect(await rounds({ ...rules, voters: [wishing("a", "x"), wishing("b", "x"), wishing("c", "x")] })).toBe(1);
    // One proposer of four is no more than F = 1: it may be a liar.
    const alone = [wishing("a", "x"), voterOf("b", opinionOf("x")), voterOf("c", opinionOf("y"))];
    expect(await rounds({ ...rules, voters: [...alone, voterOf("d", opinionOf("y"))] })).toBe(1);
    let count = 0;
    const restless = (id: string, choice: string): Voter =>
      voterOf(id, async (question: DecisionQuestion) => {
        count = question.options.length;
        const wish = { id: `idea-${count}`, description: "Another one." };
        return { ok: true, value: opinionOf(choice, { alternatives: [wish] }) };
      });
    const never = [restless("a", "x"), restless("b", "x"), restless("c", "y"), restless("d", "y")];
    expect(await rounds({ ...rules, voters: never, maxRounds: 5 })).toBe(5);
    expect(count).toBe(6);
  });

  it("do not let one voter put other words under an id that many endorse", async () => {
    const room = openRoom();
    const liar = wishing("a", "x", { id: soft.id, description: "Launch everywhere." });
    const decision = await room.decide({ ...rules, voters: [liar, ...four.slice(1), wishing("e", "y")], maxRounds: 1 });
    expect(decision.alternatives.map(({ description, weight }) => [description, weight])).toEqual([
      [soft.description, 3],
      ["Launch everywhere.", 1],
    ]);
  });

  it("void the ballots of the round before", async () => {
    const council = await convene(equals(4), { method: "single" });
    const next = await convene(equals(4), { method: "single", round: 2 });
    const old = await council.sign(council.body("a", single("x")));
    await expect(conclude(next, [old])).rejects.toThrow("stale");
  });

  it.each([
    ["maxRounds", { maxRounds: 0 }],
    ["maxRounds", { maxRounds: 2.5 }],
    ["onAlternatives", { onAlternatives: "vote" as "report" }],
  ])("refuse a policy whose %s cannot be", async (field, more) => {
    await expect(openRoom().decide({ ...rules, voters: four, ...more })).rejects.toThrow(field);
  });
});

/** What a coordinator sends to participants in two rounds, as they see it. */
async function invitations(): Promise<{ participants: Participant[]; sent: Invitation[] }> {
  const sent: Invitation[] = [];
  const participants = four.map((voter, index): Participant => {
    const participant = joinAsParticipant(voter);
    return {
      member: participant.member,
      vote: async (invitation, context) => {
        if (index === 0) sent.push(JSON.parse(JSON.stringify(invitation)) as Invitation);
        return await participant.vote(invitation, context);
      },
    };
  });
  const decision = await openRoom().decide({ ...rules, voters: participants, secrecy: "open" });
  expect(decision.option).toBe("soft-launch");
  return { participants, sent };
}

const quiet = { signal: new AbortController().signal };

describe("a voter behind messages", () => {
  it("votes in a second round only with the signed closing of the first in hand", async () => {
    const { sent } = await invitations();
    const [first, second] = sent;
    if (first === undefined || second?.previous === undefined) throw new Error("there were two rounds");
    const refusal = async (invitation: Invitation): Promise<string> => {
      const outcome = await joinAsParticipant(four[0]!).vote(invitation, quiet);
      return outcome.ok ? "voted" : outcome.failure.message;
    };
    expect(await refusal(second)).toBe("voted");
    const { previous: _gone, ...bare } = second;
    expect(await refusal(bare)).toContain("without the signed closing of round 1");
    const { closing } = second.previous;
    const forged = { ...closing, body: { ...closing.body, voided: [], status: "no-quorum" as const } };
    expect(await refusal({ ...second, previous: { ...second.previous, closing: forged } })).toContain("not signed");
    const decided = await signClosing({ ...closing.body, status: "decided", option: "x" }, coordinatorSigner);
    expect(await refusal({ ...second, previous: { ...second.previous, closing: decided } })).toContain("decided");
    const other = await signProposalBody({ ...first.proposal.body, decisionId: "other" }, coordinatorSigner);
    expect(await refusal({ ...second, previous: { ...second.previous, proposal: other } })).toContain("another");
  });

  it("gives the same answer when it is asked again, and proof when the coordinator asks something else", async () => {
    const { sent } = await invitations();
    const [first] = sent;
    if (first === undefined) throw new Error("there was a round");
    let calls = 0;
    const fickle = joinAsParticipant({
      ...four[0]!,
      opine: async () => ({ ok: true, value: opinionOf((calls += 1) === 1 ? "x" : "y") }),
    });
    const votes = [await fickle.vote(first, quiet), await fickle.vote(first, quiet)];
    expect(votes[0]).toEqual(votes[1]);
    expect(calls).toBe(1);
    const changed = await signProposalBody({ ...first.proposal.body, minBallots: 2 }, coordinatorSigner);
    const outcome = await fickle.vote({ ...first, proposal: changed }, quiet);
    if (outcome.ok) throw new Error("it must refuse");
    const evidence = outcome.failure.data["evidence"] as unknown as CoordinatorEquivocation;
    const coordinator = first.proposal.body.coordinator;
    expect(verifyEvidence(evidence, first.electorate)).toEqual({ ok: true, coordinator });
  });

  it("refuses whatever is no invitation, and goes on", async () => {
    const { sent } = await invitations();
    const [first] = sent;
    if (first === undefined) throw new Error("there was a round");
    const participant = joinAsParticipant(four[0]!);
    const { question: _question, ...questionless } = first;
    const strange = [
      null,
      "vote!",
      {},
      questionless,
      { ...first, question: null },
      { ...first, question: { ...first.question, options: 7 } },
      { ...first, proposal: [] },
      { ...first, electorate: { members: null } },
    ];
    for (const each of strange) {
      const outcome = await participant.vote(each as Invitation, quiet);
      expect(outcome, JSON.stringify(each)).toMatchObject({ ok: false, failure: { code: "consensus/bad-proposal" } });
    }
    expect(await participant.vote(first, quiet)).toMatchObject({ ok: true });
  });

  it("works on its answer as long as one of those who asked waits for it, and then may be asked anew", async () => {
    const { sent } = await invitations();
    const [first] = sent;
    if (first === undefined) throw new Error("there was a round");
    const works: AbortSignal[] = [];
    const slow = joinAsParticipant({
      ...four[0]!,
      opine: (_question, { signal }) => {
        works.push(signal);
        const late = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        return works.length > 1
          ? Promise.resolve({ ok: true, value: opinionOf("y") })
          : late.then(() => ({ ok: true, value: opinionOf("x") }));
      },
    });
    const [one, other] = [new AbortController(), new AbortController()];
    const votes = [slow.vote(first, one), slow.vote(first, other)];
    one.abort();
    expect(works.map(({ aborted }) => aborted)).toEqual([false]);
    other.abort();
    expect(works.map(({ aborted }) => aborted)).toEqual([true]);
    const again = await slow.vote(first, quiet);
    expect(again).toMatchObject({ ok: true, value: { report: { recommendation: "y" } } });
    for (const vote of votes) expect(await vote).toMatchObject({ failure: { code: "call/cancelled" } });
    expect(await slow.vote(first, quiet)).toEqual(again);
  });
});

describe("evidence of an equivocating coordinator (fault matrix, row 27)", () => {
  it("convicts two closings of one round, and nothing else", async () => {
    const council = await convene(equals(4), { method: "single" });
    const votes = await Promise.all(["a", "b", "c"].map((voter) => council.sign(council.body(voter, single("x")))));
    const { closing } = await conclude(council, votes);
    if (closing === null) throw new Error("it must close");
    const second = await signClosing({ ...closing.body, status: "no-majority", option: null }, coordinatorSigner);
    const coordinator = council.proposal.body.coordinator;
    const accuse = (signed: unknown, rest: object = {}): object => ({
      kind: "CoordinatorEquivocation",
      coordinator,
      decisionId: closing.body.decisionId,
      round: 1,
      statement: "closing",
      signed,
      ...rest,
    });
    const check = (evidence: unknown): unknown => verifyEvidence(evidence, council.electorate);
    expect(check(accuse([closing, second]))).toEqual({ ok: true, coordinator });
    expect(check(accuse([closing, closing]))).toEqual({ ok: false, reason: "same-statement" });
    expect(check(accuse([closing, { ...second, sig: closing.sig }]))).toEqual({ ok: false, reason: "signature" });
    expect(check(accuse([closing, second], { round: 2 }))).toEqual({ ok: false, reason: "other-round" });
    expect(check(accuse([closing, second], { coordinator: "00".repeat(32) }))).toEqual({ ok: false, reason: "key" });
    expect(check(accuse([closing], {}))).toEqual({ ok: false, reason: "malformed" });
    // A ballot pair of a member convicts the member only, whatever key signs it.
    const twice = await signBallotBody(council.body("a", single("y")), coordinatorSigner);
    expect(
      check({ kind: "DuplicateBallot", voter: "a", decisionId: "decision-1", round: 1, ballots: [votes[0], twice] }),
    ).toEqual({
      ok: false,
      reason: "signature",
    });
  });

  it("still leaves one option at most that can be certified for a single choice (B4)", async () => {
    const council = await convene(equals(4), { method: "single" });
    const votes = await Promise.all(
      ["a", "b", "c"]
        .map((voter) => council.sign(council.body(voter, single("x"))))
        .concat(council.sign(council.body("d", single("y")))),
    );
    const { certificate } = await conclude(council, votes);
    if (certificate?.closing === undefined) throw new Error("it must decide");
    for (const option of ["y", "z"]) {
      const closing = await signClosing({ ...certificate.closing.body, option }, coordinatorSigner);
      expect(verifyCertificate({ ...certificate, option, closing }, council.electorate)).toEqual({
        ok: false,
        reason: "wrong-option",
      });
    }
  });
});

import { describe, expect, it } from "vitest";
import type { DuplicateBallot } from "../../machines/consensus/certificate/evidence.ts";
import type { QuorumCertificate } from "../../machines/consensus/codec/messages.ts";
import { ballotsPerVoteMax } from "../../src/consensus/collector.ts";
import { makeEquivocate } from "../../src/consensus/byzantine.ts";
import { signBallotBody, signProposalBody } from "../../src/consensus/signing.ts";
import {
  encodeCertificate,
  encodeElectorate,
  verifyCertificate,
  verifyCertificateBytes,
  verifyEvidence,
} from "../../src/consensus/verify.ts";
import { joinAsParticipant } from "../../src/consensus/participant/participant.ts";
import { type Participant, type Voter } from "../../src/consensus/voter.ts";
import { createSigner } from "../../src/consensus/ed25519.ts";
import { memberWithKey } from "./council.ts";
import { opinionOf, openRoom, slow, voterOf } from "./panel.ts";

const names = ["a", "b", "c", "d", "e"];

describe("a voter that votes twice", () => {
  const honest = (count: number): Voter[] =>
    names.slice(0, count).map((name) => voterOf(name, opinionOf("x", { approves: ["x", "y", "z"] })));

  it.each(["single", "approval"] as const)(
    "of five equal ones: decided, with evidence, whatever the method (%s)",
    async (method) => {
      const liar = makeEquivocate(voterOf("e", opinionOf("x")));
      for (const voters of [
        [...honest(4), liar],
        [liar, ...honest(4)],
      ]) {
        const decision = await openRoom().decide({ voters, method, prefer: "bold", close: "all" });
        expect(decision).toMatchObject({
          status: "decided",
          option: "x",
          tally: { voided: 1, participating: 4 },
          assumptions: { faulty: 1, warnings: [] },
        });
        expect(decision.evidence).toHaveLength(1);
        expect(verifyEvidence(decision.evidence[0], decision.electorate)).toEqual({ ok: true, voter: "e" });
        expect(decision.ballots.find(({ voter }) => voter === "e")?.standing).toBe("void");
        const certificate = decision.certificate as QuorumCertificate;
        const [proof] = decision.evidence as DuplicateBallot[];
        expect(certificate.ballots.map(({ body }) => body.voter)).toEqual(["a", "b", "c", "d"]);
        expect(decision.closing?.body.voided.map(({ voter }) => voter)).toEqual(["e"]);
        expect(verifyCertificate(decision.certificate, decision.electorate)).toMatchObject({ ok: true, option: "x" });
        // Its other ballot put into the certificate does not fit the closing that the coordinator signed.
        const forged = {
          ...certificate,
          ballots: [...certificate.ballots, proof?.ballots[0]],
        };
        expect(verifyCertificate(forged, decision.electorate)).toEqual({ ok: false, reason: "closing-invalid" });
      }
    },
  );

  it("twice over, two of five are beyond F_live: it says so and decides nothing", async () => {
    const voters = [...honest(3), ...["d", "e"].map((name) => makeEquivocate(voterOf(name, opinionOf("x"))))];
    for (const close of ["all", "early"] as const) {
      const decision = await openRoom().decide({ voters, prefer: "bold", close });
      expect(decision).toMatchObject({
        status: "no-quorum",
        certificate: null,
        assumptions: { faulty: 2, fLive: 1, fSafe: 2 },
      });
      expect(decision.evidence).toMatchObject([{ voter: "d" }, { voter: "e" }]);
      expect(decision.assumptions.warnings).toMatchObject([
        { code: "beyond-f-live", message: expect.stringContaining("beyond F_live = 1") },
      ]);
    }
  });

  it("beyond F_safe the decision says that a conflicting quorum could be made up", async () => {
    const voters = [...honest(2), ...["c", "d", "e"].map((name) => makeEquivocate(voterOf(name, opinionOf("x"))))];
    const decision = await openRoom().decide({ voters, close: "all" });
    expect(decision.assumptions.warnings.map(({ code }) => code)).toEqual(["beyond-f-live", "beyond-f-safe"]);
  });

  it("is still heard after the close, and not counted", async () => {
    const room = openRoom();
    room.observe.listen((happening) => room.heard.push(happening));
    const late = voterOf("e", slow(room.clock, 1_000, opinionOf("y")));
    const stubborn: Voter = {
      ...late,
      opine: (question) => late.opine(question, { signal: new AbortController().signal }),
    };
    const decision = await room.decide({ voters: [...honest(4), stubborn], method: "single" });
    expect(decision).toMatchObject({ status: "decided", option: "x" });
    await room.clock.advance(1_000);
    expect(room.heard.at(-1)).toMatchObject({ type: "decision.ballot", agent: "e", data: { row: "late" } });
  });
});

describe("what voters cannot do", () => {
  const others = ["b", "c", "d", "e"].map((name) => voterOf(name, opinionOf("x")));

  it("speak for others, forge, inflate weight, or flood", async () => {
    const stranger = createSigner();
    const cheat = (ballots: NonNullable<Voter["ballots"]>): Voter => ({ ...voterOf("a", opinionOf("y")), ballots });
    const cases: [Voter, string][] = [
      [cheat(async (own) => [await signBallotBody({ ...own.body, voter: "b" }, voterOf("a", null).signer)]), "forged"],
      [cheat(async (own) => [await signBallotBody(own.body, stranger)]), "forged"],
      [cheat(async (own) => [{ ...own, body: { ...own.body, weight: 100 } } as never]), "weightClaim"],
      [cheat(async (own) => [await signBallotBody({ ...own.body, voter: "nobody" }, stranger)]), "unknownVoter"],
      [cheat(() => ["y!" as never]), "malformed"],
      [cheat(() => []), "it sent no ballot of its own"],
    ];
    for (const [voter, detail] of cases) {
      const decision = await openRoom().decide({ voters: [voter, ...others], method: "single", close: "all" });
      expect(decision).toMatchObject({
        status: "decided",
        option: "x",
        absent: [{ voter: "a", reason: "refused" }],
        evidence: [],
      });
      expect(decision.absent[0]?.detail).toContain(detail);
    }
    let signed = 0;
    const flood = cheat(async (own) =>
      Promise.all(
        Array.from({ length: 100 }, (_, index) => {
          signed += 1;
          return signBallotBody({ ...own.body, concerns: [String(index)] }, voterOf("a", null).signer);
        }),
      ),
    );
    const decision = await openRoom().decide({ voters: [flood, ...others], method: "single", close: "all" });
    expect(signed).toBe(100);
    expect(decision.metrics.verifies).toBe(others.length + ballotsPerVoteMax);
    expect(decision).toMatchObject({ option: "x", tally: { voided: 1 }, evidence: [{ voter: "a" }] });
  });

  it("show one text and sign another: the ballot counts, the text is left out", async () => {
    const liar: Participant = {
      member: voterOf("a", null).member,
      async vote(invitation, context) {
        const outcome = await joinAsParticipant(voterOf("a", opinionOf("x"))).vote(invitation, context);
        if (!outcome.ok) return outcome;
        return {
          ok: true,
          value: {
            ...outcome.value,
            report: { ...opinionOf("x"), reasoning: "something else", concerns: [], alternatives: [] },
          },
        };
      },
    };
    const voters = [liar, ...others];
    const decision = await openRoom().decide({ voters, method: "single", close: "all", secrecy: "open" });
    expect(decision.ballots[0]).toMatchObject({
      voter: "a",
      standing: "counts",
      choice: ["x"],
      recommendation: null,
      reasoning: "",
    });
    expect(decision.assumptions.warnings.map(({ code }) => code)).toEqual(["text-unbound"]);
  });
});

describe("voters behind messages", () => {
  /** What a wire does: JSON there and JSON back. */
  function overWire(participant: Participant): Participant {
    const copy = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value)) as Value;
    return {
      member: copy(participant.member),
      vote: async (invitation, context) => copy(await participant.vote(copy(invitation), context)),
    };
  }

  it("decide as local ones do: same ballots, same certificate", async () => {
    const local = names.map((name) => voterOf(name, opinionOf("x", { confidence: 0.7 })));
    const remote = local.map((voter) => overWire(joinAsParticipant(voter)));
    const one = await openRoom().decide({ voters: local, close: "all", secrecy: "open" });
    const other = await openRoom().decide({ voters: remote, close: "all", secrecy: "open" });
    expect(other).toEqual(one);
    expect(verifyCertificateBytes(encodeCertificate(other.certificate!), encodeElectorate(other.electorate)).ok).toBe(
      true,
    );
  });

  it("refuse a proposal that is not signed by its coordinator, not the question shown, or not theirs", async () => {
    const asked: string[] = [];
    const voter = voterOf("a", async () => {
      asked.push("a");
      return { ok: true, value: opinionOf("x") };
    });
    const honest = joinAsParticipant(voter);
    const changed: Participant["vote"][] = [
      (invitation, context) =>
        honest.vote({ ...invitation, proposal: { ...invitation.proposal, sig: "00".repeat(64) } }, context),
      (invitation, context) =>
        honest.vote({ ...invitation, question: { ...invitation.question, description: "Something else?" } }, context),
      (invitation, context) =>
        honest.vote({ ...invitation, question: { ...invitation.question, context: { folder: "/other" } } }, context),
      (invitation, context) =>
        honest.vote(
          {
            ...invitation,
            question: {
              ...invitation.question,
              options: invitation.question.options.map((option) => ({ ...option, label: "new" })),
            },
          },
          context,
        ),
      (invitation, context) =>
        honest.vote({ ...invitation, electorate: { ...invitation.electorate, epoch: 9 } }, context),
      (invitation, context) => joinAsParticipant({ ...voter, signer: createSigner() }).vote(invitation, context),
      async (invitation, context) =>
        honest.vote(
          { ...invitation, proposal: await signProposalBody(invitation.proposal.body, createSigner()) },
          context,
        ),
      (_, context) => honest.vote({} as never, context),
    ];
    for (const vote of changed) {
      const decision = await openRoom().decide({
        voters: [{ member: memberWithKey({ id: "a" }).member, vote }],
        close: "all",
      });
      expect(decision.absent, vote.toString()).toMatchObject([{ voter: "a", reason: "failed" }]);
    }
    expect(asked).toEqual([]);
  });
});

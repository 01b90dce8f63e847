import { accuseOfOmission, verifyEvidence, type SignedReceipt } from "troupe";
import { describe, expect, it } from "vitest";
import { digestOf } from "../../machines/consensus/codec/sign-bytes.ts";
import type { SignedBallot } from "../../machines/consensus/codec/messages.ts";
import { createSigner, sha256 } from "../../src/consensus/ed25519.ts";
import { joinAsParticipant } from "../../src/consensus/participant/participant.ts";
import { signClosing, signReceipt } from "../../src/consensus/signing.ts";
import { conclude, convene, coordinatorSigner, equals, single, type Council } from "./council.ts";
import { opinionOf, openRoom, voterOf } from "./panel.ts";

async function open(): Promise<{ council: Council; votes: SignedBallot[] }> {
  const council = await convene(equals(4), { method: "single" });
  const votes = await Promise.all(["a", "b", "c", "d"].map((id) => council.sign(council.body(id, single("x")))));
  return { council, votes };
}

function receiptFor({ round }: Council, ballot: SignedBallot, signer = coordinatorSigner): Promise<SignedReceipt> {
  const { decisionId, round: number } = round.proposal;
  const { voter } = ballot.body;
  const ballotDigest = digestOf(ballot.body, sha256);
  const { proposalDigest } = round;
  return signReceipt({ v: 1, decisionId, round: number, proposalDigest, voter, ballotDigest }, signer);
}

describe("a coordinator that leaves out a ballot it has signed for (fault matrix, row 27)", () => {
  it("is convicted by the receipt and the certificate, which any changed part of spoils", async () => {
    const { council, votes } = await open();
    const [a, b, c, left] = votes;
    if (a === undefined || b === undefined || c === undefined || left === undefined) throw new Error("four voted");
    const receipt = await receiptFor(council, left);
    const { certificate } = await conclude(council, [a, b, c]);
    if (certificate?.closing === undefined) throw new Error("three of four decide");
    const evidence = accuseOfOmission(receipt, certificate);
    const check = (given: unknown): unknown => verifyEvidence(given, council.electorate);
    const { coordinator } = council.proposal.body;
    expect(evidence).toMatchObject({ kind: "Omission", voter: "d", coordinator, round: 1 });
    expect(check(JSON.parse(JSON.stringify(evidence)))).toEqual({ ok: true, coordinator });
    const stranger = createSigner();
    const reasons = [
      { ...evidence, receipt: await receiptFor(council, left, stranger) },
      { ...evidence, closing: await signClosing(certificate.closing.body, stranger) },
      { ...evidence, coordinator: Buffer.from(stranger.publicKey).toString("hex") },
      { ...evidence, ballots: evidence?.ballots.slice(1) },
      { ...evidence, voter: "c" },
      { ...evidence, round: 2 },
      { ...evidence, receipt: await receiptFor(council, c), voter: "c" },
      { ...evidence, more: true },
    ].map(check);
    const first = ["signature", "signature", "signature", "other-ballots"];
    const others = ["other-round", "other-round", "counted", "malformed"];
    expect(reasons).toEqual([...first, ...others].map((reason) => ({ ok: false, reason })));
  });

  it("is not accused where the ballot is counted, its voter is void, or the receipt is of another round", async () => {
    const { council, votes } = await open();
    const [a, b, c, d] = votes;
    if (a === undefined || b === undefined || c === undefined || d === undefined) throw new Error("four voted");
    const receipt = await receiptFor(council, d);
    const whole = await conclude(council, votes);
    if (whole.certificate === undefined) throw new Error("it decides");
    expect(accuseOfOmission(receipt, whole.certificate)).toBeUndefined();
    const other = await council.sign(council.body("d", single("y")));
    const voided = await conclude(council, [...votes, other]);
    if (voided.certificate === undefined) throw new Error("three of four decide");
    expect(accuseOfOmission(receipt, voided.certificate)).toBeUndefined();
    const elsewhere = await convene(equals(4), { method: "single", decisionId: "decision-2" });
    const foreign = await conclude(
      elsewhere,
      await Promise.all(["a", "b", "c"].map((id) => elsewhere.sign(elsewhere.body(id, single("x"))))),
    );
    if (foreign.certificate === undefined) throw new Error("it decides");
    expect(accuseOfOmission(receipt, foreign.certificate)).toBeUndefined();
  });
});

describe("a receipt", () => {
  it("reaches a voter behind messages before the round is over, and accuses nobody of an honest round", async () => {
    const held: SignedReceipt[] = [];
    const voters = ["a", "b", "c", "d"].map((id) => voterOf(id, opinionOf("x")));
    const [first, ...others] = voters;
    if (first === undefined) throw new Error("there is a first");
    const behind = joinAsParticipant({ ...first, receive: (receipt) => void held.push(receipt) });
    const decision = await openRoom().decide({ voters: [behind, ...others], close: "all" });
    expect(held).toMatchObject([{ body: { voter: "a", decisionId: decision.decisionId, round: 1 } }]);
    const [receipt] = held;
    if (receipt === undefined || decision.certificate?.kind !== "quorum") throw new Error("it is certified");
    expect(accuseOfOmission(receipt, decision.certificate)).toBeUndefined();
    expect(accuseOfOmission(receipt, decision)).toBeUndefined();
    // The same, as if the coordinator showed a result without it.
    const without = decision.ballots.filter(({ voter }) => voter !== "a");
    const accusation = accuseOfOmission(receipt, { ...decision, ballots: without });
    expect(verifyEvidence(accusation, decision.electorate)).toEqual({ ok: false, reason: "other-ballots" });
  });

  it("that somebody else signed, or that is for somebody else or another ballot, is not taken", async () => {
    const held: SignedReceipt[] = [];
    const first = voterOf("a", opinionOf("x"));
    const behind = joinAsParticipant({ ...first, receive: (receipt) => void held.push(receipt) });
    const others = ["b", "c", "d"].map((id) => voterOf(id, opinionOf("x")));
    await openRoom({ coordinator: coordinatorSigner }).decide({ voters: [behind, ...others], close: "all" });
    const [receipt] = held;
    if (receipt === undefined || behind.acknowledge === undefined) throw new Error("one was given");
    const stranger = createSigner();
    behind.acknowledge(await signReceipt(receipt.body, stranger));
    behind.acknowledge({ ...receipt, body: { ...receipt.body, voter: "b" } });
    behind.acknowledge({ ...receipt, body: { ...receipt.body, ballotDigest: "00".repeat(32) } });
    behind.acknowledge(await signReceipt({ ...receipt.body, ballotDigest: "00".repeat(32) }, coordinatorSigner));
    behind.acknowledge("no receipt" as unknown as SignedReceipt);
    expect(held).toHaveLength(1);
    behind.acknowledge(receipt);
    expect(held).toHaveLength(2);
  });
});

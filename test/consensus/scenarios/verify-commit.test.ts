import { describe, expect, test } from "vitest";
import type { Vote } from "../../../machines/consensus/bft/statement.ts";
import { membersMax, totalWeightMax } from "../../../machines/consensus/electorate/electorate.ts";
import { checkStatements, signStatement } from "../../../src/consensus/bft/statement-signing.ts";
import { verifyEd25519 } from "../../../src/consensus/ed25519.ts";
import { verifyCertificate } from "../../../src/consensus/verify.ts";
import { commit } from "../commits.ts";
import { convene, equals, type Council, type MemberSpec } from "../council.ts";

const choices = { a: "x", b: "x", c: "x", d: "x" };

function convoke(members: readonly MemberSpec[] = equals(4)): Promise<Council> {
  return convene(members, { closing: "commit", method: "single" });
}

describe("CometBFT's scenarios of commit certificates", () => {
  test("verifyCommitAll: a certificate holds for its own decision, electorate and round with more than two thirds, and for nothing else", async () => {
    const council = await convoke();
    const { electorate } = council;
    const good = await commit(council, { choices, signers: ["a", "b", "c"] });
    expect(verifyCertificate(good, electorate)).toMatchObject({ ok: true, option: "x" });
    expect(verifyCertificate(await commit(council, { choices, signers: ["a", "b", "c", "d"] }), electorate).ok).toBe(
      true,
    );
    const [first, ...rest] = good.signatures;
    if (first === undefined) throw new Error("a signed it");
    const wider = await convoke(equals(5));
    for (const [change, reason, register] of [
      [{ decisionId: "another" }, "other-decision", electorate],
      [{ round: 1 }, "commit-signature", electorate],
      [{ value: { ...good.value, ballots: good.value.ballots.slice(1) } }, "commit-signature", electorate],
      [{}, "electorate-mismatch", wider.electorate],
      [{ signatures: rest }, "no-quorum", electorate],
      [{ signatures: [] }, "malformed", electorate],
      [{ signatures: [first, first, ...rest] }, "unsorted", electorate],
      [{ signatures: [...rest, first] }, "unsorted", electorate],
      [{ signatures: [...good.signatures, { ...first, memberIndex: 4 }] }, "unknown-voter", electorate],
      [{ signatures: [{ ...first, memberIndex: 0, sig: rest[0]?.sig }, ...rest] }, "commit-signature", electorate],
    ] as const) {
      expect(verifyCertificate({ ...good, ...change }, register), reason).toEqual({ ok: false, reason });
    }
  });

  test("verifyCommitCheckAllSignatures: a bad signature after enough good ones spoils the certificate", async () => {
    const council = await convoke();
    const good = await commit(council, { choices, signers: ["a", "b", "c", "d"] });
    const signatures = good.signatures.map((each, index) =>
      index === 3 ? { ...each, sig: good.signatures[0]?.sig ?? "" } : each,
    );
    expect(verifyCertificate({ ...good, signatures: signatures.slice(0, 3) }, council.electorate).ok).toBe(true);
    expect(verifyCertificate({ ...good, signatures }, council.electorate)).toEqual({
      ok: false,
      reason: "commit-signature",
    });
  });

  test("verifyCommitOverflow: the greatest weights are counted exactly, and greater ones are no electorate", async () => {
    // More than two thirds of a thousand million, by one; and the same less one.
    const most = Math.floor((2 * totalWeightMax) / 3) + 1;
    for (const [weight, ok] of [
      [most, true],
      [most - 1, false],
    ] as const) {
      const council = await convoke([
        { id: "a", weight: weight - 2 },
        { id: "b", weight: 1 },
        { id: "c", weight: 1 },
        { id: "d", weight: totalWeightMax - weight },
      ]);
      const certificate = await commit(council, { choices, signers: ["a", "b", "c"] });
      expect(verifyCertificate(certificate, council.electorate).ok, `${weight} of ${totalWeightMax}`).toBe(ok);
      const heavier = council.electorate.members.map((member) => ({ ...member, weight: member.weight + 1 }));
      expect(verifyCertificate(certificate, { ...council.electorate, members: heavier })).toEqual({
        ok: false,
        reason: "electorate-invalid",
      });
    }
    expect(Number.isSafeInteger(3 * totalWeightMax * membersMax)).toBe(true);
  });

  test("verifyCommitUsesCache: a statement that held once is not checked again, and vouches for no other content and no other voter", async () => {
    const { electorate, round, signers } = await convoke();
    let checks = 0;
    const { check } = checkStatements(electorate, (...given) => {
      checks += 1;
      return verifyEd25519(...given);
    });
    const { proposalDigest: decision, electorateDigest } = round;
    const place = {
      kind: "precommit",
      decision,
      electorate: electorateDigest,
      voter: 0,
      round: 0,
      validRound: -1,
    } as const;
    const signer = signers.get("a");
    if (signer === undefined) throw new Error("a has a key");
    const vote = await signStatement<Vote>({ ...place, value: "ab".repeat(32) }, signer);
    expect([check(vote), check({ ...vote }), check(vote)]).toEqual([true, true, true]);
    expect(checks).toBe(1);
    for (const change of [
      { value: "cd".repeat(32) },
      { value: null },
      { voter: 1 },
      { round: 1 },
      { kind: "prevote" },
      { decision: "00".repeat(32) },
      { electorate: "00".repeat(32) },
    ] as const)
      expect(check({ ...vote, ...change }), JSON.stringify(change)).toBe(false);
    expect(checks).toBe(8);
    expect(check(vote)).toBe(true);
    expect(checks).toBe(8);
  });
});

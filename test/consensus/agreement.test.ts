import { describe, expect, it } from "vitest";
import type { CommitCertificate } from "../../machines/consensus/codec/commit-messages.ts";
import { makeEquivocate } from "../../src/consensus/byzantine.ts";
import type { Decision } from "../../src/consensus/decision.ts";
import { renderDecision } from "../../src/consensus/report.ts";
import {
  encodeCertificate,
  encodeElectorate,
  verifyCertificate,
  verifyCertificateBytes,
  verifyEvidence,
} from "../../src/consensus/verify.ts";
import type { Voter } from "../../src/consensus/voter.ts";
import { IdleClock } from "./idle-clock.ts";
import { failing, openRoom, opinionOf, silent, voterOf } from "./panel.ts";

const names = ["a", "b", "c", "d"];

function voters(recommendations: readonly string[] = ["x", "x", "x", "x"]): Voter[] {
  return recommendations.map((recommendation, index) => voterOf(names[index] ?? "", opinionOf(recommendation)));
}

/** A round that goes wrong waits for time to pass; an agreement that goes well waits for nothing. */
function agree(request: Parameters<ReturnType<typeof openRoom>["decide"]>[0]): Promise<Decision> {
  return openRoom({ clock: new IdleClock() }).decide({ mode: "bft", method: "single", ...request });
}

function certificateOf(decision: Decision): CommitCertificate {
  if (decision.certificate?.kind !== "commit") throw new Error("nothing was agreed");
  return decision.certificate;
}

describe("an agreement of mode bft", () => {
  it("decides with a certificate that anyone can check, and tells who committed", async () => {
    const decision = await agree({ voters: voters(["x", "x", "x", "y"]), close: "all" });
    expect(decision).toMatchObject({ status: "decided", option: "x", agreement: 0.75, closing: null, evidence: [] });
    expect(verifyCertificate(decision.certificate, decision.electorate)).toMatchObject({
      ok: true,
      option: "x",
      weight: 3,
      members: ["a", "b", "c"],
      agreed: { status: "decided", round: 0 },
    });
    expect(decision.dissent).toMatchObject([{ voter: "d", kind: "against" }]);
    expect(renderDecision(decision)).toContain("committed to exactly these ballots");
  });

  it("certifies also that nothing is decided", async () => {
    const decision = await agree({ voters: voters(["x", "x", "y", "y"]) });
    expect(decision).toMatchObject({ status: "no-majority", option: null, certificate: { kind: "commit" } });
    expect(verifyCertificate(decision.certificate, decision.electorate)).toMatchObject({
      ok: true,
      option: null,
      agreed: { status: "no-majority" },
    });
  });

  it("makes and checks no more signatures than the formula: (3n+1)S with the question's, (n-1)(3n+1)V", async () => {
    const { metrics } = await agree({ voters: voters(), close: "all" });
    expect(metrics).toMatchObject({ signs: 1 + 1 + 2 * 4, verifies: 3 * (3 * 4 + 1) });
  });

  it("goes on when one fails, and ends at once without a certificate when too few took part", async () => {
    const one = await agree({ voters: [...voters().slice(0, 3), voterOf("d", failing)] });
    expect(one).toMatchObject({ status: "decided", option: "x", absent: [{ voter: "d", reason: "failed" }] });
    const two = await agree({ voters: [...voters().slice(0, 2), voterOf("c", failing), voterOf("d", failing)] });
    expect(two).toMatchObject({ status: "no-quorum", option: null, certificate: null });
  });

  it("counts a silent voter as absent, not as an abstention", async () => {
    const decision = await agree({
      voters: [...voters().slice(0, 3), voterOf("d", silent)],
      close: "all",
      timeoutMs: 50,
    });
    expect(decision).toMatchObject({ status: "decided", absent: [{ voter: "d", reason: "silent" }] });
  });

  it("convicts a voter that signs two ballots and two votes, and counts none of them", async () => {
    const liar = makeEquivocate(voterOf("d", opinionOf("y")));
    const decision = await agree({ voters: [...voters().slice(0, 3), liar], close: "all" });
    expect(decision).toMatchObject({ status: "decided", option: "x" });
    const kinds = decision.evidence.map(({ kind }) => kind);
    expect(kinds).toContain("DuplicateBallot");
    expect(kinds.some((kind) => kind === "DuplicatePrevote" || kind === "DuplicatePrecommit")).toBe(true);
    for (const evidence of decision.evidence) {
      const check = verifyEvidence(evidence, decision.electorate);
      expect(check).toMatchObject(
        evidence.kind === "DuplicateBallot" ? { ok: true, voter: "d" } : { ok: true, voters: ["d"] },
      );
    }
    const [proof] = decision.evidence.filter(({ kind }) => kind !== "DuplicateBallot");
    expect(verifyEvidence({ ...proof, culprits: ["a"] }, decision.electorate)).toMatchObject({ ok: false });
  });

  it("refuses what it cannot keep before anybody is asked", async () => {
    const refusals: [Partial<Parameters<typeof agree>[0]>, string][] = [
      [{ voters: voters().slice(0, 3) }, "could stop every agreement alone"],
      [{ secrecy: "sealed" }, "needs a coordinator"],
      [{ onAlternatives: "next-round" }, "for mode ballot"],
      [{ maxFaultyWeight: 2 }, "Claim at most 1"],
    ];
    for (const [change, words] of refusals) await expect(agree({ voters: voters(), ...change })).rejects.toThrow(words);
  });
});

describe("a commit certificate", () => {
  it("is refused with any byte of it, or of its electorate, changed", async () => {
    const decision = await agree({ voters: voters() });
    const file = encodeCertificate(certificateOf(decision));
    const electorate = encodeElectorate(decision.electorate);
    expect(verifyCertificateBytes(file, electorate)).toMatchObject({ ok: true });
    for (let at = 0; at < file.length; at += 1) {
      const changed = Uint8Array.from(file);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(verifyCertificateBytes(changed, electorate).ok, `byte ${at}`).toBe(false);
    }
    for (let at = 0; at < electorate.length; at += 1) {
      const changed = Uint8Array.from(electorate);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(verifyCertificateBytes(file, changed).ok, `byte ${at} of the electorate`).toBe(false);
    }
  });

  it("names each fault by itself", async () => {
    const decision = await agree({ voters: voters(["x", "x", "x", "y"]), close: "all" });
    const good = certificateOf(decision);
    const check = (change: object): unknown => verifyCertificate({ ...good, ...change }, decision.electorate);
    const [first, ...rest] = good.signatures;
    if (first === undefined) throw new Error("somebody signed");
    expect(check({ signatures: [first, first, ...rest] })).toEqual({ ok: false, reason: "unsorted" });
    expect(check({ signatures: rest.slice(0, 2) })).toEqual({ ok: false, reason: "no-quorum" });
    expect(check({ signatures: [...good.signatures, { ...first, memberIndex: 9 }] })).toEqual({
      ok: false,
      reason: "unknown-voter",
    });
    expect(check({ round: good.round + 1 })).toEqual({ ok: false, reason: "commit-signature" });
    expect(check({ value: { ...good.value, ballots: good.value.ballots.slice(1) } })).toEqual({
      ok: false,
      reason: "commit-signature",
    });
    expect(check({ decisionId: "another" })).toEqual({ ok: false, reason: "other-decision" });
    expect(check({ electorateDigest: "00".repeat(32) })).toEqual({ ok: false, reason: "electorate-mismatch" });
    // The same ballots and the same proposal are no quorum certificate: only the agreement closes them.
    const { electorateDigest, proposal, value } = good;
    const quorum = { v: 1, kind: "quorum", electorateDigest, proposal, option: "x", round: 1, ballots: value.ballots };
    expect(verifyCertificate(quorum, decision.electorate)).toEqual({ ok: false, reason: "closing-invalid" });
  });
});

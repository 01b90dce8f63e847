import { describe, expect, it } from "vitest";
import { digestOf } from "../../machines/consensus/codec/sign-bytes.ts";
import { createMember, createSigner, sha256 } from "../../src/consensus/ed25519.ts";
import { defineElectorate, seatPanel } from "../../src/consensus/electorate.ts";
import { proveKey, verifyKeyProof } from "../../src/consensus/registration/possession.ts";
import { renderDecision } from "../../src/consensus/report.ts";
import { signPossession } from "../../src/consensus/signing.ts";
import { IdleClock } from "./idle-clock.ts";
import { openRoom, opinionOf, voterOf } from "./panel.ts";

describe("who holds a member's key", () => {
  it("is part of what the voters sign, and changes nothing where it is not stated", () => {
    const { member } = createMember({ id: "a" });
    expect(member).not.toHaveProperty("custody");
    const digest = (custody?: "agent" | "host"): string =>
      digestOf(defineElectorate([custody === undefined ? member : { ...member, custody }]), sha256);
    expect(new Set([digest(), digest("agent"), digest("host")]).size).toBe(3);
    expect(createMember({ id: "a", custody: "agent" }).member).toMatchObject({ custody: "agent" });
    expect(() => createMember({ id: "a", custody: "cloud" as "host" })).toThrow("custody");
  });

  it("makes another panel of members that are the same otherwise", () => {
    const { member } = createMember({ id: "a" });
    const seats = [member, { ...member, custody: "host" as const }, { ...member, custody: "agent" as const }];
    expect(seats.map((each) => seatPanel([each], 0).members[0]?.custody)).toEqual([undefined, "host", "agent"]);
  });

  it.each(["ballot", "bft"] as const)("is on the page of a decision of mode %s", async (mode) => {
    const voters = (["a", "b", "c", "d"] as const).map((name, index) => {
      const voter = voterOf(name, opinionOf("x"));
      const custody = index < 2 ? "host" : "agent";
      return index === 3 ? voter : { ...voter, member: { ...voter.member, custody } as const };
    });
    const page = renderDecision(await openRoom({ clock: new IdleClock() }).decide({ mode, method: "single", voters }));
    expect(page).toContain("Keys held by the host: a, b.\n");
    expect(page).toContain("Keys held by the voters themselves, as they say: c.\n");
    const plain = voters.map(({ member: { id } }) => voterOf(id, opinionOf("x")));
    const request = { mode, method: "single", voters: plain } as const;
    expect(renderDecision(await openRoom({ clock: new IdleClock() }).decide(request))).not.toContain(
      "Keys held by the",
    );
  });
});

describe("proof that a key is held by whoever registers it", () => {
  const { member, signer } = createMember({ id: "security" });
  const challenge = "panel 7, 2026-03-01";

  it("holds for this member and this challenge, and for nothing else", async () => {
    const proof = await proveKey(signer, { member, challenge });
    expect(JSON.parse(JSON.stringify(proof))).toEqual(proof);
    expect(verifyKeyProof(proof, { member, challenge })).toEqual({ ok: true });
    const refuse = (given: unknown, asked: Partial<Parameters<typeof verifyKeyProof>[1]> = {}): unknown =>
      verifyKeyProof(given, { member, challenge, ...asked });
    expect(refuse(proof, { challenge: "panel 8" })).toEqual({ ok: false, reason: "other-challenge" });
    expect(refuse(proof, { member: { ...member, id: "ops" } })).toEqual({ ok: false, reason: "other-member" });
    const { member: other } = createMember({ id: "security" });
    expect(refuse(proof, { member: other })).toEqual({ ok: false, reason: "other-member" });
    const changed = { ...proof, body: { ...proof.body, challenge: "panel 8" } };
    expect(refuse(changed, { challenge: "panel 8" })).toEqual({ ok: false, reason: "signature" });
    for (const junk of [null, 7, {}, { ...proof, more: 1 }, { ...proof, sig: "00" }])
      expect(refuse(junk)).toEqual({ ok: false, reason: "malformed" });
  });

  it("cannot be made with somebody else's key, nor for one that anybody can sign for", async () => {
    const thief = createSigner();
    const stolen = await proveKey(thief, { member, challenge });
    expect(verifyKeyProof(stolen, { member, challenge })).toEqual({ ok: false, reason: "signature" });
    const weak = { ...member, publicKey: `01${"00".repeat(31)}` };
    const made = await signPossession({ v: 1, id: weak.id, publicKey: weak.publicKey, challenge }, thief);
    expect(verifyKeyProof(made, { member: weak, challenge })).toEqual({ ok: false, reason: "weak-key" });
  });

  it("is not asked for without a challenge", async () => {
    await expect(proveKey(signer, { member, challenge: "" })).rejects.toThrow("challenge");
  });
});

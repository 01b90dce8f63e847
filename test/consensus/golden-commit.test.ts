import { createHash, createPrivateKey, sign } from "node:crypto";
import { fileURLToPath } from "node:url";
import canonicalizeOracle from "canonicalize";
import { expect, it } from "vitest";
import type { Vote } from "../../machines/consensus/bft/statement.ts";
import { valueDigestOf, type AgreedValue } from "../../machines/consensus/codec/commit-messages.ts";
import { certifyCommit } from "../../src/consensus/bft/certify-commit.ts";
import { signStatement } from "../../src/consensus/bft/statement-signing.ts";
import { sha256 } from "../../src/consensus/ed25519.ts";
import { encodeCertificate, encodeElectorate, verifyCertificateBytes } from "../../src/consensus/verify.ts";
import { convene, equals, single } from "./council.ts";

function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/consensus/${name}`, import.meta.url));
}

const sha = (bytes: string | Uint8Array): Buffer => createHash("sha256").update(bytes).digest();

it("a commit certificate has the bytes of its file, holds, and follows from the specification alone", async () => {
  const council = await convene(equals(4), { method: "single", decisionId: "golden-commit", closing: "commit" });
  const { round, proposal, electorate, signers } = council;
  const ballots = await Promise.all(
    ["a", "b", "c", "d"].map((voter) => council.sign(council.body(voter, single(voter === "d" ? "y" : "x"), 0.5))),
  );
  const { proposalDigest } = round;
  const value: AgreedValue = { v: 1, proposalDigest, status: "decided", option: "x", ballots };
  const digest = valueDigestOf(value, sha256);
  const votes = await Promise.all(
    electorate.members.slice(0, 3).map(({ id }, voter) => {
      const signer = signers.get(id);
      if (signer === undefined) throw new Error(`no member ${id}`);
      const scope = { decision: proposalDigest, electorate: round.electorateDigest, voter };
      return signStatement<Vote>({ kind: "precommit", ...scope, round: 2, value: digest, validRound: -1 }, signer);
    }),
  );
  const certificate = certifyCommit({ round, proposal }, { round: 2, value: digest, votes }, value);
  const bytes = encodeCertificate(certificate);
  await expect(Buffer.from(bytes).toString()).toMatchFileSnapshot(fixture("certificate-commit.json"));
  expect(verifyCertificateBytes(bytes, encodeElectorate(electorate))).toEqual({
    ok: true,
    option: "x",
    weight: 3,
    members: ["a", "b", "c"],
    agreed: { status: "decided", round: 2, weight: 3, members: ["a", "b", "c"] },
  });

  // The same signature by node:crypto and another encoder, from the layout of 128 bytes.
  const named = ballots.map(({ body, sig }) => [sha(canonicalizeOracle(body) ?? "").toString("hex"), sig]);
  const valueHash = sha(`troupe/value/v1\0${canonicalizeOracle({ ...value, ballots: named }) ?? ""}`);
  const layout = Buffer.alloc(128);
  layout.write("troupe/v1/precom", 0);
  sha(canonicalizeOracle(proposal.body) ?? "").copy(layout, 16);
  sha(canonicalizeOracle(electorate) ?? "").copy(layout, 48);
  layout.writeUInt32BE(2, 80);
  layout.writeInt32BE(-1, 84);
  valueHash.copy(layout, 89);
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), sha("troupe test key a")]);
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  expect(certificate.signatures[0]).toEqual({ memberIndex: 0, sig: sign(null, layout, key).toString("hex") });
});

import { createHash, createPrivateKey, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import canonicalizeOracle from "canonicalize";
import { describe, expect, it } from "vitest";
import { digestOf, sealableOf, type SignedKind } from "../../machines/consensus/codec/sign-bytes.ts";
import { sha256 } from "../../src/consensus/ed25519.ts";
import {
  encodeCertificate,
  encodeElectorate,
  verifyCertificateBytes,
  verifyEvidence,
} from "../../src/consensus/verify.ts";
import type { Choice } from "../../machines/consensus/codec/messages.ts";
import { abstain, approve, conclude, convene, equals } from "./council.ts";

/** Files that must never change: certificates written by one release are checked by every later one. */
function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/consensus/${name}`, import.meta.url));
}

const council = await convene(
  [
    { id: "security", weight: 2, group: "model-x", host: "host-1" },
    { id: "performance", group: "model-y", host: "host-1" },
    { id: "maintainability", group: "model-y", host: "host-2" },
    { id: "business" },
    { id: "user-experience" },
    { id: "liar" },
  ],
  {
    options: ["release", "fix-first", "hold"],
    prefer: "bold",
    threshold: "2/3",
    question: "Release “naïve” 😀?",
    confidence: { floor: 0.3, weight: 0.3 },
  },
);
const ballots = await Promise.all(
  [
    council.body("security", approve("fix-first", "hold"), 0.75),
    council.body("performance", approve("release", "fix-first", "hold"), 0.9),
    council.body("maintainability", approve("fix-first", "hold"), 0.61),
    council.body("business", approve("release", "fix-first", "hold")),
    council.body("user-experience", abstain),
    council.body("liar", approve("hold"), 1),
    council.body("liar", approve("release"), 1),
  ].map((body) => council.sign(body)),
);
const { certificate, closing, state } = await conclude(council, ballots);
if (certificate === undefined || closing === null) throw new Error("the golden round must decide");

describe("golden vectors", () => {
  it("electorate, certificate and evidence have the bytes of the files", async () => {
    await expect(Buffer.from(encodeElectorate(council.electorate)).toString()).toMatchFileSnapshot(
      fixture("electorate.json"),
    );
    await expect(Buffer.from(encodeCertificate(certificate)).toString()).toMatchFileSnapshot(
      fixture("certificate.json"),
    );
    await expect(`${canonicalizeOracle(state.evidence[0]) ?? ""}\n`).toMatchFileSnapshot(fixture("evidence.json"));
  });

  it.each([
    ["ranked", (first: string, second: string): Choice => ({ kind: "ranked", order: [[first], [second]] })],
    ["grades", (first: string, second: string): Choice => ({ kind: "grades", grades: { [first]: 80, [second]: 55 } })],
  ] as const)("a certificate of the method %s has the bytes of its file and holds", async (method, choose) => {
    const other = await convene(equals(4), { method, decisionId: `golden-${method}` });
    const cast = [choose("x", "y"), choose("y", "z"), choose("z", "x"), choose("y", "x")].map((choice, index) =>
      other.sign(other.body(String.fromCharCode(97 + index), choice, index === 0 ? null : 0.5)),
    );
    const ended = await conclude(other, await Promise.all(cast));
    if (ended.certificate === undefined) throw new Error("the golden round must decide");
    const bytes = encodeCertificate(ended.certificate);
    await expect(Buffer.from(bytes).toString()).toMatchFileSnapshot(fixture(`certificate-${method}.json`));
    expect(verifyCertificateBytes(bytes, encodeElectorate(other.electorate))).toMatchObject({ ok: true, option: "y" });
  });

  it("digests and sign bytes are those of the file", async () => {
    const named: [SignedKind, unknown][] = [
      ["proposal", council.proposal.body],
      ...ballots.map(({ body }): [SignedKind, unknown] => ["ballot", body]),
      ["closing", closing.body],
    ];
    const lines = named.map(([kind, body]) => {
      const { digest, signBytes } = sealableOf(kind, body, sha256);
      return `${kind} ${digest} ${Buffer.from(signBytes).toString("hex")}`;
    });
    const text = [`electorate ${digestOf(council.electorate, sha256)}`, ...lines, ""].join("\n");
    await expect(text).toMatchFileSnapshot(fixture("sign-bytes.txt"));
  });

  it("can be made again from the specification alone, without any code of ours", () => {
    const file = JSON.parse(readFileSync(fixture("certificate.json"), "utf8")) as typeof certificate;
    const electorate = readFileSync(fixture("electorate.json"));
    const digest = (value: unknown): Buffer =>
      createHash("sha256")
        .update(canonicalizeOracle(value) ?? "")
        .digest();
    const signed = (name: string, kind: string, body: unknown): string => {
      const seed = createHash("sha256").update(`troupe test key ${name}`).digest();
      const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
      const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
      return sign(null, Buffer.concat([Buffer.from(`troupe/${kind}/v1\0`), digest(body)]), key).toString("hex");
    };
    expect(file.electorateDigest).toBe(createHash("sha256").update(electorate.subarray(0, -1)).digest("hex"));
    expect(file.proposal.sig).toBe(signed("coordinator", "proposal", file.proposal.body));
    for (const { body, sig } of file.ballots) expect(sig).toBe(signed(body.voter, "ballot", body));
    expect(file.ballots).toHaveLength(5);
    expect(file.closing?.sig).toBe(signed("coordinator", "closing", file.closing?.body));
    expect(file.closing?.body.ballotsDigest).toBe(
      digest(file.ballots.map(({ body }) => digest(body).toString("hex"))).toString("hex"),
    );
  });

  it("are accepted by the verifier", () => {
    const electorate = readFileSync(fixture("electorate.json"));
    expect(verifyCertificateBytes(readFileSync(fixture("certificate.json")), electorate)).toEqual({
      ok: true,
      option: "fix-first",
      weight: 5,
      members: ["business", "maintainability", "performance", "security"],
    });
    const evidence: unknown = JSON.parse(readFileSync(fixture("evidence.json"), "utf8"));
    expect(verifyEvidence(evidence, JSON.parse(electorate.toString()))).toEqual({ ok: true, voter: "liar" });
  });
});

import { createHash, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createMember, createSigner, importedKeysMax, importSeed, verifyEd25519 } from "../../src/consensus/ed25519.ts";

const message = new TextEncoder().encode("ballots");

describe("Ed25519 signing", () => {
  it("gives the signatures of RFC 8032 §7.1", async () => {
    const signer = createSigner(
      importSeed(Buffer.from("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "hex")),
    );
    expect(Buffer.from(signer.publicKey).toString("hex")).toBe(
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    );
    const signature = await signer.sign(Buffer.from("72", "hex"));
    expect(Buffer.from(signature).toString("hex")).toBe(
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    );
    expect(verifyEd25519(signer.publicKey, Buffer.from("72", "hex"), signature)).toBe(true);
  });

  it("makes members whose private key nobody can read", () => {
    const { member, signer } = createMember({ id: "security", weight: 3, group: "g", host: "h" });
    expect(member).toEqual({
      id: "security",
      weight: 3,
      group: "g",
      host: "h",
      publicKey: Buffer.from(signer.publicKey).toString("hex"),
    });
    expect(Object.keys(signer).sort()).toEqual(["publicKey", "sign"]);
    expect(JSON.stringify({ member, signer })).not.toContain("private");
    expect(createMember({ id: "a" }).member.publicKey).not.toBe(createMember({ id: "a" }).member.publicKey);
  });

  it("refuses members and keys that cannot vote, naming what to mend", () => {
    for (const options of [
      { id: "" },
      { id: "a b" },
      { id: "a", weight: 0 },
      { id: "a", weight: 1.5 },
      { id: "a", group: "" },
    ]) {
      expect(() => createMember(options)).toThrow(expect.objectContaining({ code: "usage/invalid-electorate" }));
    }
    const rsa = generateKeyPairSync("rsa", { modulusLength: 1_024 }).privateKey;
    expect(() => createSigner(rsa)).toThrow("private Ed25519 key");
    expect(() => createSigner(generateKeyPairSync("ed25519").publicKey)).toThrow("private Ed25519 key");
    expect(() => importSeed(new Uint8Array(31))).toThrow("32 bytes");
  });
});

describe("the one verifier", () => {
  it("accepts only the exact key, message and signature", async () => {
    const signer = createSigner();
    const signature = await signer.sign(message);
    expect(verifyEd25519(signer.publicKey, message, signature)).toBe(true);
    for (let index = 0; index < signature.length; index += 1) {
      const changed = Uint8Array.from(signature);
      changed[index] = (changed[index] ?? 0) ^ 1;
      expect(verifyEd25519(signer.publicKey, message, changed)).toBe(false);
    }
    expect(verifyEd25519(createSigner().publicKey, message, signature)).toBe(false);
    expect(verifyEd25519(signer.publicKey, new TextEncoder().encode("ballotS"), signature)).toBe(false);
  });

  it("answers false for anything malformed, and never throws", () => {
    const random = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" }).x ?? "";
    const key = Buffer.from(random, "base64url");
    for (const publicKey of [new Uint8Array(), new Uint8Array(31), new Uint8Array(33), Buffer.alloc(32, 2)]) {
      expect(verifyEd25519(publicKey, message, new Uint8Array(64))).toBe(false);
    }
    for (const signature of [new Uint8Array(), new Uint8Array(63), new Uint8Array(65), Buffer.alloc(64, 255)]) {
      expect(verifyEd25519(key, message, signature)).toBe(false);
    }
  });

  it("refuses every combination of small-order and non-canonical keys and points (trap verifierDivergence)", () => {
    const p = (1n << 255n) - 19n;
    const encode = (y: bigint, sign: number): Buffer => {
      const bytes = Buffer.from((y | (BigInt(sign) << 255n)).toString(16).padStart(64, "0"), "hex").reverse();
      return Buffer.from(bytes);
    };
    const order8 = [
      BigInt("0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826"),
      BigInt("0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd83d3d706a17c7"),
    ];
    const points = [0n, 1n, p - 1n, ...order8, p, p + 1n].flatMap((y) => [encode(y, 0), encode(y, 1)]);
    let tried = 0;
    for (const key of points) {
      for (const r of points) {
        for (const text of ["", "a", "ballots", "\u0000"]) {
          tried += 1;
          expect(verifyEd25519(key, new TextEncoder().encode(text), Buffer.concat([r, Buffer.alloc(32)]))).toBe(false);
        }
      }
    }
    expect(tried).toBe(784);
  });

  it("refuses the forgery that a key of small order allows: anyone can sign anything for it", () => {
    // With A the neutral element, R = [S]B verifies for every message; the pair comes from any private key.
    const seed = Buffer.alloc(32, 7);
    const scalar = createHash("sha512").update(seed).digest().subarray(0, 32);
    scalar[0] = (scalar[0] ?? 0) & 248;
    scalar[31] = ((scalar[31] ?? 0) & 127) | 64;
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const s = BigInt(`0x${Buffer.from(scalar).reverse().toString("hex")}`) % order;
    const forged = Buffer.concat([
      createSigner(importSeed(seed)).publicKey,
      Buffer.from(s.toString(16).padStart(64, "0"), "hex").reverse(),
    ]);
    // OpenSSL refuses it by itself in some releases only; the check of the key does not depend on that.
    const neutral = Buffer.from(`01${"00".repeat(31)}`, "hex");
    expect(verifyEd25519(neutral, message, forged)).toBe(false);
  });

  it("keeps a bounded number of imported keys and still knows the evicted ones", async () => {
    const signer = createSigner();
    const signature = await signer.sign(message);
    expect(verifyEd25519(signer.publicKey, message, signature)).toBe(true);
    for (let index = 0; index < importedKeysMax; index += 1) {
      const key = Buffer.alloc(32, 3);
      key.writeUInt32LE(index);
      verifyEd25519(key, message, signature);
    }
    expect(verifyEd25519(signer.publicKey, message, signature)).toBe(true);
  });
});

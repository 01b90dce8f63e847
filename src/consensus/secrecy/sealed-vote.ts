import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from "node:crypto";
import { z } from "zod";
import type { Parsed } from "../../../machines/consensus/electorate/threshold.ts";
import { TroupeError } from "../../errors.ts";

/** Largest sealed answer in base64url characters: a ballot with its reasoning and a thousand concerns. */
export const sealedLengthMax = 8 * 1024 * 1024;

const tagLength = 16;
const cipher = "chacha20-poly1305";
// A key seals one message only, so the nonce may be fixed (RFC 8439 §2.8 asks for no repetition under one key).
const nonce = new Uint8Array(12);

const sealedSchema = z.strictObject({
  sealed: z.strictObject({ key: z.string().regex(/^[0-9a-f]{64}$/), box: z.base64url().max(sealedLengthMax) }),
});

/** An answer that only the holder of the box can read. Plain JSON. */
export type Sealed = z.output<typeof sealedSchema>;

function rawKey(key: KeyObject): string {
  return Buffer.from(key.export({ format: "jwk" }).x ?? "", "base64url").toString("hex");
}

function importKey(hex: string): KeyObject {
  const x = Buffer.from(hex, "hex").toString("base64url");
  return createPublicKey({ key: { kty: "OKP", crv: "X25519", x }, format: "jwk" });
}

/** The key of one message: from the shared secret and both public keys (RFC 7748 §6.1, RFC 5869). */
function deriveKey(secret: Buffer, sender: string, receiver: string): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, Buffer.from(sender + receiver, "hex"), "troupe/sealed/v1", 32));
}

/** Encrypts an answer for the holder of `boxKey`, bound to one proposal. Errors: throws for a key that is none. */
export function sealAnswer(answer: unknown, boxKey: string, proposalDigest: string): Sealed {
  const { privateKey, publicKey } = generateKeyPairSync("x25519");
  let secret: Buffer;
  try {
    secret = diffieHellman({ privateKey, publicKey: importKey(boxKey) });
  } catch (cause) {
    throw new TroupeError("usage/invalid-options", "boxKey: nothing can be sealed to this key", { cause });
  }
  const sender = rawKey(publicKey);
  const encryption = createCipheriv(cipher, deriveKey(secret, sender, boxKey), nonce, { authTagLength: tagLength });
  encryption.setAAD(Buffer.from(proposalDigest, "hex"), { plaintextLength: 0 });
  const text = Buffer.concat([encryption.update(JSON.stringify(answer), "utf8"), encryption.final()]);
  return { sealed: { key: sender, box: Buffer.concat([text, encryption.getAuthTag()]).toString("base64url") } };
}

/** The private half of a box: made for one decision, never stored. */
export interface Box {
  /** The X25519 public key, in hex. */
  readonly key: string;
  /** Opens an answer, or says that it cannot. Never throws on data. */
  open(answer: unknown, proposalDigest: string): Parsed<unknown>;
}

/** Makes a box with a fresh key. */
export function createBox(): Box {
  const { privateKey, publicKey } = generateKeyPairSync("x25519");
  const key = rawKey(publicKey);
  return {
    key,
    open(answer, proposalDigest) {
      const parsed = sealedSchema.safeParse(answer);
      if (!parsed.success) return { ok: false, problem: "the answer is not sealed" };
      const { key: sender, box } = parsed.data.sealed;
      try {
        const secret = diffieHellman({ privateKey, publicKey: importKey(sender) });
        const bytes = Buffer.from(box, "base64url");
        const decryption = createDecipheriv(cipher, deriveKey(secret, sender, key), nonce, {
          authTagLength: tagLength,
        });
        decryption.setAAD(Buffer.from(proposalDigest, "hex"), { plaintextLength: 0 });
        decryption.setAuthTag(bytes.subarray(-tagLength));
        const text = Buffer.concat([decryption.update(bytes.subarray(0, -tagLength)), decryption.final()]);
        return { ok: true, value: JSON.parse(text.toString("utf8")) as unknown };
      } catch {
        // A wrong key, a changed byte and text that is not JSON are one to the reader: there is no answer in it.
        return { ok: false, problem: "the sealed answer cannot be opened" };
      }
    },
  };
}

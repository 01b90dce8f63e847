import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  sign,
  verify,
  type KeyObject,
} from "node:crypto";
import { sameBytes } from "../../machines/consensus/codec/bytes.ts";
import { findPublicKeyFault } from "../../machines/consensus/codec/public-key.ts";
import { memberSchema, type Member } from "../../machines/consensus/electorate/electorate.ts";
import { TroupeError } from "../errors.ts";
import type { Signer, Verify } from "../ports/signer.ts";

/** Most public keys kept imported; importing one costs as much as a verification. The oldest goes first. */
export const importedKeysMax = 4_096;

/** Raw lengths in bytes (RFC 8032 §5.1.5 and §5.1.6). */
const publicKeyLength = 32;
const signatureLength = 64;

/** SHA-256 over the UTF-8 of a text, in lowercase hex. */
export function sha256(text: string): string {
  return hash("sha256", text);
}

function rawPublicKey(key: KeyObject): Uint8Array {
  const { x } = key.export({ format: "jwk" });
  return Buffer.from(x ?? "", "base64url");
}

/** A key as it came and as node:crypto takes it; null is a key that cannot verify anything. */
interface Imported {
  readonly raw: Uint8Array;
  readonly key: KeyObject | null;
}

/** By their first four bytes, which are as good as random; two keys that share them take turns. */
const imported = new Map<number, Imported>();

function importPublicKey(raw: Uint8Array): KeyObject | null {
  const place = (raw[0] ?? 0) | ((raw[1] ?? 0) << 8) | ((raw[2] ?? 0) << 16) | ((raw[3] ?? 0) << 24);
  const known = imported.get(place);
  if (known !== undefined && sameBytes(known.raw, raw)) return known.key;
  const bytes = Buffer.from(raw);
  const key =
    findPublicKeyFault(bytes.toString("hex")) === undefined
      ? createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: bytes.toString("base64url") }, format: "jwk" })
      : null;
  imported.delete(place);
  if (imported.size >= importedKeysMax) {
    const oldest = imported.keys().next();
    if (oldest.done !== true) imported.delete(oldest.value);
  }
  imported.set(place, { raw: Uint8Array.from(raw), key });
  return key;
}

/**
 * The one Ed25519 verifier: node:crypto, cofactorless, with keys of small order and non-canonical keys refused.
 * Two verifiers that differ on such keys would accept different certificates. False for anything malformed.
 */
export const verifyEd25519: Verify = (publicKey, bytes, signature) => {
  if (publicKey.length !== publicKeyLength || signature.length !== signatureLength) return false;
  const key = importPublicKey(publicKey);
  return key !== null && verify(null, bytes, key, signature);
};

/**
 * A signer over a private Ed25519 key. The key stays in the closure: nothing that holds the signer can read it.
 * Errors: throws `usage/invalid-options` for a key that is not a private Ed25519 key.
 */
export function createSigner(privateKey: KeyObject = generateKeyPairSync("ed25519").privateKey): Signer {
  if (privateKey.type !== "private" || privateKey.asymmetricKeyType !== "ed25519") {
    throw new TroupeError(
      "usage/invalid-options",
      'a signer needs a private Ed25519 key: generateKeyPairSync("ed25519").privateKey',
    );
  }
  const publicKey = rawPublicKey(createPublicKey(privateKey));
  return { publicKey, sign: (bytes) => sign(null, bytes, privateKey) };
}

/** PKCS #8 header of an Ed25519 private key (RFC 8410 §7); the 32-byte seed follows. */
const pkcs8Header = Buffer.from("302e020100300506032b657004220420", "hex");

/** A private key from its 32-byte seed (RFC 8032 §5.1.5), for keys kept in a file or a vault. */
export function importSeed(seed: Uint8Array): KeyObject {
  if (seed.length !== 32)
    throw new TroupeError("usage/invalid-options", `an Ed25519 seed has 32 bytes, not ${seed.length}`);
  return createPrivateKey({ key: Buffer.concat([pkcs8Header, seed]), format: "der", type: "pkcs8" });
}

/** What a new member is made from. */
export interface MemberOptions {
  /** Letters, digits and `. _ : @ / # -`, at most 200. */
  readonly id: string;
  /** Voting power, a whole number from 1; default 1. */
  readonly weight?: number;
  /** What its faults may have in common with others: a model family, a provider, a team. */
  readonly group?: string;
  /** The machine or process that holds the key. */
  readonly host?: string;
  /** Who holds the key: "agent", the voter alone, or "host", the process that runs the decision. Not stated by default. */
  readonly custody?: Member["custody"];
  /** A private Ed25519 key of your own; a fresh one by default. */
  readonly privateKey?: KeyObject;
}

/**
 * Makes a voter's entry for an electorate, and the signer that alone holds its private key.
 * Shape: `member` is plain JSON and public; `signer.sign(bytes)` gives 64 bytes.
 * Errors: throws `usage/invalid-electorate` for an id, weight, group, host or custody that is not allowed.
 * Source: consensus design §4.5, docs/decisions/0010.
 * @example
 * ```ts
 * import { createMember } from "troupe";
 * const { member, signer } = createMember({ id: "security", weight: 2, group: "model-x" });
 * console.log(member.publicKey, signer.publicKey.length);
 * ```
 */
export function createMember(options: MemberOptions): { readonly member: Member; readonly signer: Signer } {
  const signer = createSigner(options.privateKey);
  const parsed = memberSchema.safeParse({
    id: options.id,
    publicKey: Buffer.from(signer.publicKey).toString("hex"),
    weight: options.weight ?? 1,
    ...(options.group === undefined ? {} : { group: options.group }),
    ...(options.host === undefined ? {} : { host: options.host }),
    ...(options.custody === undefined ? {} : { custody: options.custody }),
  });
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new TroupeError(
      "usage/invalid-electorate",
      `member ${JSON.stringify(options.id)}: ${issue?.path.join(".") ?? ""} ${issue?.message ?? "is not allowed"}`,
    );
  }
  return { member: parsed.data, signer };
}

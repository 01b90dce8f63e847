import { decodeHex, encodeUtf8, writeHex } from "./bytes.ts";
import { canonicalText } from "./canonical-json.ts";

/** SHA-256 over the UTF-8 of a text, in lowercase hex, passed in: floor 0 has no hash of its own. */
export type Hash = (text: string) => string;

/** Checks an Ed25519 signature, passed in; false for anything malformed, never a throw. */
export type VerifySignature = (publicKey: Uint8Array, bytes: Uint8Array, signature: Uint8Array) => boolean;

/** What can be signed. The kind is part of the signed bytes, so no signature can be replayed as another kind. */
export type SignedKind = "proposal" | "ballot" | "closing" | "commit" | "receipt" | "possession" | "transcript";

const tags: Readonly<Record<SignedKind, Uint8Array>> = {
  proposal: encodeUtf8("troupe/proposal/v1\0"),
  ballot: encodeUtf8("troupe/ballot/v1\0"),
  closing: encodeUtf8("troupe/closing/v1\0"),
  commit: encodeUtf8("troupe/commit/v1\0"),
  receipt: encodeUtf8("troupe/receipt/v1\0"),
  possession: encodeUtf8("troupe/possession/v1\0"),
  transcript: encodeUtf8("troupe/transcript/v1\0"),
};

/** The SHA-256 over the canonical JSON of a body: its digest in hex, and the bytes a signature over it covers. */
export interface Sealable {
  readonly digest: string;
  /** `"troupe/<kind>/v1\0" ‖ SHA-256(JCS(body))`. */
  readonly signBytes: Uint8Array;
}

/** Lowercase hex of the SHA-256 over the canonical JSON of `body`. */
export function digestOf(body: unknown, hash: Hash): string {
  return hash(canonicalText(body));
}

/** Digest and sign bytes of a body, hashed once. */
export function sealableOf(kind: SignedKind, body: unknown, hash: Hash): Sealable {
  return sealCanonical(kind, canonicalText(body), hash);
}

/** The same, from the canonical text already at hand. */
export function sealCanonical(kind: SignedKind, canonical: string, hash: Hash): Sealable {
  return sealDigest(kind, hash(canonical));
}

/** The same, from the digest already at hand. */
export function sealDigest(kind: SignedKind, digest: string): Sealable {
  const tag = tags[kind];
  const signBytes = new Uint8Array(tag.length + digest.length / 2);
  signBytes.set(tag, 0);
  writeHex(signBytes, tag.length, digest);
  return { digest, signBytes };
}

/** Whether a body of this kind is signed with this key; false where the key is none, or anything is malformed. */
export function isSignedBy(
  key: Uint8Array | undefined,
  kind: SignedKind,
  signed: { readonly body: unknown; readonly sig: string },
  ports: { readonly hash: Hash; readonly verify: VerifySignature },
): boolean {
  const signature = decodeHex(signed.sig);
  if (key === undefined || signature === undefined) return false;
  return ports.verify(key, sealableOf(kind, signed.body, ports.hash).signBytes, signature);
}

/**
 * What a voter commits to: the SHA-256 over "troupe/commitment/v1\0", the ballot's digest and a salt of 32 bytes, both
 * in lowercase hex. The salt keeps a ballot from being guessed, and the digest names its content.
 */
export function commitmentOf(ballotDigest: string, saltHex: string, hash: Hash): string {
  return hash(`troupe/commitment/v1\0${ballotDigest}${saltHex}`);
}

import { decodeHex } from "./bytes.ts";

/** Why a raw Ed25519 public key is refused. */
export type PublicKeyFault = "malformed" | "small-order" | "non-canonical";

/** A little-endian y of p = 2^255 - 19 or more: the same point has a smaller, canonical spelling (RFC 8032 §5.1.3). */
const beyondField = /^(e[d-f]|f[0-9a-f])(ff){30}7f$/;

/**
 * The y coordinates of the eight points of small order, in little-endian hex without the sign bit. A key of small
 * order accepts forged signatures. Source: "Taming the Many EdDSAs" (2020/1244), table 1.
 */
const smallOrderY: ReadonlySet<string> = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
]);

/** Most keys whose bytes are remembered; the members of a few electorates. The oldest goes first. */
const rememberedKeysMax = 4_096;

/** A key that was looked at: its bytes, or what is wrong with it. */
type ReadKey = { readonly bytes: Uint8Array } | { readonly fault: PublicKeyFault };

const readKeys = new Map<string, ReadKey>();

function readPublicKey(hex: string): ReadKey {
  const known = readKeys.get(hex);
  if (known !== undefined) return known;
  if (hex.length !== 64) return { fault: "malformed" };
  const bytes = decodeHex(hex);
  const fault = judgePublicKey(hex);
  const read: ReadKey = bytes === undefined || fault !== undefined ? { fault: fault ?? "malformed" } : { bytes };
  const oldest = readKeys.size < rememberedKeysMax ? undefined : readKeys.keys().next().value;
  if (oldest !== undefined) readKeys.delete(oldest);
  readKeys.set(hex, read);
  return read;
}

/** The bytes of a public key; undefined where it cannot be trusted to verify. Shared: nobody may write to them. */
export function publicKeyBytes(hex: string): Uint8Array | undefined {
  const read = readPublicKey(hex);
  return "bytes" in read ? read.bytes : undefined;
}

/** Says why a public key (64 lowercase hex digits) cannot be trusted to verify, or nothing. */
export function findPublicKeyFault(hex: string): PublicKeyFault | undefined {
  const read = readPublicKey(hex);
  return "fault" in read ? read.fault : undefined;
}

function judgePublicKey(hex: string): PublicKeyFault | undefined {
  if (!/^[0-9a-f]{64}$/.test(hex)) return "malformed";
  const last = Number.parseInt(hex.slice(62), 16) & 0x7f;
  const unsigned = hex.slice(0, 62) + last.toString(16).padStart(2, "0");
  if (smallOrderY.has(unsigned)) return "small-order";
  return beyondField.test(unsigned) ? "non-canonical" : undefined;
}

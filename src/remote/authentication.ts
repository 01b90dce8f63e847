import { timingSafeEqual, createHash } from "node:crypto";
import type { Credentials } from "../../machines/wire/frames.ts";
import type { PipeEnd } from "../ports/transport.ts";
import type { Signer, Verify } from "../ports/signer.ts";

/** How a node knows its peers, and how it makes itself known. */
export interface Authentication {
  /** Anybody may come: only for a listener that is reached from this machine alone. */
  readonly open?: boolean;
  /** Tokens that a dialer may bring. */
  readonly tokens?: readonly string[];
  /** Public keys in hex by node: who may dial this node, and whom this node expects where it dials. */
  readonly keys?: { readonly [node: string]: string };
  /** Proves this node's own key. */
  readonly signer?: Signer;
  /** A checked certificate is asked for, and the node must be one that it names. */
  readonly certified?: boolean;
  /** Proofs hold on any channel: where something in between ends the TLS. */
  readonly unbound?: boolean;
  /** Checks Ed25519 signatures. */
  readonly verify?: Verify;
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** Whether `given` is one of the secrets; the time it takes says nothing about them. */
export function isOneOf(given: string, secrets: readonly string[]): boolean {
  const wanted = digest(given);
  let found = false;
  for (const secret of secrets) if (timingSafeEqual(wanted, digest(secret))) found = true;
  return found;
}

export function keyOf({ signer }: Authentication): string {
  return signer === undefined ? "" : Buffer.from(signer.publicKey).toString("hex");
}

export function isKeyOf({ keys }: Authentication, node: string, key: string): boolean {
  return keys !== undefined && Object.hasOwn(keys, node) && keys[node] === key;
}

export function verifyHex({ verify }: Authentication): (key: string, bytes: Uint8Array, sig: string) => boolean {
  return (key, bytes, sig) => verify?.(Buffer.from(key, "hex"), bytes, Buffer.from(sig, "hex")) === true;
}

export async function signHex({ signer }: Authentication, bytes: Uint8Array): Promise<string> {
  if (signer === undefined) throw new Error("there is no key to sign with");
  return Buffer.from(await signer.sign(bytes)).toString("hex");
}

/** What proofs are bound to. */
export function bindingOf({ unbound }: Authentication, end: PipeEnd): string {
  return unbound === true ? "" : end.binding;
}

/** What a dialer says of itself: a key where it has one, else a token, else its certificate or nothing. */
export function credentialsOf(auth: Authentication): Credentials {
  if (auth.signer !== undefined) return { k: "ed25519", key: keyOf(auth) };
  const token = auth.tokens?.[0];
  if (token !== undefined) return { k: "token", token };
  return auth.certified === true ? { k: "mtls" } : { k: "none" };
}

/**
 * Signs for one voter. The private key never leaves the implementation: a remote voter, a hardware key or
 * a key in this process all look the same from here.
 */
export interface Signer {
  /** The raw 32-byte Ed25519 public key. */
  readonly publicKey: Uint8Array;
  /** The 64-byte Ed25519 signature over `bytes`. */
  sign(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** Checks an Ed25519 signature; false for anything malformed, never a throw. */
export type Verify = (publicKey: Uint8Array, bytes: Uint8Array, signature: Uint8Array) => boolean;

/** Everything about a handshake that a signature covers, so that no proof can be used for another one. */
export interface ProofSubject {
  readonly dialer: { readonly node: string; readonly inc: string; readonly nonce: string; readonly key: string };
  readonly listener: { readonly node: string; readonly inc: string; readonly nonce: string; readonly key: string };
  /** Keying material of the TLS channel in hex (RFC 9266), or "" where it is not bound. */
  readonly binding: string;
}

/**
 * The bytes that one side signs. Names and nonces are checked to be ASCII without a line break before they come
 * here, so lines cannot run into one another. Source: docs/protocol.md, after NATS' nkey challenge.
 */
export function proofBytes(role: "dialer" | "listener", subject: ProofSubject): Uint8Array {
  const { dialer, listener, binding } = subject;
  const text = [
    "troupe-v1",
    role,
    dialer.node,
    dialer.inc,
    dialer.nonce,
    dialer.key,
    listener.node,
    listener.inc,
    listener.nonce,
    listener.key,
    binding,
  ].join("\n");
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index) & 0x7f;
  return bytes;
}

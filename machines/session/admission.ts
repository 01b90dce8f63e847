import type { CloseCode } from "../wire/close-codes.ts";
import type { Challenge, Frame, Hello } from "../wire/frames.ts";
import { proofBytes } from "./proof.ts";

/** Who a listener lets in. The functions are passed in: floor 0 has no cryptography. */
export interface AdmissionRules {
  readonly node: string;
  readonly inc: string;
  readonly codec: string;
  /** Fresh for this connection; 16 bytes in hex. */
  readonly nonce: string;
  /** This side's public key in hex, or "" where it has none. */
  readonly key: string;
  /** Keying material of the channel in hex, or "". */
  readonly binding: string;
  /** Nobody needs to say who they are; loopback only. */
  readonly open: boolean;
  /** In constant time. */
  readonly isToken: (token: string) => boolean;
  /** Whether this key may speak for this node. */
  readonly isKeyOf: (node: string, key: string) => boolean;
  /** Whether the channel's certificate was checked and names this node. */
  readonly isCertified: (node: string) => boolean;
  /** Whatever else a dialer brings, its certificate must name it. */
  readonly needsCertificate: boolean;
  /** A certificate alone proves who a dialer is. */
  readonly takesCertificate: boolean;
  readonly verify: (keyHex: string, bytes: Uint8Array, signatureHex: string) => boolean;
}

/** How far one connection's handshake is, seen from the listener. */
export type AdmissionState =
  | { readonly phase: "silent" }
  | { readonly phase: "challenged"; readonly hello: Hello; readonly dialerKey: string }
  | { readonly phase: "signing"; readonly hello: Hello }
  | { readonly phase: "done" };

export type AdmissionInput =
  | { readonly type: "frame"; readonly frame: Frame }
  | { readonly type: "signed"; readonly sig: string }
  | { readonly type: "timeout" };

export type AdmissionEffect =
  | { readonly type: "send"; readonly frame: Challenge }
  /** Sign these bytes with this node's key and give the signature as `signed`. */
  | { readonly type: "sign"; readonly bytes: Uint8Array }
  | { readonly type: "admit"; readonly hello: Hello; readonly sig: string | undefined }
  | { readonly type: "refuse"; readonly code: CloseCode; readonly reason: string };

type Stepped = readonly [AdmissionState, readonly AdmissionEffect[]];

const done: AdmissionState = { phase: "done" };

function refuse(code: CloseCode, reason: string): Stepped {
  return [done, [{ type: "refuse", code, reason }]];
}

function admit(hello: Hello, sig?: string): Stepped {
  return [done, [{ type: "admit", hello, sig }]];
}

function greet(hello: Hello, rules: AdmissionRules): Stepped {
  if (!hello.v.includes(1)) return refuse(4406, `this node speaks version 1, not ${hello.v.join(", ")}`);
  if (hello.codec !== rules.codec) return refuse(4406, `the codec of this connection is ${rules.codec}`);
  const { auth, node } = hello;
  if (rules.needsCertificate && !rules.isCertified(node))
    return refuse(4401, "the certificate does not name this node");
  switch (auth.k) {
    case "none":
      return rules.open ? admit(hello) : refuse(4401, "this node asks for authentication");
    case "token":
      return rules.isToken(auth.token) ? admit(hello) : refuse(4401, "the token is not accepted");
    case "mtls":
      if (!rules.takesCertificate) return refuse(4401, "this node asks for more than a certificate");
      return rules.isCertified(node) ? admit(hello) : refuse(4401, "the certificate does not name this node");
    case "ed25519": {
      // The costly verification comes only after this cheap look-up.
      if (rules.key === "" || !rules.isKeyOf(node, auth.key)) return refuse(4401, "the key is not known here");
      const challenge: Challenge = { t: "C", nonce: rules.nonce, node: rules.node, inc: rules.inc, key: rules.key };
      return [{ phase: "challenged", hello, dialerKey: auth.key }, [{ type: "send", frame: challenge }]];
    }
  }
}

function checkProof(state: AdmissionState & { phase: "challenged" }, sig: string, rules: AdmissionRules): Stepped {
  const { hello, dialerKey } = state;
  const subject = {
    dialer: { node: hello.node, inc: hello.inc, nonce: hello.nonce, key: dialerKey },
    listener: rules,
    binding: rules.binding,
  };
  if (!rules.verify(dialerKey, proofBytes("dialer", subject), sig)) return refuse(4401, "the proof does not hold");
  return [{ phase: "signing", hello }, [{ type: "sign", bytes: proofBytes("listener", subject) }]];
}

/** One step of a listener's handshake. Every way through it ends in exactly one `admit` or `refuse`. */
export function stepAdmission(state: AdmissionState, input: AdmissionInput, rules: AdmissionRules): Stepped {
  if (state.phase === "done") return [state, []];
  if (input.type === "timeout") return refuse(4408, "the handshake took too long");
  if (input.type === "signed")
    return state.phase === "signing" ? admit(state.hello, input.sig) : refuse(4500, "signed without being asked");
  const { frame } = input;
  if (state.phase === "silent" && frame.t === "H") return greet(frame, rules);
  if (state.phase === "challenged" && frame.t === "P") return checkProof(state, frame.sig, rules);
  return refuse(4400, `a frame ${frame.t} does not belong into this place of the handshake`);
}

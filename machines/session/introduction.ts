import type { Frame, Hello, Proof, Welcome } from "../wire/frames.ts";
import { proofBytes, type ProofSubject } from "./proof.ts";

/** What a dialer expects of the listener. */
export interface IntroductionRules {
  readonly hello: Hello;
  /** Keying material of the channel in hex, or "". */
  readonly binding: string;
  /** Whether this key may speak for this node. */
  readonly isKeyOf: (node: string, key: string) => boolean;
  /** Whether the channel's certificate was checked and names this node. */
  readonly isCertified: (node: string) => boolean;
  readonly verify: (keyHex: string, bytes: Uint8Array, signatureHex: string) => boolean;
}

/** How far one connection's handshake is, seen from the dialer. */
export type IntroductionState =
  | { readonly phase: "greeting" }
  | { readonly phase: "signing"; readonly subject: ProofSubject }
  | { readonly phase: "proved"; readonly subject: ProofSubject }
  | { readonly phase: "done" };

export type IntroductionInput =
  | { readonly type: "frame"; readonly frame: Frame }
  | { readonly type: "signed"; readonly sig: string }
  | { readonly type: "timeout" };

export type IntroductionEffect =
  | { readonly type: "send"; readonly frame: Proof }
  | { readonly type: "sign"; readonly bytes: Uint8Array }
  | { readonly type: "welcome"; readonly frame: Welcome }
  | { readonly type: "refuse"; readonly code: number; readonly reason: string; readonly retryAfterMs?: number };

type Stepped = readonly [IntroductionState, readonly IntroductionEffect[]];

const done: IntroductionState = { phase: "done" };

function refuse(code: number, reason: string): Stepped {
  return [done, [{ type: "refuse", code, reason }]];
}

function answerChallenge(frame: Frame & { t: "C" }, rules: IntroductionRules): Stepped {
  const { hello } = rules;
  if (hello.auth.k !== "ed25519") return refuse(4400, "challenged without a key to prove");
  if (!rules.isKeyOf(frame.node, frame.key))
    return refuse(4401, `the key of node ${frame.node} is not the expected one`);
  const subject: ProofSubject = {
    dialer: { node: hello.node, inc: hello.inc, nonce: hello.nonce, key: hello.auth.key },
    listener: { node: frame.node, inc: frame.inc, nonce: frame.nonce, key: frame.key },
    binding: rules.binding,
  };
  return [{ phase: "signing", subject }, [{ type: "sign", bytes: proofBytes("dialer", subject) }]];
}

function takeWelcome(state: IntroductionState, frame: Welcome, rules: IntroductionRules): Stepped {
  if (rules.hello.auth.k === "ed25519") {
    // A listener that does not prove its own key could be anybody.
    if (state.phase !== "proved") return refuse(4401, "the other side did not ask for the proof, nor give one");
    const { subject } = state;
    const isSame = subject.listener.node === frame.node && subject.listener.inc === frame.inc;
    const isProved =
      frame.sig !== undefined && rules.verify(subject.listener.key, proofBytes("listener", subject), frame.sig);
    if (!isSame || !isProved) return refuse(4401, "the other side did not prove its key");
  }
  if (rules.hello.auth.k === "mtls" && !rules.isCertified(frame.node))
    return refuse(4401, `the certificate of the other side does not name node ${frame.node}`);
  return [done, [{ type: "welcome", frame }]];
}

/** One step of a dialer's handshake, after its hello went out. It ends in exactly one `welcome` or `refuse`. */
export function stepIntroduction(
  state: IntroductionState,
  input: IntroductionInput,
  rules: IntroductionRules,
): Stepped {
  if (state.phase === "done") return [state, []];
  if (input.type === "timeout") return refuse(4408, "the handshake took too long");
  if (input.type === "signed") {
    if (state.phase !== "signing") return refuse(4500, "signed without being asked");
    return [{ phase: "proved", subject: state.subject }, [{ type: "send", frame: { t: "P", sig: input.sig } }]];
  }
  const { frame } = input;
  if (frame.t === "E") {
    const refusal = { type: "refuse", code: frame.code, reason: frame.message } as const;
    return [done, [frame.retryAfterMs === undefined ? refusal : { ...refusal, retryAfterMs: frame.retryAfterMs }]];
  }
  if (state.phase === "greeting" && frame.t === "C") return answerChallenge(frame, rules);
  if (frame.t === "W" && state.phase !== "signing") return takeWelcome(state, frame, rules);
  return refuse(4400, `a frame ${frame.t} does not belong into this place of the handshake`);
}

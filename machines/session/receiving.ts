import { isKnownKind } from "../wire/envelope.ts";
import type { Ack, Batch, Beat, GoAway, SessionFrame } from "../wire/frames.ts";
import type { SessionEffect } from "./effects.ts";
import { ackDelayMs } from "./limits.ts";
import { hearAt } from "./liveness.ts";
import { wake } from "./sending.ts";
import type { SessionState } from "./state.ts";

/** What a frame came to: taken, a farewell, or a breach of the protocol with what came before it in the frame. */
type Received =
  | { readonly kind: "fine"; readonly state: SessionState; readonly effects: readonly SessionEffect[] }
  | { readonly kind: "drained"; readonly state: SessionState; readonly frame: GoAway }
  | {
      readonly kind: "breach";
      readonly state: SessionState;
      readonly effects: readonly SessionEffect[];
      readonly why: string;
    };

function takePosition(state: SessionState, frame: Batch | Ack | Beat): SessionState | undefined {
  if (frame.a > state.outbox.lastSent) return undefined;
  if (frame.a > state.acked) state.outbox.prune(frame.a);
  return { ...state, acked: Math.max(state.acked, frame.a), limit: Math.max(state.limit, frame.l) };
}

/** Takes the messages that are new, in order; a repeated one is dropped, a gap is a breach. */
function takeMessages(state: SessionState, batch: Batch, effects: SessionEffect[]): SessionState | string {
  let { recv, duplicates } = state;
  for (const envelope of batch.m) {
    if (envelope.s <= recv) {
      duplicates += 1;
      continue;
    }
    if (envelope.s !== recv + 1) return `message ${envelope.s} came after message ${recv}`;
    if (envelope.s > state.granted) return `message ${envelope.s} is beyond the credit of ${state.granted}`;
    recv = envelope.s;
    if (isKnownKind(envelope.k)) effects.push({ type: "deliver", envelope });
  }
  return { ...state, recv, duplicates };
}

/** Takes one frame of the present connection. */
export function receive(before: SessionState, frame: SessionFrame, now: number): Received {
  const state = hearAt(before, now);
  if (frame.t === "G" || frame.t === "E") {
    const { retryAfterMs = state.retryAfterMs } = frame;
    const told = { ...state, retryAfterMs };
    return frame.t === "G" ? { kind: "drained", state: told, frame } : { kind: "fine", state: told, effects: [] };
  }
  const positioned = takePosition(state, frame);
  if (positioned === undefined) {
    const why = `message ${frame.a} was acknowledged, but only ${state.outbox.lastSent} were sent`;
    return { kind: "breach", state, effects: [], why };
  }
  const effects: SessionEffect[] = [];
  if (frame.t === "I") effects.push({ type: "loaded", load: frame.load });
  const taken = frame.t === "M" ? takeMessages(positioned, frame, effects) : positioned;
  if (typeof taken === "string") return { kind: "breach", state: positioned, effects, why: taken };
  const [owing, wakes] = oweAck(taken, now);
  return { kind: "fine", state: owing, effects: wakes.length === 0 ? effects : [...effects, ...wakes] };
}

/** An acknowledgement waits a little for a message to travel with, but not until the peer runs out of credit. */
function oweAck(state: SessionState, now: number): readonly [SessionState, readonly SessionEffect[]] {
  const owed = state.recv - state.told;
  if (owed * 4 >= state.settings.limits.msgs) return wake({ ...state, ackBy: 0 });
  if (owed > 0 && state.ackBy === Number.POSITIVE_INFINITY) return wake({ ...state, ackBy: now + ackDelayMs });
  return wake(state);
}

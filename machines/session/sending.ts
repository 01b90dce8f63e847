import type { SessionEffect } from "./effects.ts";
import { gatheredBytesMax, gatheredMessagesMax } from "./limits.ts";
import type { SessionState } from "./state.ts";

type Sent = readonly [SessionState, readonly SessionEffect[]];

const nothing: readonly SessionEffect[] = [];
const wakeUp: readonly SessionEffect[] = [{ type: "wake", atOnce: false }];
const hurry: readonly SessionEffect[] = [{ type: "wake", atOnce: true }];

/** Asks for a flush at the end of the turn where one would send something. */
export function wake(state: SessionState): Sent {
  if (state.waking || state.pipe === 0 || state.congested) return [state, nothing];
  if (state.outbox.waiting === 0 && state.ackBy !== 0) return [state, nothing];
  return [{ ...state, waking: true }, wakeUp];
}

function limitOf({ limit, acked, settings }: SessionState): number {
  return Math.min(limit, acked + settings.windowMessages);
}

/** As `wake`, after a message was added; enough of them go at once where the peer takes them. */
export function gather(state: SessionState): Sent {
  const { outbox } = state;
  const isFull = outbox.waiting >= gatheredMessagesMax || outbox.waitingBytes >= gatheredBytesMax;
  const goes = isFull && state.pipe !== 0 && !state.congested && outbox.last - outbox.waiting < limitOf(state);
  return goes ? [{ ...state, waking: true }, hurry] : wake(state);
}

/** Sends what the credit and the window allow, or else an acknowledgement that is owed. */
export function flush(state: SessionState, now: number): Sent {
  const { pipe, outbox, settings } = state;
  if (pipe === 0 || state.congested) return [state.waking ? { ...state, waking: false } : state, nothing];
  const a = state.recv;
  const l = a + settings.limits.msgs;
  const room = { limit: limitOf(state), windowBytes: state.windowBytes, now, pack: settings.pack };
  const effects: SessionEffect[] = [];
  for (;;) {
    const bodies = outbox.nextBatch(room);
    if (bodies.length === 0) break;
    effects.push({ type: "batch", pipe, a, l, bodies });
  }
  if (effects.length === 0) {
    if (state.told === a) return [{ ...state, waking: false, ackBy: Number.POSITIVE_INFINITY }, nothing];
    effects.push({ type: "frame", pipe, frame: { t: "A", a, l } });
  }
  const said = { ...state, waking: false, told: a, granted: l, ackBy: Number.POSITIVE_INFINITY };
  return [said, effects];
}

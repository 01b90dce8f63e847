import type { SessionEffect } from "./effects.ts";
import type { SessionInput } from "./events.ts";
import { heartbeatMsMax, heartbeatMsMin, heartbeatsMissedMax } from "./limits.ts";
import { flush } from "./sending.ts";
import type { SessionState } from "./state.ts";

/** A sign of life, with how late this side's timers are and how busy it is. */
export function beatOf(state: SessionState, { lateMs, load }: { lateMs: number; load: number }): SessionEffect {
  const a = state.recv;
  return {
    type: "frame",
    pipe: state.pipe,
    frame: { t: "I", a, l: a + state.settings.limits.msgs, lag: lateMs, load },
  };
}

/** How fast the longest silence wears off, per message heard. */
const gapWear = 0.999;

/** Any sign of the peer counts as life, and teaches what its silences look like. */
export function hearAt(state: SessionState, now: number): SessionState {
  const gapMs = Math.max(now - state.heardAt, state.gapMs * gapWear);
  return { ...state, heardAt: now, gapMs };
}

/** The heartbeat that a peer has named, within what this side keeps to; a frame may name any up to an hour. */
export function heartbeatWithin(ms: number): number {
  return Math.min(heartbeatMsMax, Math.max(heartbeatMsMin, ms));
}

/** When a sign of life is due. The peer may be less patient than this side, and has said so where it was dialled. */
function beatDue({ beatAt, settings, peerBeatMs }: SessionState): number {
  return beatAt + Math.min(settings.heartbeatMs, peerBeatMs);
}

/**
 * Silence from here on is death: some heartbeats missed, of whichever side takes longer between them, and what this peer's
 * silences were like before.
 */
function silentFrom(state: SessionState): number {
  const patienceMs = Math.max(state.settings.heartbeatMs, state.peerBeatMs) * heartbeatsMissedMax;
  return state.heardAt + patienceMs + Math.min(state.gapMs, patienceMs);
}

type TimeVerdict =
  | { readonly kind: "fine"; readonly state: SessionState; readonly effects: readonly SessionEffect[] }
  | { readonly kind: "silent" | "doubtful" | "expired"; readonly state: SessionState };

/**
 * What the passing of time means. A side that stood still itself could not have heard the peer: the time it was late
 * is not held against the peer (source: pekko#578, one sick node that downed a whole cluster).
 */
export function passTime(before: SessionState, tick: SessionInput & { readonly type: "tick" }): TimeVerdict {
  const { now, lateMs } = tick;
  if (before.pipe === 0) return passApart(before, now);
  const state = lateMs > 0 ? { ...before, heardAt: Math.min(now, before.heardAt + lateMs) } : before;
  if (now >= silentFrom(state)) return { kind: "silent", state };
  const [flushed, effects] = state.ackBy <= now ? flush(state, now) : ([state, []] as const);
  // Messages are a sign of life too, but say nothing of how busy this side is.
  if (now < beatDue(flushed)) return { kind: "fine", state: flushed, effects };
  const { recv: a, settings } = flushed;
  const l = a + settings.limits.msgs;
  const said = { ...flushed, told: a, granted: l, beatAt: now, ackBy: Number.POSITIVE_INFINITY };
  return { kind: "fine", state: said, effects: [...effects, beatOf(flushed, tick)] };
}

function passApart(state: SessionState, now: number): TimeVerdict {
  if (state.life === "connecting") return { kind: "fine", state, effects: [] };
  if (now >= state.lostAt + state.settings.ttlMs) return { kind: "expired", state };
  if (state.life === "resuming" && now >= state.lostAt + state.settings.suspectAfterMs)
    return { kind: "doubtful", state };
  return { kind: "fine", state, effects: [] };
}

/** When the session must be given a tick, at the latest; infinity where it needs none. */
export function nextAlarm(state: SessionState): number {
  const { settings } = state;
  switch (state.life) {
    case "connecting":
    case "down":
      return Number.POSITIVE_INFINITY;
    case "resuming":
      return state.lostAt + Math.min(settings.suspectAfterMs, settings.ttlMs);
    case "suspect":
      return state.lostAt + settings.ttlMs;
    case "up":
    case "draining":
      return Math.min(state.ackBy, beatDue(state), silentFrom(state));
  }
}

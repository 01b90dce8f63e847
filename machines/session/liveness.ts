import type { SessionEffect } from "./effects.ts";
import type { SessionInput } from "./events.ts";
import { heartbeatsMissedMax } from "./limits.ts";
import { flush } from "./sending.ts";
import type { SessionState } from "./state.ts";

/** How fast the longest silence wears off, per message heard. */
const gapWear = 0.999;

/** Any sign of the peer counts as life, and teaches what its silences look like. */
export function hearAt(state: SessionState, now: number): SessionState {
  const gapMs = Math.max(now - state.heardAt, state.gapMs * gapWear);
  return { ...state, heardAt: now, gapMs };
}

/** Silence from here on is death: some heartbeats missed, and what this peer's silences were like before. */
function silentFrom(state: SessionState): number {
  const patienceMs = state.settings.heartbeatMs * heartbeatsMissedMax;
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
  if (now < flushed.saidAt + flushed.settings.heartbeatMs) return { kind: "fine", state: flushed, effects };
  const { pipe, recv: a, settings } = flushed;
  const l = a + settings.limits.msgs;
  const beat: SessionEffect = { type: "frame", pipe, frame: { t: "I", a, l, lag: lateMs, load: tick.load } };
  const said = { ...flushed, told: a, granted: l, saidAt: now, ackBy: Number.POSITIVE_INFINITY };
  return { kind: "fine", state: said, effects: [...effects, beat] };
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
      return Math.min(state.ackBy, state.saidAt + settings.heartbeatMs, silentFrom(state));
  }
}

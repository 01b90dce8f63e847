import { closePolicyOf, isBreach } from "../wire/close-codes.ts";
import { errorFrame } from "../wire/partings.ts";
import type { SessionEffect } from "./effects.ts";
import type { EndReason, SessionInput } from "./events.ts";
import { healthyAfterMs, outboxReserveMax, overflowRetryMs } from "./limits.ts";
import { beatOf, heartbeatWithin, passTime } from "./liveness.ts";
import { linkChart } from "./machine.ts";
import { receive } from "./receiving.ts";
import { flush, gather, wake } from "./sending.ts";
import type { SessionState } from "./state.ts";

export type Stepped = readonly [SessionState, readonly SessionEffect[]];

const nothing: readonly SessionEffect[] = [];

/** Moves along the chart; an event that has no arrow there changes nothing. */
function move(state: SessionState, event: string): Stepped {
  const to = linkChart.next(state.life, event);
  if (to === undefined || to === state.life) return [state, nothing];
  return [{ ...state, life: to }, [{ type: "moved", from: state.life, to }]];
}

function end(state: SessionState, reason: EndReason, code: number): Stepped {
  const [moved, effects] = move(state, "end");
  const unsettled = state.outbox.unsettled();
  state.outbox.clear();
  return [{ ...moved, pipe: 0, waking: false }, [...effects, { type: "ended", reason, code, unsettled }]];
}

/** Ends the session and says so to the peer. */
function breakOff(
  state: SessionState,
  reason: EndReason,
  why: { readonly code: number; readonly text: string; readonly retryAfterMs?: number },
): Stepped {
  const { pipe } = state;
  const { code, text, retryAfterMs } = why;
  const [ended, effects] = end(state, reason, code);
  if (pipe === 0) return [ended, effects];
  const word = errorFrame({ what: { code, message: text }, retryAfterMs });
  const goodbye: SessionEffect[] = code === 1000 ? [] : [{ type: "frame", pipe, frame: word }];
  return [ended, [...goodbye, { type: "disconnect", pipe, code, reason: text, hard: false }, ...effects]];
}

function redial(state: SessionState, retryAfterMs: number | undefined): Stepped {
  if (state.settings.role === "acceptor") return [state, nothing];
  const { redialFirstMs, redialMaxMs } = state.settings;
  const ceilingMs = Math.min(redialMaxMs, redialFirstMs * 2 ** Math.min(state.attempt, 10));
  const fromMs = retryAfterMs ?? 0;
  // Whoever was told the same time at the same moment is spread over half of it at least.
  const spreadMs = Math.max(ceilingMs, Math.min(redialMaxMs, fromMs / 2));
  return [{ ...state, attempt: state.attempt + 1 }, [{ type: "dial", fromMs, toMs: fromMs + spreadMs }]];
}

function lose(state: SessionState, input: SessionInput & { readonly type: "lost" }): Stepped {
  if (input.pipe !== state.pipe || state.pipe === 0) return [state, nothing];
  switch (closePolicyOf(input.code)) {
    case "stop":
      return end({ ...state, pipe: 0 }, "refused", input.code);
    case "renew":
    case "rest": {
      const reason = input.code === 1000 ? "closed" : reasonOf(input.code);
      return end({ ...state, pipe: 0, attempt: attemptAfter(state, input.now) }, reason, input.code);
    }
    case "resume":
    case "wait":
      return detach(state, input.now, input.retryAfterMs);
  }
}

/** Why a session ended that the other side has ended: it found fault, or knows the session no more. */
function reasonOf(code: number): EndReason {
  return isBreach(code) ? "protocol" : "restarted";
}

/** A connection that has held for long makes good for the dials that came to nothing before it. */
function attemptAfter(state: SessionState, now: number): number {
  return now - state.upAt >= healthyAfterMs ? 0 : state.attempt;
}

function detach(state: SessionState, now: number, retryAfterMs = state.retryAfterMs): Stepped {
  const [moved, effects] = move(state, "lose");
  const idle: SessionState = {
    ...moved,
    pipe: 0,
    lostAt: now,
    congested: false,
    ackBy: Number.POSITIVE_INFINITY,
    attempt: attemptAfter(state, now),
    // It is waited now. Where the session ends meanwhile, the next one must not wait as long again.
    retryAfterMs: undefined,
  };
  const [dialling, dials] = redial(idle, retryAfterMs);
  return [dialling, [...effects, ...dials]];
}

/**
 * Sends the peer away for a while. Nothing is lost: what was not taken is not acknowledged either, and is sent again. The
 * wait is far shorter than what the session is kept for.
 */
function sendAway(state: SessionState, { pipe, waitMs, now }: SessionInput & { readonly type: "flooded" }): Stepped {
  const retryAfterMs = Math.min(waitMs, state.settings.ttlMs / 2);
  const message = "more messages or bytes a second than are taken here";
  const [apart, effects] = detach(state, now, retryAfterMs);
  return [
    apart,
    [
      { type: "frame", pipe, frame: errorFrame({ what: { code: 4429, message }, retryAfterMs }) },
      { type: "disconnect", pipe, code: 4429, reason: message, hard: false },
      ...effects,
    ],
  ];
}

function miss(state: SessionState, input: SessionInput & { readonly type: "missed" }): Stepped {
  if (state.pipe !== 0) return [state, nothing];
  const policy = closePolicyOf(input.code);
  if (policy === "stop") return end(state, "refused", input.code);
  if ((policy === "renew" || policy === "rest") && state.life !== "connecting")
    return end({ ...state, retryAfterMs: input.retryAfterMs }, reasonOf(input.code), input.code);
  return redial(state, input.retryAfterMs);
}

function attach(state: SessionState, input: SessionInput & { readonly type: "attach" }): Stepped {
  const { pipe, peerRecv, now } = input;
  // The older connection goes before anything is sent again; what still comes from it is not heard.
  const older: SessionEffect[] =
    state.pipe === 0
      ? []
      : [{ type: "disconnect", pipe: state.pipe, code: 4409, reason: "a newer connection took over", hard: false }];
  const present = { ...state, pipe };
  if (peerRecv > state.outbox.lastSent || peerRecv < state.acked) {
    const text = `the peer has messages up to ${peerRecv}, which were acknowledged to ${state.acked} and sent to ${state.outbox.lastSent}`;
    const [ended, effects] = breakOff(present, "protocol", { code: 4400, text });
    return [ended, [...older, ...effects]];
  }
  state.outbox.prune(peerRecv);
  if (input.repack === true) state.outbox.repack(state.settings.pack, now);
  state.outbox.rewind();
  const [moved, effects] = move(present, "attach");
  const isFirst = state.life === "connecting";
  const attached: SessionState = {
    ...moved,
    acked: peerRecv,
    limit: Math.max(state.limit, input.limit),
    windowBytes: Math.min(state.settings.windowBytes, input.bytes ?? Number.POSITIVE_INFINITY),
    // The handshake told the peer what we have and how much we take.
    told: state.recv,
    granted: Math.max(state.granted, state.recv + state.settings.limits.msgs),
    peerBeatMs: input.beatMs === undefined ? state.peerBeatMs : heartbeatWithin(input.beatMs),
    heardAt: now,
    beatAt: now,
    upAt: now,
    gapMs: 0,
    congested: false,
    waking: false,
    retryAfterMs: undefined,
    resumes: state.resumes + (isFirst ? 0 : 1),
  };
  const farewell: SessionEffect[] =
    state.farewell === undefined ? [] : [{ type: "frame", pipe, frame: state.farewell }];
  const [draining, drained] = state.farewell === undefined ? [attached, nothing] : move(attached, "drain");
  const [woken, wakes] = wake(draining);
  const beat = beatOf(attached, { lateMs: 0, load: input.load });
  return [woken, [...older, ...effects, ...drained, ...farewell, beat, ...wakes]];
}

function send(state: SessionState, input: SessionInput & { readonly type: "send" }): Stepped {
  const { outbox, settings } = state;
  outbox.push(input.draft, settings.pack, input.due);
  if (outbox.size > settings.outboxMessages + outboxReserveMax)
    return breakOff(state, "overflow", {
      code: 4430,
      text: "the peer reads too slowly",
      retryAfterMs: overflowRetryMs,
    });
  return gather(state);
}

function drain(state: SessionState, input: SessionInput & { readonly type: "drain" }): Stepped {
  const [moved, effects] = move({ ...state, farewell: input.frame }, "drain");
  if (state.pipe === 0) return [moved, effects];
  return [moved, [...effects, { type: "frame", pipe: state.pipe, frame: input.frame }]];
}

function pass(state: SessionState, input: SessionInput & { readonly type: "tick" }): Stepped {
  const verdict = passTime(state, input);
  switch (verdict.kind) {
    case "fine":
      return [verdict.state, verdict.effects];
    case "silent": {
      const { pipe } = state;
      const [lost, effects] = detach(verdict.state, input.now);
      return [lost, [{ type: "disconnect", pipe, code: 4440, reason: "no sign of life", hard: true }, ...effects]];
    }
    case "doubtful":
      return move(verdict.state, "doubt");
    case "expired":
      return end(verdict.state, "expired", 4410);
  }
}

/**
 * One step of a session: what it becomes, and what is to be done. It decides everything about order, loss and time,
 * and touches nothing: no clock, no chance, no connection.
 */
export function stepSession(state: SessionState, input: SessionInput): Stepped {
  if (state.life === "down") return [state, nothing];
  switch (input.type) {
    case "send":
      return send(state, input);
    case "flush":
      // What was wanted may have been done at once since.
      return state.waking ? flush(state, input.now) : [state, nothing];
    case "frame": {
      if (input.pipe !== state.pipe) return [state, nothing];
      const received = receive(state, input.frame, input.now);
      if (received.kind === "fine") return [received.state, received.effects];
      if (received.kind === "drained") {
        const [moved, effects] = move(received.state, "drain");
        return [moved, [...effects, { type: "goAway", frame: received.frame }]];
      }
      const [ended, effects] = breakOff(received.state, "protocol", { code: 4400, text: received.why });
      return [ended, [...received.effects, ...effects]];
    }
    case "broken":
      if (input.pipe !== state.pipe) return [state, nothing];
      return breakOff(state, "protocol", { code: input.code, text: input.reason });
    case "flooded":
      return input.pipe === state.pipe ? sendAway(state, input) : [state, nothing];
    case "attach":
      return attach(state, input);
    case "lost":
      return lose(state, input);
    case "missed":
      return miss(state, input);
    case "congested":
      if (input.pipe !== state.pipe) return [state, nothing];
      return input.full ? [{ ...state, congested: true }, nothing] : wake({ ...state, congested: false });
    case "tick":
      return pass(state, input);
    case "heard":
      return input.pipe === state.pipe ? [{ ...state, heardAt: input.now }, nothing] : [state, nothing];
    case "drain":
      return drain(state, input);
    case "close":
      return breakOff(state, input.reason, { code: input.code, text: input.reason });
  }
}

import type { SessionEffect } from "../../../machines/session/effects.ts";
import type { SessionInput } from "../../../machines/session/events.ts";
import {
  heartbeatMs,
  outboxBytesMax,
  outboxMessagesMax,
  redialFirstMs,
  redialMaxMs,
  sessionTtlMs,
  suspectAfterMs,
  windowBytesMax,
  windowMessagesMax,
} from "../../../machines/session/limits.ts";
import { openSession, type SessionSettings, type SessionState } from "../../../machines/session/state.ts";
import { stepSession } from "../../../machines/session/step.ts";
import type { Draft } from "../../../machines/wire/envelope.ts";
import type { SessionFrame } from "../../../machines/wire/frames.ts";

export function draftOf(id: string, more: Partial<Draft> = {}): Draft {
  return { id, k: "tell", f: "", to: "/a", ty: "t", ...more };
}

export const settingsOf = (more: Partial<SessionSettings> = {}): SessionSettings => ({
  role: "dialer",
  pack: (draft, seq) => ({ data: `${seq}=${draft.id}`, bytes: 10 }),
  limits: { frame: 1_048_576, msgs: 8, bytes: 1_000_000 },
  outboxMessages: outboxMessagesMax,
  outboxBytes: outboxBytesMax,
  windowMessages: windowMessagesMax,
  windowBytes: windowBytesMax,
  heartbeatMs,
  ttlMs: sessionTtlMs,
  suspectAfterMs,
  redialFirstMs,
  redialMaxMs,
  ...more,
});

function show(effect: SessionEffect): string {
  switch (effect.type) {
    case "batch":
      return `send M a=${effect.a} l=${effect.l} [${effect.bodies.map((body) => body.data as string).join(" ")}] on ${effect.pipe}`;
    case "frame": {
      const { t, ...rest } = effect.frame;
      const words = Object.entries(rest).map(([key, value]) => `${key}=${value}`);
      return `send ${t} ${words.join(" ")} on ${effect.pipe}`;
    }
    case "deliver":
      return `deliver ${effect.envelope.s}=${effect.envelope.id}`;
    case "disconnect":
      return `${effect.hard ? "cut" : "close"} ${effect.pipe} ${effect.code} (${effect.reason})`;
    case "dial":
      return `dial within ${effect.fromMs}..${effect.toMs}`;
    case "moved":
      return `${effect.from} -> ${effect.to}`;
    case "loaded":
      return `the peer has ${effect.load} in hand`;
    case "goAway":
      return `the peer goes away ${effect.frame.code}`;
    case "ended":
      return `ended ${effect.reason} ${effect.code} unsettled [${effect.unsettled.map((draft) => draft.id).join(" ")}]`;
    case "wake":
      return effect.atOnce ? "send at once" : "wake";
  }
}

/** A session that is told things and writes down what it wants done: a story to read. */
export class Story {
  state: SessionState;
  now = 0;
  /** Messages that this side has in hand. */
  load = 0;

  constructor(settings: Partial<SessionSettings> = {}) {
    this.state = openSession(settingsOf(settings), 0);
  }

  tell(input: SessionInput): string[] {
    const [state, effects] = stepSession(this.state, input);
    this.state = state;
    return effects.map(show);
  }

  send(...ids: string[]): string[] {
    return ids.flatMap((id) => this.tell({ type: "send", draft: draftOf(id) }));
  }

  attach(pipe: number, peerRecv = 0, limit = 8): string[] {
    return this.tell({ type: "attach", pipe, peerRecv, limit, now: this.now, load: this.load });
  }

  flush(): string[] {
    return this.tell({ type: "flush", now: this.now });
  }

  hear(pipe: number, frame: SessionFrame): string[] {
    return this.tell({ type: "frame", pipe, frame, now: this.now });
  }

  /** Messages of the peer, by their numbers. */
  batch(pipe: number, numbers: readonly number[], { a = 0, l = 8 } = {}): string[] {
    return this.hear(pipe, { t: "M", a, l, m: numbers.map((s) => ({ s, ...draftOf(`p${s}`) })) });
  }

  wait(ms: number, lateMs = 0): string[] {
    this.now += ms;
    return this.tell({ type: "tick", now: this.now, lateMs, load: this.load });
  }

  lose(pipe: number, code = 1006, retryAfterMs?: number): string[] {
    const { now } = this;
    return this.tell({ type: "lost", pipe, code, now, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
  }
}

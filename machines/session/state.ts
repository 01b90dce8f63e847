import type { Pack } from "../wire/codec.ts";
import type { GoAway, WireLimits } from "../wire/frames.ts";
import { linkChart, type LinkState } from "./machine.ts";
import { Outbox } from "./outbox.ts";

export interface SessionSettings {
  /** A dialer dials again; an acceptor waits for it. */
  readonly role: "dialer" | "acceptor";
  readonly pack: Pack;
  /** What this side takes. */
  readonly limits: WireLimits;
  /** What this side keeps for sending. */
  readonly outboxMessages: number;
  readonly outboxBytes: number;
  readonly windowMessages: number;
  readonly windowBytes: number;
  readonly heartbeatMs: number;
  readonly ttlMs: number;
  readonly suspectAfterMs: number;
  /** Ceilings of the waits between dials. */
  readonly redialFirstMs: number;
  readonly redialMaxMs: number;
}

/**
 * One session. Everything but the outbox is replaced, never changed; the outbox is the session's private buffer, so
 * a state is used once: after a step only the new one counts.
 */
export interface SessionState {
  readonly settings: SessionSettings;
  readonly life: LinkState;
  /** The present connection, or 0. */
  readonly pipe: number;
  readonly outbox: Outbox;
  /** Our messages: the peer has them up to here, and takes them up to there. */
  readonly acked: number;
  readonly limit: number;
  /** Bytes that may be out at once, as both sides take. */
  readonly windowBytes: number;
  /** The peer's messages: we have them up to here, said so up to `told`, and take them up to `granted`. */
  readonly recv: number;
  readonly told: number;
  readonly granted: number;
  /** The connection's own buffer is full: nothing is handed to it. */
  readonly congested: boolean;
  /** A flush has been asked for. */
  readonly waking: boolean;
  readonly heardAt: number;
  /** The silence after which the peer gives a sign of life; this side's own, as long as it has named none. */
  readonly peerBeatMs: number;
  /** When this side gave its last sign of life. */
  readonly beatAt: number;
  /** The longest silence of late, which slowly wears off: what this peer's silence looks like in good health. */
  readonly gapMs: number;
  /** When an acknowledgement is due, or infinity. */
  readonly ackBy: number;
  readonly upAt: number;
  readonly lostAt: number;
  /** Dials in a row that led to nothing lasting. */
  readonly attempt: number;
  /** When to dial again, as the peer said on the present connection. */
  readonly retryAfterMs: number | undefined;
  /** Said to the peer, on each connection again. */
  readonly farewell: GoAway | undefined;
  readonly resumes: number;
  readonly duplicates: number;
}

/** A session that follows on another goes on with its count of dials, so that one that ends again and again slows down. */
export function openSession(settings: SessionSettings, now: number, attempt = 0): SessionState {
  return {
    settings,
    life: linkChart.initial,
    pipe: 0,
    outbox: new Outbox(),
    acked: 0,
    limit: 0,
    windowBytes: settings.windowBytes,
    recv: 0,
    told: 0,
    granted: settings.limits.msgs,
    congested: false,
    waking: false,
    heardAt: now,
    peerBeatMs: settings.heartbeatMs,
    beatAt: now,
    gapMs: 0,
    ackBy: Number.POSITIVE_INFINITY,
    upAt: now,
    lostAt: now,
    attempt,
    retryAfterMs: undefined,
    farewell: undefined,
    resumes: 0,
    duplicates: 0,
  };
}

/** Whether a call or a tell would be kept, or must be refused because too much is kept already. */
export function hasRoom({ outbox, settings }: SessionState): boolean {
  return outbox.size < settings.outboxMessages && outbox.bytes < settings.outboxBytes;
}

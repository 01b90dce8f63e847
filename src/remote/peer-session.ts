import type { EndReason } from "../../machines/session/events.ts";
import {
  bytesPerSecondMax,
  heartbeatMs,
  messagesPerSecondMax,
  outboxBytesMax,
  outboxMessagesMax,
  redialFirstMs,
  redialMaxMs,
  sessionTtlMs,
  suspectAfterMs,
  windowBytesMax,
  windowMessagesMax,
} from "../../machines/session/limits.ts";
import type { Rate } from "../../machines/session/meter.ts";
import type { LinkState } from "../../machines/session/machine.ts";
import type { SessionSettings } from "../../machines/session/state.ts";
import type { stepSession } from "../../machines/session/step.ts";
import type { Codec } from "../../machines/wire/codec.ts";
import type { Draft, Envelope } from "../../machines/wire/envelope.ts";
import type { GoAway, WireLimits } from "../../machines/wire/frames.ts";
import { frameBytesMax } from "../../machines/wire/limits.ts";
import type { Ids, Random } from "../ports/chance.ts";
import type { Clock } from "../ports/clock.ts";
import type { Hosting } from "./hosting.ts";
import { Link } from "./link.ts";
import { Requests, type DeadRemoteLetter } from "./requests.ts";
import { Service } from "./service.ts";

/** What this side takes, as it says in the handshake. */
export const ownLimits: WireLimits = { frame: frameBytesMax, msgs: windowMessagesMax, bytes: windowBytesMax };

/** What may be set otherwise than the protocol proposes. */
export interface Pace {
  readonly heartbeatMs?: number;
  readonly ttlMs?: number;
  readonly suspectAfterMs?: number;
  readonly redialFirstMs?: number;
  readonly redialMaxMs?: number;
  readonly handshakeTimeoutMs?: number;
  readonly limits?: WireLimits;
  readonly rate?: Partial<Rate>;
}

/** What all sessions of one node share. */
export interface SessionGround {
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly hosting: Hosting;
  readonly pace: Pace;
  /** Messages that this node has in hand, which its heartbeats tell. */
  readonly load: () => number;
  readonly defer: (run: () => void) => void;
  readonly step: typeof stepSession;
  readonly dead: (peer: string, letter: DeadRemoteLetter) => void;
}

export function settingsOf(role: SessionSettings["role"], pace: Pace): Omit<SessionSettings, "pack"> {
  return {
    role,
    limits: pace.limits ?? ownLimits,
    outboxMessages: outboxMessagesMax,
    outboxBytes: outboxBytesMax,
    windowMessages: windowMessagesMax,
    windowBytes: windowBytesMax,
    heartbeatMs: pace.heartbeatMs ?? heartbeatMs,
    ttlMs: pace.ttlMs ?? sessionTtlMs,
    suspectAfterMs: pace.suspectAfterMs ?? suspectAfterMs,
    redialFirstMs: pace.redialFirstMs ?? redialFirstMs,
    redialMaxMs: pace.redialMaxMs ?? redialMaxMs,
  };
}

/** Who hears of one session's life. */
export interface SessionEvents {
  moved?(to: LinkState): void;
  goAway?(frame: GoAway): void;
  loaded?(): void;
  dial?(fromMs: number, toMs: number): void;
  ended(reason: EndReason, code: number): void;
}

/** Who has a session with whom. */
interface SessionSides {
  readonly role: SessionSettings["role"];
  readonly peer: string;
  /** Of the first connection, as far as is known. */
  readonly codec: Codec;
  /** What the peer may do here. */
  readonly grants: readonly string[];
  /** Dials in a row that came to nothing before this session began. */
  readonly attempt?: number;
}

/** Kinds that ask something of this node; all others answer what this node asked. */
const asking: ReadonlySet<string> = new Set(["call", "tell", "cancel", "credit", "mon", "unmon", "spawn", "stop"]);

/** One session with a peer: what travels, what we asked, and what the peer asked. */
export class PeerSession {
  readonly peer: string;
  readonly link: Link;
  readonly requests: Requests;
  readonly service: Service;
  readonly #events: SessionEvents;

  constructor(ground: SessionGround, who: SessionSides, events: SessionEvents) {
    const { clock, ids, hosting, defer, step } = ground;
    this.peer = who.peer;
    this.#events = events;
    this.link = new Link({
      settings: settingsOf(who.role, ground.pace),
      rate: { messagesPerSecond: messagesPerSecondMax, bytesPerSecond: bytesPerSecondMax, ...ground.pace.rate },
      codec: who.codec,
      attempt: who.attempt ?? 0,
      clock,
      load: ground.load,
      defer,
      step,
      events: {
        deliver: (envelope) => this.#deliver(envelope),
        moved: (to) => events.moved?.(to),
        goAway: (frame) => events.goAway?.(frame),
        loaded: () => events.loaded?.(),
        dial: (fromMs, toMs) => events.dial?.(fromMs, toMs),
        ended: (reason, code, unsettled) => this.#end(reason, code, unsettled),
      },
    });
    const prefix = ids.hex();
    const measure = (draft: Draft): number => this.link.measure(draft);
    const send = (draft: Draft, due?: number): void => this.link.send(draft, due);
    const isUp = (): boolean => this.link.state === "up" || this.link.state === "draining";
    this.requests = new Requests(
      { peer: who.peer, measure, refusal: () => this.link.refusal, send, isUp },
      { clock, prefix, dead: (letter) => ground.dead(who.peer, letter) },
    );
    this.service = new Service({
      peer: who.peer,
      hosting,
      grants: who.grants,
      clock,
      prefix,
      measure,
      send,
      defer,
    });
  }

  #deliver(envelope: Envelope): void {
    if (asking.has(envelope.k)) this.service.take(envelope);
    else this.requests.take(envelope);
  }

  #end(reason: EndReason, code: number, unsettled: readonly Draft[]): void {
    this.service.end();
    this.requests.end(unsettled);
    this.#events.ended(reason, code);
  }
}

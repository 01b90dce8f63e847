import type { SessionEffect } from "../../machines/session/effects.ts";
import type { EndReason, SessionInput } from "../../machines/session/events.ts";
import { nextAlarm } from "../../machines/session/liveness.ts";
import { Meter, type Rate } from "../../machines/session/meter.ts";
import type { LinkState } from "../../machines/session/machine.ts";
import { hasRoom, openSession, type SessionSettings, type SessionState } from "../../machines/session/state.ts";
import type { stepSession } from "../../machines/session/step.ts";
import type { Codec, WireData } from "../../machines/wire/codec.ts";
import type { Draft, Envelope } from "../../machines/wire/envelope.ts";
import type { GoAway, WireLimits } from "../../machines/wire/frames.ts";
import type { FrameReading } from "../../machines/wire/read-frame.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Pipe } from "../ports/transport.ts";
import { lateSlackMs } from "./limits.ts";

/** Who hears what becomes of a session. */
export interface LinkEvents {
  deliver(envelope: Envelope): void;
  moved(to: LinkState): void;
  goAway(frame: GoAway): void;
  /** The peer has said how many messages it has in hand; `peerLoad` has it. */
  loaded(): void;
  /** A dialer is to dial after a time between the two. */
  dial(fromMs: number, toMs: number): void;
  ended(reason: EndReason, code: number, unsettled: readonly Draft[]): void;
}

export interface LinkOptions {
  readonly settings: Omit<SessionSettings, "pack">;
  /** What the peer may send. */
  readonly rate: Rate;
  /** What is sent is encoded so, until a connection says otherwise. */
  readonly codec: Codec;
  /** Dials in a row that came to nothing before this session began. */
  readonly attempt: number;
  readonly clock: Clock;
  /** Messages that this side has in hand. */
  readonly load: () => number;
  readonly events: LinkEvents;
  /** Runs at the end of the present turn of the event loop. */
  readonly defer: (run: () => void) => void;
  /** The machine; a test gives a broken one to prove that it would be noticed. */
  readonly step: typeof stepSession;
}

/** What a session has to show. */
export interface LinkStats {
  readonly state: LinkState;
  readonly unacknowledged: number;
  readonly bytes: number;
  readonly resumes: number;
  readonly duplicates: number;
}

/** A frame without messages counts as one: whoever sends many of them has its work done here too. */
function messagesOf(reading: FrameReading): number {
  return reading.kind === "frame" && reading.frame.t === "M" ? reading.frame.m.length : 1;
}

/** The shell of one session: it gives the machine what happens, and does what the machine wants done. */
export class Link {
  readonly #options: LinkOptions;
  #state: SessionState;
  #codec: Codec;
  #peerLoad = 0;
  #pipes = 0;
  readonly #open = new Map<number, Pipe>();
  #alarm: Timer | undefined;
  #alarmAt = Number.POSITIVE_INFINITY;
  /** Bytes that the present pipe had received when last looked at. */
  #received = 0;
  readonly #meter: Meter;
  /** Bytes that the present pipe had received with the last frame. */
  #metered = 0;
  #settled: (() => void) | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#codec = options.codec;
    const settings = { ...options.settings, pack: (draft: Draft, seq: number) => this.#codec.pack(draft, seq) };
    this.#state = openSession(settings, options.clock.now(), options.attempt);
    this.#meter = new Meter(options.rate, options.clock.now());
  }

  get state(): LinkState {
    return this.#state.life;
  }

  /** The highest message of the peer that is here. */
  get recv(): number {
    return this.#state.recv;
  }

  /** Epoch milliseconds of the peer's last sign of life, a heartbeat or anything else. */
  get heardAt(): number {
    return this.#state.heardAt;
  }

  /** Messages that the peer has in hand, as it said last. */
  get peerLoad(): number {
    return this.#peerLoad;
  }

  /** The name of the codec that frames are written in. */
  get codec(): string {
    return this.#codec.name;
  }

  /** Dials in a row that led to nothing lasting. */
  get attempt(): number {
    return this.#state.attempt;
  }

  /** When to dial again, as the peer said last. */
  get retryAfterMs(): number | undefined {
    return this.#state.retryAfterMs;
  }

  get stats(): LinkStats {
    const { life, outbox, resumes, duplicates } = this.#state;
    return { state: life, unacknowledged: outbox.size, bytes: outbox.bytes, resumes, duplicates };
  }

  /** Bytes that a message takes on the wire. */
  measure(draft: Draft): number {
    return this.#codec.measure(draft);
  }

  /** Why a call or a tell would not be taken now. To be asked before one is encoded: what is refused should cost little. */
  get refusal(): "full" | "down" | undefined {
    if (this.#state.life === "down") return "down";
    return hasRoom(this.#state) ? undefined : "full";
  }

  /** Sends what is not refused now, and answers and notices, which never are. `due`: when its time is over. */
  send(draft: Draft, due?: number): void {
    this.#step({ type: "send", draft, due });
  }

  /** `recv`: the highest message that the peer has; `lim`: what it takes; `hb`: its heartbeat, where it said so. */
  attach(
    pipe: Pipe,
    { recv: peerRecv, lim, hb }: { readonly recv: number; readonly lim: WireLimits; readonly hb?: number },
  ): void {
    this.#pipes += 1;
    const number = this.#pipes;
    this.#open.set(number, pipe);
    this.#received = this.#metered = pipe.received();
    const { codec } = pipe.end;
    const repack = codec !== this.#codec;
    const load = this.#options.load();
    this.#codec = codec;
    const now = this.#options.clock.now();
    const [limit, { bytes }] = [peerRecv + lim.msgs, lim];
    const beat = hb === undefined ? {} : { beatMs: hb };
    this.#step({ type: "attach", pipe: number, peerRecv, limit, bytes, now, load, repack, ...beat });
    pipe.listen({
      frame: (data) => this.#read(number, codec.read(data)),
      drained: () => this.#step({ type: "congested", pipe: number, full: false }),
      closed: (code) => {
        this.#open.delete(number);
        this.#step({ type: "lost", pipe: number, code, now: this.#options.clock.now() });
      },
    });
  }

  missed(code: number, retryAfterMs?: number): void {
    const now = this.#options.clock.now();
    this.#step({ type: "missed", code, now, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
  }

  drain(frame: GoAway): void {
    this.#step({ type: "drain", frame });
  }

  end(reason: EndReason, code: number): void {
    this.#step({ type: "close", reason, code });
  }

  /** Resolves when the peer has acknowledged everything, or the session has ended. */
  async settle(): Promise<void> {
    if (this.#state.life === "down" || this.#state.outbox.size === 0) return;
    await new Promise<void>((resolve) => (this.#settled = resolve));
  }

  #read(pipe: number, reading: FrameReading): void {
    const now = this.#options.clock.now();
    if (pipe === this.#state.pipe) {
      const received = this.#open.get(pipe)?.received() ?? 0;
      const waitMs = this.#meter.take(messagesOf(reading), received - this.#metered, now);
      this.#received = this.#metered = received;
      if (waitMs > 0) return this.#step({ type: "flooded", pipe, waitMs, now });
    }
    if (reading.kind === "ignored") return;
    if (reading.kind === "refused")
      return this.#step({ type: "broken", pipe, code: reading.code, reason: reading.reason });
    const { frame } = reading;
    if (frame.t === "H" || frame.t === "C" || frame.t === "P" || frame.t === "W")
      return this.#step({ type: "broken", pipe, code: 4400, reason: `a frame ${frame.t} after the handshake` });
    this.#step({ type: "frame", pipe, frame, now });
  }

  #step(input: SessionInput): void {
    const [state, effects] = this.#options.step(this.#state, input);
    this.#state = state;
    // A delivery may lead to further steps, which come after this one in full.
    for (const effect of effects) this.#perform(effect);
    if (this.#settled !== undefined && (this.#state.life === "down" || this.#state.outbox.size === 0)) {
      this.#settled();
      this.#settled = undefined;
    }
    this.#arm();
  }

  #perform(effect: SessionEffect): void {
    const { events, defer } = this.#options;
    switch (effect.type) {
      case "wake":
        return effect.atOnce ? this.#flush() : defer(this.#flush);
      case "batch":
        return this.#write(effect.pipe, this.#codec.join(effect.a, effect.l, effect.bodies));
      case "frame":
        return this.#write(effect.pipe, this.#codec.write(effect.frame));
      case "deliver":
        return events.deliver(effect.envelope);
      case "loaded":
        this.#peerLoad = effect.load;
        return events.loaded();
      case "disconnect": {
        const pipe = this.#open.get(effect.pipe);
        if (effect.hard) pipe?.terminate();
        else pipe?.close(effect.code, effect.reason.slice(0, 100));
        return;
      }
      case "dial":
        return events.dial(effect.fromMs, effect.toMs);
      case "moved":
        return events.moved(effect.to);
      case "goAway":
        return events.goAway(effect.frame);
      case "ended":
        this.#alarm?.cancel();
        return events.ended(effect.reason, effect.code, effect.unsettled);
    }
  }

  readonly #flush = (): void => {
    const write = (): void => this.#step({ type: "flush", now: this.#options.clock.now() });
    const pipe = this.#open.get(this.#state.pipe);
    if (pipe === undefined) write();
    else pipe.cork(write);
  };

  #write(number: number, frame: WireData): void {
    const pipe = this.#open.get(number);
    if (pipe?.send(frame) === false) this.#step({ type: "congested", pipe: number, full: true });
  }

  /** One timer serves all waits: it is moved only when something earlier is due. */
  #arm(): void {
    const at = nextAlarm(this.#state);
    if (at >= this.#alarmAt) return;
    this.#alarm?.cancel();
    this.#alarmAt = at;
    const { clock } = this.#options;
    this.#alarm = clock.after(at - clock.now(), this.#tick);
  }

  readonly #tick = (): void => {
    const now = this.#options.clock.now();
    const lateMs = now - this.#alarmAt > lateSlackMs ? now - this.#alarmAt : 0;
    this.#alarmAt = Number.POSITIVE_INFINITY;
    const { pipe } = this.#state;
    const received = this.#open.get(pipe)?.received() ?? 0;
    if (received !== this.#received) {
      this.#received = received;
      this.#step({ type: "heard", pipe, now });
    }
    this.#step({ type: "tick", now, lateMs, load: this.#options.load() });
  };
}

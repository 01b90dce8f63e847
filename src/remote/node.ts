import { stepSession } from "../../machines/session/step.ts";
import { sessionTtlMs, heartbeatMs } from "../../machines/session/limits.ts";
import type { Codec } from "../../machines/wire/codec.ts";
import type { Hello, Welcome } from "../../machines/wire/frames.ts";
import { frameBytesMax } from "../../machines/wire/limits.ts";
import { errorFrame, goAwayFrame } from "../../machines/wire/partings.ts";
import type { Ids, Random } from "../ports/chance.ts";
import type { Clock } from "../ports/clock.ts";
import type { Pipe } from "../ports/transport.ts";
import type { Authentication } from "./authentication.ts";
import { Dialer, type DialOptions } from "./dialer.ts";
import { Door } from "./door.ts";
import type { Hosting } from "./hosting.ts";
import { crowdRetryMs, farewellMs, returnsPerSecondMax, sessionsMax } from "./limits.ts";
import { ownLimits, PeerSession, type Pace, type SessionGround } from "./peer-session.ts";
import type { DeadRemoteLetter } from "./requests.ts";
import { isOfOneDialer } from "./session-id.ts";

export interface NodeOptions {
  readonly node: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  readonly hosting: Hosting;
  readonly auth: Authentication;
  /** What a peer that dials this node may do here. */
  readonly grants: (peer: string) => readonly string[];
  readonly pace?: Pace;
  readonly dead?: (peer: string, letter: DeadRemoteLetter) => void;
  /** Hears of each session that was accepted, and of its end. */
  readonly joined?: (session: PeerSession) => void;
  readonly left?: (session: PeerSession, reason: string) => void;
  /** Hears when the peer of an accepted session has said how busy it is. */
  readonly loaded?: (session: PeerSession) => void;
  /** Messages that this node has in hand, which its heartbeats tell its peers. */
  readonly load?: () => number;
  /** The machine of the sessions; a test gives a broken one to prove that it would be noticed. */
  readonly step?: typeof stepSession;
}

/** A session that a peer dialled, under the id it can be resumed with. */
interface Accepted {
  readonly id: string;
  readonly inc: string;
  readonly session: PeerSession;
}

/** One node: it dials others and is dialled by them. It owns every session, and none outlives it. */
export class RemoteNode {
  readonly node: string;
  /** One start of this node; a peer never takes a restarted node for the one before. */
  readonly inc: string;
  readonly #options: NodeOptions;
  readonly #ground: SessionGround;
  readonly #door: Door;
  readonly #accepted = new Map<string, Accepted>();
  /** The same by the peer's name: a hello is compared with the sessions of its own node only. */
  readonly #byPeer = new Map<string, Set<Accepted>>();
  readonly #dialers = new Set<Dialer>();
  #draining: { readonly retryAfterMs: number; readonly redirect?: string } | undefined;

  constructor(options: NodeOptions) {
    this.#options = options;
    this.node = options.node;
    this.inc = options.ids.hex();
    this.#ground = {
      clock: options.clock,
      random: options.random,
      ids: options.ids,
      hosting: options.hosting,
      pace: options.pace ?? {},
      load: options.load ?? (() => 0),
      // The end of the turn, after the promises of handlers: what was answered in one turn travels together.
      defer: (run) => void setImmediate(run),
      step: options.step ?? stepSession,
      dead: options.dead ?? (() => {}),
    };
    this.#door = new Door({
      node: this.node,
      inc: this.inc,
      clock: options.clock,
      ids: options.ids,
      auth: options.auth,
      ...(options.pace?.handshakeTimeoutMs === undefined
        ? {}
        : { handshakeTimeoutMs: options.pace.handshakeTimeoutMs }),
      admit: (pipe, hello, sig) => this.#admit(pipe, hello, sig),
    });
  }

  /** The sessions that peers have dialled. */
  get sessions(): readonly PeerSession[] {
    return [...this.#accepted.values()].map(({ session }) => session);
  }

  /** Connections that have not yet said who they are. */
  get strangers(): number {
    return this.#door.strangers;
  }

  /** Takes a connection that a listener accepted. */
  accept(pipe: Pipe): void {
    this.#door.knock(pipe);
  }

  dial(options: Omit<DialOptions, "grants"> & { readonly grants?: readonly string[] }): Dialer {
    const dialer = new Dialer(
      this.#ground,
      { node: this.node, inc: this.inc },
      {
        ...options,
        grants: options.grants ?? [],
        ended: (reason, code) => {
          if (dialer.isOver) this.#dialers.delete(dialer);
          options.ended?.(reason, code);
        },
      },
    );
    this.#dialers.add(dialer);
    return dialer;
  }

  /** Takes no new session, and tells the peers of those there are to go elsewhere; the more there are, the later some come. */
  drain(where: { readonly retryAfterMs: number; readonly redirect?: string }): void {
    this.#draining = where;
    const { retryAfterMs: first, ...going } = where;
    let before = 0;
    for (const { session } of this.#accepted.values()) {
      const retryAfterMs = first + (before * 1_000) / returnsPerSecondMax;
      session.link.drain(goAwayFrame({ what: { code: 4503, ...going }, retryAfterMs }));
      before += 1;
    }
  }

  /** Ends every session in good order: what was sent is acknowledged first, within a few seconds. */
  async close(): Promise<void> {
    this.#draining ??= { retryAfterMs: crowdRetryMs };
    const links = [...this.#accepted.values()].map(({ session }) => session.link);
    const limits: { cancel(): void }[] = [];
    const settled = links.filter((link) => link.state === "up" || link.state === "draining");
    const late = new Promise<void>((resolve) => limits.push(this.#options.clock.after(farewellMs, resolve)));
    await Promise.race([Promise.all(settled.map((link) => link.settle())), late]);
    for (const limit of limits) limit.cancel();
    for (const link of links) link.end("closed", 1000);
    await Promise.all([...this.#dialers].map((dialer) => dialer.close()));
  }

  #admit(pipe: Pipe, hello: Hello, sig: string | undefined): void {
    pipe.limitFrames(frameBytesMax);
    const { sess = { id: this.#options.ids.hex(16), recv: 0 } } = hello;
    if (!this.#endOlder(hello, sess.id)) return this.#turnAway(pipe, 4404, "a later session of this dialer is here");
    // A session's id is no secret: it counts for one start of one node, authenticated again, and for no other.
    const key = `${hello.node} ${hello.inc} ${sess.id}`;
    const known = this.#accepted.get(key);
    if (known !== undefined) {
      this.#welcome(pipe, known, { resumed: true, sig });
      return known.session.link.attach(pipe, { recv: sess.recv, lim: hello.lim });
    }
    const isFull = this.#accepted.size >= sessionsMax;
    if (isFull || this.#draining !== undefined) {
      const code = isFull ? 4429 : 4503;
      const message = isFull ? "too many sessions" : "draining: nothing new is taken";
      return this.#turnAway(pipe, code, message);
    }
    const accepted = this.#open(hello, { key, id: sess.id, codec: pipe.end.codec });
    this.#welcome(pipe, accepted, { resumed: false, sig });
    accepted.session.link.attach(pipe, { recv: 0, lim: hello.lim });
    this.#options.joined?.(accepted.session);
  }

  #turnAway(pipe: Pipe, code: number, message: string): void {
    const retryAfterMs = this.#draining?.retryAfterMs ?? crowdRetryMs;
    pipe.send(pipe.end.codec.write(errorFrame({ what: { code, message }, retryAfterMs })));
    pipe.close(code, message);
  }

  /**
   * Sessions of an earlier start of the same node have nobody at the other end any more, nor has an earlier session of
   * the same dialer: it ends, with all that was spawned in it, before the next one is welcomed. False: this one is the
   * earlier itself, and comes too late.
   */
  #endOlder({ node, inc }: Hello, id: string): boolean {
    // A session that ends leaves the set meanwhile.
    for (const accepted of this.#byPeer.get(node) ?? []) {
      const isSameDialer = accepted.inc === inc && accepted.id !== id && isOfOneDialer(accepted.id, id);
      if (isSameDialer && accepted.id > id) return false;
      if (isSameDialer || accepted.inc !== inc) accepted.session.link.end("restarted", 4410);
    }
    return true;
  }

  #open({ node, inc }: Hello, { key, id, codec }: Readonly<{ key: string; id: string; codec: Codec }>): Accepted {
    const who = { role: "acceptor", peer: node, codec, grants: this.#options.grants(node) } as const;
    const session: PeerSession = new PeerSession(this.#ground, who, {
      loaded: () => this.#options.loaded?.(session),
      ended: (reason) => {
        this.#accepted.delete(key);
        peers.delete(accepted);
        if (peers.size === 0 && this.#byPeer.get(node) === peers) this.#byPeer.delete(node);
        this.#options.left?.(session, reason);
      },
    });
    const accepted: Accepted = { id, inc, session };
    const peers = this.#byPeer.get(node) ?? new Set();
    this.#byPeer.set(node, peers.add(accepted));
    this.#accepted.set(key, accepted);
    return accepted;
  }

  #welcome(pipe: Pipe, { id, session }: Accepted, how: { resumed: boolean; sig: string | undefined }): void {
    const { pace = {}, grants } = this.#options;
    const frame: Welcome = {
      t: "W",
      v: 1,
      node: this.node,
      inc: this.inc,
      sess: { id, resumed: how.resumed, recv: session.link.recv, ttl: pace.ttlMs ?? sessionTtlMs },
      lim: pace.limits ?? ownLimits,
      grant: grants(session.peer),
      hb: pace.heartbeatMs ?? heartbeatMs,
      ...(how.sig === undefined ? {} : { sig: how.sig }),
    };
    pipe.send(pipe.end.codec.write(frame));
  }
}

import type { EndReason } from "../../machines/session/events.ts";
import type { LinkState } from "../../machines/session/machine.ts";
import { openRoute, sendOn, turnBack, type Route } from "../../machines/session/route.ts";
import type { Codec } from "../../machines/wire/codec.ts";
import type { Hello, Welcome } from "../../machines/wire/frames.ts";
import { frameBytesMax } from "../../machines/wire/limits.ts";
import type { Timer } from "../ports/clock.ts";
import { DialRefusal, type Pipe, type Transport } from "../ports/transport.ts";
import { credentialsOf, type Authentication } from "./authentication.ts";
import { jsonCodec } from "./codecs/json.ts";
import { introduce } from "./introduce.ts";
import { Fence } from "./fence.ts";
import { farewellMs } from "./limits.ts";
import { firstSessionId, nextSessionId } from "./session-id.ts";
import { ownLimits, PeerSession, type SessionGround } from "./peer-session.ts";

export interface DialOptions {
  readonly url: string;
  /** Where the node there may send this link on to; it is followed to no other address. */
  readonly redirects?: readonly string[];
  readonly transport: Transport;
  /** The best first; a node that does not know one takes the next. Default: JSON only. */
  readonly codecs?: readonly [Codec, ...Codec[]];
  readonly auth: Authentication;
  /** How long an orderly end waits for the peer to acknowledge what was sent. */
  readonly farewellMs?: number | undefined;
  /** What the node that is dialled may do here. */
  readonly grants: readonly string[];
  /** Hears of each dial that came to nothing. */
  readonly missed?: ((why: string) => void) | undefined;
  /** Hears of each state of the link, and of each session's end. */
  readonly moved?: (to: LinkState) => void;
  /** Hears when the peer has said how busy it is. */
  readonly loaded?: () => void;
  readonly ended?: (reason: EndReason, code: number) => void;
}

const justJson = [jsonCodec] as const;

/** One way to write an address, by which it is known again. */
function canonical(url: string): string {
  return URL.canParse(url) ? new URL(url).href : url;
}

/**
 * The dialling side of a link: to one address, or to one that its node sends it on to. A session outlives its
 * connections; where it ends all the same, another one begins, until this side closes the link or the other one refuses
 * it for good.
 */
export class Dialer {
  readonly #ground: SessionGround;
  readonly #self: { readonly node: string; readonly inc: string };
  readonly #options: DialOptions;
  readonly #abort = new AbortController();
  #session: PeerSession;
  /** Chosen by the dialer, so that a welcome that was lost leaves no session behind that nobody knows. */
  #sessionId: string;
  /** Until when what an earlier session left at the other end may still be alive there. */
  readonly fence: Fence;
  /** The present session has been welcomed before. */
  #isKnown = false;
  #welcome: Welcome | undefined;
  #timer: Timer | undefined;
  #waiting: { resolve(): void; reject(problem: Error): void }[] = [];
  #refusal: string | undefined;
  #dials = 0;
  #why = "";
  /** The session that ended is followed by one on a connection that is there already. */
  #succeeded = false;
  #route: Route;
  /** Where to go, as the other end said that goes away. */
  #redirect: string | undefined;
  /** The connection whose handshake is under way. */
  #greeting: Pipe | undefined;
  /** The other end has closed in good order, and has not been reached since. */
  hasLeft = false;

  constructor(ground: SessionGround, self: { readonly node: string; readonly inc: string }, options: DialOptions) {
    this.#ground = ground;
    this.#self = self;
    this.#options = options;
    this.#route = openRoute(canonical(options.url), (options.redirects ?? []).map(canonical));
    this.#sessionId = firstSessionId(ground.ids);
    this.fence = new Fence(ground.clock);
    this.#session = this.#begin(0);
    this.#dial();
  }

  /** The present session; another one after it ended. */
  get session(): PeerSession {
    return this.#session;
  }

  /** The address that is dialled now. */
  get url(): string {
    return this.#route.at === this.#route.home ? this.#options.url : this.#route.at;
  }

  /** Why the last dial came to nothing; "" before one did. */
  get why(): string {
    return this.#why;
  }

  get state(): LinkState {
    return this.#session.link.state;
  }

  /** Nothing is dialled any more: this side has closed the link, or was refused for good. */
  get isOver(): boolean {
    return this.#refusal !== undefined;
  }

  /** The node at the other end, once it has been reached. */
  get peer(): { readonly node: string; readonly inc: string; readonly grants: readonly string[] } | undefined {
    const welcome = this.#welcome;
    return welcome === undefined ? undefined : { node: welcome.node, inc: welcome.inc, grants: welcome.grant };
  }

  /** Resolves when the link is up; rejects when it was refused for good, or the signal aborts. */
  ready(signal?: AbortSignal): Promise<void> {
    if (this.state === "up" || this.state === "draining") return Promise.resolve();
    if (this.#refusal !== undefined) return Promise.reject(new Error(this.#refusal));
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const leave = (): void => {
        this.#waiting = this.#waiting.filter((each) => each !== waiter);
        reject(signal?.reason as Error);
      };
      const settle = (done: () => void): void => {
        signal?.removeEventListener("abort", leave);
        done();
      };
      const waiter = { resolve: () => settle(resolve), reject: (why: Error) => settle(() => reject(why)) };
      signal?.addEventListener("abort", leave, { once: true });
      this.#waiting.push(waiter);
    });
  }

  /** Ends the link in good order: what was sent is acknowledged first, if it is within this time. */
  async close(withinMs = this.#options.farewellMs ?? farewellMs): Promise<void> {
    const { link } = this.#session;
    if (withinMs > 0 && (link.state === "up" || link.state === "draining")) {
      let limit: Timer | undefined;
      await Promise.race([
        link.settle(),
        new Promise<void>((resolve) => (limit = this.#ground.clock.after(withinMs, resolve))),
      ]);
      limit?.cancel();
    }
    this.#stop("this side closed the link");
    link.end("closed", 1000);
  }

  #stop(why: string): void {
    this.#refusal ??= why;
    this.#timer?.cancel();
    this.#abort.abort();
    // Whoever does not answer would be waited for to the end of the handshake's time.
    this.#greeting?.terminate();
    for (const waiter of this.#waiting) waiter.reject(new Error(why));
    this.#waiting = [];
  }

  #begin(attempt: number): PeerSession {
    this.#sessionId = nextSessionId(this.#sessionId);
    this.#isKnown = false;
    this.#dials += 1;
    // A handshake of the session before leads nowhere any more, and its connection would outlive this link's end.
    this.#greeting?.terminate();
    const { grants, codecs = justJson } = this.#options;
    const who = { role: "dialer", peer: this.url, grants, attempt, codec: codecs[0] } as const;
    return new PeerSession(this.#ground, who, {
      moved: (to) => {
        // What was said up to this moment may have been heard.
        if (to === "resuming" || to === "down") this.fence.said();
        this.#options.moved?.(to);
      },
      goAway: ({ redirect }) => (this.#redirect = redirect),
      loaded: () => this.#options.loaded?.(),
      dial: (fromMs, toMs) => this.#redial(fromMs, toMs),
      ended: (reason, code) => this.#ended(reason, code),
    });
  }

  #redial(fromMs: number, toMs: number): void {
    if (this.#abort.signal.aborted) return;
    const { clock, random } = this.#ground;
    this.#timer?.cancel();
    this.#timer = clock.after(fromMs + (toMs - fromMs) * random.next(), () => {
      this.#timer = undefined;
      this.#dial();
    });
  }

  #ended(reason: EndReason, code: number): void {
    const welcome = this.#welcome;
    const isOverThere = reason === "restarted" || (reason === "closed" && !this.#abort.signal.aborted);
    if (welcome !== undefined && this.#isKnown && !isOverThere)
      this.fence.raise(this.#route.at, { ttlMs: welcome.sess.ttl, heartbeatMs: welcome.hb });
    if (reason === "refused") this.#stop(`the link ended: refused (${code}) ${this.#why}`);
    this.hasLeft = reason === "closed";
    this.#options.ended?.(reason, code);
    if (this.isOver) return;
    if (this.hasLeft) this.#why = "the node closed its sessions in good order";
    const { attempt, retryAfterMs } = this.#session.link;
    const redirect = this.#redirect;
    this.#redirect = undefined;
    const left = this.#route.at;
    const target = redirect === undefined || this.#succeeded ? undefined : canonical(redirect);
    this.#route = sendOn(this.#route, target, attempt === 0);
    this.#session = this.#begin(attempt);
    if (this.#succeeded) return;
    // The wait that was named is for who comes back; a wait that has begun before the session ended is not begun anew.
    if (this.#route.at !== left) this.#session.link.missed(1006);
    else if (this.#timer === undefined) this.#session.link.missed(1006, retryAfterMs);
  }

  #dial(): void {
    const { transport, codecs = justJson } = this.#options;
    const { signal } = this.#abort;
    this.#dials += 1;
    const number = this.#dials;
    // A dial that was overtaken by another, or by the end, leads nowhere.
    const isLate = (): boolean => signal.aborted || number !== this.#dials;
    transport.dial(this.url, { codecs, signal }).then(
      (pipe) => {
        if (isLate()) pipe.terminate();
        else this.#greet(pipe, isLate);
      },
      (problem: unknown) => {
        if (isLate()) return;
        // A node that has been reached before may only have its certificate renewed.
        const isFinal = problem instanceof DialRefusal && this.#welcome === undefined;
        this.#missed(problem instanceof Error ? problem.message : String(problem), isFinal ? problem.code : 1006);
      },
    );
  }

  #greet(pipe: Pipe, isLate: () => boolean): void {
    const { auth } = this.#options;
    this.fence.said();
    const { ids, clock, pace } = this.#ground;
    const hello: Hello = {
      t: "H",
      v: [1],
      node: this.#self.node,
      inc: this.#self.inc,
      nonce: ids.hex(16),
      codec: pipe.end.codec.name,
      feat: ["batch"],
      lim: pace.limits ?? ownLimits,
      auth: credentialsOf(auth),
      sess: { id: this.#sessionId, recv: this.#session.link.recv },
    };
    pipe.limitFrames(frameBytesMax);
    this.#greeting = pipe;
    introduce(pipe, { hello, auth, clock }, (result) => {
      if (this.#greeting === pipe) this.#greeting = undefined;
      if (isLate()) return pipe.close(1000, "overtaken");
      if (result.ok) return this.#welcomed(pipe, result.welcome);
      this.#missed(result.reason, result.code, result.retryAfterMs);
    });
  }

  #missed(why: string, code: number, retryAfterMs?: number): void {
    this.#why = why;
    // Where this link was sent on to, a refusal is none of the address that it was given.
    const isAstray = this.#route.at !== this.#route.home && !this.#isKnown;
    if (isAstray) this.#route = turnBack(this.#route);
    this.#session.link.missed(isAstray ? 1006 : code, retryAfterMs);
    this.#options.missed?.(why);
  }

  #welcomed(pipe: Pipe, welcome: Welcome): void {
    const { id, resumed, recv } = welcome.sess;
    if (this.#isKnown && !resumed) {
      this.#succeeded = true;
      this.#session.link.end("restarted", 4404);
      this.#succeeded = false;
    }
    this.#sessionId = id;
    this.#isKnown = true;
    this.#welcome = welcome;
    this.hasLeft = false;
    // The other end ends an earlier session of this dialer before it welcomes another.
    this.fence.drop(this.#route.at);
    this.#session.link.attach(pipe, { recv, lim: welcome.lim, hb: welcome.hb });
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const waiter of waiting) waiter.resolve();
  }
}

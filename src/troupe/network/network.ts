import { failure, type Outcome } from "../../../machines/failure.ts";
import { wireIdCharactersMax } from "../../../machines/wire/limits.ts";
import { nodeName } from "../../../machines/wire/schemas.ts";
import type { TellResult } from "../../agent/context.ts";
import type { Elsewhere, Leaving } from "../../dispatch/request.ts";
import { TroupeError } from "../../errors.ts";
import { HttpDoor } from "../../listen/door.ts";
import { acceptedCodecs, offeredCodecs } from "../../remote/codecs/load.ts";
import type { Dialer } from "../../remote/dialer.ts";
import { RemoteNode } from "../../remote/node.ts";
import type { Pace, PeerSession } from "../../remote/peer-session.ts";
import { acceptWebSockets, checkDialUrl, webSocketTransportWith } from "../../remote/websocket-transport.ts";
import type { Core } from "../../system/core.ts";
import { checkWhole, connectTimeoutMs, type LinkOptions } from "../options.ts";
import { toAuthentication } from "./auth.ts";
import {
  ConnectedPeer,
  farewellMaxMs,
  OpenListener,
  type ConnectOptions,
  type Listener,
  type ListenOptions,
  type RemotePeer,
} from "./doors.ts";
import { AgentHost, type HostGround } from "./host.ts";
import { Joined, type JoinOptions, type Membership, type MembershipGround } from "./membership.ts";
import { OwnLoad } from "./own-load.ts";
import { Peer, type PeerLink } from "./peer.ts";
import { readRate } from "./rate.ts";
import { checkRedirects } from "./redirects.ts";

/** What a peer may do that nobody has said anything about: use agents and watch them; never spawn, pause or stop. */
const defaultGrants: readonly string[] = ["tell:/*", "tell:cap:*", "watch:/*"];
/** Whoever may come at all may ask what it is granted. */
const directoryGrant = "tell:node:agents";

/** Codes that say that nothing was begun there, so another node may be asked. */
const notBegun: ReadonlySet<string> = new Set([
  "remote/unreachable",
  "remote/full",
  "dispatch/no-agent",
  "dispatch/unavailable",
  "call/busy",
]);

interface NetworkGround extends HostGround {
  readonly core: Core;
  readonly node: string;
  readonly links: LinkOptions;
}

/** Every other node that this troupe knows: those it has dialled, and those that have dialled it. */
export class Network implements Elsewhere {
  readonly #ground: HostGround;
  readonly #core: Core;
  readonly #name: string;
  readonly #pace: Pace;
  readonly #load: OwnLoad;
  readonly #peers = new Set<Peer>();
  readonly #doors = new Set<AsyncDisposable>();
  #dialling: RemoteNode | undefined;
  #dialGrants: readonly string[] = [];

  constructor(ground: NetworkGround) {
    const { core, node, links } = ground;
    this.#ground = ground;
    this.#core = core;
    this.#load = new OwnLoad(ground.dispatcher.registry, core.ports.clock);
    const { heartbeatMs, sessionMs } = links;
    this.#pace = {
      ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
      ...(sessionMs === undefined ? {} : { ttlMs: sessionMs }),
    };
    // Two troupes that nobody has named are not the same node.
    this.#name = node === "local" ? `node-${core.ports.ids.hex()}` : node;
    ground.dispatcher.elsewhere = this;
  }

  async listen(options: ListenOptions): Promise<Listener> {
    this.#checkOpen();
    const { port, host, hosts, origins, auth, tls, grants = defaultGrants, spawn = [] } = options;
    const granted = (peer: string): readonly string[] => [
      ...(typeof grants === "function" ? grants(peer) : grants),
      directoryGrant,
    ];
    const authentication = toAuthentication(auth, tls?.ca !== undefined);
    const rate = readRate(options.rate);
    for (const definition of spawn) this.#ground.dispatcher.declare(definition);
    const codecs = await acceptedCodecs(options.codec);
    const door = await HttpDoor.open({
      port,
      authenticated: auth !== undefined,
      ...(tls === undefined ? {} : { tls }),
      ...(host === undefined ? {} : { host }),
      ...(hosts === undefined ? {} : { hosts }),
      ...(origins === undefined ? {} : { origins }),
    });
    const serving = new AgentHost(this.#ground, { grants: granted, spawnable: spawn });
    const guests = new Map<PeerSession, Peer>();
    const node = this.#node(serving, {
      auth: authentication,
      grants: granted,
      pace: { ...this.#pace, rate },
      joined: (session) => guests.set(session, this.#welcome(session)),
      loaded: (session) => guests.get(session)?.loaded(),
      left: (session) => {
        const peer = guests.get(session);
        guests.delete(session);
        if (peer !== undefined) this.#forget(peer);
      },
    });
    const listening = acceptWebSockets(door, (pipe) => node.accept(pipe), codecs);
    const open: OpenListener = new OpenListener(
      { url: listening.url, node, serving, door: listening, clock: this.#core.ports.clock },
      () => this.#doors.delete(open),
    );
    this.#doors.add(open);
    return open;
  }

  #node(
    hosting: AgentHost,
    rest: Pick<ConstructorParameters<typeof RemoteNode>[0], "auth" | "grants" | "pace" | "joined" | "left" | "loaded">,
  ): RemoteNode {
    const { clock, random, ids } = this.#core.ports;
    return new RemoteNode({
      node: this.#name,
      clock,
      random,
      ids,
      hosting,
      pace: this.#pace,
      load: () => this.#load.now(),
      ...rest,
      dead: (peer, { id, to, capability, reason }) =>
        this.#core.deadLetters.add("remote", to, capability, { id, node: peer, why: reason }),
    });
  }

  #letterFrom(node: () => string): PeerLink["dead"] {
    return ({ path }, capability, why) => this.#core.deadLetters.add("remote", path, capability, { node: node(), why });
  }

  #welcome(session: PeerSession): Peer {
    const peer = new Peer(
      {
        node: () => session.peer,
        state: () => session.link.state,
        heardAt: () => session.link.heardAt,
        load: () => session.link.peerLoad,
        requests: () => session.requests,
        dead: this.#letterFrom(() => session.peer),
      },
      this.#core.ports.clock,
    );
    this.#peers.add(peer);
    // After the handshake is through; what a peer does not grant is not asked again.
    setImmediate(() => void peer.refresh());
    return peer;
  }

  #reached(dialer: Dialer, url: string, options: ConnectOptions): Peer {
    const peer = new Peer(
      {
        node: () => dialer.peer?.node ?? url,
        state: () => dialer.state,
        heardAt: () => dialer.session.link.heardAt,
        load: () => dialer.session.link.peerLoad,
        requests: () => dialer.session.requests,
        dead: this.#letterFrom(() => dialer.peer?.node ?? url),
      },
      this.#core.ports.clock,
      options,
    );
    this.#peers.add(peer);
    return peer;
  }

  #forget(peer: Peer): void {
    peer.close();
    this.#peers.delete(peer);
  }

  /** `missed` hears of each dial that came to nothing before the first that did not. */
  async connect(url: string, options: ConnectOptions, missed?: (why: string) => void): Promise<RemotePeer> {
    this.#checkOpen();
    checkDialUrl(url);
    const { auth, tls = {}, grants = [], redirects = [], timeoutMs = connectTimeoutMs, signal } = options;
    checkRedirects(url, redirects);
    checkWhole("farewellMs", options.farewellMs, { low: 0, high: farewellMaxMs });
    const codecs = await offeredCodecs(options.codec);
    this.#checkOpen();
    const { clock } = this.#core.ports;
    const serving = new AgentHost(this.#ground, { grants: () => this.#dialGrants, spawnable: [] });
    this.#dialGrants = [...new Set([...this.#dialGrants, ...grants])];
    const node = (this.#dialling ??= this.#node(serving, { auth: {}, grants: () => [] }));
    const late = new AbortController();
    let peer: Peer | undefined;
    const dialer: Dialer = node.dial({
      url,
      redirects,
      transport: webSocketTransportWith(tls),
      codecs,
      auth: toAuthentication(auth, tls.cert !== undefined),
      grants: grants.length === 0 ? [] : [...grants, directoryGrant],
      farewellMs: options.farewellMs,
      missed: (why) => {
        missed?.(why);
        if (options.once === true) late.abort(new Error(why));
      },
      moved: (to) => {
        if (to === "up") setImmediate(() => void peer?.refresh());
      },
      loaded: () => peer?.loaded(),
      ended: () => {
        if (peer !== undefined && dialer.isOver) this.#forget(peer);
        else peer?.lost();
      },
    });
    const limit = clock.after(timeoutMs, () => {
      const why = peer === undefined ? dialer.why : "it let this node in, and does not say what it offers";
      late.abort(new Error(`no answer within ${timeoutMs} ms${why === "" ? "" : `; ${why}`}`));
    });
    const stop = signal === undefined ? late.signal : AbortSignal.any([late.signal, signal]);
    try {
      await dialer.ready(stop);
      peer = this.#reached(dialer, url, options);
      const failed = await peer.refresh(stop);
      stop.throwIfAborted();
      if (failed !== undefined) throw new Error(failed.message);
    } catch (problem) {
      if (peer !== undefined) this.#forget(peer);
      // Nothing was told it yet that is worth waiting for.
      await dialer.close(0);
      const why = problem instanceof Error ? problem.message : String(problem);
      throw new TroupeError("remote/unreachable", `no session with ${url}: ${why}`, { data: { url } });
    } finally {
      limit.cancel();
    }
    const known = peer;
    const connected: ConnectedPeer = new ConnectedPeer({ peer, dialer, core: this.#core }, () => {
      this.#forget(known);
      this.#doors.delete(connected);
    });
    this.#doors.add(connected);
    return connected;
  }

  /**
   * Stays connected to whatever nodes a discovery lists.
   * Errors: throws `remote/unreachable` where the discovery gives no list, `usage/invalid-options`, `usage/missing-peer`.
   */
  async join(options: JoinOptions): Promise<Membership> {
    this.#checkOpen();
    await offeredCodecs(options.codec);
    const { clock } = this.#core.ports;
    const ground: MembershipGround = { options, clock, connect: (...how) => this.connect(...how), self: this.#name };
    const joined: Joined = new Joined(ground, () => this.#doors.delete(joined));
    this.#doors.add(joined);
    await joined.start();
    return joined;
  }

  call(call: Leaving, signal: AbortSignal): Promise<Outcome<unknown>> | undefined {
    const offering = [...this.#peers].filter((peer) => peer.offers(call.capability));
    if (offering.length === 0) return undefined;
    return this.#ask(offering, call, signal);
  }

  /**
   * Of two usable ones by chance that with the shorter expected wait, then the others from the shortest on. What is known
   * of their load is old by some seconds: were the best always chosen, every node would choose the same one.
   * Source: Mitzenmacher, "The Power of Two Choices".
   */
  #order(offering: readonly Peer[]): readonly Peer[] {
    const usable = offering.filter(({ isUsable }) => isUsable).toSorted((one, other) => one.cost - other.cost);
    if (usable.length < 3) return usable;
    const { random } = this.#core.ports;
    const draw = (): number => Math.floor(random.next() * usable.length);
    const first = usable[Math.min(draw(), draw())] as Peer;
    return [first, ...usable.filter((peer) => peer !== first)];
  }

  /** The nodes one after another until one has begun. */
  async #ask(offering: readonly Peer[], call: Leaving, signal: AbortSignal): Promise<Outcome<unknown>> {
    const { capability } = call;
    let last: Outcome<unknown> | undefined;
    for (const peer of this.#order(offering)) {
      last = await peer.call({ path: `cap:${capability}` }, call, signal);
      if (last.ok || !notBegun.has(last.failure.code)) return last;
      if (last.failure.code === "dispatch/no-agent") peer.lacks(capability);
    }
    const nodes = offering.map(({ node }) => node).join(", ");
    const message = `${capability} is offered by ${nodes}, and none of them can be reached now`;
    return last ?? { ok: false, failure: failure("remote/unreachable", message, { capability }) };
  }

  tell(message: Leaving): TellResult | undefined {
    const [peer] = this.#order([...this.#peers].filter((each) => each.offers(message.capability)));
    return peer?.tell({ path: `cap:${message.capability}` }, message);
  }

  /** Ends every session in good order, and stops listening. */
  async close(): Promise<void> {
    await Promise.all([...this.#doors].map((door) => door[Symbol.asyncDispose]()));
    await this.#dialling?.close();
    for (const peer of this.#peers) this.#forget(peer);
  }

  #checkOpen(): void {
    if (this.#core.closed) throw new TroupeError("usage/closed", "this troupe is closed; create a new one");
    if (nodeName.safeParse(this.#name).success) return;
    const message = `node is ${JSON.stringify(this.#name)}; other nodes take letters, digits and _ . : @ - as a name, at most ${wireIdCharactersMax}`;
    throw new TroupeError("usage/invalid-options", message);
  }
}

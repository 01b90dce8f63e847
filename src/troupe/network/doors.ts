import type { Outcome } from "../../../machines/failure.ts";
import type { TellResult } from "../../agent/context.ts";
import type { AgentDefinition } from "../../agent/define.ts";
import { checkCallOptions } from "../../dispatch/options.ts";
import type { AgentRef } from "../../dispatch/ref.ts";
import { TroupeError } from "../../errors.ts";
import type { TlsIdentity } from "../../listen/tls.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { Listening } from "../../ports/transport.ts";
import type { Dialer } from "../../remote/dialer.ts";
import type { CodecName } from "../../remote/codecs/load.ts";
import type { Address } from "../../remote/hosting.ts";
import type { RemoteNode } from "../../remote/node.ts";
import type { Core } from "../../system/core.ts";
import type { PeerAuth } from "./auth.ts";
import type { ListedAgent } from "./directory.ts";
import type { AgentHost } from "./host.ts";
import { leavingOf } from "./leaving.ts";
import type { Peer } from "./peer.ts";
import { places, routes, type Place } from "./place.ts";
import { checkRedirect } from "./redirects.ts";
import { RemoteRef } from "./remote-ref.ts";

/** How long calls in hand may go on when a listener closes; then they are cancelled. */
export const drainMs = 10_000;
/** How long a spawn on another node may take. */
const spawnTimeoutMs = 30_000;
/** The longest that whoever connects may let the end of a link wait for the other node. */
export const farewellMaxMs = 60_000;
/** When a node that is told to go elsewhere may come back. */
const retryAfterMs = 1_000;

/** Where to listen, who may come, and what they may do. */
export interface ListenOptions {
  /** 0 for any free one. */
  readonly port: number;
  /** Default 127.0.0.1; an address that other machines can reach needs `auth`, or `tls` with `ca`. */
  readonly host?: string;
  /** Without it anybody on this machine may come, and nobody else. */
  readonly auth?: PeerAuth;
  /**
   * Speaks TLS, with this certificate as PEM. With `ca` every peer must bring a certificate of these authorities that
   * names its node as a DNS name (mutual TLS); that proves who it is, with or without `auth`.
   */
  readonly tls?: Required<Pick<TlsIdentity, "cert" | "key">> & Pick<TlsIdentity, "ca">;
  /**
   * How frames may be written: "json" takes nothing else, and "msgpack" takes both and needs the package msgpackr.
   * Default: both where that is installed.
   */
  readonly codec?: CodecName;
  /**
   * What peers may do: "tell:/reviewer/*" (an agent by path), "tell:cap:code.review" (whoever has the capability),
   * "watch:/*", "spawn:worker@1", "tell:node:control" (pause, resume, stop and kill any agent). One list for all, or by
   * the name of the node. Default: tell and watch every agent.
   */
  readonly grants?: readonly string[] | ((peer: string) => readonly string[]);
  /** What peers that are granted it may spawn, each as its name and "@1". Default: nothing. */
  readonly spawn?: readonly AgentDefinition[];
  /**
   * What each peer may send here in the long run: messages (a frame without any counts as one; default 1,000,000, at
   * least 100) and bytes (default 1 GiB, at least 65,536) a second. A second's worth may come at once. One that sends
   * more loses its connection, is told when to come again, and then goes on with nothing lost.
   */
  readonly rate?: { readonly messagesPerSecond?: number; readonly bytesPerSecond?: number };
  /** Names under which this machine is reached: "troupe.example:7700". */
  readonly hosts?: readonly string[];
  /** Pages that may connect: "https://troupe.example". Default: none but this door's own. */
  readonly origins?: readonly string[];
}

/** How to reach another node. */
export interface ConnectOptions {
  readonly auth?: PeerAuth;
  /** For "wss://": the authorities to trust instead of the usual ones, and this node's certificate for mutual TLS. */
  readonly tls?: TlsIdentity;
  /**
   * How frames are written; default "json". "msgpack" carries bytes for a fraction of the work, and long lists of
   * similar objects in fewer bytes; for small messages and for text JSON is quicker. It needs the package msgpackr on
   * both nodes; one that has it not is talked to in JSON.
   */
  readonly codec?: CodecName;
  /** What that node may do here, as in `ListenOptions`. Default: nothing. */
  readonly grants?: readonly string[];
  /**
   * Where that node may send this link on to when it goes away, with the same credentials and grants: other addresses
   * of the same service, at most 64. Default: nowhere. What it says of any other address is not followed.
   */
  readonly redirects?: readonly string[];
  /**
   * How long to try, in milliseconds; default 10,000. It is for the first answer of what the node offers too. Once
   * connected, it is dialled again until it is closed here.
   */
  readonly timeoutMs?: number;
  /**
   * How long closing waits until the node has what was told it last, in milliseconds, 0 to 60,000; default 5,000. What it
   * has not got by then is a dead letter.
   */
  readonly farewellMs?: number;
  /** Gives up after the first dial that came to nothing. Default: dials again until `timeoutMs` are over. */
  readonly once?: boolean;
  readonly signal?: AbortSignal;
  /** How often the node is asked what it offers; default 5,000 ms. */
  readonly healthCheckIntervalMs?: number;
  /** Times in a row that it may fail to answer that before it gets no new calls; default 3. It is asked on. */
  readonly failureThreshold?: number;
}

/** A door that peers dial. `await using` or `close()` shuts it. */
export interface Listener extends AsyncDisposable {
  /** The address to connect to: "ws://127.0.0.1:7700/". */
  readonly url: string;
  /** The name that peers know this node by. */
  readonly node: string;
  /** The names of the nodes that have a session here. */
  readonly peers: readonly string[];
  /**
   * Takes nothing new, lets the calls in hand end (up to 10 s), and closes. With `redirect` the peers that have this
   * address among their `redirects` go on there; the others come back here, as all do without it.
   * Errors: throws `usage/invalid-options`.
   */
  close(options?: { readonly redirect?: string }): Promise<void>;
}

/** Another node, as `connect` gives it. Its capabilities join routing; its agents have refs. */
export interface RemotePeer extends AsyncDisposable {
  /** Where the link leads: the address that was given, or the one of its `redirects` that it was sent on to. */
  readonly url: string;
  /** The name of the node at the other end. */
  readonly node: string;
  /** How frames are written; "json" also where another one was wished for and the node there has it not. */
  readonly codec: CodecName;
  /**
   * The state of the link's chart: "up", "resuming" while its connection is lost, "suspect", "draining"; "connecting"
   * when the session has ended and another one is dialled; "down" when it is closed, or refused for good.
   */
  readonly state: string;
  /** It answers when it is asked how it is; one that is not healthy gets no new calls. */
  readonly isHealthy: boolean;
  /** Messages that its agents work on or have waiting, as its last heartbeat said. */
  readonly load: number;
  /** Epoch milliseconds of its last sign of life, a heartbeat or anything else. */
  readonly lastSeenAt: number;
  /** Capabilities that it offers to this node. */
  readonly capabilities: readonly string[];
  /** Its agents, as it listed them last; at most 1,000. */
  readonly agents: readonly ListedAgent[];
  /** The agent at a path of that node. It need not be listed; a call says whether it is there. */
  ref(path: string): AgentRef;
  /**
   * Starts an agent there, by a name that the node exposes: "worker@1". It ends with the session.
   * Errors: throws `remote/forbidden`, `remote/unreachable`, `system/full`.
   */
  spawn(name: string): Promise<AgentRef>;
  /** Asks now what the node offers; it is asked every 5 s anyway. */
  refresh(): Promise<void>;
  /** Ends the link in good order. */
  close(): Promise<void>;
}

interface ListenerParts {
  readonly url: string;
  readonly node: RemoteNode;
  readonly serving: AgentHost;
  readonly door: Listening;
  readonly clock: Clock;
}

export class OpenListener implements Listener {
  readonly #parts: ListenerParts;
  readonly #gone: () => void;
  #closing: Promise<void> | undefined;

  constructor(parts: ListenerParts, gone: () => void) {
    this.#parts = parts;
    this.#gone = gone;
  }

  get url(): string {
    return this.#parts.url;
  }
  get node(): string {
    return this.#parts.node.node;
  }
  get peers(): readonly string[] {
    return this.#parts.node.sessions.map(({ peer }) => peer);
  }
  async close({ redirect }: { readonly redirect?: string } = {}): Promise<void> {
    if (redirect !== undefined) checkRedirect(redirect);
    return await (this.#closing ??= this.#close(redirect));
  }
  async #close(redirect: string | undefined): Promise<void> {
    const { node, serving, door, clock } = this.#parts;
    node.drain({ retryAfterMs, ...(redirect === undefined ? {} : { redirect }) });
    let limit: Timer | undefined;
    const late = new Promise<void>((resolve) => (limit = clock.after(drainMs, resolve)));
    await Promise.race([serving.idle(), late]);
    limit?.cancel();
    await node.close();
    await door[Symbol.asyncDispose]();
    this.#gone();
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

interface PeerParts {
  readonly peer: Peer;
  readonly dialer: Dialer;
  readonly core: Core;
}

/** The peer as a place for children; an agent there is known by its incarnation, so that no other is ever meant. */
class PeerPlace implements Place {
  readonly #parts: PeerParts;

  constructor(parts: PeerParts) {
    this.#parts = parts;
  }

  get node(): string {
    return this.#parts.peer.node;
  }
  get isUp(): boolean {
    return this.#parts.dialer.state === "up";
  }
  ready(signal: AbortSignal): Promise<void> {
    return this.#parts.dialer.ready(signal);
  }
  fenced(signal: AbortSignal): Promise<void> {
    return this.#parts.dialer.fence.passed(signal);
  }
  async spawn(name: string, signal: AbortSignal): Promise<Outcome<unknown>> {
    const { peer } = this.#parts;
    const outcome = await peer.requests.spawn(name, null, { timeoutMs: spawnTimeoutMs, signal });
    // What it offers is known to callers at once.
    if (outcome.ok) await peer.refresh();
    return outcome;
  }
  monitor(at: Address): ReturnType<Place["monitor"]> {
    return this.#parts.peer.requests.monitor(at);
  }
  stop(at: Address): void {
    this.#parts.peer.requests.stop(at);
  }
  call(at: Address, capability: string, given: Parameters<Place["call"]>[2]): ReturnType<Place["call"]> {
    checkCallOptions(given.options);
    const { peer, core } = this.#parts;
    return peer.call(at, leavingOf({ capability, ...given }, core.ports), given.options.signal);
  }
  tell(at: Address, capability: string, { input, options }: Parameters<Place["tell"]>[2]): TellResult {
    checkCallOptions(options);
    const { peer, core } = this.#parts;
    return peer.tell(at, leavingOf({ capability, input, options }, core.ports));
  }
}

export class ConnectedPeer implements RemotePeer {
  readonly #parts: PeerParts;
  readonly #gone: () => void;
  #closing: Promise<void> | undefined;

  constructor(parts: PeerParts, gone: () => void) {
    this.#parts = parts;
    this.#gone = gone;
    places.set(this, new PeerPlace(parts));
  }

  get url(): string {
    return this.#parts.dialer.url;
  }
  get node(): string {
    return this.#parts.peer.node;
  }
  get codec(): CodecName {
    return this.#parts.dialer.session.link.codec as CodecName;
  }
  get state(): string {
    return this.#parts.peer.state;
  }
  get isHealthy(): boolean {
    return this.#parts.peer.isHealthy;
  }
  get load(): number {
    return this.#parts.peer.load;
  }
  get lastSeenAt(): number {
    return this.#parts.peer.lastSeenAt;
  }
  get capabilities(): readonly string[] {
    return this.#parts.peer.capabilities;
  }
  get agents(): readonly ListedAgent[] {
    return this.#parts.peer.agents;
  }
  ref(path: string): AgentRef {
    const { peer, dialer, core } = this.#parts;
    const listed = this.agents.find((each) => each.path === path);
    const ref = new RemoteRef(peer, { path, incarnation: listed?.incarnation ?? 0 }, core.ports);
    routes.set(ref, {
      inc: () => dialer.peer?.inc,
      hasLeft: () => dialer.hasLeft,
      ready: (signal) => dialer.ready(signal),
    });
    return ref;
  }
  async spawn(name: string): Promise<AgentRef> {
    const { peer, core } = this.#parts;
    const outcome = await peer.requests.spawn(name, null, { timeoutMs: spawnTimeoutMs });
    if (!outcome.ok) {
      const { code, message, data } = outcome.failure;
      throw new TroupeError(code as "remote/forbidden", message, { data });
    }
    return new RemoteRef(peer, outcome.value as { path: string; incarnation: number }, core.ports);
  }
  async refresh(): Promise<void> {
    await this.#parts.peer.refresh();
  }
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }
  async #close(): Promise<void> {
    this.#gone();
    await this.#parts.dialer.close();
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

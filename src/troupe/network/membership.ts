import { TroupeError } from "../../errors.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { Discovery } from "../../ports/discovery.ts";
import { checkDialUrl } from "../../remote/websocket-transport.ts";
import type { ConnectOptions, RemotePeer } from "./doors.ts";
import { directoryRefreshMs } from "./peer.ts";

/** How often a discovery is asked for its list, unless the caller says otherwise. */
export const discoveryRefreshMs = 30_000;
/** Nodes of one discovery that are connected to; of a longer list the first so many. */
export const discoveredMax = 1_024;

/** Which nodes to be connected to, and how. What is not said here is as for `connect`. */
export interface JoinOptions extends Omit<ConnectOptions, "redirects" | "once"> {
  /** A list of addresses, or something that finds them. */
  readonly discovery: Discovery | readonly string[];
  /** How often the discovery is asked for its list; default 30,000 ms. */
  readonly refreshIntervalMs?: number;
}

/** The nodes of a discovery. `await using` or `close()` leaves them all. */
export interface Membership extends AsyncDisposable {
  /** Those that there is a session with. */
  readonly peers: readonly RemotePeer[];
  /** Those that there is none with, each with the reason. */
  readonly missing: readonly { readonly url: string; readonly why: string }[];
  /** Asks the discovery for its list now, and dials those that are missing. Resolves when each has been tried once. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

/** What a membership needs of its network. */
export interface MembershipGround {
  readonly options: JoinOptions;
  readonly clock: Clock;
  /** Tells `missed` of each dial that came to nothing, and tries again until its time is over. */
  readonly connect: (url: string, options: ConnectOptions, missed: (why: string) => void) => Promise<RemotePeer>;
  /** The name of this node, which a list for all nodes has in it too. */
  readonly self: string;
}

/** One address of the list. */
interface Place {
  readonly url: string;
  readonly leave: AbortController;
  peer: RemotePeer | undefined;
  /** What is under way to reach it: until the first dial has come to something or nothing, and to the end. */
  dialling: { readonly tried: Promise<void>; readonly over: Promise<void> } | undefined;
  isSelf: boolean;
  why: string;
}

/** It has a session with this node, be its connection lost or not. */
function isThere({ peer }: Place): boolean {
  return peer !== undefined && peer.state !== "down" && peer.state !== "connecting";
}

function whyMissing({ peer, why }: Place): string {
  return peer?.state === "connecting" ? "its session has ended; it is dialled again" : why;
}

function toDiscovery(given: JoinOptions["discovery"]): Discovery {
  if (!Array.isArray(given)) return given as Discovery;
  const urls = given as readonly string[];
  for (const url of urls) checkDialUrl(url);
  return { list: () => Promise.resolve(urls) };
}

function checkInterval(name: string, given: number | undefined): void {
  if (given === undefined || (Number.isFinite(given) && given >= 1)) return;
  throw new TroupeError("usage/invalid-options", `${name} is ${given}; it must be 1 or more`);
}

export class Joined implements Membership {
  readonly #ground: MembershipGround;
  readonly #discovery: Discovery;
  readonly #gone: () => void;
  readonly #places = new Map<string, Place>();
  readonly #leave = new AbortController();
  #listTimer: Timer | undefined;
  #dialTimer: Timer | undefined;
  #unwatch: (() => void) | undefined;
  #listing: Promise<void> | undefined;

  constructor(ground: MembershipGround, gone: () => void) {
    const { discovery, refreshIntervalMs, healthCheckIntervalMs, failureThreshold } = ground.options;
    checkInterval("refreshIntervalMs", refreshIntervalMs);
    checkInterval("healthCheckIntervalMs", healthCheckIntervalMs);
    checkInterval("failureThreshold", failureThreshold);
    this.#ground = ground;
    this.#discovery = toDiscovery(discovery);
    this.#gone = gone;
  }

  get peers(): readonly RemotePeer[] {
    return [...this.#places.values()].flatMap((place) =>
      place.peer === undefined || !isThere(place) ? [] : [place.peer],
    );
  }

  get missing(): readonly { readonly url: string; readonly why: string }[] {
    return [...this.#places.values()].flatMap((place) =>
      place.isSelf || isThere(place) ? [] : [{ url: place.url, why: whyMissing(place) }],
    );
  }

  async start(): Promise<void> {
    try {
      await this.#list();
    } catch (problem) {
      await this.close();
      const why = problem instanceof Error ? problem.message : String(problem);
      throw new TroupeError("remote/unreachable", `the discovery gives no list: ${why}`, { cause: problem });
    }
    this.#unwatch = this.#discovery.watch?.(() => void this.refresh());
    this.#armList();
    await this.#dialMissing();
    this.#armDial();
  }

  async refresh(): Promise<void> {
    try {
      await this.#list();
    } catch {
      // Without a new list the last one holds: a discovery that is out of reach takes no node away.
    }
    await this.#dialMissing();
  }

  async close(): Promise<void> {
    if (this.#leave.signal.aborted) return;
    this.#leave.abort(new Error("this side left"));
    this.#listTimer?.cancel();
    this.#dialTimer?.cancel();
    this.#unwatch?.();
    await Promise.all([...this.#places.values()].map((place) => this.#drop(place)));
    this.#gone();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #armList(): void {
    const { clock, options } = this.#ground;
    if (this.#leave.signal.aborted) return;
    this.#listTimer = clock.after(options.refreshIntervalMs ?? discoveryRefreshMs, () => {
      void this.refresh().then(() => this.#armList());
    });
  }

  #armDial(): void {
    const { clock, options } = this.#ground;
    if (this.#leave.signal.aborted) return;
    this.#dialTimer = clock.after(options.healthCheckIntervalMs ?? directoryRefreshMs, () => {
      void this.#dialMissing().then(() => this.#armDial());
    });
  }

  /** One question at a time: whoever asks meanwhile gets the same answer. */
  #list(): Promise<void> {
    return (this.#listing ??= this.#takeList().finally(() => (this.#listing = undefined)));
  }

  async #takeList(): Promise<void> {
    const { signal } = this.#leave;
    const listed = await this.#discovery.list({ signal });
    if (signal.aborted) return;
    const wanted = new Set(listed.slice(0, discoveredMax));
    for (const url of wanted) {
      if (this.#places.has(url)) continue;
      const place = { url, leave: new AbortController(), peer: undefined, dialling: undefined, isSelf: false, why: "" };
      this.#places.set(url, place);
    }
    for (const place of this.#places.values()) {
      if (wanted.has(place.url)) continue;
      this.#places.delete(place.url);
      void this.#drop(place);
    }
  }

  async #dialMissing(): Promise<void> {
    if (this.#leave.signal.aborted) return;
    await Promise.all([...this.#places.values()].map((place) => (place.dialling ??= this.#begin(place)).tried));
  }

  #begin(place: Place): NonNullable<Place["dialling"]> {
    const { promise: tried, resolve } = Promise.withResolvers<void>();
    const missed = (why: string): void => {
      place.why = why;
      resolve();
    };
    const over = this.#dial(place, missed).finally(() => {
      place.dialling = undefined;
      resolve();
    });
    return { tried, over };
  }

  async #dial(place: Place, missed: (why: string) => void): Promise<void> {
    const { options, connect, self } = this.#ground;
    try {
      // A lost connection or session is dialled again by the link itself; one that was refused is dialled anew here.
      if (place.isSelf || (place.peer !== undefined && place.peer.state !== "down")) return;
      await place.peer?.close();
      place.peer = undefined;
      const { signal: outer } = options;
      const { signal } = place.leave;
      const either = outer === undefined ? signal : AbortSignal.any([signal, outer]);
      const found = await connect(place.url, { ...options, signal: either }, missed);
      place.isSelf = found.node === self;
      if (place.isSelf || signal.aborted) await found.close();
      else place.peer = found;
    } catch (problem) {
      place.why = problem instanceof Error ? problem.message : String(problem);
    }
  }

  async #drop(place: Place): Promise<void> {
    place.leave.abort(new Error("no longer listed"));
    await place.dialling?.over;
    await place.peer?.close();
  }
}

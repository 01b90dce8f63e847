import { failure, type Failure, type Outcome } from "../../../machines/failure.ts";
import type { LinkState } from "../../../machines/session/machine.ts";
import type { TellResult } from "../../agent/context.ts";
import { capabilityKey } from "../../agent/handler-behaviour.ts";
import type { Leaving } from "../../dispatch/request.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { Requests, RequestOptions } from "../../remote/requests.ts";
import type { Address } from "../../remote/hosting.ts";
import { Following } from "./following.ts";
import { writeCarried } from "./carried.ts";
import { directoryPath, listing, type ListedAgent, type Listing } from "./directory.ts";

/** How often a node asks each peer what it offers, unless the caller says otherwise. */
export const directoryRefreshMs = 5_000;
/** Times in a row that a peer may fail to say so before it gets no new calls, unless the caller says otherwise. */
export const failuresMax = 3;
/** How long a peer may take to say what it offers. */
export const directoryTimeoutMs = 5_000;

/** The session with a peer, whichever it is at present. */
export interface PeerLink {
  readonly node: () => string;
  readonly state: () => LinkState;
  /** Epoch milliseconds of its last sign of life. */
  readonly heardAt: () => number;
  /** Messages that it has in hand, as it said last. */
  readonly load: () => number;
  readonly requests: () => Requests;
  /** A message that cannot be sent. */
  readonly dead: (to: Address, capability: string, why: string) => void;
}

const tooMuch = failure("remote/unsendable", "what the message carries (key, run, baggage) is too much for the wire", {
  path: "options",
});

/** When a peer is asked how it is, and when it is taken for sick. */
export interface HealthPlan {
  readonly healthCheckIntervalMs?: number;
  readonly failureThreshold?: number;
}

/** Another node as this one knows it: what it offers, how it answers, and the way there. */
export class Peer {
  readonly #link: PeerLink;
  readonly #clock: Clock;
  #offers: ReadonlySet<string> = new Set();
  #agents: readonly ListedAgent[] = [];
  #timer: Timer | undefined;
  #closed = false;
  readonly #everyMs: number;
  readonly #failuresMax: number;
  #failures = 0;
  /** How many calls were out to it when it said last how busy it is. */
  #outThen = 0;
  /** Calls that are out. */
  inFlight = 0;
  /** Moving average of how long a call takes. */
  meanMs = 0;

  constructor(link: PeerLink, clock: Clock, health: HealthPlan = {}) {
    this.#link = link;
    this.#clock = clock;
    this.#everyMs = health.healthCheckIntervalMs ?? directoryRefreshMs;
    this.#failuresMax = health.failureThreshold ?? failuresMax;
  }

  /** Epoch milliseconds of its last sign of life: a heartbeat, or anything else. */
  get lastSeenAt(): number {
    return this.#link.heardAt();
  }
  /** Messages that its agents have in hand or waiting, as it said last. */
  get load(): number {
    return this.#link.load();
  }
  /** It has said lately what it offers. */
  get isHealthy(): boolean {
    return this.#failures < this.#failuresMax;
  }

  get node(): string {
    return this.#link.node();
  }
  get state(): LinkState {
    return this.#link.state();
  }
  get agents(): readonly ListedAgent[] {
    return this.#agents;
  }
  get capabilities(): readonly string[] {
    return [...this.#offers];
  }
  get requests(): Requests {
    return this.#link.requests();
  }

  offers(capability: string): boolean {
    return this.#offers.has(capability) || this.#offers.has(capabilityKey(capability));
  }

  /** New calls go there: one that is only being dialled again keeps what it has, and gets more where nobody else can. */
  get isUsable(): boolean {
    return this.isHealthy && (this.state === "up" || this.state === "resuming");
  }

  /** What a further call there may cost: the expected wait, and far more while its connection is lost. */
  get cost(): number {
    // What others have sent there is known as of its last word; what this node has sent since is known exactly.
    const ahead = Math.max(this.inFlight, this.load + this.inFlight - this.#outThen);
    return (this.meanMs + 0.1) * (ahead + 1) * (this.state === "up" ? 1 : 1_000);
  }

  /** Its session has ended: what it offered counts no more until it says so again. */
  lost(): void {
    this.#offers = new Set();
    this.#agents = [];
  }

  /** Asks what the peer offers, now and at intervals. Undefined: it has said so. */
  async refresh(signal?: AbortSignal): Promise<Failure | undefined> {
    this.#timer?.cancel();
    const outcome = await this.#list(signal);
    if (this.#closed) return undefined;
    const isForbidden = !outcome.ok && outcome.failure.code === "remote/forbidden";
    this.#timer?.cancel();
    if (!isForbidden) this.#timer = this.#clock.after(this.#everyMs, () => void this.refresh());
    const parsed = outcome.ok ? listing.safeParse(outcome.value) : undefined;
    if (parsed?.success === true) this.#take(parsed.data);
    this.#failures = parsed?.success === true || isForbidden ? 0 : this.#failures + 1;
    return outcome.ok ? undefined : outcome.failure;
  }

  async #list(signal: AbortSignal | undefined): Promise<Outcome<unknown>> {
    // What is asked between two sessions waits for the next one; by then it is asked again anyway.
    if (this.state === "connecting")
      return { ok: false, failure: failure("remote/unreachable", `there is no session with ${this.node}`, {}) };
    return await this.requests.call({ path: directoryPath }, "list", {
      input: null,
      options: { timeoutMs: Math.min(directoryTimeoutMs, this.#everyMs), signal },
    });
  }

  /** It has said how busy it is. */
  loaded(): void {
    this.#outThen = this.inFlight;
  }

  #take({ capabilities, agents }: Listing): void {
    this.#offers = new Set(capabilities);
    this.#agents = agents;
  }

  /** The peer has nobody for it any more; the next listing says what there is. */
  lacks(capability: string): void {
    this.#offers = new Set(this.capabilities.filter((each) => each !== capabilityKey(capability)));
  }

  call(to: Address, call: Leaving, signal: AbortSignal | undefined): Promise<Outcome<unknown>> {
    const { account, items, isFollowed } = call;
    const isBare = account === undefined && items === undefined;
    const headers = writeCarried(isBare ? call : { ...carryOf(call), ...whatElse(call) });
    if (headers === undefined) return Promise.resolve({ ok: false, failure: tooMuch });
    const from = this.#clock.now();
    const timeoutMs = Math.max(1, call.deadlineAt - from);
    const { requests } = this;
    const following = isBare && !isFollowed ? undefined : new Following(call, { node: this.node, requests });
    const options: RequestOptions = {
      timeoutMs,
      deadlineAt: from + timeoutMs,
      signal: following === undefined ? signal : following.orAbort(signal),
      traceparent: call.traceparent,
      headers,
      settled: () => this.#settled(from),
      stream: following,
    };
    this.inFlight += 1;
    const answered = requests.call(to, call.capability, { input: call.input, options });
    if (following === undefined) return answered;
    following.id = requests.lastId;
    return items === undefined ? answered : answered.then((outcome) => following.end(outcome));
  }

  #settled(from: number): void {
    const ms = this.#clock.now() - from;
    this.inFlight -= 1;
    this.meanMs = this.meanMs === 0 ? ms : this.meanMs * 0.9 + ms * 0.1;
  }

  tell(to: Address, message: Leaving): TellResult {
    const { capability, input, traceparent } = message;
    const headers = writeCarried({ ...carryOf(message), key: undefined });
    if (headers !== undefined) return this.requests.tell(to, capability, { input, options: { traceparent, headers } });
    this.#link.dead(to, capability, tooMuch.message);
    return "stopped";
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.lost();
  }
}

function carryOf({ key, runId, decisionId, priority, baggage }: Leaving): Parameters<typeof writeCarried>[0] {
  return { key, runId, decisionId, priority, baggage };
}

/** What is left of its budget, and whether its items are read. */
function whatElse({ account, items }: Leaving): Partial<Parameters<typeof writeCarried>[0]> {
  return { ...(account === undefined ? {} : { left: account.left }), isRead: items !== undefined };
}

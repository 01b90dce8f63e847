import { failure, type Failure, type Outcome } from "../../machines/failure.ts";
import { takeToken, type Bucket } from "../../machines/session/bucket.ts";
import { isGranted, type GrantVerb } from "../../machines/session/grants.ts";
import type { Draft, Envelope, EnvelopeKind } from "../../machines/wire/envelope.ts";
import { packValue } from "../../machines/wire/values.ts";
import { Refusal } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import { Received, ServedCall } from "./calls/received.ts";
import { ServedCalls } from "./calls/served-calls.ts";
import { hostValues } from "./host-values.ts";
import { readAddress, writeAddress, type Address, type Hosting, type RemoteDown } from "./hosting.ts";
import {
  deathsPerMessageMax,
  messageBytesMax,
  monitorsMax,
  openCallsMax,
  spawnedMax,
  spawnsPerSecondMax,
} from "./limits.ts";
import { isFailure, writeDown, writeFailure, writeOutcome } from "./payloads.ts";

export interface ServiceOptions {
  readonly peer: string;
  readonly hosting: Hosting;
  /** What the peer may do here. */
  readonly grants: readonly string[];
  readonly clock: Clock;
  readonly prefix: string;
  /** Bytes that a message takes on the wire. */
  readonly measure: (draft: Draft) => number;
  readonly send: (draft: Draft) => void;
  readonly defer: (run: () => void) => void;
}

/** The floor above broke its promise never to throw: the caller hears of a crash, and no more than its message. */
function faultOf(thrown: unknown): Failure {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return failure("agent/crashed", `the node's own code failed: ${message}`);
}

/** What one peer has asked of this node: nothing beyond its grants, and nothing that outlives its session. */
export class Service {
  readonly #options: ServiceOptions;
  readonly #calls = new ServedCalls();
  readonly #monitors = new Map<string, () => void>();
  readonly #spawned = new Map<string, Address>();
  #spawning = 0;
  #spawns: Bucket | undefined;
  #number = 0;
  #deaths: { readonly ref: string; readonly down: RemoteDown }[] = [];
  #ended = false;
  /** What each kind of message asks for; any other kind answers what this node asked, and is not ours. */
  readonly #takers: ReadonlyMap<string, (envelope: Envelope) => void> = new Map([
    ["call", (envelope: Envelope) => this.#call(envelope)],
    ["tell", (envelope: Envelope) => this.#tell(envelope)],
    ["cancel", ({ re = "" }: Envelope) => this.#giveUp(this.#calls.get(re))],
    ["credit", ({ re = "", p }: Envelope) => this.#credit(re, p)],
    ["mon", (envelope: Envelope) => this.#monitor(envelope)],
    ["unmon", ({ re = "" }: Envelope) => this.#unmonitor(re)],
    ["spawn", (envelope: Envelope) => this.#spawn(envelope)],
    ["stop", (envelope: Envelope) => this.#stop(envelope)],
  ]);

  constructor(options: ServiceOptions) {
    this.#options = options;
  }

  /** What the peer has open here. */
  get open(): { readonly calls: number; readonly monitors: number; readonly spawned: number } {
    return { calls: this.#calls.size, monitors: this.#monitors.size, spawned: this.#spawned.size };
  }

  take(envelope: Envelope): void {
    if (this.#ended) return;
    this.#takers.get(envelope.k)?.(envelope);
  }

  /** The session has ended: nobody waits, so nothing goes on; what the peer spawned is stopped. */
  end(): void {
    this.#ended = true;
    for (const call of this.#calls.list()) this.#giveUp(call);
    for (const unwatch of this.#monitors.values()) unwatch();
    this.#monitors.clear();
    for (const child of this.#spawned.values()) this.#options.hosting.stop(child);
    this.#spawned.clear();
  }

  #answer(k: EnvelopeKind, re: string, p: Draft["p"] = null): void {
    if (this.#ended) return;
    const draft = this.#draft(k, re, p);
    const tooLarge = this.#tooLarge("answer", draft);
    if (tooLarge === undefined) this.#options.send(draft);
    else this.#refuse(re, tooLarge);
  }

  #draft(k: EnvelopeKind, re: string, p: Exclude<Draft["p"], undefined>): Draft {
    this.#number += 1;
    return { id: `${this.#options.prefix}~${this.#number.toString(36)}`, k, f: "", to: "", ty: "", re, p };
  }

  #tooLarge(what: string, draft: Draft): Failure | undefined {
    const bytes = this.#options.measure(draft);
    if (bytes <= messageBytesMax) return undefined;
    const message = `the ${what} has ${bytes} bytes; a message may have ${messageBytesMax}`;
    return failure("remote/unsendable", message, { bytes });
  }

  #refuse(re: string, failed: Failure): void {
    this.#answer("err", re, writeFailure(failed));
  }

  /** Undefined where the grant is there; the refusal otherwise. */
  #forbidden(verb: GrantVerb, target: string): Failure | undefined {
    if (isGranted(this.#options.grants, verb, target)) return undefined;
    const needs = `${verb}:${target}`;
    return failure("remote/forbidden", `node ${this.#options.peer} is not granted ${needs}`, { needs });
  }

  #tell(envelope: Envelope): void {
    const message = new Received(this.#options.peer, envelope);
    const failed = this.#forbidden("tell", message.to.path) ?? this.#options.hosting.tell(message);
    if (failed !== undefined) this.#refuse(envelope.id, failed);
  }

  #call(envelope: Envelope): void {
    const { id } = envelope;
    const call = new ServedCall(this.#options.peer, envelope, this.#emit);
    const forbidden = this.#forbidden("tell", call.to.path);
    if (forbidden !== undefined) return this.#refuse(id, forbidden);
    if (this.#calls.has(id) || this.#calls.size >= openCallsMax)
      return this.#refuse(id, failure("call/busy", `${openCallsMax} calls of this peer are open`));
    this.#calls.add(call);
    this.#options.hosting.call(call).then(
      (outcome) => this.#settle(call, outcome),
      (thrown: unknown) => this.#settle(call, { ok: false, failure: faultOf(thrown) }),
    );
  }

  #settle(call: ServedCall, outcome: Outcome<unknown>): void {
    if (!this.#calls.remove(call)) return;
    const { id } = call;
    if (!outcome.ok) return this.#refuse(id, outcome.failure);
    const payload = writeOutcome(outcome);
    if (isFailure(payload)) this.#refuse(id, payload);
    else this.#answer("reply", id, payload);
  }

  readonly #emit = async (served: ServedCall, item: unknown): Promise<void> => {
    const { id } = served;
    if (served.credit === undefined) return;
    while (served.credit <= 0 && this.#calls.has(id)) await served.refilled();
    if (!this.#calls.has(id)) return;
    const packed = packValue(item, hostValues);
    if (!packed.ok) {
      const { path, what } = packed.fault;
      throw new Refusal(failure("remote/unsendable", `the item cannot travel: ${path} ${what}`, { path }));
    }
    const draft = this.#draft("chunk", id, packed.value);
    const tooLarge = this.#tooLarge("item", draft);
    if (tooLarge !== undefined) throw new Refusal(tooLarge);
    served.credit -= 1;
    this.#options.send(draft);
  };

  #credit(id: string, items: Draft["p"]): void {
    const served = this.#calls.get(id);
    if (served?.credit === undefined || typeof items !== "number" || !(items > 0)) return;
    served.credit = Math.min(served.credit + items, Number.MAX_SAFE_INTEGER);
    served.refill();
  }

  #giveUp(served: ServedCall | undefined): void {
    if (served !== undefined && this.#calls.remove(served)) served.giveUp();
  }

  #monitor({ id, to }: Envelope): void {
    const target = readAddress(to);
    const isRefused = this.#monitors.size >= monitorsMax || this.#forbidden("watch", target.path) !== undefined;
    if (isRefused) return this.#fell(id, { reason: "refused" });
    if (this.#monitors.has(id)) return;
    this.#monitors.set(id, () => {});
    const unwatch = this.#options.hosting.monitor(target, (down) => {
      if (this.#monitors.delete(id)) this.#fell(id, down);
    });
    if (this.#monitors.has(id)) this.#monitors.set(id, unwatch);
  }

  #unmonitor(id: string): void {
    this.#monitors.get(id)?.();
    this.#monitors.delete(id);
    this.#deaths = this.#deaths.filter((death) => death.ref !== id);
  }

  /** Deaths of one turn travel together, after everything that the dead have sent in it. */
  #fell(ref: string, down: RemoteDown): void {
    this.#deaths.push({ ref, down });
    if (this.#deaths.length === 1) this.#options.defer(() => this.#tellDeaths());
  }

  #tellDeaths(): void {
    const groups = new Map<string, { refs: string[]; down: RemoteDown }>();
    for (const { ref, down } of this.#deaths) {
      const alike = down.failure === undefined && down.incarnation === undefined ? down.reason : ref;
      const group = groups.get(alike) ?? { refs: [], down };
      group.refs.push(ref);
      groups.set(alike, group);
    }
    this.#deaths = [];
    for (const { refs, down } of groups.values())
      for (let from = 0; from < refs.length; from += deathsPerMessageMax) {
        const some = refs.slice(from, from + deathsPerMessageMax);
        this.#answer("down", some[0] ?? "", writeDown(some, down));
      }
  }

  #spawn(envelope: Envelope): void {
    const { id, ty: name } = envelope;
    const forbidden = this.#forbidden("spawn", name);
    if (forbidden !== undefined) return this.#refuse(id, forbidden);
    const plan = { perSecond: spawnsPerSecondMax, burst: spawnedMax };
    const { bucket, waitMs } = takeToken(this.#spawns, this.#options.clock.now(), plan);
    this.#spawns = bucket;
    if (waitMs > 0)
      return this.#refuse(
        id,
        failure("system/full", `a peer may spawn ${spawnsPerSecondMax} agents a second here`, { waitMs }),
      );
    if (this.#spawned.size + this.#spawning >= spawnedMax)
      return this.#refuse(id, failure("system/full", `a peer may have ${spawnedMax} agents spawned here`));
    const { input } = new Received(this.#options.peer, envelope);
    this.#spawning += 1;
    this.#options.hosting.spawn({ peer: this.#options.peer, name, input }).then(
      (outcome) => this.#born(id, outcome),
      (thrown: unknown) => this.#born(id, { ok: false, failure: faultOf(thrown) }),
    );
  }

  #born(id: string, outcome: Outcome<Required<Address>>): void {
    this.#spawning -= 1;
    if (!outcome.ok) return this.#refuse(id, outcome.failure);
    if (this.#ended) return this.#options.hosting.stop(outcome.value);
    const { path, incarnation } = outcome.value;
    const address = writeAddress(outcome.value);
    this.#spawned.set(address, outcome.value);
    // One that has ended makes room for another.
    this.#options.hosting.monitor(outcome.value, () => this.#spawned.delete(address));
    this.#answer("spawned", id, { value: { path, incarnation } });
  }

  /** A peer stops only what it has spawned. */
  #stop({ to }: Envelope): void {
    const child = this.#spawned.get(to);
    if (child === undefined) return;
    this.#spawned.delete(to);
    this.#options.hosting.stop(child);
  }
}

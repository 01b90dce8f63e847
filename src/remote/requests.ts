import { failure, type Failure, type Outcome } from "../../machines/failure.ts";
import type { Draft, Envelope, EnvelopeKind } from "../../machines/wire/envelope.ts";
import { addressCharactersMax, hopsMax, ttlMaxMs, typeCharactersMax } from "../../machines/wire/limits.ts";
import { packValue, unpackValue } from "../../machines/wire/values.ts";
import type { Clock } from "../ports/clock.ts";
import { hostValues } from "./host-values.ts";
import { noHeaders, writeAddress, type Address, type RemoteDown } from "./hosting.ts";
import { messageBytesMax, openCallsMax } from "./limits.ts";
import { OpenCalls, type CallTerms } from "./calls/open-calls.ts";
import { readDown, readFailure, readOutcome } from "./payloads.ts";

/** How a call to another node is made. */
export interface RequestOptions extends CallTerms {
  readonly traceparent?: string;
  readonly tracestate?: string;
  /** Where this message may still be passed on to; a forwarder gives what it was given. */
  readonly hops?: number;
  readonly headers?: { readonly [name: string]: string };
}

/** A message that reached nobody, or of which that is not known. */
export interface DeadRemoteLetter {
  readonly id: string;
  readonly to: string;
  readonly capability: string;
  readonly reason: string;
}

/** The session that requests travel on. */
export interface Carrier {
  readonly peer: string;
  /** Bytes that a message takes on the wire. */
  measure(draft: Draft): number;
  /** Why a call or a tell would not be taken now; a notice always is. */
  refusal(): "full" | "down" | undefined;
  /** `due`: when the time that the message's `ttl` names is over, so that it tells what is left when it goes. */
  send(draft: Draft, due?: number): void;
  /** Whether messages pass at present. */
  isUp(): boolean;
}

/** What this node has asked of one peer and has no answer to. Everything asked is answered exactly once. */
export class Requests {
  readonly #carrier: Carrier;
  readonly #dead: (letter: DeadRemoteLetter) => void;
  readonly #prefix: string;
  #number = 0;
  #lastId = "";
  readonly #calls: OpenCalls;
  readonly #monitors = new Map<string, (down: RemoteDown) => void>();

  constructor(
    carrier: Carrier,
    options: { readonly clock: Clock; readonly prefix: string; readonly dead: (letter: DeadRemoteLetter) => void },
  ) {
    this.#carrier = carrier;
    const cancel = (id: string): void => carrier.send(this.#notice("cancel", id));
    const trouble = (): string =>
      carrier.isUp() ? "" : `; the link to ${carrier.peer} is down, so it is not known whether it was done`;
    this.#calls = new OpenCalls(options.clock, cancel, trouble);
    this.#prefix = options.prefix;
    this.#dead = options.dead;
  }

  /** Calls and monitors that have no answer yet. */
  get open(): number {
    return this.#calls.size + this.#monitors.size;
  }

  /** The id of the call asked last, for `grant`. */
  get lastId(): string {
    return this.#lastId;
  }

  call(to: Address, capability: string, given: { input: unknown; options: RequestOptions }): Promise<Outcome<unknown>> {
    return this.#ask("call", { to: writeAddress(to), ty: capability, input: given.input }, given.options);
  }

  spawn(name: string, input: unknown, options: RequestOptions): Promise<Outcome<unknown>> {
    return this.#ask("spawn", { to: "", ty: name, input }, options);
  }

  /** The answer to a tell that would not be taken now, before anything of it is made; undefined where it would be. */
  refuseTell(to: Address, capability: string): "busy" | "stopped" | undefined {
    const reason = this.#carrier.refusal();
    if (reason === undefined) return undefined;
    this.#dead({ id: this.#nextId(), to: writeAddress(to), capability, reason });
    return reason === "full" ? "busy" : "stopped";
  }

  tell(
    to: Address,
    capability: string,
    given: { readonly input: unknown; readonly options?: Pick<RequestOptions, "traceparent" | "headers"> },
  ): "accepted" | "busy" | "stopped" {
    const { input, options = {} } = given;
    const refused = this.refuseTell(to, capability);
    if (refused !== undefined) return refused;
    const id = this.#nextId();
    const address = writeAddress(to);
    const unsayable = findUnsayable({ to: address, ty: capability });
    if (unsayable !== undefined) {
      this.#dead({ id, to: address, capability, reason: unsayable });
      return "stopped";
    }
    const packed = packValue(input, hostValues);
    if (!packed.ok) {
      this.#dead({ id, to: address, capability, reason: `${packed.fault.path} ${packed.fault.what}` });
      return "stopped";
    }
    const draft = withExtras({ id, k: "tell", f: "", to: address, ty: capability, p: packed.value }, options);
    if (this.#carrier.measure(draft) > messageBytesMax) {
      this.#dead({ id, to: address, capability, reason: "too large" });
      return "stopped";
    }
    this.#carrier.send(draft);
    return "accepted";
  }

  /** Resolves once, when the incarnation has ended or its fate is not known any more. */
  monitor(to: Address, signal?: AbortSignal): Promise<RemoteDown> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const id = this.#nextId();
      const leave = (): void => {
        if (!this.#monitors.delete(id)) return;
        this.#carrier.send(this.#notice("unmon", id));
        reject(signal?.reason as Error);
      };
      const draft: Draft = { id, k: "mon", f: "", to: writeAddress(to), ty: "" };
      // Nobody has an address that cannot be said.
      if (findUnsayable(draft) !== undefined) return resolve({ reason: "noproc" });
      if (this.#carrier.refusal() !== undefined) return resolve({ reason: "noconnection" });
      this.#carrier.send(draft);
      signal?.addEventListener("abort", leave, { once: true });
      this.#monitors.set(id, (down) => {
        signal?.removeEventListener("abort", leave);
        resolve(down);
      });
    });
  }

  stop(to: Address): void {
    const draft: Draft = { id: this.#nextId(), k: "stop", f: "", to: writeAddress(to), ty: "" };
    if (this.#carrier.refusal() === undefined && findUnsayable(draft) === undefined) this.#carrier.send(draft);
  }

  /** Lets a handler emit so many more items. */
  grant(id: string, items: number): void {
    if (this.#calls.get(id) !== undefined) this.#carrier.send({ ...this.#notice("credit", id), p: items });
  }

  /** Takes an answer of the peer; one that nobody waits for any more is nobody's. */
  take(envelope: Envelope): void {
    const id = envelope.re ?? "";
    const { k, p } = envelope;
    if (k === "reply") this.#calls.get(id)?.settle(readOutcome(p));
    else if (k === "spawned") this.#born(id, readOutcome(p));
    else if (k === "err") this.#refused(id, readFailure(p), envelope.to);
    else if (k === "chunk") this.#calls.get(id)?.terms.stream?.next(unpackValue(p ?? null, hostValues));
    else if (k === "down") for (const one of readDown(p, id)) this.#fell(one.id, one.down);
  }

  /** The session has ended: whatever has no answer gets the only one that is true. */
  end(unsettled: readonly Draft[]): void {
    for (const draft of unsettled)
      if (draft.k === "tell") this.#dead({ id: draft.id, to: draft.to, capability: draft.ty, reason: "indeterminate" });
    const node = this.#carrier.peer;
    for (const call of this.#calls) {
      const message = `the session with node ${node} ended while ${call.capability} was out: it may or may not have run`;
      call.settle({ ok: false, failure: failure("remote/indeterminate", message, { node }) });
    }
    this.#calls.close();
    for (const id of this.#monitors.keys()) this.#fell(id, { reason: "noconnection" });
  }

  /** An agent that was spawned after whoever wanted it had given up is stopped. */
  #born(id: string, born: Outcome<unknown>): void {
    const call = this.#calls.get(id);
    if (call !== undefined) return call.settle(born);
    const { path, incarnation } = (born.ok ? born.value : {}) as Partial<Address>;
    if (typeof path === "string" && typeof incarnation === "number") this.stop({ path, incarnation });
  }

  #refused(id: string, failed: Failure, to: string): void {
    const call = this.#calls.get(id);
    if (call !== undefined) return call.settle({ ok: false, failure: failed });
    this.#dead({ id, to, capability: "", reason: failed.code });
  }

  #fell(id: string, down: RemoteDown): void {
    const hear = this.#monitors.get(id);
    if (hear === undefined) return;
    this.#monitors.delete(id);
    hear(down);
  }

  #nextId(): string {
    this.#number += 1;
    return `${this.#prefix}-${this.#number}`;
  }

  #notice(k: EnvelopeKind, re: string): Draft {
    return { id: this.#nextId(), k, f: "", to: "", ty: "", re };
  }

  #ask(
    k: "call" | "spawn",
    what: { readonly to: string; readonly ty: string; readonly input: unknown },
    given: RequestOptions,
  ): Promise<Outcome<unknown>> {
    const { ty } = what;
    const options = withinLimit(given);
    const hindrance = this.#hindrance(what, options);
    if (hindrance !== undefined) return refuse(hindrance, options);
    const packed = packValue(what.input, hostValues);
    if (!packed.ok) {
      const { path, what: why } = packed.fault;
      const message = `the input of ${ty} cannot travel: ${path} ${why}`;
      return refuse(failure("remote/unsendable", message, { path }), options);
    }
    const place = this.#calls.reserve();
    const id = `${this.#nextId()}.${place}`;
    const hp = Math.min(options.hops ?? hopsMax, hopsMax);
    const ttl = Math.max(0, Math.round(options.timeoutMs));
    const draft = withExtras({ id, k, f: "", to: what.to, ty, p: packed.value, ttl, hp }, options);
    const bytes = this.#carrier.measure(draft);
    if (bytes > messageBytesMax) {
      this.#calls.release(place);
      const message = `the input of ${ty} makes a message of ${bytes} bytes; it may have ${messageBytesMax}`;
      return refuse(failure("remote/unsendable", message, { path: "value", bytes }), options);
    }
    this.#lastId = id;
    const deadlineAt = this.#calls.deadlineOf(options);
    const answered = this.#calls.open({ id, capability: ty, terms: options, deadlineAt });
    this.#carrier.send(draft, deadlineAt);
    return answered;
  }

  /** Why a call is not made at all. */
  #hindrance(what: Named, { hops = hopsMax, signal }: RequestOptions): Failure | undefined {
    const { ty } = what;
    if (signal?.aborted === true) return failure("call/cancelled", `the caller aborted ${ty}`);
    const unsayable = findUnsayable(what);
    if (unsayable !== undefined) return failure("remote/unsendable", unsayable);
    if (hops <= 0) return failure("remote/hops-exhausted", `${ty} was passed on ${hopsMax} times`);
    const { peer: node } = this.#carrier;
    const refusal = this.#carrier.refusal();
    if (refusal === "full") return failure("remote/full", `too much waits to be sent to node ${node}`, { node });
    if (refusal === "down") return failure("remote/unreachable", `there is no session with ${node}`, { node });
    if (this.#calls.size < openCallsMax) return undefined;
    return failure("remote/full", `${openCallsMax} calls to node ${node} are open`, { node });
  }
}

/** Whom a message is for, and what it asks. */
interface Named {
  readonly to: string;
  readonly ty: string;
}

/** What no frame may say: the peer would end the session over it, and everything else that is out with it. */
function findUnsayable({ to, ty }: Named): string | undefined {
  if (to.length > addressCharactersMax)
    return `an address of ${to.length} characters cannot travel; it may have ${addressCharactersMax}`;
  if (ty.length > typeCharactersMax)
    return `a capability of ${ty.length} characters cannot travel; it may have ${typeCharactersMax}`;
  return undefined;
}

/** No call is out for longer than a message can say: one that may take longer, or for ever, has so much and no more. */
function withinLimit(options: RequestOptions): RequestOptions {
  return options.timeoutMs <= ttlMaxMs ? options : { ...options, timeoutMs: ttlMaxMs, deadlineAt: undefined };
}

function refuse(failed: Failure, { settled }: RequestOptions): Promise<Outcome<unknown>> {
  settled?.();
  return Promise.resolve({ ok: false, failure: failed });
}

type Extras = Pick<RequestOptions, "traceparent" | "tracestate" | "headers" | "stream">;

/** With its trace and its headers, where it has any; in place, since every call passes here. */
function withExtras(draft: Draft, { traceparent, tracestate, headers = noHeaders, stream }: Extras): Draft {
  const dressed: { -readonly [Field in keyof Draft]: Draft[Field] } = draft;
  if (traceparent !== undefined) dressed.tp = traceparent;
  if (tracestate !== undefined) dressed.ts = tracestate;
  if (stream !== undefined) dressed.x = { ...headers, credit: String(stream.credit) };
  else if (headers !== noHeaders) dressed.x = headers;
  return dressed;
}

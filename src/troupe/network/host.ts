import { failure, type Failure, type Outcome } from "../../../machines/failure.ts";
import { isGranted } from "../../../machines/session/grants.ts";
import { Account, type Envelope } from "../../agent/envelope.ts";
import type { AgentDefinition } from "../../agent/define.ts";
import type { Dispatcher } from "../../dispatch/dispatcher.ts";
import { infoOf } from "../../dispatch/info.ts";
import type { LocalRef } from "../../dispatch/ref.ts";
import type { CallRequest } from "../../dispatch/request.ts";
import { isTroupeError } from "../../errors.ts";
import type { Address, Hosting, Incoming, IncomingCall, IncomingSpawn, RemoteDown } from "../../remote/hosting.ts";
import type { Cell } from "../../system/cell.ts";
import type { Down } from "../../system/watch.ts";
import type { Supervisor } from "../../system/supervisor.ts";
import type { Nursery } from "../nursery.ts";
import { cellAt } from "../tree.ts";
import { readCarried, toOptions, type Carried } from "./carried.ts";
import { GoingItems } from "./going-items.ts";
import { controlOrder, controlPath, directoryPath, listedAgentsMax, type Listing } from "./directory.ts";

const capabilityPrefix = "cap:";

/** What a node needs of its troupe to serve peers. */
export interface HostGround {
  readonly dispatcher: Dispatcher;
  readonly nursery: Nursery;
  readonly root: Supervisor;
}

export interface HostOptions {
  readonly grants: (peer: string) => readonly string[];
  /** Definitions that peers may spawn, each under its name and major version: "worker@1". */
  readonly spawnable: readonly AgentDefinition[];
}

function fail(failed: Failure): Outcome<never> {
  return { ok: false, failure: failed };
}

/** What the contract of a call says of a caller's mistake is data when the caller is another machine. */
function refusalOf(thrown: unknown): Failure {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return failure("call/rejected", `the node refused: ${message}`, {
    reason: isTroupeError(thrown) ? thrown.code : "agent/crashed",
  });
}

/** Serves the agents of this troupe to peers. */
export class AgentHost implements Hosting {
  readonly #ground: HostGround;
  readonly #options: HostOptions;
  #inHand = 0;
  #idle: (() => void)[] = [];

  constructor(ground: HostGround, options: HostOptions) {
    this.#ground = ground;
    this.#options = options;
  }

  /** Resolves when no call of a peer is in hand. */
  async idle(): Promise<void> {
    if (this.#inHand > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  call(call: IncomingCall): Promise<Outcome<unknown>> {
    this.#inHand += 1;
    return this.#begin(call).then(this.#answered, this.#threw);
  }

  readonly #answered = (outcome: Outcome<unknown>): Outcome<unknown> => {
    this.#inHand -= 1;
    if (this.#inHand === 0) for (const resolve of this.#idle.splice(0)) resolve();
    return outcome;
  };

  readonly #threw = (thrown: unknown): Outcome<unknown> => this.#answered(fail(refusalOf(thrown)));

  #begin(call: IncomingCall): Promise<Outcome<unknown>> {
    try {
      if (call.to.path === directoryPath) return Promise.resolve({ ok: true, value: this.#list(call.peer) });
      return call.to.path === controlPath ? this.#control(call.input) : this.#serve(call);
    } catch (thrown) {
      return Promise.resolve(fail(refusalOf(thrown)));
    }
  }

  #serve(call: IncomingCall): Promise<Outcome<unknown>> {
    const { capability, input, ttlMs, traceparent } = call;
    const carried = readCarried(call.headers);
    if (carried === undefined)
      return Promise.resolve(fail(failure("call/rejected", "what the call carries cannot be read")));
    if (ttlMs < 1)
      return Promise.resolve(fail(failure("call/timeout", `the deadline of ${capability} passed on the way`)));
    const target = this.#target(call.to);
    if (target !== undefined && "code" in target) return Promise.resolve(fail(target));
    const given = traceparent === undefined ? { timeoutMs: ttlMs } : { traceparent, timeoutMs: ttlMs };
    const options = toOptions(carried, call.isFollowed ? { ...given, onProgress: reportTo(call) } : given);
    const plain: CallRequest = { capability, input, isLocal: true, asker: call.peer, options, target };
    const request = carried.items === true && call.isFollowed ? { ...plain, items: new GoingItems(call) } : plain;
    if (carried.budget !== undefined || carried.key !== undefined) return this.#serveOnce(call, request, carried);
    return this.#ground.dispatcher.send(request, (cancel) => call.onCancel(cancel));
  }

  /** A call with a key, which others may join, or with a budget, which the caller hears of. */
  async #serveOnce(call: IncomingCall, request: CallRequest, carried: Carried): Promise<Outcome<unknown>> {
    const account = carried.budget === undefined ? undefined : new Account(carried.budget, undefined);
    const controller = new AbortController();
    call.onCancel(() => controller.abort(new DOMException("the caller gave up", "AbortError")));
    const outcome = await this.#ground.dispatcher.send({
      ...request,
      options: { ...request.options, signal: controller.signal },
      ...(account === undefined ? {} : { under: underOf(account, carried) }),
    });
    if (account !== undefined) {
      const { calls, tokens, cost } = account;
      // The caller has counted this call itself.
      await call.emit({ spent: { calls: Math.max(0, calls - 1), tokens, cost } });
    }
    return outcome;
  }

  tell(message: Incoming): Failure | undefined {
    try {
      const { capability, input, traceparent } = message;
      const carried = readCarried(message.headers);
      if (carried === undefined) return failure("call/rejected", "what the message carries cannot be read");
      const { key: _key, ...options } = toOptions(carried, traceparent === undefined ? {} : { traceparent });
      const { dispatcher } = this.#ground;
      const target = this.#target(message.to);
      if (target !== undefined && "code" in target) return target;
      if (target !== undefined && dispatcher.skillOf(target, capability) === undefined)
        return dispatcher.nobody(capability, target);
      const told =
        target === undefined
          ? dispatcher.tell({ capability, input, options, under: undefined, isLocal: true })
          : dispatcher.tellTo(target, capability, input, { options });
      if (told === "accepted") return undefined;
      if (told === "busy") return failure("call/busy", `the mailbox for ${capability} is full`);
      return target === undefined
        ? dispatcher.nobody(capability)
        : failure("agent/stopped", `agent ${target.path} has stopped`, { agent: target.path });
    } catch (thrown) {
      return refusalOf(thrown);
    }
  }

  monitor(address: Address, down: (down: RemoteDown) => void): () => void {
    const leave = new AbortController();
    const cell = this.#cell(address);
    if (cell === undefined) down({ reason: "noproc" });
    else
      cell.monitor(leave.signal).then(
        (ended) => down(toRemoteDown(ended)),
        () => undefined,
      );
    return () => leave.abort();
  }

  async spawn({ name }: IncomingSpawn): Promise<Outcome<Required<Address>>> {
    const definition = this.#options.spawnable.find((each) => `${each.name}@1` === name);
    if (definition === undefined)
      return fail(failure("remote/forbidden", `nothing named "${name}" may be spawned here`, { needs: name }));
    try {
      const [ref] = await this.#ground.nursery.spawn(definition, { restart: "temporary" });
      return ref === undefined
        ? fail(failure("system/full", `"${name}" could not be spawned`))
        : { ok: true, value: { path: ref.path, incarnation: ref.incarnation } };
    } catch (thrown) {
      return fail(refusalOf(thrown));
    }
  }

  stop(address: Address): void {
    const cell = this.#cell(address);
    if (cell !== undefined) void cell.parent.terminate(cell);
  }

  #cell({ path, incarnation }: Address): Cell | undefined {
    const cell = cellAt(this.#ground.root, path);
    return incarnation === undefined || cell?.incarnation === incarnation ? cell : undefined;
  }

  /** The agent that is meant, or why there is none; undefined where anybody with the capability is meant. */
  #target(address: Address): Cell | Failure | undefined {
    if (address.path.startsWith(capabilityPrefix)) return undefined;
    const { path } = address;
    return (
      this.#cell(address) ??
      failure("agent/stopped", `no agent runs at ${path}, or not the one that was meant`, { agent: path })
    );
  }

  #list(peer: string): Listing {
    const grants = this.#options.grants(peer);
    const { registry } = this.#ground.dispatcher;
    const capabilities = new Set<string>();
    const agents: Listing["agents"] = [];
    for (const { cells, behaviour, grow } of registry.groups()) {
      const offered = [...behaviour.skills.keys()].filter((name) =>
        isGranted(grants, "tell", `${capabilityPrefix}${name}`),
      );
      if (cells.length > 0 || grow !== undefined) for (const name of offered) capabilities.add(name);
      for (const cell of cells) {
        if (agents.length >= listedAgentsMax || !isGranted(grants, "tell", cell.path)) continue;
        const { name, incarnation, state } = infoOf(cell);
        agents.push({ path: cell.path, name, incarnation, state, capabilities: [...behaviour.skills.keys()] });
      }
    }
    return { capabilities: [...capabilities], agents };
  }

  async #control(input: unknown): Promise<Outcome<null>> {
    const { path, verb, reason } = controlOrder.parse(input);
    const cell = cellAt(this.#ground.root, path);
    if (cell === undefined) return fail(failure("agent/stopped", `no agent runs at ${path}`, { agent: path }));
    const ref = this.#ground.nursery.refTo(cell) as LocalRef;
    if (verb === "kill") ref.kill(reason);
    else await ref[verb]();
    return { ok: true, value: null };
  }
}

/** Reports progress to the caller. While one waits to be taken, later ones are left out: the next to come is newer. */
function reportTo(call: IncomingCall): (progress: unknown) => void {
  let isTelling = false;
  return (progress) => {
    if (isTelling) return;
    isTelling = true;
    void call.emit({ progress }).then(() => (isTelling = false));
  };
}

/** The account that the work of one call from elsewhere is drawn from. */
function underOf(account: Account, carried: Carried): Envelope {
  return {
    deadlineAt: Number.POSITIVE_INFINITY,
    key: undefined,
    runId: carried.runId,
    decisionId: carried.decisionId,
    traceparent: "",
    baggage: {},
    account,
    items: undefined,
    degraded: undefined,
    progressed() {},
  };
}

function toRemoteDown({ reason, incarnation, failure: failed }: Down): RemoteDown {
  return {
    reason: reason === "gone" ? "noproc" : reason,
    incarnation,
    ...(failed === undefined ? {} : { failure: failed }),
  };
}

import { failure, type Failure } from "../../../machines/failure.ts";
import { emptyWindow } from "../../../machines/supervision/restart-window.ts";
import type { Address, RemoteDown } from "../../remote/hosting.ts";
import type { Core } from "../../system/core.ts";
import type { Child, ChildSpec, HaltMode, Parent, Started } from "../../system/supervision.ts";
import type { Down } from "../../system/watch.ts";
import type { Place } from "./place.ts";

/** How long a start waits for one of its nodes to be reachable; then it counts as a start that failed. */
export const placeWaitMs = 60_000;

/** One start of it: where it is, until it has ended. */
interface Life {
  readonly place: Place;
  readonly at: Required<Address>;
  readonly incarnation: number;
  readonly down: Promise<RemoteDown>;
}

export type RemoteChildState = "starting" | "running" | "stopped";

interface RemoteChildOptions {
  readonly name: string;
  /** What the nodes expose: "worker@1". */
  readonly exposed: string;
  readonly spec: ChildSpec;
  readonly places: readonly Place[];
}

/**
 * A child of a supervisor here that runs on another node. Its end there, and the end of the session with its node,
 * are its crash here. It is not started again before the one that was lost can do nothing more: see `Fence`.
 */
export class RemoteChild implements Child {
  readonly kind = "remote";
  readonly name: string;
  readonly path: string;
  readonly spec: ChildSpec;
  readonly exposed: string;
  window = emptyWindow;
  restarts = 0;
  state: RemoteChildState = "stopped";
  life: Life | undefined;
  readonly #core: Core;
  readonly #places: readonly Place[];
  readonly parent: Parent;
  /** Aborts what the present start waits for. */
  #starting = new AbortController();
  /** The node that lost its child: it is left when there is another. */
  #lost: Place | undefined;
  /** What was told to stop has stopped, or its session has ended. */
  #leaving: Promise<void> | undefined;
  #watchers: ((down: Down) => void)[] = [];

  constructor(core: Core, parent: Parent, options: RemoteChildOptions) {
    this.#core = core;
    this.parent = parent;
    this.name = options.name;
    this.path = `${parent.path}/${options.name}`;
    this.spec = options.spec;
    this.exposed = options.exposed;
    this.#places = options.places;
  }

  get ended(): boolean {
    return this.state === "stopped";
  }

  async begin(): Promise<Started> {
    this.state = "starting";
    this.#starting.abort();
    const starting = new AbortController();
    this.#starting = starting;
    const failed = await this.#start(starting.signal);
    if (failed !== undefined && this.#starting === starting) this.state = "stopped";
    return failed;
  }

  async #start(signal: AbortSignal): Promise<Started> {
    await this.#leaving;
    await this.#lost?.fenced(signal);
    const place = await this.#reachable(signal);
    if (place === undefined || signal.aborted)
      return this.#unreachable(signal.aborted ? "it was stopped" : `no node of it within ${placeWaitMs} ms`);
    const born = await place.spawn(this.exposed, signal);
    if (!born.ok) {
      // It may run there all the same: until that session is over, nobody else may start it.
      this.#lost = place;
      return born.failure;
    }
    const at = born.value as Required<Address>;
    if (signal.aborted) {
      place.stop(at);
      return this.#unreachable("it was stopped");
    }
    const life = { place, at, incarnation: this.#core.nextIncarnation(), down: place.monitor(at) };
    this.life = life;
    this.#lost = undefined;
    this.state = "running";
    void life.down.then((down) => this.#fell(life, down));
    this.#core.publish("agent.started", this.path, { node: place.node, incarnation: life.incarnation });
    return undefined;
  }

  #unreachable(why: string): Failure {
    const nodes = this.#places.map(({ node }) => node).join(", ");
    return failure("remote/unreachable", `${this.path} could not be started on ${nodes}: ${why}`, { agent: this.path });
  }

  /** The first of its nodes that can be reached now, or the next that can be; who has lost it comes last. */
  async #reachable(signal: AbortSignal): Promise<Place | undefined> {
    const inOrder = [...this.#places.filter((place) => place !== this.#lost), ...this.#places].filter(
      (place, index, all) => all.indexOf(place) === index,
    );
    const up = inOrder.find(({ isUp }) => isUp);
    if (up !== undefined) return up;
    const enough = new AbortController();
    const limit = this.#core.ports.clock.after(placeWaitMs, () => enough.abort());
    const waiting = AbortSignal.any([signal, enough.signal]);
    try {
      return await Promise.any(inOrder.map((place) => place.ready(waiting).then(() => place)));
    } catch {
      return undefined;
    } finally {
      limit.cancel();
      enough.abort();
    }
  }

  #fell(life: Life, { reason, failure: given }: RemoteDown): void {
    if (this.life !== life) return;
    if (reason === "noconnection") this.#lost = life.place;
    // What has crashed there still has its place in the quota of this node until it is let go.
    else this.#leave(life);
    const { node } = life.place;
    const failed =
      given ??
      (reason === "noconnection"
        ? failure("remote/unreachable", `node ${node} was lost, and ${this.path} with it`, { node, agent: this.path })
        : failure("agent/crashed", `${this.path} ended on node ${node}: ${reason}`, { node, agent: this.path }));
    const hasStopped = reason === "stopped";
    this.#end({ reason: hasStopped ? "stopped" : "crashed", failed: hasStopped ? undefined : failed });
    this.parent.exited(this, hasStopped ? { kind: "stopped" } : { kind: "crashed", failure: failed });
  }

  #end({ reason, failed }: { readonly reason: Down["reason"]; readonly failed?: Failure | undefined }): void {
    const { life } = this;
    this.life = undefined;
    this.state = "stopped";
    if (life === undefined) return;
    this.#core.publish(`agent.${reason === "stopped" ? "stopped" : "crashed"}`, this.path, {
      node: life.place.node,
      ...(failed === undefined ? {} : { code: failed.code, message: failed.message }),
    });
    const down = {
      path: this.path,
      incarnation: life.incarnation,
      reason,
      ...(failed === undefined ? {} : { failure: failed }),
    };
    for (const hear of this.#watchers.splice(0)) hear(down);
  }

  /** Its end there is asked for; only the next start waits for it, so that a lost node holds up no shutdown. */
  halt(_mode: HaltMode): void {
    this.#starting.abort();
    const { life } = this;
    if (life === undefined) {
      this.state = "stopped";
      return;
    }
    this.#leave(life);
    this.#end({ reason: "stopped" });
  }

  #leave({ place, at, down }: Life): void {
    place.stop(at);
    this.#leaving = down.then(({ reason }) => {
      this.#leaving = undefined;
      if (reason === "noconnection") this.#lost = place;
    });
  }

  /** Crashes it, as a fault of its own would. */
  kill(reason: string): void {
    const { life } = this;
    if (life !== undefined)
      this.#fell(life, { reason: "crashed", failure: failure("agent/crashed", reason, { agent: this.path }) });
  }

  monitor(signal: AbortSignal | undefined): Promise<Down> {
    signal?.throwIfAborted();
    if (this.life === undefined && this.state === "stopped")
      return Promise.resolve({ path: this.path, incarnation: 0, reason: "gone" });
    return new Promise((resolve, reject) => {
      const hear = (down: Down): void => {
        signal?.removeEventListener("abort", leave);
        resolve(down);
      };
      const leave = (): void => {
        this.#watchers = this.#watchers.filter((each) => each !== hear);
        reject(signal?.reason as Error);
      };
      this.#watchers.push(hear);
      signal?.addEventListener("abort", leave, { once: true });
    });
  }

  dispose(): void {
    this.halt("end");
  }
}

import type { HandlerBehaviour } from "../agent/handler-behaviour.ts";
import type { Group } from "../dispatch/registry.ts";
import { knownStats } from "../dispatch/stats.ts";
import type { Failure } from "../../machines/failure.ts";
import { Cell } from "../system/cell.ts";
import type { Core } from "../system/core.ts";
import { toChildSpec } from "./options.ts";
import type { Nursery } from "./nursery.ts";

/** How long a pooled agent may be idle before it is let go, unless its definition says otherwise. */
export const poolIdleMs = 60_000;

/** How long after the end of an agent a pool that fell below its minimum fills up; one that cannot is tried again then. */
export const poolRefillMs = 1_000;

/**
 * Keeps between `min` and `max` agents of one definition: spawns one when a call finds none free, and lets idle
 * ones go. A pooled agent that crashes is replaced by the next call that needs it, and below the minimum without one.
 */
export class Pool {
  readonly #core: Core;
  readonly #nursery: Nursery;
  readonly #group: Group;
  readonly #behaviour: HandlerBehaviour;
  readonly #min: number;
  readonly #max: number;
  readonly #idleMs: number;
  readonly #bornAt = new WeakMap<Cell, number>();
  readonly #starting = new Set<Promise<unknown>>();
  #sweeping = false;
  #refilling = false;
  #leaving = 0;

  constructor(core: Core, nursery: Nursery, group: Group) {
    const demand = group.behaviour.policy.onDemand as NonNullable<HandlerBehaviour["policy"]["onDemand"]>;
    this.#core = core;
    this.#nursery = nursery;
    this.#group = group;
    this.#behaviour = group.behaviour;
    this.#min = demand.min ?? 0;
    this.#max = demand.max;
    this.#idleMs = demand.idleMs ?? poolIdleMs;
    group.grow = () => this.#grow();
    group.lost = () => this.#refillLater();
    // All of them together: whoever waits then chooses among all that came up, and nobody is buried under the first.
    group.starting = () => (this.#starting.size === 0 ? undefined : Promise.allSettled(this.#starting));
  }

  /** Brings the pool up to its minimum; false where an agent could not start. */
  async fill(): Promise<boolean> {
    while (!this.#core.closed && this.#group.cells.length + this.#starting.size < this.#min) {
      if ((await this.#spawn()) === undefined) return false;
    }
    return true;
  }

  #refillLater(): void {
    if (this.#refilling || this.#core.closed || this.#group.behaviour.residents >= this.#min) return;
    this.#refilling = true;
    const refill = async (): Promise<void> => {
      const filled = await this.fill();
      this.#refilling = false;
      if (!filled) this.#refillLater();
    };
    this.#core.timers.after(poolRefillMs, () => void refill(), { background: true });
  }

  #grow(): Cell | undefined | Promise<Cell | undefined> {
    const serving = this.#group.cells.length - this.#leaving;
    if (this.#core.closed || serving + this.#starting.size >= this.#max) return undefined;
    return this.#spawn();
  }

  #spawn(): Cell | undefined | Promise<Cell | undefined> {
    const spawned = this.#nursery.spawnOne(this.#behaviour, toChildSpec({}));
    if (!(spawned instanceof Promise)) return this.#born(spawned);
    this.#starting.add(spawned);
    return spawned.then((cell) => {
      this.#starting.delete(spawned);
      return this.#born(cell);
    });
  }

  #born(spawned: Cell | Failure | undefined): Cell | undefined {
    if (!(spawned instanceof Cell)) {
      this.#group.startFailure = spawned;
      return undefined;
    }
    const cell = spawned;
    this.#group.startFailure = undefined;
    const now = this.#core.ports.clock.now();
    this.#bornAt.set(cell, now);
    if (this.#core.heard)
      this.#core.publish("pool.grown", cell.path, { live: this.#group.cells.length, max: this.#max });
    this.#sweepLater(this.#idleMs);
    return cell;
  }

  /** One that is on its way out serves nobody any more, so another may be started for it. */
  async #letGo(cell: Cell): Promise<void> {
    const halted = cell.parent.terminate(cell);
    if (halted === undefined) return;
    this.#leaving += 1;
    await halted;
    this.#leaving -= 1;
  }

  #sweepLater(delayMs: number): void {
    if (this.#sweeping) return;
    this.#sweeping = true;
    const sweep = (): void => {
      this.#sweeping = false;
      this.#sweep();
    };
    this.#core.timers.after(delayMs, sweep, { background: true });
  }

  #sweep(): void {
    if (this.#core.closed) return;
    const now = this.#core.ports.clock.now();
    const live = this.#group.cells.filter((cell) => cell.state === "idle" || cell.state === "working");
    let left = live.length;
    let soonestMs = this.#idleMs;
    for (const cell of live) {
      const born = this.#bornAt.get(cell);
      if (born === undefined || left <= this.#min || cell.running > 0 || cell.queued > 0) continue;
      const idleMs = now - Math.max(born, knownStats(cell)?.lastSeenAt ?? 0);
      if (idleMs < this.#idleMs) {
        soonestMs = Math.min(soonestMs, this.#idleMs - idleMs);
        continue;
      }
      left -= 1;
      if (this.#core.heard) this.#core.publish("pool.shrunk", cell.path, { live: left, min: this.#min });
      void this.#letGo(cell);
    }
    if (left > this.#min) this.#sweepLater(soonestMs);
  }
}

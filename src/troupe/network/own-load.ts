import type { Registry } from "../../dispatch/registry.ts";
import type { Clock } from "../../ports/clock.ts";

/** How long one count of the messages in hand is told: with many peers they are not counted for each. */
export const loadFreshMs = 100;

/** How many messages the agents of this node work on or have waiting, as its heartbeats tell every peer. */
export class OwnLoad {
  readonly #registry: Registry;
  readonly #clock: Clock;
  #load = 0;
  #countedAt = Number.NEGATIVE_INFINITY;

  constructor(registry: Registry, clock: Clock) {
    this.#registry = registry;
    this.#clock = clock;
  }

  now(): number {
    const now = this.#clock.now();
    if (now < this.#countedAt + loadFreshMs) return this.#load;
    this.#countedAt = now;
    this.#load = 0;
    for (const { cells } of this.#registry.groups()) for (const cell of cells) this.#load += cell.queued + cell.running;
    return this.#load;
  }
}

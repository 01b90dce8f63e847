import type { AgentPolicy } from "../agent/define.ts";
import type { Cell } from "../system/cell.ts";
import type { Core } from "../system/core.ts";
import { statsOf } from "./stats.ts";

/** Beats an agent may miss before it is suspect, unless its definition says otherwise. */
const missedBeats = 3;

/**
 * Watches agents that promised to beat while they work. One that stays silent too long becomes suspect and gets
 * no new calls until its next sign of life. Nothing runs while no such agent works.
 */
export class Health {
  readonly #core: Core;
  readonly #watched = new Set<Cell>();

  constructor(core: Core) {
    this.#core = core;
  }

  /** The agent is about to get work. */
  watch(cell: Cell, policy: AgentPolicy): void {
    const { heartbeat } = policy;
    if (heartbeat === undefined) return;
    // Silence counts from the moment it gets work to do.
    if (cell.running === 0 && cell.queued === 0) statsOf(cell).lastBeatAt = this.#core.ports.clock.now();
    if (this.#watched.has(cell)) return;
    this.#watched.add(cell);
    this.#check(cell, heartbeat.everyMs * (heartbeat.missed ?? missedBeats));
  }

  #check(cell: Cell, silentMs: number): void {
    const { clock } = this.#core.ports;
    const dueMs = Math.max(1, statsOf(cell).lastBeatAt + silentMs - clock.now());
    const look = (): void => {
      const stats = statsOf(cell);
      if (cell.ended || (cell.running === 0 && cell.queued === 0)) return void this.#watched.delete(cell);
      // Silence is a sign of trouble only while a handler is at work.
      if (cell.running === 0) stats.lastBeatAt = clock.now();
      if (!stats.suspect && clock.now() - stats.lastBeatAt >= silentMs) {
        stats.suspect = true;
        if (this.#core.heard) this.#core.publish("agent.suspected", cell.path, { silentMs });
      }
      this.#check(cell, silentMs);
    };
    this.#core.timers.after(dueMs, look, { background: true });
  }

  beat(cell: Cell): void {
    const stats = statsOf(cell);
    const now = this.#core.ports.clock.now();
    stats.lastBeatAt = now;
    stats.lastSeenAt = now;
    if (!stats.suspect) return;
    stats.suspect = false;
    if (this.#core.heard) this.#core.publish("agent.trusted", cell.path);
  }
}

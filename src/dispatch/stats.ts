import { closedBreaker, type BreakerState } from "../../machines/breaker/breaker.ts";
import type { Cell } from "../system/cell.ts";

/** Weight of the newest measurement in the moving average of durations. */
const newest = 0.2;

/** What was measured of one agent, from outcomes only. */
export class AgentStats {
  calls = 0;
  succeeded = 0;
  /** Moving average of the handler's time in milliseconds; 0 until one was measured. */
  meanMs = 0;
  lastSeenAt = 0;
  lastBeatAt = 0;
  suspect = false;
  /** Taken out of routing by `agents.unregister`. */
  withdrawn = false;
  #breakers: Map<string, BreakerState> | undefined;

  measure(ms: number): void {
    this.meanMs = this.meanMs === 0 ? ms : this.meanMs + newest * (ms - this.meanMs);
  }

  get successRate(): number {
    return this.calls === 0 ? 1 : this.succeeded / this.calls;
  }

  breaker(skill: string): BreakerState {
    return this.#breakers?.get(skill) ?? closedBreaker;
  }

  setBreaker(skill: string, state: BreakerState): void {
    if (state === closedBreaker) this.#breakers?.delete(skill);
    else (this.#breakers ??= new Map()).set(skill, state);
  }

  get hasBreakers(): boolean {
    return this.#breakers !== undefined && this.#breakers.size > 0;
  }

  openBreakers(): readonly string[] {
    return [...(this.#breakers ?? [])].filter(([, state]) => state.name === "open").map(([skill]) => skill);
  }
}

/** The stats of a cell, made when first needed: an agent that was never called costs nothing here. */
export function statsOf(cell: Cell): AgentStats {
  return (cell.record ??= new AgentStats()) as AgentStats;
}

/** The stats, or nothing if the agent was never called. */
export function knownStats(cell: Cell): AgentStats | undefined {
  return cell.record as AgentStats | undefined;
}

/** What an agent has in hand and waiting. */
export function loadOf(cell: Cell): number {
  return cell.running + cell.queued;
}

import type { HandlerBehaviour } from "../agent/handler-behaviour.ts";
import type { Cell } from "../system/cell.ts";
import { knownStats } from "./stats.ts";

/** What is known of one agent that is up, from its state and its measured outcomes. Source: the user's document 003, `AgentInfo`. */
export interface AgentInfo {
  /** The agent's path. */
  readonly id: string;
  readonly name: string;
  readonly incarnation: number;
  /** `error`: a breaker of it is open. `offline`: paused, draining, suspect or unregistered. One that crashed or stopped is not listed until it is back: `actors()` shows it. */
  readonly status: "online" | "busy" | "offline" | "error";
  /** The state of its life-cycle chart. */
  readonly state: string;
  readonly suspect: boolean;
  readonly capabilities: readonly string[];
  /** Capabilities cut off by an open breaker. */
  readonly broken: readonly string[];
  /** 0 to 1: the share of its concurrency in use. */
  readonly load: number;
  readonly queued: number;
  readonly taskCount: number;
  /** 0 to 1, of all calls that ended; 1 before the first. */
  readonly successRate: number;
  /** Moving average of the handler's time, in milliseconds; null before the first measurement. */
  readonly meanDurationMs: number | null;
  /** Epoch milliseconds of the last sign of life; null before the first. */
  readonly lastSeenAt: number | null;
}

function statusOf(cell: Cell): AgentInfo["status"] {
  const stats = knownStats(cell);
  if (cell.state === "failed" || (stats?.openBreakers().length ?? 0) > 0) return "error";
  if (stats?.suspect === true || stats?.withdrawn === true) return "offline";
  if (cell.state !== "idle" && cell.state !== "working") return "offline";
  return cell.running >= cell.behaviour.concurrency ? "busy" : "online";
}

export function infoOf(cell: Cell): AgentInfo {
  const stats = knownStats(cell);
  return {
    id: cell.path,
    name: cell.behaviour.name,
    incarnation: cell.incarnation,
    status: statusOf(cell),
    state: cell.state,
    suspect: stats?.suspect ?? false,
    capabilities: [...(cell.behaviour as HandlerBehaviour).skills.keys()],
    broken: stats?.openBreakers() ?? [],
    load: Math.min(1, cell.running / cell.behaviour.concurrency),
    queued: cell.queued,
    taskCount: stats?.calls ?? 0,
    successRate: stats?.successRate ?? 1,
    meanDurationMs: stats === undefined || stats.meanMs === 0 ? null : stats.meanMs,
    lastSeenAt: stats === undefined || stats.lastSeenAt === 0 ? null : stats.lastSeenAt,
  };
}

import { failure, type Failure } from "../../machines/failure.ts";
import type { Cell } from "../system/cell.ts";
import { describeThrown } from "../system/verdicts.ts";

/** The troupe is closing, and nothing of the call ran. */
export function closedFailure(capability: string): Failure {
  return failure("system/closed", `the troupe closed before ${capability} had an outcome`, { capability });
}

/** The mailbox did not take it. */
export function unposted(cell: Cell, posted: "busy" | "stopped"): Failure {
  const { path, queued } = cell;
  if (posted === "stopped") return failure("agent/stopped", `agent ${path} has stopped`, { agent: path });
  return failure("call/busy", `the mailbox of agent ${path} is full`, { agent: path, queued });
}

/** A function of the caller's own threw. */
export function stageFailure(stage: "enrich" | "map" | "fallback", thrown: unknown): Failure {
  const cause = describeThrown(thrown);
  return failure("dispatch/stage-failed", `the ${stage} stage of this call threw: ${cause}`, { stage, cause });
}

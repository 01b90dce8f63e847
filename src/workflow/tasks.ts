import type { Failure } from "../../machines/failure.ts";
import { TroupeError } from "../errors.ts";
import type { Engine } from "./engine.ts";
import { eventOf } from "./run/fold.ts";
import { readAllFacts } from "./view/journal-view.ts";
import { reportedFailure, type TaskInfo } from "./desk/outside-tasks.ts";
import type { TaskRecord, Verdict } from "./run/run-input.ts";

/**
 * Tasks of runs, by id: given to somebody outside, kept alive, ended. Capabilities whose tasks are done outside are
 * named when the troupe is created.
 */
export interface Tasks {
  /** Open tasks in order of id; of one capability, or of one run. */
  list(filter?: { readonly capability?: string; readonly runId?: string }): Promise<readonly TaskInfo[]>;
  /** Any task of any run, also one that is over. Errors: throws `usage/unknown-task`. */
  get(id: string): Promise<TaskInfo>;
  /**
   * Gives an open task to somebody outside, for `leaseMs` (default 60,000) or until the next heartbeat.
   * `id` may be left out: then the oldest free task of the capability is given, or undefined where none is free.
   */
  assign(
    which: string | { readonly capability: string },
    options: { readonly assignee: string; readonly leaseMs?: number },
  ): Promise<TaskInfo | undefined>;
  /** Keeps an assigned task for another lease. Errors: throws `usage/unknown-task` when the lease was lost. */
  heartbeat(id: string, options: { readonly fence: number; readonly leaseMs?: number }): Promise<TaskInfo>;
  /** Ends a task well. Errors: throws `usage/unknown-task` for a second end, or one under an older fence. */
  complete(id: string, output: unknown, options?: { readonly fence?: number }): Promise<void>;
  /** Ends one attempt of a task badly; the policy of its step decides what follows. */
  fail(
    id: string,
    failure: { readonly code?: string; readonly message: string },
    options?: { readonly fence?: number },
  ): Promise<void>;
}

/** Tasks on the engine. */
export function createTasks(engine: Engine): Tasks {
  const { outside, store, large } = engine;
  const end = async (
    id: string,
    given: { readonly output: unknown } | { readonly failure: Failure },
    fence: number | undefined,
  ): Promise<void> => {
    const verdict: Verdict = await outside.end(id, given, fence);
    if (verdict.taken) return;
    throw new TroupeError("usage/unknown-task", `task "${id}" is over, or was given to somebody else meanwhile`);
  };
  return {
    async list({ capability, runId } = {}) {
      const rows = await store.listTasks(runId === undefined ? {} : { run: runId });
      const wanted = rows.filter(
        (row) => row.kind !== "run" && (capability === undefined || row.capability === capability),
      );
      return Promise.all(wanted.map((row) => outside.info(row)));
    },
    async get(id) {
      const row = await store.readTask(id);
      return row === undefined ? readEnded(id) : outside.info(row);
    },
    async assign(which, options) {
      if (typeof which === "string") return outside.assign(which, options);
      const [free] = outside.free(which.capability);
      return free === undefined ? undefined : outside.assign(free.id, options);
    },
    heartbeat: (id, options) => outside.heartbeat(id, options),
    complete: (id, output, options) => end(id, { output }, options?.fence),
    fail: (id, { code = "call/rejected", message }, options) =>
      end(id, { failure: reportedFailure(code, message) }, options?.fence),
  };

  /** The end of a task stands in the journal of its run. */
  async function readEnded(id: string): Promise<TaskInfo> {
    const run = id.slice(0, Math.max(0, id.indexOf("/")));
    for (const fact of await readAllFacts(store, run)) {
      if (fact.type !== "task.completed" && fact.type !== "task.failed") continue;
      const event = eventOf(await large.decode(fact.body));
      if ((event.type !== "task.completed" && event.type !== "task.failed") || event.taskId !== id) continue;
      const { record } = event as { readonly record?: TaskRecord };
      const parts = id.split("/");
      const path = parts.slice(1, -2).join("/");
      return {
        id,
        runId: run,
        stepId: path.slice(path.lastIndexOf("/") + 1),
        path,
        capability: record?.capability ?? "",
        attempt: Number(parts.at(-1)),
        status: event.type === "task.completed" ? "completed" : "failed",
        assignee: record?.agent ?? null,
        fence: 0,
        leaseUntil: null,
        openedAt: fact.at - (record?.ranMs ?? 0) - (record?.queuedMs ?? 0),
        endedAt: fact.at,
        ...(event.type === "task.completed" ? { output: event.output } : { failure: event.failure }),
      };
    }
    throw new TroupeError("usage/unknown-task", `no task has the id "${id}"`);
  }
}

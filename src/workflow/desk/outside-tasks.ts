import { failure, type Failure, type Json } from "../../../machines/failure.ts";
import { TroupeError } from "../../errors.ts";
import type { Store } from "../../ports/store.ts";
import type { TaskRow } from "../../ports/store-rows.ts";
import type { Core } from "../../system/core.ts";
import type { TaskPayload } from "../run/draft.ts";
import type { LargeValues } from "../run/large-values.ts";
import type { RunInput, Verdict } from "../run/run-input.ts";
import { toJson } from "./task-desk.ts";

/** How long somebody outside has a task without a heartbeat, unless they ask for another time. */
export const leaseMs = 60_000;
/** The longest lease one heartbeat may ask for: a day. */
const leaseMaxMs = 86_400_000;

/** A task as those who do it, or look it up, see it. */
export interface TaskInfo {
  readonly id: string;
  readonly runId: string;
  readonly stepId: string;
  readonly path: string;
  readonly capability: string;
  readonly attempt: number;
  /** `open`: nobody outside has it. `assigned`: somebody outside has it until `leaseUntil`. */
  readonly status: "open" | "assigned" | "completed" | "failed";
  readonly assignee: string | null;
  /** Bring it with the result: a result under an older fence is refused. */
  readonly fence: number;
  readonly leaseUntil: number | null;
  readonly openedAt: number;
  readonly endedAt: number | null;
  readonly input?: Json;
  readonly output?: Json;
  readonly failure?: Failure;
}

/** What tasks from outside need of the engine. */
export interface OutsideHost {
  readonly core: Core;
  readonly store: Store;
  readonly large: LargeValues;
  push(run: string, input: RunInput): void;
  assign(row: TaskRow, to: Pick<TaskRow, "assignee" | "leaseUntil">): Promise<TaskRow | undefined>;
}

/** Tasks that are done outside of this troupe: given out by id under a fence, kept by heartbeats, ended by id. */
export class OutsideTasks {
  readonly #host: OutsideHost;
  /** Open tasks for somebody outside, by id. */
  readonly #open = new Map<string, TaskRow>();

  constructor(host: OutsideHost) {
    this.#host = host;
  }

  /** A task for somebody outside was opened, or left open by an earlier process. */
  add(row: TaskRow): void {
    this.#open.set(row.id, row);
    if (row.leaseUntil !== null) this.#watch(row);
  }

  drop(id: string): void {
    this.#open.delete(id);
  }

  /** Open tasks that nobody has, the oldest first. */
  free(capability?: string): readonly TaskRow[] {
    return [...this.#open.values()].filter(
      (row) => row.assignee === null && (capability === undefined || row.capability === capability),
    );
  }

  #watch({ id, fence, leaseUntil }: TaskRow): void {
    const { core } = this.#host;
    if (leaseUntil === null) return;
    core.timers.after(Math.max(0, leaseUntil - core.ports.clock.now()), () => void this.#expire(id, fence));
  }

  /** The lease is over: the task is free again, under a new fence, and the late result will be refused. */
  async #expire(id: string, fence: number): Promise<void> {
    const row = this.#open.get(id);
    const now = this.#host.core.ports.clock.now();
    if (row === undefined || row.fence !== fence || row.leaseUntil === null || row.leaseUntil > now) return;
    const free = await this.#host.assign(row, { assignee: null, leaseUntil: null });
    if (free !== undefined && this.#open.has(id)) this.#open.set(id, free);
  }

  /** Gives an open task to somebody outside. Errors: throws `usage/unknown-task` when it is not free. */
  async assign(id: string, options: { readonly assignee: string; readonly leaseMs?: number }): Promise<TaskInfo> {
    const row = this.#open.get(id);
    if (row === undefined || row.assignee !== null)
      throw new TroupeError("usage/unknown-task", `no free task for somebody outside has the id "${id}"`);
    const leaseUntil = this.#leaseEnd(options.leaseMs);
    const given = await this.#host.assign(row, { assignee: options.assignee, leaseUntil });
    if (given === undefined) throw new TroupeError("usage/unknown-task", `task "${id}" is over, or was given away`);
    this.#open.set(id, given);
    this.#watch(given);
    return this.info(given);
  }

  #leaseEnd(ms = leaseMs): number {
    if (!(ms >= 1 && ms <= leaseMaxMs))
      throw new TroupeError("usage/invalid-options", `leaseMs is ${ms}; it must be from 1 to ${leaseMaxMs}`);
    return Math.floor(this.#host.core.ports.clock.now()) + ms;
  }

  /** Keeps a task for another lease, under the same fence. */
  async heartbeat(id: string, options: { readonly fence: number; readonly leaseMs?: number }): Promise<TaskInfo> {
    const row = this.#open.get(id);
    if (row === undefined || row.fence !== options.fence || row.assignee === null) throw lostTask(id, options.fence);
    const leaseUntil = this.#leaseEnd(options.leaseMs);
    const kept = { ...row, leaseUntil };
    const { fence, assignee } = row;
    const result = await this.#host.store.commit({
      assignTasks: [{ id, fence, newFence: fence, assignee, leaseUntil }],
    });
    if (!result.ok) throw lostTask(id, fence);
    this.#open.set(id, kept);
    this.#watch(kept);
    return this.info(kept);
  }

  /** Ends a task with a result or a failure. A result under an older fence, or a second one, is refused. */
  async end(
    id: string,
    end: { readonly output: unknown } | { readonly failure: Failure },
    fence?: number,
  ): Promise<Verdict> {
    const run = id.slice(0, Math.max(0, id.indexOf("/")));
    const given = "failure" in end ? undefined : toJson(end.output);
    const failed = "failure" in end ? end.failure : given?.ok === false ? given.failure : undefined;
    const row = this.#open.get(id);
    const assignee = row?.assignee ?? undefined;
    const record = row === undefined || assignee === undefined ? undefined : { agent: assignee, attempt: row.attempt };
    return new Promise<Verdict>((settle, reject) => {
      this.#host.push(run, {
        event:
          failed === undefined
            ? { type: "task.completed", taskId: id, output: given?.ok === true ? given.value : null }
            : { type: "task.failed", taskId: id, failure: failed },
        ...(fence === undefined ? {} : { fence }),
        ...(record === undefined ? {} : { record }),
        settle,
        reject,
      });
    });
  }

  async info(row: TaskRow): Promise<TaskInfo> {
    const payload = (await this.#host.large.decode(row.input)) as unknown as TaskPayload;
    return {
      id: row.id,
      runId: row.run,
      stepId: payload.step,
      path: row.step,
      capability: row.capability,
      attempt: row.attempt,
      status: row.assignee === null ? "open" : "assigned",
      assignee: row.assignee,
      fence: row.fence,
      leaseUntil: row.leaseUntil,
      openedAt: row.openedAt,
      endedAt: null,
      input: payload.input,
    };
  }
}

function lostTask(id: string, fence: number): TroupeError {
  return new TroupeError(
    "usage/unknown-task",
    `task "${id}" is over, or is not given out under fence ${fence}: its lease may have ended`,
    { data: { task: id, fence } },
  );
}

/** The failure that somebody outside reports in their own words. */
export function reportedFailure(code: string, message: string): Failure {
  return { ...failure("call/rejected", message), code };
}

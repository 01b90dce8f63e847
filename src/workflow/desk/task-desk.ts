import { failure, type Json, type Outcome } from "../../../machines/failure.ts";
import type { CallRecord } from "../../dispatch/call-record.ts";
import type { Dispatcher } from "../../dispatch/dispatcher.ts";
import type { Core } from "../../system/core.ts";
import type { TaskRow } from "../../ports/store-rows.ts";
import type { TaskPayload } from "../run/draft.ts";
import { DueHeap, type Due } from "../time/due-heap.ts";
import { valueCharactersMax, type LargeValues } from "../run/large-values.ts";
import type { RunInput } from "../run/run-input.ts";
import { checkLimits, Gate, type Limits } from "./task-limits.ts";
import { isOffered, resolveTarget, shellFieldsOf, type Destination } from "./task-target.ts";

/** Tasks of all runs that may be with agents at once unless the troupe is created with another number. */
export const tasksAtOnceMax = 1_024;
/**
 * How long a task waits in all for agents that are there but take nothing (full, paused, starting), and a task left by
 * an earlier process for an agent that is not there yet. Then it fails, and the policy of its step decides.
 * Longer than a breaker stays open, so that the task can be the probe that closes it.
 */
export const patienceMs = 90_000;
/** How often a task that waits for an agent looks again. */
const lookAgainMs = 50;
/** Marks a task that may run at most once as given to an agent of this troupe. */
const localAssignee = "local";

/** Failures of tasks that no agent has begun on: waiting is no second attempt. */
const notBegun: ReadonlySet<string> = new Set(["call/busy", "dispatch/unavailable", "agent/stopped"]);

/** Failures that only say that no node can take a lost task just now. */
const outOfReach: ReadonlySet<string> = new Set(["remote/unreachable", "remote/full", "dispatch/no-agent"]);
/** How often a task whose node was lost is given out again under the same key; then its attempt has failed. */
export const taskLossesMax = 8;

/** One task between its opening and its end. */
interface DeskTask {
  row: TaskRow;
  readonly recovered: boolean;
  /** When the desk first had it, or its node was lost last. */
  since: number;
  /** How often a node was lost while it had the task. */
  losses: number;
  readonly deadlineAt: number;
  state: "waiting" | "out" | "over";
  sentAt: number;
  call: CallRecord | undefined;
}

interface Queued extends Due {
  readonly task: DeskTask;
}

/** What the desk needs of the engine. */
export interface DeskHost {
  readonly core: Core;
  readonly dispatcher: Dispatcher;
  readonly large: LargeValues;
  /** Gives an end to the run. */
  push(run: string, input: RunInput): void;
  /** Moves the fence of a task, durably, before it is given out; undefined when the task is not open any more. */
  assign(row: TaskRow, to: Pick<TaskRow, "assignee" | "leaseUntil">): Promise<TaskRow | undefined>;
}

export interface DeskOptions {
  readonly atOnce?: number;
  readonly capabilities?: { readonly [capability: string]: Limits };
}

/**
 * Gives open tasks to agents: within the limits, the most urgent first, each under its own key, one attempt each.
 * What comes back goes to the run, which takes it once.
 */
export class TaskDesk {
  readonly #host: DeskHost;
  readonly #engineGate: Gate;
  readonly #limits: { readonly [capability: string]: Limits };
  readonly #gates = new Map<string, Gate>();
  readonly #queues = new Map<string, DueHeap<Queued>>();
  readonly #tasks = new Map<string, DeskTask>();
  #wakeAt = Number.POSITIVE_INFINITY;
  #closing = false;
  #pumping = false;

  constructor(host: DeskHost, options: DeskOptions = {}) {
    checkLimits("workflows.tasks", { atOnce: options.atOnce ?? tasksAtOnceMax });
    for (const [name, limits] of Object.entries(options.capabilities ?? {}))
      checkLimits(`workflows.capabilities[${JSON.stringify(name)}]`, limits);
    this.#host = host;
    this.#engineGate = new Gate({ atOnce: options.atOnce ?? tasksAtOnceMax });
    this.#limits = options.capabilities ?? {};
  }

  /** Tasks with agents, and tasks that wait, by capability. */
  get queueSizes(): { readonly [capability: string]: number } {
    const sizes: { [capability: string]: number } = {};
    for (const [capability, queue] of this.#queues) if (queue.size > 0) sizes[capability] = queue.size;
    return sizes;
  }

  get running(): number {
    return this.#engineGate.running;
  }

  /** A task was opened, or left open by an earlier process. */
  add(row: TaskRow, options: { readonly deadlineAt: number | null; readonly recovered: boolean }): void {
    if (this.#closing || this.#tasks.has(row.id)) return;
    const since = this.#now();
    const deadlineAt = options.deadlineAt ?? Number.POSITIVE_INFINITY;
    const { recovered } = options;
    const task: DeskTask = {
      row,
      recovered,
      since,
      deadlineAt,
      state: "waiting",
      sentAt: 0,
      losses: 0,
      call: undefined,
    };
    this.#tasks.set(row.id, task);
    this.#enqueue(task);
    this.#pump();
  }

  /** The run wants the task no more, or has its end from elsewhere. */
  drop(id: string): void {
    const task = this.#tasks.get(id);
    if (task === undefined) return;
    this.#tasks.delete(id);
    const { state, call } = task;
    task.state = "over";
    if (state !== "out") return;
    this.#leave(task);
    call?.handleEvent();
  }

  /** No further task is given out, and ends that only the shutdown brings about are no ends. */
  close(): void {
    this.#closing = true;
  }

  #now(): number {
    return this.#host.core.ports.clock.now();
  }

  #gateOf(capability: string): Gate {
    let gate = this.#gates.get(capability);
    if (gate === undefined) this.#gates.set(capability, (gate = new Gate(this.#limits[capability])));
    return gate;
  }

  #enqueue(task: DeskTask): void {
    const { capability } = task.row;
    let queue = this.#queues.get(capability);
    if (queue === undefined) this.#queues.set(capability, (queue = new DueHeap()));
    queue.push({ task, dueAt: rankOf(task) });
  }

  /** Starts what may start. A task that ends at once calls back in here, and the loop above it goes on. */
  #pump(): void {
    if (this.#closing || this.#pumping) return;
    this.#pumping = true;
    const now = this.#now();
    while (this.#engineGate.opensAt(now) <= now) {
      const next = this.#next(now);
      if (next === undefined) break;
      next.state = "out";
      this.#engineGate.enter(now);
      this.#gateOf(next.row.capability).enter(now);
      this.#begin(next);
    }
    this.#pumping = false;
  }

  /** The most urgent task whose capability is not at its limit. */
  #next(now: number): DeskTask | undefined {
    let best: DueHeap<Queued> | undefined;
    for (const [capability, queue] of this.#queues) {
      while (queue.first !== undefined && queue.first.task.state !== "waiting") queue.pop();
      if (queue.first === undefined) {
        this.#queues.delete(capability);
        continue;
      }
      const opensAt = this.#gateOf(capability).opensAt(now);
      if (opensAt > now) this.#wakeBy(opensAt);
      else if (best?.first === undefined || queue.first.dueAt < best.first.dueAt) best = queue;
    }
    return best?.pop()?.task;
  }

  #wakeBy(at: number): void {
    if (at >= this.#wakeAt || at === Number.POSITIVE_INFINITY) return;
    this.#wakeAt = at;
    this.#host.core.timers.after(Math.max(0, at - this.#now()), () => {
      this.#wakeAt = Number.POSITIVE_INFINITY;
      this.#pump();
    });
  }

  #leave(task: DeskTask): void {
    this.#engineGate.leave();
    this.#gateOf(task.row.capability).leave();
  }

  #begin(task: DeskTask): void {
    const { large } = this.#host;
    const { input } = task.row;
    if (large.isPlain(input)) return this.#send(task, JSON.parse(input) as TaskPayload);
    large.decode(input).then(
      (payload) => {
        if (task.state === "out") this.#send(task, payload as unknown as TaskPayload);
      },
      (thrown: unknown) => this.#fail(task, "store/failed", String(thrown)),
    );
  }

  #send(task: DeskTask, payload: TaskPayload): void {
    const resolved = resolveTarget(this.#host.dispatcher.registry, payload.target);
    if (!resolved.ok) return task.recovered && this.#isPatient(task) ? this.#again(task) : this.#ended(task, resolved);
    const { destination } = resolved;
    if (task.recovered && !isOffered(this.#host.dispatcher.registry, destination) && this.#isPatient(task))
      return this.#again(task);
    if (!this.#isShellSafe(payload, destination))
      return this.#fail(
        task,
        "workflow/shell-unknown",
        `the task was written before ${destination.capability} was known to take shell commands; have it written anew`,
      );
    if (payload.effect !== "at-most-once") return this.#perform(task, payload, destination);
    if (task.row.assignee === localAssignee)
      return this.#fail(
        task,
        "workflow/outcome-unknown",
        "the process ended while this task was with an agent, and it may run at most once",
      );
    void this.#claim(task, payload, destination);
  }

  /** Whether every field that the agent gives to a shell was written as shell text, with its values set apart. */
  #isShellSafe({ input, shell = [] }: TaskPayload, { capability }: Destination): boolean {
    const fields = shellFieldsOf(this.#host.dispatcher.registry, capability);
    return fields.every((field) => shell.includes(field) || !isRecord(input) || !Object.hasOwn(input, field));
  }

  /** Notes durably that a task that may run at most once is about to run. */
  async #claim(task: DeskTask, payload: TaskPayload, destination: Destination): Promise<void> {
    const row = await this.#host.assign(task.row, { assignee: localAssignee, leaseUntil: null });
    if (task.state !== "out") return;
    if (row === undefined) return this.drop(task.row.id);
    task.row = row;
    this.#perform(task, payload, destination);
  }

  #perform(task: DeskTask, payload: TaskPayload, { capability, among }: Destination): void {
    const { row } = task;
    task.sentAt = this.#now();
    const call = this.#host.dispatcher.perform(
      {
        capability,
        input: withEnv(payload),
        options: { key: row.id, runId: row.run, budget: noBudget, ...priorities[row.lane] },
        ...(among === undefined ? {} : { among }),
      },
      (outcome, ended) => {
        if (task.state !== "out") return;
        task.call = ended;
        this.#ended(task, outcome);
      },
    );
    if (task.state === "out") task.call = call;
  }

  #isPatient(task: DeskTask): boolean {
    return this.#now() - task.since < patienceMs;
  }

  /** Nobody has begun on it: it waits a moment and is tried again. */
  #again(task: DeskTask): void {
    this.#leave(task);
    task.state = "waiting";
    task.call = undefined;
    this.#host.core.timers.after(lookAgainMs, () => {
      if (task.state !== "waiting") return;
      this.#enqueue(task);
      this.#pump();
    });
    this.#pump();
  }

  #fail(
    task: DeskTask,
    code: "workflow/outcome-unknown" | "workflow/shell-unknown" | "store/failed",
    message: string,
  ): void {
    if (task.state === "out") this.#ended(task, { ok: false, failure: failure(code, message, { task: task.row.id }) });
  }

  #ended(task: DeskTask, outcome: Outcome<unknown>): void {
    // What the shutdown cut off has not ended: the next process gives it out again, under the same key.
    if (!outcome.ok && this.#closing) return;
    if (!outcome.ok && notBegun.has(outcome.failure.code) && this.#isPatient(task)) return this.#again(task);
    if (!outcome.ok && this.#isLost(task, outcome.failure.code)) return this.#again(task);
    const { row } = task;
    task.state = "over";
    this.#tasks.delete(row.id);
    this.#leave(task);
    this.#host.push(row.run, this.#inputOf(task, outcome));
    this.#pump();
  }

  /** Whether its node was lost with it. Only asking again under the same key can tell what became of it. */
  #isLost(task: DeskTask, code: string): boolean {
    const mayRunTwice = task.row.assignee !== localAssignee;
    if (code === "remote/indeterminate" && mayRunTwice && task.losses < taskLossesMax) {
      task.losses += 1;
      task.since = this.#now();
      return true;
    }
    return task.losses > 0 && outOfReach.has(code) && this.#isPatient(task);
  }

  #inputOf(task: DeskTask, outcome: Outcome<unknown>): RunInput {
    const { row, call } = task;
    const now = this.#now();
    const account = call?.account;
    const record = {
      ...(call === undefined ? {} : { capability: call.capability }),
      ...(call?.agent === undefined ? {} : { agent: call.agent }),
      queuedMs: Math.round(Math.max(0, (task.sentAt || now) - row.openedAt)),
      ranMs: task.sentAt === 0 ? 0 : Math.round(now - task.sentAt),
      attempt: row.attempt,
      ...(account === undefined || account.tokens === 0 ? {} : { tokens: account.tokens }),
      ...(account === undefined || account.cost === 0 ? {} : { cost: account.cost }),
      ...(outcome.ok && outcome.degraded !== undefined ? { degraded: outcome.degraded.length } : {}),
    };
    const { fence } = row;
    if (!outcome.ok) return { event: { type: "task.failed", taskId: row.id, failure: outcome.failure }, fence, record };
    const output = toJson(outcome.value);
    if (output.ok) return { event: { type: "task.completed", taskId: row.id, output: output.value }, fence, record };
    return { event: { type: "task.failed", taskId: row.id, failure: output.failure }, fence, record };
  }
}

const noBudget = Object.freeze({});
const priorities = [{ priority: "high" }, undefined, { priority: "low" }] as const;

/** Lanes first, then the earliest deadline, then the order of opening. */
function rankOf({ row, deadlineAt }: DeskTask): number {
  return row.lane * 1e15 + Math.min(deadlineAt, 9e14);
}

/** The values of a shell command go to its environment, never into its text. */
function withEnv({ input, env }: TaskPayload): Json {
  if (env === undefined || !isRecord(input)) return input;
  const own = input["env"];
  return { ...input, env: isRecord(own) ? { ...own, ...env } : env };
}

function isRecord(value: Json | undefined): value is { readonly [field: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A copy as JSON, so that what is folded now is what will be folded from the journal later. */
export function toJson(value: unknown): Outcome<Json> {
  let text: string;
  try {
    text = JSON.stringify(value) ?? "null";
  } catch (thrown) {
    const message = `the output cannot be written as JSON: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
    return { ok: false, failure: failure("agent/invalid-output", message) };
  }
  if (text.length <= valueCharactersMax) return { ok: true, value: JSON.parse(text) as Json };
  const message = `the output has ${text.length} characters as JSON; at most ${valueCharactersMax} are kept: write it to a file and give its path`;
  return { ok: false, failure: failure("workflow/value-too-large", message, { characters: text.length }) };
}

import type { Failure, Json } from "../../../machines/failure.ts";
import type {
  CancelChild,
  EmitEvent,
  RunEffect,
  RunPriority,
  ScheduleTask,
  StartChild,
  TaskTarget,
} from "../../../machines/workflow/effects.ts";
import type { About } from "../../../machines/workflow/events.ts";
import type { Turn } from "../../ports/store.ts";
import type {
  EventRow,
  FactRow,
  JsonText,
  SnapshotRow,
  TaskRow,
  TimerRow,
  ValueRow,
  WaitRow,
} from "../../ports/store-rows.ts";
import type { LargeValues } from "./large-values.ts";

/** What the row of a task for an agent, or for somebody outside, holds. */
export interface TaskPayload {
  readonly input: Json;
  readonly step: string;
  readonly visit: number;
  readonly target: TaskTarget;
  readonly effect: ScheduleTask["effect"];
  readonly env?: { readonly [name: string]: string };
  /** The fields that were written as shell text: no others may reach a shell. */
  readonly shell?: readonly string[];
  readonly compensates?: string;
}

/** What the row of a child run holds. With `cancel`, the child is to be ended and nobody waits for it. */
export interface ChildPayload {
  readonly workflow: string;
  readonly version?: string;
  readonly input: Json;
  readonly about?: About;
  readonly cancel?: { readonly compensate: boolean };
}

/** How a run came to its end, or to a stop. */
export type RunEnd =
  | { readonly status: "completed"; readonly output: Json }
  | { readonly status: "failed" | "compensation-failed"; readonly failure: Failure; readonly path?: string }
  | { readonly status: "cancelled"; readonly reason?: string };

export const laneOf: { readonly [Priority in RunPriority]: number } = { high: 0, normal: 1, low: 2 };

/** The run that a draft is for, as far as rows need it. */
export interface DraftRun {
  readonly id: string;
  readonly namespace: string;
  readonly variant: string;
  /** The priority that the run was started with: it counts for tasks and children that have none of their own. */
  readonly lane: number;
}

/**
 * The rows of one turn of one run, gathered while its events are folded. What is opened and taken away again within
 * the turn leaves no row.
 */
export class Draft {
  readonly facts: FactRow[] = [];
  readonly values: ValueRow[] = [];
  readonly closed: { id: string; fence: number }[] = [];
  readonly taken: { run: string; id: string }[] = [];
  readonly opened = new Map<string, TaskRow>();
  readonly dropped = new Set<string>();
  readonly timersSet = new Map<string, TimerRow>();
  readonly timersDropped = new Set<string>();
  readonly waitsOpened = new Map<string, WaitRow>();
  readonly waitsDropped = new Set<string>();
  readonly emitted: EventRow[] = [];
  end: RunEnd | undefined;
  snapshot: SnapshotRow | undefined;
  readonly #run: DraftRun;
  readonly #large: LargeValues;
  readonly #isOutside: (capability: string) => boolean;

  constructor(run: DraftRun, large: LargeValues, isOutside: (capability: string) => boolean) {
    this.#run = run;
    this.#large = large;
    this.#isOutside = isOutside;
  }

  /** The text of a row; values that are too large for one become rows of their own. */
  text(value: Json, given?: JsonText): JsonText {
    const { text, values } = this.#large.encode(this.#run.id, value, given);
    if (values.length > 0) this.values.push(...values);
    return text;
  }

  /** Journals one event. `given` is the JSON text of `body` where it is known. */
  fact(fact: Omit<FactRow, "run" | "namespace" | "variant" | "body">, body: Json, given: JsonText): void {
    const { id, namespace, variant } = this.#run;
    this.facts.push({ run: id, namespace, variant, ...fact, body: this.text(body, given) });
  }

  closeTask(id: string, fence: number): void {
    this.closed.push({ id, fence });
  }

  takeTimer(id: string): void {
    this.taken.push({ run: this.#run.id, id });
  }

  /** Turns one effect into rows. Effects that only tell something have none. */
  apply(effect: RunEffect, at: number): void {
    switch (effect.type) {
      case "scheduleTask":
        return this.#openTask(effect, at);
      case "startChild":
        return this.#openChild(effect, at);
      case "cancelTask":
        return this.#drop(effect.taskId);
      case "cancelChild":
        return this.#cancelChild(effect, at);
      case "startTimer": {
        const { timerId: id, dueAt } = effect;
        this.timersSet.set(id, { run: this.#run.id, id, dueAt });
        this.timersDropped.delete(id);
        return;
      }
      case "cancelTimer":
        if (!this.timersSet.delete(effect.timerId)) this.timersDropped.add(effect.timerId);
        return;
      case "listen": {
        const { id: run, namespace } = this.#run;
        this.waitsOpened.set(effect.listenId, { run, id: effect.listenId, namespace, event: effect.event });
        return;
      }
      case "unlisten":
        if (!this.waitsOpened.delete(effect.listenId)) this.waitsDropped.add(effect.listenId);
        return;
      case "emitEvent":
        return this.#emit(effect, at);
      case "complete":
      case "fail":
      case "cancelled":
      case "parkCompensation":
        this.end = endOf(effect);
        return;
      case "refuseSignal":
      case "emit":
        return;
    }
  }

  #task(
    part: Pick<TaskRow, "id" | "step" | "kind" | "capability" | "lane" | "attempt" | "agent">,
    at: number,
  ): TaskRow {
    const { id: run, namespace, variant } = this.#run;
    return { ...part, run, namespace, variant, fence: 1, assignee: null, leaseUntil: null, openedAt: at, input: "" };
  }

  #laneOf(priority: RunPriority): number {
    return priority === "normal" ? this.#run.lane : laneOf[priority];
  }

  #openTask(effect: ScheduleTask, at: number): void {
    const { taskId: id, path: step, capability, agent, mode, attempt, priority } = effect;
    const target = {
      ...(capability === undefined ? {} : { capability }),
      ...(agent === undefined ? {} : { agent }),
      ...(mode === undefined ? {} : { mode }),
    };
    const payload: TaskPayload = {
      input: effect.input,
      step: effect.step,
      visit: effect.visit,
      target,
      effect: effect.effect,
      ...(effect.env === undefined ? {} : { env: effect.env }),
      ...(effect.shell === undefined ? {} : { shell: effect.shell }),
      ...(effect.compensates === undefined ? {} : { compensates: effect.compensates }),
    };
    const name = capability ?? mode ?? "";
    const kind = this.#isOutside(name) ? "external" : "call";
    const row = this.#task(
      { id, step, kind, capability: name, agent: agent ?? null, attempt, lane: this.#laneOf(priority) },
      at,
    );
    this.opened.set(id, { ...row, input: this.text(payload as unknown as Json) });
    this.dropped.delete(id);
  }

  #openChild(effect: StartChild, at: number): void {
    const { childId: id, path: step, workflow, version, input, about, priority } = effect;
    const payload: ChildPayload = {
      workflow,
      input,
      ...(version === undefined ? {} : { version }),
      ...(about === undefined ? {} : { about }),
    };
    const row = this.#task(
      { id, step, kind: "run", capability: workflow, agent: null, attempt: 1, lane: this.#laneOf(priority) },
      at,
    );
    this.opened.set(id, { ...row, input: this.text(payload as unknown as Json) });
  }

  /** The row stays until the child has ended, so that a crash in between does not leave the child running. */
  #cancelChild(effect: CancelChild, at: number): void {
    if (this.opened.delete(effect.childId)) return;
    const payload: ChildPayload = { workflow: "", input: null, cancel: { compensate: effect.compensate } };
    const row = this.#task(
      { id: effect.childId, step: "", kind: "run", capability: "", agent: null, attempt: 1, lane: 0 },
      at,
    );
    this.opened.set(effect.childId, { ...row, input: JSON.stringify(payload) });
  }

  #drop(id: string): void {
    if (!this.opened.delete(id)) this.dropped.add(id);
  }

  #emit({ emitId: id, event, payload }: EmitEvent, at: number): void {
    const { namespace, variant } = this.#run;
    this.emitted.push({ namespace, variant, id, event, at, payload: this.text(payload), delivered: false });
  }

  /** The parts of the turn that have rows. */
  turn(): Turn {
    const run = this.#run.id;
    const ids = (set: Set<string>): { run: string; id: string }[] => [...set].map((id) => ({ run, id }));
    return {
      facts: this.facts,
      ...(this.closed.length > 0 ? { closeTasks: this.closed } : undefined),
      ...(this.taken.length > 0 ? { takeTimers: this.taken } : undefined),
      ...(this.opened.size > 0 ? { openTasks: [...this.opened.values()] } : undefined),
      ...(this.dropped.size > 0 ? { dropTasks: [...this.dropped] } : undefined),
      ...(this.timersSet.size > 0 ? { setTimers: [...this.timersSet.values()] } : undefined),
      ...(this.timersDropped.size > 0 ? { dropTimers: ids(this.timersDropped) } : undefined),
      ...(this.waitsOpened.size > 0 ? { openWaits: [...this.waitsOpened.values()] } : undefined),
      ...(this.waitsDropped.size > 0 ? { dropWaits: ids(this.waitsDropped) } : undefined),
      ...(this.emitted.length > 0 ? { createEvents: this.emitted } : undefined),
      ...(this.snapshot === undefined ? undefined : { snapshots: [this.snapshot] }),
      ...(this.values.length > 0 ? { values: this.values } : undefined),
    };
  }
}

function endOf(effect: Extract<RunEffect, { type: "complete" | "fail" | "cancelled" | "parkCompensation" }>): RunEnd {
  switch (effect.type) {
    case "complete":
      return { status: "completed", output: effect.output };
    case "fail":
      return {
        status: "failed",
        failure: effect.failure,
        ...(effect.path === undefined ? {} : { path: effect.path }),
      };
    case "cancelled":
      return { status: "cancelled", ...(effect.reason === undefined ? {} : { reason: effect.reason }) };
    case "parkCompensation":
      return { status: "compensation-failed", failure: effect.failure, path: effect.taskId };
  }
}

import type { Failure } from "../../../machines/failure.ts";
import type { RunFact } from "../../../machines/workflow/effects.ts";
import type { RunRow } from "../../ports/store-rows.ts";
import { foldJournal, type FoldedFact, type JournalSource } from "./journal-view.ts";
import type { TaskRecord } from "../run/run-input.ts";

/** Child runs are followed this deep when the steps of a run are listed. */
const depthMax = 32;

/** One visit of one step. Times are epoch milliseconds. */
export interface StepRecord {
  readonly id: string;
  /** Where it is in the run; a step of a child run begins with the path of the step that started the child. */
  readonly path: string;
  readonly name: string;
  readonly kind: string;
  readonly visit: number;
  readonly status: "running" | "waiting" | "completed" | "failed" | "skipped" | "cancelled";
  /** Attempts that were begun; 0 for a step that has no task. */
  readonly attempts: number;
  readonly startedAt: number;
  readonly endedAt: number | null;
  /** The path of the agent that did it last. */
  readonly agent?: string;
  /** The branch that a decision took. */
  readonly choice?: string;
  readonly failure?: Failure;
  /** What it waits for, and until when where that is known. */
  readonly waitsFor?: "time" | "event" | "retry";
  readonly until?: number;
  /** The run that the step belongs to. */
  readonly runId: string;
}

type Mutable = { -readonly [Field in keyof StepRecord]: StepRecord[Field] };

const endings = {
  "step.completed": "completed",
  "step.failed": "failed",
  "step.skipped": "skipped",
  "step.cancelled": "cancelled",
} as const;

/** Gathers the visits of steps from the facts that a fold tells. */
export class StepBook {
  readonly #run: string;
  readonly #visits = new Map<string, Mutable>();

  constructor(run: string) {
    this.#run = run;
  }

  get records(): readonly StepRecord[] {
    return [...this.#visits.values()];
  }

  take({ event, effects }: Pick<FoldedFact, "event" | "effects">): void {
    if (event.type === "task.completed" || event.type === "task.failed")
      this.#ended(event.taskId, (event as { readonly record?: TaskRecord }).record);
    for (const effect of effects) {
      if (effect.type === "emit") this.#fact(effect.fact, event.at);
      else if (effect.type === "scheduleTask") {
        const visit = this.#visits.get(`${effect.path} ${effect.visit}`);
        if (visit !== undefined && effect.compensates === undefined) {
          visit.attempts = Math.max(visit.attempts, effect.attempt);
          this.#running(visit);
        }
      }
    }
  }

  #running(visit: Mutable): void {
    visit.status = "running";
    delete visit.waitsFor;
    delete visit.until;
  }

  /** `executionId/path/visit/attempt` names the visit. */
  #ended(task: string, record: TaskRecord | undefined): void {
    const parts = task.split("/");
    const visit = this.#visits.get(`${parts.slice(1, -2).join("/")} ${parts.at(-2) ?? ""}`);
    if (visit !== undefined && record?.agent !== undefined) visit.agent = record.agent;
  }

  #fact(fact: RunFact, at: number): void {
    if (!("step" in fact) || !("visit" in fact)) return;
    const { path, step: id, name, kind, visit: number } = fact;
    const key = `${path} ${number}`;
    let visit = this.#visits.get(key);
    if (visit === undefined) {
      visit = {
        id,
        path,
        name,
        kind,
        visit: number,
        status: "running",
        attempts: 0,
        startedAt: at,
        endedAt: null,
        runId: this.#run,
      };
      this.#visits.set(key, visit);
    }
    this.#change(visit, fact, at);
  }

  #change(visit: Mutable, fact: RunFact & { readonly step: string }, at: number): void {
    if (fact.type === "step.waiting") {
      visit.status = "waiting";
      visit.waitsFor = fact.on;
      if (fact.until !== undefined) visit.until = fact.until;
      return;
    }
    if (!(fact.type in endings)) return;
    this.#running(visit);
    visit.status = endings[fact.type as keyof typeof endings];
    visit.endedAt = at;
    if (fact.type === "step.failed") visit.failure = fact.failure;
    if (fact.type === "step.completed" && fact.choice !== undefined) visit.choice = fact.choice;
    if (fact.type === "step.completed" || fact.type === "step.failed")
      visit.attempts = Math.max(visit.attempts, fact.attempts);
  }
}

/**
 * The steps of a run, one record per visit in the order in which they began, those of child runs behind the step that
 * started them. Steps that were never reached are absent.
 */
export async function listSteps(source: JournalSource, row: RunRow, depth = 0): Promise<readonly StepRecord[]> {
  const book = new StepBook(row.id);
  await foldJournal(source, row, (fact) => book.take(fact));
  if (depth >= depthMax) return book.records;
  const children = await source.store.listRuns({ parent: row.id });
  if (children.length === 0) return book.records;
  const own = [...book.records];
  for (const child of children) {
    const parts = (child.parentTask ?? "").split("/");
    const path = parts.slice(1, -2).join("/");
    const inner = await listSteps(source, child, depth + 1);
    own.push(...inner.map((step) => ({ ...step, path: path === "" ? step.path : `${path}/${step.path}` })));
  }
  // The sort is stable: what began at the same moment stays in the order in which it was told.
  return own.sort((one, other) => one.startedAt - other.startedAt);
}

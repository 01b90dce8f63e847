import type { Failure, Json, Outcome } from "../../../machines/failure.ts";
import type { Step } from "../../../machines/workflow/definition.ts";
import { ledgerEntries, ledgerRecord, readLedger } from "../../../machines/workflow/run/ledger.ts";
import type { RunState } from "../../../machines/workflow/state.ts";
import type { RunRow, RunStatus } from "../../ports/store-rows.ts";

/** What a list of runs says of each. Times are epoch milliseconds. */
export interface RunInfo {
  readonly id: string;
  /** The key and version of the workflow. */
  readonly workflow: string;
  readonly version: string;
  readonly status: RunStatus;
  readonly key: string | null;
  readonly parent: string | null;
  readonly namespace: string;
  readonly variant: string;
  readonly priority: "high" | "normal" | "low";
  readonly deadlineAt: number | null;
  readonly startTime: number;
  readonly endTime: number | null;
  readonly updatedAt: number;
}

/** A step that is not over. */
export interface CurrentStep {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly visit: number;
  readonly attempt: number;
  readonly status: "running" | "waiting";
  readonly startTime: number;
  readonly waitsFor?: "time" | "event" | "retry";
}

/** Where a run stands. Source: the user's document 003, `ExecutionContext`. Times are epoch milliseconds. */
export interface RunReport extends RunInfo {
  readonly workflowName: string;
  readonly input: Json;
  readonly output?: Json;
  readonly error?: Failure;
  readonly currentSteps: readonly CurrentStep[];
  readonly variables: { readonly [name: string]: Json };
  /** 0 to 1: the steps that are over, of those that the definition has on its way. */
  readonly progress: number;
  readonly metrics: {
    /** Milliseconds. */
    readonly duration: number;
    readonly stepCount: number;
    readonly completedSteps: number;
    readonly taskCount: number;
    readonly errorCount: number;
    readonly retryCount: number;
  };
}

const priorities = ["high", "normal", "low"] as const;

export function infoOf(row: RunRow): RunInfo {
  const { id, workflow, version, status, key, parent, namespace, variant, lane, deadlineAt } = row;
  return {
    id,
    workflow,
    version,
    status,
    key,
    parent,
    namespace,
    variant,
    priority: priorities[lane] ?? "normal",
    deadlineAt,
    startTime: row.createdAt,
    endTime: row.endedAt,
    updatedAt: row.updatedAt,
  };
}

/** Every step of a definition by id, inner ones included. */
export function stepsById(steps: readonly Step[], into: Map<string, Step> = new Map()): ReadonlyMap<string, Step> {
  for (const step of steps) {
    into.set(step.id, step);
    for (const list of innerLists(step)) stepsById(list, into);
  }
  return into;
}

/** The lists of steps inside a step, whatever its kind: arrays of things that have an id and a type. */
function innerLists(step: Step): readonly (readonly Step[])[] {
  const own = (step as unknown as { readonly [kind: string]: unknown })[step.type];
  return collectLists(own);
}

function collectLists(value: unknown): readonly (readonly Step[])[] {
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) {
    const isSteps = value.length > 0 && value.every((each: unknown) => isStep(each));
    return isSteps ? [value as readonly Step[]] : value.flatMap((each: unknown) => collectLists(each));
  }
  return Object.entries(value).flatMap(([field, each]) => (field === "input" ? [] : collectLists(each)));
}

function isStep(value: unknown): boolean {
  return typeof value === "object" && value !== null && "id" in value && "type" in value && "name" in value;
}

const waiting = { timer: "time", event: "event", retry: "retry" } as const;

function currentSteps(state: RunState, steps: ReadonlyMap<string, Step>): readonly CurrentStep[] {
  const current: CurrentStep[] = [];
  for (const [path, { step, visit, attempt, startedAt, waits }] of ledgerEntries(state.context.active)) {
    if (waits === "left") continue;
    const waitsFor = waits in waiting ? waiting[waits as keyof typeof waiting] : undefined;
    current.push({
      id: step,
      name: steps.get(step)?.name ?? step,
      path,
      visit,
      attempt,
      status: waitsFor === undefined ? "running" : "waiting",
      startTime: startedAt,
      ...(waitsFor === undefined ? {} : { waitsFor }),
    });
  }
  return current.sort((one, other) => one.startTime - other.startTime || (one.path < other.path ? -1 : 1));
}

/** The run's own variables. */
export function variablesOf(state: RunState | undefined): { readonly [name: string]: Json } {
  const scope = state === undefined ? undefined : readLedger(state.context.scopes, "");
  return scope === undefined ? {} : ledgerRecord(scope.variables);
}

/** Tells where a run stands, from its row and its newest state. */
export function reportOf(
  row: RunRow,
  given: {
    readonly name: string;
    readonly steps: readonly Step[];
    readonly state: RunState | undefined;
    readonly outcome: Outcome<Json> | undefined;
    readonly now: number;
  },
): RunReport {
  const { state, outcome, now } = given;
  const steps = stepsById(given.steps);
  const counts = state?.context.counts ?? {
    stepCount: 0,
    completedSteps: 0,
    taskCount: 0,
    errorCount: 0,
    retryCount: 0,
  };
  const isOver = row.endedAt !== null;
  return {
    ...infoOf(row),
    workflowName: given.name,
    input: state?.context.input ?? null,
    ...(outcome === undefined ? {} : outcome.ok ? { output: outcome.value } : { error: outcome.failure }),
    currentSteps: state === undefined || isOver ? [] : currentSteps(state, steps),
    variables: variablesOf(state),
    progress: row.status === "completed" ? 1 : Math.min(0.99, counts.completedSteps / Math.max(1, steps.size)),
    metrics: { duration: Math.max(0, (row.endedAt ?? now) - row.createdAt), ...counts },
  };
}

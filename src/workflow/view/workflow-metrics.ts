import type { Store } from "../../ports/store.ts";
import { rowsMax } from "../../ports/store.ts";
import type { RunRow } from "../../ports/store-rows.ts";
import { foldJournal, type JournalSource } from "./journal-view.ts";
import type { TaskRecord } from "../run/run-input.ts";
import { StepBook } from "./steps.ts";

/** The newest runs that are folded once more for figures per step; older ones count in the totals only. */
const measuredRunsMax = 200;

/** How a workflow has done so far. Source: the user's document 003, `WorkflowMetrics`. Durations are milliseconds. */
export interface WorkflowMetrics {
  readonly workflowName: string;
  readonly totalExecutions: number;
  readonly activeExecutions: number;
  /** 0 to 1, of the runs that have ended; 1 before the first. */
  readonly successRate: number;
  readonly averageDuration: number;
  readonly errorRate: number;
  /** By step id, over the newest runs. */
  readonly stepMetrics: {
    readonly [step: string]: {
      readonly count: number;
      readonly averageDuration: number;
      readonly errorRate: number;
      readonly retryRate: number;
    };
  };
  /** Milliseconds that each agent worked for these runs, over the newest runs. */
  readonly agentUtilization: { readonly [agent: string]: number };
}

async function readRuns(store: Store, namespace: string, workflow: string): Promise<readonly RunRow[]> {
  const rows: RunRow[] = [];
  for (;;) {
    const after = rows.at(-1)?.id;
    const page = await store.listRuns({ namespace, workflow, ...(after === undefined ? {} : { after }) });
    rows.push(...page);
    if (page.length < rowsMax) return rows;
  }
}

interface Tally {
  count: number;
  ended: number;
  duration: number;
  failed: number;
  attempts: number;
}

function average(sum: number, count: number): number {
  return count === 0 ? 0 : sum / count;
}

/** Measures one workflow from its stored runs. */
export async function measureWorkflow(
  source: JournalSource,
  namespace: string,
  workflow: string,
): Promise<WorkflowMetrics> {
  const rows = await readRuns(source.store, namespace, workflow);
  const ended = rows.filter(({ endedAt }) => endedAt !== null);
  const completed = ended.filter(({ status }) => status === "completed").length;
  const steps = new Map<string, Tally>();
  const agents = new Map<string, number>();
  for (const row of rows.slice(-measuredRunsMax)) await measureRun(source, row, { steps, agents });
  return {
    workflowName: workflow,
    totalExecutions: rows.length,
    activeExecutions: rows.length - ended.length,
    successRate: ended.length === 0 ? 1 : completed / ended.length,
    averageDuration: average(
      ended.reduce((sum, row) => sum + ((row.endedAt ?? 0) - row.createdAt), 0),
      ended.length,
    ),
    errorRate: ended.length === 0 ? 0 : ended.filter(({ status }) => status === "failed").length / ended.length,
    stepMetrics: Object.fromEntries(
      [...steps].map(([id, tally]) => [
        id,
        {
          count: tally.count,
          averageDuration: average(tally.duration, tally.ended),
          errorRate: average(tally.failed, tally.count),
          retryRate: average(Math.max(0, tally.attempts - tally.count), tally.count),
        },
      ]),
    ),
    agentUtilization: Object.fromEntries(agents),
  };
}

async function measureRun(
  source: JournalSource,
  row: RunRow,
  into: { readonly steps: Map<string, Tally>; readonly agents: Map<string, number> },
): Promise<void> {
  const book = new StepBook(row.id);
  await foldJournal(source, row, (fact) => {
    book.take(fact);
    const { record } = fact.event as { readonly record?: TaskRecord };
    if (record?.agent === undefined) return;
    into.agents.set(record.agent, (into.agents.get(record.agent) ?? 0) + (record.ranMs ?? 0));
  });
  for (const { id, startedAt, endedAt, status, attempts } of book.records) {
    const tally = into.steps.get(id) ?? { count: 0, ended: 0, duration: 0, failed: 0, attempts: 0 };
    tally.count += 1;
    tally.attempts += Math.max(1, attempts);
    if (status === "failed") tally.failed += 1;
    if (endedAt !== null) {
      tally.ended += 1;
      tally.duration += endedAt - startedAt;
    }
    into.steps.set(id, tally);
  }
}

import type { SQLOutputValue } from "node:sqlite";
import type {
  DefinitionRow,
  EventRow,
  FactRow,
  RequestRow,
  RunRow,
  ScheduleRow,
  SnapshotRow,
  TaskRow,
  TimerRow,
  WaitRow,
} from "../../ports/store-rows.ts";

/** A row as SQLite returns it. The tables are STRICT, so a column has the type that it was declared with. */
export type SqlRow = Record<string, SQLOutputValue>;

/** Columns of each table under the names of the port. */
export const columns = {
  run: `id, namespace, variant, workflow, version, definition, key, parent, parent_task AS parentTask, status, lane,
    deadline_at AS deadlineAt, created_at AS createdAt, updated_at AS updatedAt, ended_at AS endedAt, seq, result`,
  fact: "run, seq, namespace, variant, at, type, message, mark, body",
  task: `id, run, namespace, variant, step, kind, capability, agent, attempt, lane, fence, assignee,
    lease_until AS leaseUntil, opened_at AS openedAt, input`,
  timer: "run, id, due_at AS dueAt",
  wait: "run, id, namespace, event",
  snapshot: "run, seq, body",
  definition: "namespace, variant, key, version, hash, name, body, created_at AS createdAt",
  event: "namespace, variant, id, event, at, payload, delivered",
  schedule: "id, namespace, variant, workflow, spec, input, next_at AS nextAt",
  request: "id, at, run, verb, body, answer",
} as const;

// The column lists above and the STRICT tables give exactly these shapes.
export const toRun = (row: SqlRow): RunRow => row as unknown as RunRow;
export const toFact = (row: SqlRow): FactRow => row as unknown as FactRow;
export const toTask = (row: SqlRow): TaskRow => row as unknown as TaskRow;
export const toTimer = (row: SqlRow): TimerRow => row as unknown as TimerRow;
export const toWait = (row: SqlRow): WaitRow => row as unknown as WaitRow;
export const toSnapshot = (row: SqlRow): SnapshotRow => row as unknown as SnapshotRow;
export const toDefinition = (row: SqlRow): DefinitionRow => row as unknown as DefinitionRow;
export const toEvent = (row: SqlRow): EventRow =>
  ({ ...row, delivered: row["delivered"] === 1 }) as unknown as EventRow;
export const toSchedule = (row: SqlRow): ScheduleRow => row as unknown as ScheduleRow;
export const toRequest = (row: SqlRow): RequestRow => row as unknown as RequestRow;

import type { DatabaseSync, StatementSync } from "node:sqlite";
import { rowsMax, type RunFilter, type StoredRun, type TimerFilter } from "../../ports/store.ts";
import type {
  DefinitionRow,
  EventRow,
  FactRow,
  RequestRow,
  RunRow,
  ScheduleRow,
  TaskRow,
  TimerRow,
  WaitRow,
} from "../../ports/store-rows.ts";
import {
  columns,
  toDefinition,
  toEvent,
  toFact,
  toRequest,
  toRun,
  toSchedule,
  toSnapshot,
  toTask,
  toTimer,
  toWait,
  type SqlRow,
} from "./rows.ts";

/** An entry of a log before its body is parsed. */
export interface StoredEntry {
  readonly seq: number;
  readonly at: number;
  readonly body: string;
}

const sql = {
  entries: "SELECT seq, at, body FROM entry WHERE log = ? AND seq >= ? ORDER BY seq LIMIT ?",
  entriesCount: "SELECT COALESCE(MAX(seq) + 1, 0) AS length FROM entry WHERE log = ?",
  cell: "SELECT value, version FROM cell WHERE key = ?",
  run: `SELECT ${columns.run} FROM run WHERE id = ?`,
  runByKey: `SELECT ${columns.run} FROM run WHERE namespace = ? AND key = ?`,
  facts: `SELECT ${columns.fact} FROM fact WHERE run = ? AND seq >= ? ORDER BY seq LIMIT ?`,
  snapshot: `SELECT ${columns.snapshot} FROM snapshot WHERE run = ?`,
  task: `SELECT ${columns.task} FROM task WHERE id = ?`,
  tasks: `SELECT ${columns.task} FROM task WHERE id > ? ORDER BY id LIMIT ?`,
  // The ids of a run's tasks begin with its id and a slash, and "0" follows the slash.
  tasksOfRun: `SELECT ${columns.task} FROM task WHERE id > max(?1 || '/', ?2) AND id < ?1 || '0' ORDER BY id LIMIT ?3`,
  timersDue: `SELECT ${columns.timer} FROM timer WHERE due_at > ? AND due_at <= ? ORDER BY due_at, run, id LIMIT ?`,
  timersOfRun: `SELECT ${columns.timer} FROM timer WHERE run = ? ORDER BY id`,
  waits: `SELECT ${columns.wait} FROM wait WHERE namespace = ? AND event = ? ORDER BY run, id`,
  waitsOfRun: `SELECT ${columns.wait} FROM wait WHERE run = ? ORDER BY id`,
  value: "SELECT hash, body FROM value WHERE hash = ?",
  definition: `SELECT ${columns.definition} FROM definition WHERE hash = ? LIMIT 1`,
  definitions: `SELECT ${columns.definition} FROM definition
    WHERE (?1 IS NULL OR namespace = ?1) AND (?2 IS NULL OR key = ?2) ORDER BY key, number LIMIT ?3`,
  events: `SELECT ${columns.event} FROM event WHERE delivered = 0 ORDER BY at, id LIMIT ?`,
  schedules: `SELECT ${columns.schedule} FROM schedule ORDER BY id LIMIT ?`,
  requests: `SELECT ${columns.request} FROM request WHERE answer IS NULL ORDER BY at, id LIMIT ?`,
  request: `SELECT ${columns.request} FROM request WHERE id = ?`,
} as const;

type Statements = { readonly [Name in keyof typeof sql]: StatementSync };

/** Answers reads from an open database. */
export class Reader {
  readonly #db: DatabaseSync;
  readonly #get: Statements;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#get = Object.fromEntries(
      Object.entries(sql).map(([name, text]) => [name, db.prepare(text)]),
    ) as unknown as Statements;
  }

  read(log: string, fromSeq: number, limit: number): readonly StoredEntry[] {
    return this.#get.entries.all(log, fromSeq, limit) as unknown as readonly StoredEntry[];
  }

  countEntries(log: string): number {
    return this.#get.entriesCount.get(log)?.["length"] as number;
  }

  get(key: string): { readonly value: string; readonly version: number } | undefined {
    return this.#get.cell.get(key) as { readonly value: string; readonly version: number } | undefined;
  }

  readRun(id: string): RunRow | undefined {
    return one(this.#get.run.get(id), toRun);
  }

  findRun(namespace: string, key: string): RunRow | undefined {
    return one(this.#get.runByKey.get(namespace, key), toRun);
  }

  listRuns(filter: RunFilter = {}): readonly RunRow[] {
    const { status, limit = rowsMax } = filter;
    const wanted = ["id > ?"];
    const values: (string | number)[] = [filter.after ?? ""];
    for (const column of ["namespace", "variant", "workflow", "parent"] as const) {
      const value = filter[column];
      if (value === undefined) continue;
      wanted.push(`${column} = ?`);
      values.push(value);
    }
    if (status !== undefined) {
      wanted.push(`status IN (${status.map(() => "?").join(", ")})`);
      values.push(...status);
    }
    const statement = this.#db.prepare(
      `SELECT ${columns.run} FROM run WHERE ${wanted.join(" AND ")} ORDER BY id LIMIT ?`,
    );
    return statement.all(...values, Math.min(limit, rowsMax)).map(toRun);
  }

  loadRuns(ids: readonly string[]): readonly StoredRun[] {
    const loaded: StoredRun[] = [];
    for (const id of ids) {
      const run = this.readRun(id);
      if (run === undefined) continue;
      const snapshot = one(this.#get.snapshot.get(id), toSnapshot);
      loaded.push({
        run,
        snapshot,
        facts: this.#get.facts.all(id, (snapshot?.seq ?? 0) + 1, Number.MAX_SAFE_INTEGER).map(toFact),
        tasks: this.#get.tasksOfRun.all(id, "", Number.MAX_SAFE_INTEGER).map(toTask),
        timers: this.#get.timersOfRun.all(id).map(toTimer),
        waits: this.#get.waitsOfRun.all(id).map(toWait),
      });
    }
    return loaded;
  }

  readFacts(run: string, fromSeq = 1, limit: number = rowsMax): readonly FactRow[] {
    return this.#get.facts.all(run, fromSeq, Math.min(limit, rowsMax)).map(toFact);
  }

  readTask(id: string): TaskRow | undefined {
    return one(this.#get.task.get(id), toTask);
  }

  listTasks(
    filter: { readonly run?: string; readonly after?: string; readonly limit?: number } = {},
  ): readonly TaskRow[] {
    const limit = Math.min(filter.limit ?? rowsMax, rowsMax);
    const after = filter.after ?? "";
    const rows =
      filter.run === undefined ? this.#get.tasks.all(after, limit) : this.#get.tasksOfRun.all(filter.run, after, limit);
    return rows.map(toTask);
  }

  listTimers({ dueAfter, dueUpTo, limit = rowsMax }: TimerFilter): readonly TimerRow[] {
    const after = dueAfter ?? -Number.MAX_VALUE;
    return this.#get.timersDue.all(after, dueUpTo ?? Number.MAX_VALUE, Math.min(limit, rowsMax)).map(toTimer);
  }

  listWaits(filter: { readonly namespace: string; readonly event: string }): readonly WaitRow[] {
    return this.#get.waits.all(filter.namespace, filter.event).map(toWait);
  }

  readValues(hashes: readonly string[]): readonly { readonly hash: string; readonly body: string }[] {
    return hashes.flatMap(
      (hash) => (this.#get.value.get(hash) as { readonly hash: string; readonly body: string } | undefined) ?? [],
    );
  }

  readDefinition(hash: string): DefinitionRow | undefined {
    return one(this.#get.definition.get(hash), toDefinition);
  }

  listDefinitions(filter: { readonly namespace?: string; readonly key?: string } = {}): readonly DefinitionRow[] {
    return this.#get.definitions.all(filter.namespace ?? null, filter.key ?? null, rowsMax).map(toDefinition);
  }

  listEvents(limit: number = rowsMax): readonly EventRow[] {
    return this.#get.events.all(Math.min(limit, rowsMax)).map(toEvent);
  }

  listSchedules(): readonly ScheduleRow[] {
    return this.#get.schedules.all(rowsMax).map(toSchedule);
  }

  listRequests(limit: number = rowsMax): readonly RequestRow[] {
    return this.#get.requests.all(Math.min(limit, rowsMax)).map(toRequest);
  }

  readRequest(id: string): RequestRow | undefined {
    return one(this.#get.request.get(id), toRequest);
  }
}

function one<Row>(row: SqlRow | undefined, to: (row: SqlRow) => Row): Row | undefined {
  return row === undefined ? undefined : to(row);
}

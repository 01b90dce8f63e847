import type { Json } from "../../machines/failure.ts";
import type { Clock } from "../ports/clock.ts";
import {
  rowsMax,
  type LogEntry,
  type RunFilter,
  type Store,
  type StoredRun,
  type TimerFilter,
  type Turn,
  type TurnResult,
} from "../ports/store.ts";
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
} from "../ports/store-rows.ts";
import { pair, Tables, type RunShelf } from "./memory-tables.ts";

function byText(first: string, second: string): number {
  return first < second ? -1 : first > second ? 1 : 0;
}

function sorted<Row>(rows: Iterable<Row>, key: (row: Row) => string): Row[] {
  return [...rows].sort((first, second) => byText(key(first), key(second)));
}

/** A store that lasts as long as the process. What is stored is text and rows that nobody changes. */
export class MemoryStore implements Store {
  readonly #clock: Clock;
  #tables = new Tables();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async append(log: string, bodies: readonly Json[], expectedSeq?: number): Promise<{ ok: boolean; seq: number }> {
    const seq = this.#tables.logs.get(log)?.length ?? 0;
    const texts = bodies.map((body) => JSON.stringify(body));
    const write = { log, at: this.#clock.now(), bodies: texts, ...(expectedSeq === undefined ? {} : { expectedSeq }) };
    return { ok: this.#tables.commit({ logs: [write] }).ok, seq };
  }

  async read(log: string, fromSeq = 0, limit: number = rowsMax): Promise<readonly LogEntry[]> {
    const entries = this.#tables.logs.get(log) ?? [];
    return entries
      .slice(fromSeq, fromSeq + limit)
      .map(({ at, body }, index) => ({ seq: fromSeq + index, at, body: JSON.parse(body) as Json }));
  }

  async get(key: string): Promise<{ readonly value: Json; readonly version: number } | undefined> {
    const found = this.#tables.cells.get(key);
    return found === undefined ? undefined : { value: JSON.parse(found.value) as Json, version: found.version };
  }

  async compareAndSet(key: string, version: number, value: Json): Promise<boolean> {
    return this.#tables.commit({ keys: [{ key, version, value: JSON.stringify(value) }] }).ok;
  }

  async delete(key: string): Promise<void> {
    this.#tables.cells.delete(key);
  }

  async commit(turn: Turn): Promise<TurnResult> {
    return this.#tables.commit(turn);
  }

  async readRun(id: string): Promise<RunRow | undefined> {
    return this.#tables.runs.get(id)?.row;
  }

  async findRun(namespace: string, key: string): Promise<RunRow | undefined> {
    const id = this.#tables.runKeys.get(pair(namespace, key));
    return id === undefined ? undefined : this.#tables.runs.get(id)?.row;
  }

  async listRuns(filter: RunFilter = {}): Promise<readonly RunRow[]> {
    const { status, after = "", limit = rowsMax } = filter;
    const wanted = [...this.#tables.runs.values()]
      .map(({ row }) => row)
      .filter(
        (row) =>
          row.id > after &&
          (filter.namespace === undefined || row.namespace === filter.namespace) &&
          (filter.variant === undefined || row.variant === filter.variant) &&
          (filter.workflow === undefined || row.workflow === filter.workflow) &&
          (filter.parent === undefined || row.parent === filter.parent) &&
          (status === undefined || status.includes(row.status)),
      );
    return sorted(wanted, ({ id }) => id).slice(0, Math.min(limit, rowsMax));
  }

  async loadRuns(ids: readonly string[]): Promise<readonly StoredRun[]> {
    return ids.flatMap((id) => {
      const shelf = this.#tables.runs.get(id);
      return shelf === undefined ? [] : [loaded(shelf)];
    });
  }

  async readFacts(run: string, fromSeq = 1, limit: number = rowsMax): Promise<readonly FactRow[]> {
    const facts = this.#tables.runs.get(run)?.facts ?? [];
    return facts.slice(Math.max(0, fromSeq - 1), Math.max(0, fromSeq - 1) + Math.min(limit, rowsMax));
  }

  async readTask(id: string): Promise<TaskRow | undefined> {
    return this.#tables.taskOf(id);
  }

  async listTasks(
    filter: { readonly run?: string; readonly after?: string; readonly limit?: number } = {},
  ): Promise<readonly TaskRow[]> {
    const { run, after = "", limit = rowsMax } = filter;
    const shelves = run === undefined ? [...this.#tables.runs.values()] : [this.#tables.runs.get(run)];
    const tasks = shelves.flatMap((shelf) => [...(shelf?.tasks.values() ?? [])]).filter(({ id }) => id > after);
    return sorted(tasks, ({ id }) => id).slice(0, Math.min(limit, rowsMax));
  }

  async listTimers({ dueAfter, dueUpTo, limit = rowsMax }: TimerFilter): Promise<readonly TimerRow[]> {
    const due = [...this.#tables.runs.values()]
      .flatMap(({ timers }) => [...timers.values()])
      .filter(({ dueAt }) => dueAt > (dueAfter ?? -Infinity) && dueAt <= (dueUpTo ?? Infinity));
    return due
      .sort(
        (first, second) => first.dueAt - second.dueAt || byText(first.run, second.run) || byText(first.id, second.id),
      )
      .slice(0, Math.min(limit, rowsMax));
  }

  async listWaits(filter: { readonly namespace: string; readonly event: string }): Promise<readonly WaitRow[]> {
    const waits = [...this.#tables.runs.values()]
      .flatMap((shelf) => [...shelf.waits.values()])
      .filter(({ namespace, event }) => namespace === filter.namespace && event === filter.event);
    return waits.sort((first, second) => byText(first.run, second.run) || byText(first.id, second.id));
  }

  async readValues(hashes: readonly string[]): Promise<readonly { readonly hash: string; readonly body: string }[]> {
    return hashes.flatMap((hash) => {
      const value = this.#tables.values.get(hash);
      return value === undefined ? [] : [{ hash, body: value.body }];
    });
  }

  async readDefinition(hash: string): Promise<DefinitionRow | undefined> {
    for (const row of this.#tables.definitions.values()) if (row.hash === hash) return row;
    return undefined;
  }

  async listDefinitions(
    filter: { readonly namespace?: string; readonly key?: string } = {},
  ): Promise<readonly DefinitionRow[]> {
    const rows = [...this.#tables.definitions.values()].filter(
      ({ namespace, key }) =>
        (filter.namespace === undefined || namespace === filter.namespace) &&
        (filter.key === undefined || key === filter.key),
    );
    // The sort is stable: versions of one key stay in the order of their registration.
    return sorted(rows, ({ key }) => key);
  }

  async listEvents(limit: number = rowsMax): Promise<readonly EventRow[]> {
    return [...this.#tables.events.values()]
      .filter(({ delivered }) => !delivered)
      .sort((first, second) => first.at - second.at || byText(first.id, second.id))
      .slice(0, Math.min(limit, rowsMax));
  }

  async listSchedules(): Promise<readonly ScheduleRow[]> {
    return sorted(this.#tables.schedules.values(), ({ id }) => id);
  }

  async listRequests(limit: number = rowsMax): Promise<readonly RequestRow[]> {
    return [...this.#tables.requests.values()]
      .filter(({ answer }) => answer === null)
      .sort((first, second) => first.at - second.at || byText(first.id, second.id))
      .slice(0, Math.min(limit, rowsMax));
  }

  async readRequest(id: string): Promise<RequestRow | undefined> {
    return this.#tables.requests.get(id);
  }

  /** No other process sees this memory. */
  onForeignWrite(_hear: () => void): void {}

  async [Symbol.asyncDispose](): Promise<void> {
    this.#tables = new Tables();
  }
}

function loaded(shelf: RunShelf): StoredRun {
  const { row, snapshot, facts, tasks, timers, waits } = shelf;
  return {
    run: row,
    snapshot,
    facts: facts.slice(snapshot?.seq ?? 0),
    tasks: sorted(tasks.values(), ({ id }) => id),
    timers: sorted(timers.values(), ({ id }) => id),
    waits: sorted(waits.values(), ({ id }) => id),
  };
}

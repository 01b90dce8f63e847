import type { KeyWrite, LogWrite, Refused, Turn, TurnResult } from "../ports/store.ts";
import type {
  DefinitionRow,
  EventRow,
  FactRow,
  JsonText,
  RequestRow,
  RunRow,
  ScheduleRow,
  SnapshotRow,
  TaskRow,
  TimerRow,
  WaitRow,
} from "../ports/store-rows.ts";

/** What belongs to one run. */
export interface RunShelf {
  row: RunRow;
  readonly facts: FactRow[];
  readonly messages: Set<string>;
  snapshot: SnapshotRow | undefined;
  readonly tasks: Map<string, TaskRow>;
  readonly timers: Map<string, TimerRow>;
  readonly waits: Map<string, WaitRow>;
  readonly values: Set<string>;
}

interface StoredValue {
  readonly body: JsonText;
  readonly runs: Set<string>;
}

type Check = TurnResult | undefined;

function refuse(refused: Refused, subject: string): TurnResult {
  return { ok: false, refused, subject };
}

/** Two ids as one map key: JSON keeps every pair apart. */
export function pair(first: string, second: string): string {
  return JSON.stringify([first, second]);
}

/** The tables in memory. A turn is checked whole before its first write. */
export class Tables {
  readonly runs = new Map<string, RunShelf>();
  readonly runKeys = new Map<string, string>();
  readonly values = new Map<string, StoredValue>();
  readonly definitions = new Map<string, DefinitionRow>();
  readonly events = new Map<string, EventRow>();
  readonly schedules = new Map<string, ScheduleRow>();
  readonly requests = new Map<string, RequestRow>();
  readonly logs = new Map<string, { readonly at: number; readonly body: JsonText }[]>();
  readonly cells = new Map<string, { readonly value: JsonText; readonly version: number }>();

  commit(turn: Turn): TurnResult {
    const refused = this.#check(turn);
    if (refused !== undefined) return refused;
    this.#write(turn);
    return { ok: true };
  }

  taskOf(id: string): TaskRow | undefined {
    return this.runs.get(id.slice(0, Math.max(0, id.indexOf("/"))))?.tasks.get(id);
  }

  #check(turn: Turn): Check {
    for (const { id, fence } of turn.closeTasks ?? [])
      if (this.taskOf(id)?.fence !== fence) return refuse("stale-task", id);
    for (const { run, id } of turn.takeTimers ?? [])
      if (this.runs.get(run)?.timers.has(id) !== true) return refuse("stale-timer", id);
    return (
      this.#checkKeys(turn.keys ?? []) ??
      this.#checkLogs(turn.logs ?? []) ??
      this.#checkDefinitions(turn.definitions ?? []) ??
      this.#checkRuns(turn.createRuns ?? []) ??
      this.#checkEvents(turn.createEvents ?? []) ??
      this.#checkFacts(turn.facts ?? []) ??
      this.#checkRest(turn)
    );
  }

  #checkKeys(keys: readonly KeyWrite[]): Check {
    const lost = keys.find(({ key, version }) => (this.cells.get(key)?.version ?? 0) !== version);
    return lost === undefined ? undefined : refuse("key-changed", lost.key);
  }

  #checkLogs(logs: readonly LogWrite[]): Check {
    const moved = logs.find(
      ({ log, expectedSeq }) => expectedSeq !== undefined && (this.logs.get(log)?.length ?? 0) !== expectedSeq,
    );
    return moved === undefined ? undefined : refuse("log-moved", moved.log);
  }

  #checkDefinitions(rows: readonly DefinitionRow[]): Check {
    for (const { namespace, key, version, hash } of rows) {
      const known = this.definitions.get(pair(namespace, pair(key, version)));
      if (known !== undefined && known.hash !== hash) return refuse("version-taken", `${key}@${version}`);
    }
    return undefined;
  }

  #checkRuns(rows: readonly RunRow[]): Check {
    for (const { id, namespace, key } of rows) {
      if (this.runs.has(id)) return refuse("run-exists", id);
      const holder = key === null ? undefined : this.runKeys.get(pair(namespace, key));
      if (holder !== undefined) return refuse("run-exists", holder);
    }
    return undefined;
  }

  #checkEvents(rows: readonly EventRow[]): Check {
    const known = rows.find(({ namespace, id }) => this.events.has(pair(namespace, id)));
    return known === undefined ? undefined : refuse("event-known", known.id);
  }

  #checkFacts(rows: readonly FactRow[]): Check {
    for (const { run, seq, message } of rows) {
      const shelf = this.runs.get(run);
      if (shelf === undefined) continue;
      if (seq <= shelf.facts.length) return refuse("seq-taken", `${run}#${seq}`);
      if (message !== null && shelf.messages.has(message)) return refuse("message-known", message);
    }
    return undefined;
  }

  #checkRest(turn: Turn): Check {
    const created = new Set(turn.createRuns?.map(({ id }) => id));
    const unknown = turn.updateRuns?.find(({ id }) => !this.runs.has(id) && !created.has(id));
    if (unknown !== undefined) return refuse("unknown-run", unknown.id);
    const stale = turn.assignTasks?.find(({ id, fence }) => this.taskOf(id)?.fence !== fence);
    return stale === undefined ? undefined : refuse("stale-task", stale.id);
  }

  #write(turn: Turn): void {
    for (const { id } of turn.closeTasks ?? []) this.#dropTask(id);
    for (const { run, id } of turn.takeTimers ?? []) this.runs.get(run)?.timers.delete(id);
    for (const { key, version, value } of turn.keys ?? []) {
      if (value === null) this.cells.delete(key);
      else this.cells.set(key, { value, version: version + 1 });
    }
    for (const { log, at, bodies } of turn.logs ?? []) {
      const entries = this.logs.get(log) ?? [];
      for (const body of bodies) entries.push({ at, body });
      this.logs.set(log, entries);
    }
    for (const row of turn.definitions ?? []) {
      const id = pair(row.namespace, pair(row.key, row.version));
      if (!this.definitions.has(id)) this.definitions.set(id, row);
    }
    for (const row of turn.createRuns ?? []) this.#createRun(row);
    for (const row of turn.createEvents ?? []) this.events.set(pair(row.namespace, row.id), row);
    this.#writeRuns(turn);
    this.#writeRest(turn);
  }

  #createRun(row: RunRow): void {
    this.runs.set(row.id, {
      row,
      facts: [],
      messages: new Set(),
      snapshot: undefined,
      tasks: new Map(),
      timers: new Map(),
      waits: new Map(),
      values: new Set(),
    });
    if (row.key !== null) this.runKeys.set(pair(row.namespace, row.key), row.id);
  }

  #dropTask(id: string): void {
    this.runs.get(id.slice(0, Math.max(0, id.indexOf("/"))))?.tasks.delete(id);
  }

  #shelf(run: string): RunShelf {
    const shelf = this.runs.get(run);
    if (shelf === undefined) throw new Error(`a turn writes for run ${run}, which does not exist`);
    return shelf;
  }

  #writeRuns(turn: Turn): void {
    for (const fact of turn.facts ?? []) {
      const shelf = this.#shelf(fact.run);
      shelf.facts.push(fact);
      if (fact.message !== null) shelf.messages.add(fact.message);
    }
    for (const update of turn.updateRuns ?? []) {
      const shelf = this.#shelf(update.id);
      shelf.row = { ...shelf.row, ...update };
    }
    for (const { id, newFence, assignee, leaseUntil } of turn.assignTasks ?? []) {
      const task = this.taskOf(id) as TaskRow;
      this.#shelf(task.run).tasks.set(id, { ...task, fence: newFence, assignee, leaseUntil });
    }
    for (const task of turn.openTasks ?? []) this.#shelf(task.run).tasks.set(task.id, task);
    for (const id of turn.dropTasks ?? []) this.#dropTask(id);
    for (const timer of turn.setTimers ?? []) this.#shelf(timer.run).timers.set(timer.id, timer);
    for (const { run, id } of turn.dropTimers ?? []) this.runs.get(run)?.timers.delete(id);
    for (const wait of turn.openWaits ?? []) this.#shelf(wait.run).waits.set(wait.id, wait);
    for (const { run, id } of turn.dropWaits ?? []) this.runs.get(run)?.waits.delete(id);
    for (const snapshot of turn.snapshots ?? []) this.#shelf(snapshot.run).snapshot = snapshot;
    for (const { hash, body, run } of turn.values ?? []) {
      const value = this.values.get(hash) ?? { body, runs: new Set() };
      value.runs.add(run);
      this.values.set(hash, value);
      this.#shelf(run).values.add(hash);
    }
  }

  #writeRest(turn: Turn): void {
    for (const { namespace, id } of turn.eventsDelivered ?? []) {
      const event = this.events.get(pair(namespace, id));
      if (event !== undefined) this.events.set(pair(namespace, id), { ...event, delivered: true });
    }
    for (const row of turn.putSchedules ?? []) this.schedules.set(row.id, row);
    for (const id of turn.dropSchedules ?? []) this.schedules.delete(id);
    for (const row of turn.putRequests ?? []) this.requests.set(row.id, row);
    for (const { id, answer } of turn.answerRequests ?? []) {
      const request = this.requests.get(id);
      if (request !== undefined) this.requests.set(id, { ...request, answer });
    }
    for (const id of turn.dropRequests ?? []) this.requests.delete(id);
    for (const run of turn.forgetRuns ?? []) this.#forget(run);
  }

  #forget(run: string): void {
    const shelf = this.runs.get(run);
    if (shelf === undefined) return;
    for (const hash of shelf.values) {
      const value = this.values.get(hash);
      value?.runs.delete(run);
      if (value?.runs.size === 0) this.values.delete(hash);
    }
    if (shelf.row.key !== null) this.runKeys.delete(pair(shelf.row.namespace, shelf.row.key));
    this.runs.delete(run);
  }
}

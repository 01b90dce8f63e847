import type { Json } from "../../../machines/failure.ts";
import { TroupeError } from "../../errors.ts";
import type { Clock } from "../../ports/clock.ts";
import {
  rowsMax,
  type LogEntry,
  type RunFilter,
  type Store,
  type StoredRun,
  type TimerFilter,
  type Turn,
  type TurnResult,
} from "../../ports/store.ts";
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
import { Courier } from "./courier.ts";
import type { Durability, ReadName } from "./protocol.ts";
import type { StoredEntry } from "./reader.ts";

/** How a store file is opened. */
export interface OpenOptions {
  /**
   * What a commit survives. "full" (the default): a power cut. "normal": a power cut, but for the last moments.
   * "memory": the end of this process, not that of the machine.
   */
  readonly durability?: Durability;
  /** Opens beside a process that owns the file: it may be read, and wishes may be left in it. Default: refused. */
  readonly beside?: boolean;
  readonly clock: Clock;
}

/** What a process that does not own the file may write. */
const guestParts: ReadonlySet<string> = new Set(["putRequests", "dropRequests"]);

/**
 * A store in one SQLite file. The database lives in a worker thread, so that no commit stops the event loop, and turns
 * that arrive while it writes share the next commit. One process owns the file at a time.
 */
export class SqliteStore implements Store {
  readonly path: string;
  /** Whether this process owns the file. Where it does not, `holder` says who does. */
  readonly isOwner: boolean;
  readonly holder: { readonly pid: number; readonly since: number } | undefined;
  readonly #courier: Courier;
  readonly #clock: Clock;

  private constructor(path: string, courier: Courier, clock: Clock, opened: Pick<SqliteStore, "isOwner" | "holder">) {
    this.path = path;
    this.#courier = courier;
    this.#clock = clock;
    this.isOwner = opened.isOwner;
    this.holder = opened.holder;
  }

  /**
   * Opens or creates a store file.
   * Errors: rejects with `store/in-use`, `store/corrupt`, `store/newer` or `store/failed`; then nothing was changed.
   */
  static async open(path: string, options: OpenOptions): Promise<SqliteStore> {
    const { durability = "full", beside = false, clock } = options;
    const { courier, opened } = await Courier.open({ path, durability, pid: process.pid, now: clock.now() });
    if (!opened.isOwner && !beside) {
      await courier.close();
      const { holder } = opened;
      const who =
        holder === undefined
          ? "another process"
          : `process ${holder.pid} since ${new Date(holder.since).toISOString()}`;
      throw new TroupeError(
        "store/in-use",
        `${path} is in use by ${who}; one process owns a store at a time: stop it, or choose another file`,
        { data: { path, pid: holder?.pid ?? null } },
      );
    }
    return new SqliteStore(path, courier, clock, opened);
  }

  async append(log: string, bodies: readonly Json[], expectedSeq?: number): Promise<{ ok: boolean; seq: number }> {
    const texts = bodies.map((body) => JSON.stringify(body));
    const write = { log, at: this.#clock.now(), bodies: texts, ...(expectedSeq === undefined ? {} : { expectedSeq }) };
    // Requests are served in order and this process is the only writer, so the count is that right before the append.
    const [seq, { ok }] = await Promise.all([this.#ask<number>("countEntries", log), this.commit({ logs: [write] })]);
    return { ok, seq };
  }

  async read(log: string, fromSeq = 0, limit: number = rowsMax): Promise<readonly LogEntry[]> {
    const entries = await this.#ask<readonly StoredEntry[]>("read", log, fromSeq, limit);
    return entries.map(({ seq, at, body }) => ({ seq, at, body: JSON.parse(body) as Json }));
  }

  async get(key: string): Promise<{ readonly value: Json; readonly version: number } | undefined> {
    const found = await this.#ask<{ value: string; version: number } | undefined>("get", key);
    return found === undefined ? undefined : { value: JSON.parse(found.value) as Json, version: found.version };
  }

  async compareAndSet(key: string, version: number, value: Json): Promise<boolean> {
    return (await this.commit({ keys: [{ key, version, value: JSON.stringify(value) }] })).ok;
  }

  async delete(key: string): Promise<void> {
    for (;;) {
      const found = await this.get(key);
      if (found === undefined) return;
      if ((await this.commit({ keys: [{ key, version: found.version, value: null }] })).ok) return;
    }
  }

  commit(turn: Turn): Promise<TurnResult> {
    if (!this.isOwner && Object.keys(turn).some((part) => !guestParts.has(part)))
      return Promise.reject(
        new TroupeError("store/in-use", `${this.path} belongs to process ${this.holder?.pid ?? "unknown"}`, {
          data: { path: this.path, pid: this.holder?.pid ?? null },
        }),
      );
    return this.#courier.request({ turn }) as Promise<TurnResult>;
  }

  #ask<Answer>(read: ReadName, ...args: readonly unknown[]): Promise<Answer> {
    return this.#courier.request({ read, args }) as Promise<Answer>;
  }

  readRun(id: string): Promise<RunRow | undefined> {
    return this.#ask("readRun", id);
  }
  findRun(namespace: string, key: string): Promise<RunRow | undefined> {
    return this.#ask("findRun", namespace, key);
  }
  listRuns(filter?: RunFilter): Promise<readonly RunRow[]> {
    return this.#ask("listRuns", filter);
  }
  loadRuns(ids: readonly string[]): Promise<readonly StoredRun[]> {
    return this.#ask("loadRuns", ids);
  }
  readFacts(run: string, fromSeq?: number, limit?: number): Promise<readonly FactRow[]> {
    return this.#ask("readFacts", run, fromSeq, limit);
  }
  readTask(id: string): Promise<TaskRow | undefined> {
    return this.#ask("readTask", id);
  }
  listTasks(filter?: {
    readonly run?: string;
    readonly after?: string;
    readonly limit?: number;
  }): Promise<readonly TaskRow[]> {
    return this.#ask("listTasks", filter);
  }
  listTimers(filter: TimerFilter): Promise<readonly TimerRow[]> {
    return this.#ask("listTimers", filter);
  }
  listWaits(filter: { readonly namespace: string; readonly event: string }): Promise<readonly WaitRow[]> {
    return this.#ask("listWaits", filter);
  }
  readValues(hashes: readonly string[]): Promise<readonly { readonly hash: string; readonly body: string }[]> {
    return this.#ask("readValues", hashes);
  }
  readDefinition(hash: string): Promise<DefinitionRow | undefined> {
    return this.#ask("readDefinition", hash);
  }
  listDefinitions(filter?: { readonly namespace?: string; readonly key?: string }): Promise<readonly DefinitionRow[]> {
    return this.#ask("listDefinitions", filter);
  }
  listEvents(limit?: number): Promise<readonly EventRow[]> {
    return this.#ask("listEvents", limit);
  }
  listSchedules(): Promise<readonly ScheduleRow[]> {
    return this.#ask("listSchedules");
  }
  listRequests(limit?: number): Promise<readonly RequestRow[]> {
    return this.#ask("listRequests", limit);
  }
  readRequest(id: string): Promise<RequestRow | undefined> {
    return this.#ask("readRequest", id);
  }

  onForeignWrite(hear: () => void): void {
    this.#courier.onForeignWrite = hear;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#courier.close();
  }
}

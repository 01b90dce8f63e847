import type { Json } from "../../machines/failure.ts";
import type {
  DefinitionRow,
  EventRow,
  FactRow,
  JsonText,
  RequestRow,
  RunRow,
  RunStatus,
  RunUpdate,
  ScheduleRow,
  SnapshotRow,
  TaskRow,
  TimerRow,
  ValueRow,
  WaitRow,
} from "./store-rows.ts";

/** One appended entry of a log. */
export interface LogEntry {
  /** Position in its log, from 0, without gaps. */
  readonly seq: number;
  readonly at: number;
  readonly body: Json;
}

/** Writes a key when its stored version equals `version` (0: it must not exist); a null value deletes it. */
export interface KeyWrite {
  readonly key: string;
  readonly version: number;
  readonly value: JsonText | null;
}

/** Appends to a log; with `expectedSeq` only when the log has exactly so many entries. */
export interface LogWrite {
  readonly log: string;
  readonly at: number;
  readonly bodies: readonly JsonText[];
  readonly expectedSeq?: number;
}

/**
 * What happens at once or not at all. Each part names the condition under which the whole turn is refused; they are
 * applied in this order.
 */
export interface Turn {
  /** Ends tasks that are open under this fence; refused as `stale-task`. */
  readonly closeTasks?: readonly { readonly id: string; readonly fence: number }[];
  /** Takes timers that are set; refused as `stale-timer`. */
  readonly takeTimers?: readonly { readonly run: string; readonly id: string }[];
  /** Refused as `key-changed`. */
  readonly keys?: readonly KeyWrite[];
  /** Refused as `log-moved`. */
  readonly logs?: readonly LogWrite[];
  /** The same content again is no change; other content under the same key and version is refused as `version-taken`. */
  readonly definitions?: readonly DefinitionRow[];
  /** Refused as `run-exists` when the id, or the key in its namespace, is taken. */
  readonly createRuns?: readonly RunRow[];
  /** Refused as `event-known` when the id is taken in its namespace. */
  readonly createEvents?: readonly EventRow[];
  /** Refused as `seq-taken`, or `message-known` where the message was taken before. */
  readonly facts?: readonly FactRow[];
  /** Refused as `unknown-run`. */
  readonly updateRuns?: readonly RunUpdate[];
  /** Gives tasks to somebody outside, or prolongs their lease, when the fence is the present one; refused as `stale-task`. */
  readonly assignTasks?: readonly TaskAssignment[];
  /** Replaces what it finds. */
  readonly openTasks?: readonly TaskRow[];
  /** Takes away without condition, as all that follows. */
  readonly dropTasks?: readonly string[];
  readonly setTimers?: readonly TimerRow[];
  readonly dropTimers?: readonly { readonly run: string; readonly id: string }[];
  readonly openWaits?: readonly WaitRow[];
  readonly dropWaits?: readonly { readonly run: string; readonly id: string }[];
  readonly snapshots?: readonly SnapshotRow[];
  readonly values?: readonly ValueRow[];
  readonly eventsDelivered?: readonly { readonly namespace: string; readonly id: string }[];
  readonly putSchedules?: readonly ScheduleRow[];
  readonly dropSchedules?: readonly string[];
  readonly putRequests?: readonly RequestRow[];
  readonly answerRequests?: readonly { readonly id: string; readonly answer: JsonText }[];
  readonly dropRequests?: readonly string[];
  /** Forgets runs with all that belongs to them, and every value that no other run refers to. */
  readonly forgetRuns?: readonly string[];
}

export interface TaskAssignment {
  readonly id: string;
  readonly fence: number;
  readonly newFence: number;
  readonly assignee: string | null;
  readonly leaseUntil: number | null;
}

/** Why a turn was refused; nothing of it was written. */
export type Refused =
  | "stale-task"
  | "stale-timer"
  | "key-changed"
  | "log-moved"
  | "version-taken"
  | "run-exists"
  | "event-known"
  | "seq-taken"
  | "message-known"
  | "unknown-run";

export type TurnResult =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly refused: Refused;
      /** What it was refused for: the id, the key, or for `run-exists` the id of the run that has it. */
      readonly subject: string;
    };

/** Which runs are wanted. Every field given must match. */
export interface RunFilter {
  readonly namespace?: string;
  readonly variant?: string;
  readonly workflow?: string;
  readonly status?: readonly RunStatus[];
  readonly parent?: string;
  /** Ids after this one, in order of id. */
  readonly after?: string;
  /** At most `rowsMax`. */
  readonly limit?: number;
}

/** Which timers are wanted; without a bound there is none. */
export interface TimerFilter {
  readonly dueAfter?: number;
  readonly dueUpTo?: number;
  readonly limit?: number;
}

/** Everything that a run needs to go on. */
export interface StoredRun {
  readonly run: RunRow;
  readonly snapshot: SnapshotRow | undefined;
  /** The facts after the snapshot. */
  readonly facts: readonly FactRow[];
  readonly tasks: readonly TaskRow[];
  readonly timers: readonly TimerRow[];
  readonly waits: readonly WaitRow[];
}

/** Most rows that one read returns, and what it returns when the caller names no limit. */
export const rowsMax = 10_000;

/**
 * Durable state: append-only logs, compare-and-set keys, and the runs of workflows with their journals, tasks,
 * timers, snapshots and definitions. Every write resolves after it is as durable as the store promises, and writes
 * that belong together are one turn: all of it, or nothing.
 * Errors: rejects with `store/failed` when the store cannot do its work; what was asked for did not happen, or for a
 * write under way it is not known.
 */
export interface Store extends AsyncDisposable {
  /** Appends in order; `seq` is that of the first appended entry. With `expectedSeq`, a lost race appends nothing and is `ok: false`. */
  append(
    log: string,
    bodies: readonly Json[],
    expectedSeq?: number,
  ): Promise<{ readonly ok: boolean; readonly seq: number }>;
  /** Entries from `fromSeq` on, oldest first, at most `limit`. */
  read(log: string, fromSeq?: number, limit?: number): Promise<readonly LogEntry[]>;
  get(key: string): Promise<{ readonly value: Json; readonly version: number } | undefined>;
  /** Writes when the stored version equals `version` (0: the key must not exist); returns whether it did. */
  compareAndSet(key: string, version: number, value: Json): Promise<boolean>;
  delete(key: string): Promise<void>;

  /** Applies one turn, or refuses it whole. Turns are applied in the order in which they were given. */
  commit(turn: Turn): Promise<TurnResult>;

  readRun(id: string): Promise<RunRow | undefined>;
  /** The run that was started under this key. */
  findRun(namespace: string, key: string): Promise<RunRow | undefined>;
  listRuns(filter?: RunFilter): Promise<readonly RunRow[]>;
  /** All that these runs need to go on; unknown ids are left out. */
  loadRuns(ids: readonly string[]): Promise<readonly StoredRun[]>;
  /** Facts from `fromSeq` on, oldest first. */
  readFacts(run: string, fromSeq?: number, limit?: number): Promise<readonly FactRow[]>;
  readTask(id: string): Promise<TaskRow | undefined>;
  /** Open tasks in order of id, of one run or of all. */
  listTasks(filter?: {
    readonly run?: string;
    readonly after?: string;
    readonly limit?: number;
  }): Promise<readonly TaskRow[]>;
  /** Timers due after the one time and up to the other, the earliest first. */
  listTimers(filter: TimerFilter): Promise<readonly TimerRow[]>;
  listWaits(filter: { readonly namespace: string; readonly event: string }): Promise<readonly WaitRow[]>;
  readValues(hashes: readonly string[]): Promise<readonly { readonly hash: string; readonly body: JsonText }[]>;
  readDefinition(hash: string): Promise<DefinitionRow | undefined>;
  /** Definitions in order of key and of their registration, the newest last. */
  listDefinitions(filter?: { readonly namespace?: string; readonly key?: string }): Promise<readonly DefinitionRow[]>;
  /** Events whose delivery is not complete, oldest first. */
  listEvents(limit?: number): Promise<readonly EventRow[]>;
  listSchedules(): Promise<readonly ScheduleRow[]>;
  /** Requests that have no answer yet, oldest first. */
  listRequests(limit?: number): Promise<readonly RequestRow[]>;
  readRequest(id: string): Promise<RequestRow | undefined>;
  /** Calls back when another process wrote into the store; never, where no other can. */
  onForeignWrite(hear: () => void): void;
}

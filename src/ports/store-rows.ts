/**
 * What a store keeps of workflows, row by row. `JsonText` columns hold JSON as text: it is written once, by the
 * engine, and passes through every store unread. All times are epoch milliseconds.
 */

/** A JSON document as text. */
export type JsonText = string;

/** Where a run stands. Source: the user's document 003, `ExecutionContext`, and the two that only a durable engine has. */
export const runStatuses = [
  "running",
  "paused",
  "completed",
  "failed",
  "cancelled",
  "compensation-failed",
  "blocked",
] as const;
export type RunStatus = (typeof runStatuses)[number];

/** Every row says whose it is, and which variant of an experiment it belongs to. */
export interface Tenant {
  /** Runs of one namespace never see those of another; default "default". */
  readonly namespace: string;
  /** Which arm of an A/B run; empty outside one. */
  readonly variant: string;
}

/** One execution of a definition. Its state is in the journal and the snapshot; here is what lists and filters need. */
export interface RunRow extends Tenant {
  readonly id: string;
  /** The key and version of the definition in the catalogue, and the hash that the run is pinned to. */
  readonly workflow: string;
  readonly version: string;
  readonly definition: string;
  /** Idempotent start key, unique in its namespace. */
  readonly key: string | null;
  /** The run and the task that started this one. */
  readonly parent: string | null;
  readonly parentTask: string | null;
  readonly status: RunStatus;
  /** 0 high, 1 normal, 2 low. */
  readonly lane: number;
  readonly deadlineAt: number | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly endedAt: number | null;
  /** The newest fact when this row was written; the journal may be ahead. */
  readonly seq: number;
  /** How it ended, or why it is blocked; null before. */
  readonly result: JsonText | null;
}

/** The part of a run's row that changes. All of it is written. */
export type RunUpdate = Pick<
  RunRow,
  "id" | "workflow" | "version" | "definition" | "status" | "deadlineAt" | "updatedAt" | "endedAt" | "seq" | "result"
>;

/** One entry of a run's journal. */
export interface FactRow extends Tenant {
  readonly run: string;
  /** From 1, without gaps. */
  readonly seq: number;
  readonly at: number;
  readonly type: string;
  /** A message from outside is taken once: its id is unique in the run. */
  readonly message: string | null;
  /** What the fold produced at this fact, as a 32-bit fingerprint: a later fold must produce the same. */
  readonly mark: number;
  readonly body: JsonText;
}

/** Work that is owed. The row lives from the opening of the task to its end; the end is a fact of the journal. */
export interface TaskRow extends Tenant {
  /** Begins with the id of its run and a slash, so that the tasks of a run lie together. */
  readonly id: string;
  readonly run: string;
  /** The path of its step. */
  readonly step: string;
  /** Who does it: an agent by its capability, another run, or somebody outside. */
  readonly kind: "call" | "run" | "external";
  /** The capability, or the workflow's key. */
  readonly capability: string;
  /** The one agent that is meant, where the step names one. */
  readonly agent: string | null;
  readonly attempt: number;
  readonly lane: number;
  /** Grows with every assignment; a result must bring the present one. */
  readonly fence: number;
  /** Who outside has it, and until when without a heartbeat. */
  readonly assignee: string | null;
  readonly leaseUntil: number | null;
  readonly openedAt: number;
  readonly input: JsonText;
}

/** A moment at which a run wants to be woken. */
export interface TimerRow {
  readonly run: string;
  readonly id: string;
  readonly dueAt: number;
}

/** An event that a run waits for. */
export interface WaitRow {
  readonly run: string;
  readonly id: string;
  readonly namespace: string;
  readonly event: string;
}

/** The folded state of a run after the fact `seq`; only the newest is kept. */
export interface SnapshotRow {
  readonly run: string;
  readonly seq: number;
  readonly body: JsonText;
}

/** A value too large for a row, kept once however often it is referred to. */
export interface ValueRow {
  /** SHA-256 of the text, in hex. */
  readonly hash: string;
  readonly body: JsonText;
  /** The run that refers to it: a value goes when no run refers to it any more. */
  readonly run: string;
}

/** A definition in the catalogue. The same key and version never changes its content. */
export interface DefinitionRow extends Tenant {
  readonly key: string;
  readonly version: string;
  readonly hash: string;
  readonly name: string;
  readonly body: JsonText;
  readonly createdAt: number;
}

/** An event from outside. It is kept, so that it is delivered once each, also over a crash. */
export interface EventRow extends Tenant {
  readonly id: string;
  readonly event: string;
  readonly at: number;
  readonly payload: JsonText;
  /** All that it wakes and starts has been told. */
  readonly delivered: boolean;
}

/** A definition that is started again and again. */
export interface ScheduleRow extends Tenant {
  readonly id: string;
  readonly workflow: string;
  /** What makes it due, as JSON: a cron line or an interval. */
  readonly spec: JsonText;
  readonly input: JsonText;
  readonly nextAt: number;
}

/** A wish of another process, for the one that owns the store. */
export interface RequestRow {
  readonly id: string;
  readonly at: number;
  readonly run: string;
  readonly verb: string;
  readonly body: JsonText;
  readonly answer: JsonText | null;
}

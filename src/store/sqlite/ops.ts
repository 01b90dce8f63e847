import type { Refused } from "../../ports/store.ts";

/** What a turn is made of on its way to the worker: numbers of operations, each followed by its values. */
export type Word = string | number | null;

/** One kind of write. */
interface Op {
  readonly sql: string;
  /** How many values it takes. */
  readonly takes: number;
  /** Refuses the turn when no row was changed (or found, for a question), and for which of the values. */
  readonly refused?: { readonly as: Refused; readonly subject: number };
  /** It only asks whether something holds. */
  readonly asks?: true;
}

const stale = { as: "stale-task", subject: 0 } as const;
const changed = { as: "key-changed", subject: 0 } as const;

/** Every kind of write, in the order in which a turn applies them: what may be refused in passing comes first. */
export const ops = {
  closeTask: { sql: "DELETE FROM task WHERE id = ? AND fence = ?", takes: 2, refused: stale },
  takeTimer: {
    sql: "DELETE FROM timer WHERE run = ? AND id = ?",
    takes: 2,
    refused: { as: "stale-timer", subject: 1 },
  },
  keyCreate: { sql: "INSERT INTO cell VALUES (?, 1, ?) ON CONFLICT DO NOTHING", takes: 2, refused: changed },
  keyUpdate: {
    sql: "UPDATE cell SET version = version + 1, value = ?3 WHERE key = ?1 AND version = ?2",
    takes: 3,
    refused: changed,
  },
  keyDelete: { sql: "DELETE FROM cell WHERE key = ? AND version = ?", takes: 2, refused: changed },
  logExpect: {
    sql: "SELECT 1 WHERE (SELECT COALESCE(MAX(seq) + 1, 0) FROM entry WHERE log = ?) = ?",
    takes: 2,
    refused: { as: "log-moved", subject: 0 },
    asks: true,
  },
  logAppend: {
    sql: "INSERT INTO entry SELECT ?1, COALESCE(MAX(seq) + 1, 0), ?2, ?3 FROM entry WHERE log = ?1",
    takes: 3,
  },
  define: {
    sql: `INSERT INTO definition SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, COALESCE(MAX(number), 0) + 1
      FROM definition WHERE true ON CONFLICT DO NOTHING`,
    takes: 8,
    refused: { as: "version-taken", subject: 1 },
  },
  createRun: {
    sql: "INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    takes: 17,
    refused: { as: "run-exists", subject: 0 },
  },
  createEvent: {
    sql: "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, 0) ON CONFLICT DO NOTHING",
    takes: 6,
    refused: { as: "event-known", subject: 1 },
  },
  createFact: {
    sql: "INSERT INTO fact VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    takes: 9,
    refused: { as: "seq-taken", subject: 0 },
  },
  updateRun: {
    sql: `UPDATE run SET workflow = ?2, version = ?3, definition = ?4, status = ?5, deadline_at = ?6, updated_at = ?7,
      ended_at = ?8, seq = ?9, result = ?10 WHERE id = ?1`,
    takes: 10,
    refused: { as: "unknown-run", subject: 0 },
  },
  assignTask: {
    sql: "UPDATE task SET fence = ?3, assignee = ?4, lease_until = ?5 WHERE id = ?1 AND fence = ?2",
    takes: 5,
    refused: stale,
  },
  openTask: {
    sql: "INSERT OR REPLACE INTO task VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    takes: 15,
  },
  dropTask: { sql: "DELETE FROM task WHERE id = ?", takes: 1 },
  setTimer: { sql: "INSERT OR REPLACE INTO timer VALUES (?, ?, ?)", takes: 3 },
  dropTimer: { sql: "DELETE FROM timer WHERE run = ? AND id = ?", takes: 2 },
  openWait: { sql: "INSERT OR REPLACE INTO wait VALUES (?, ?, ?, ?)", takes: 4 },
  dropWait: { sql: "DELETE FROM wait WHERE run = ? AND id = ?", takes: 2 },
  putSnapshot: { sql: "INSERT OR REPLACE INTO snapshot VALUES (?, ?, ?)", takes: 3 },
  putValue: { sql: "INSERT INTO value VALUES (?, ?) ON CONFLICT DO NOTHING", takes: 2 },
  useValue: { sql: "INSERT INTO value_use VALUES (?, ?) ON CONFLICT DO NOTHING", takes: 2 },
  eventDelivered: { sql: "UPDATE event SET delivered = 1 WHERE namespace = ? AND id = ?", takes: 2 },
  putSchedule: { sql: "INSERT OR REPLACE INTO schedule VALUES (?, ?, ?, ?, ?, ?, ?)", takes: 7 },
  dropSchedule: { sql: "DELETE FROM schedule WHERE id = ?", takes: 1 },
  putRequest: { sql: "INSERT OR REPLACE INTO request VALUES (?, ?, ?, ?, ?, ?)", takes: 6 },
  answerRequest: { sql: "UPDATE request SET answer = ?2 WHERE id = ?1", takes: 2 },
  dropRequest: { sql: "DELETE FROM request WHERE id = ?", takes: 1 },
  // The ids of a run's tasks begin with its id and a slash, and "0" follows the slash.
  forgetTasks: { sql: "DELETE FROM task WHERE id > ?1 || '/' AND id < ?1 || '0'", takes: 1 },
  forgetValues: {
    sql: `DELETE FROM value WHERE hash IN (SELECT hash FROM value_use WHERE run = ?1)
      AND NOT EXISTS (SELECT 1 FROM value_use WHERE value_use.hash = value.hash AND run <> ?1)`,
    takes: 1,
  },
  forgetUses: { sql: "DELETE FROM value_use WHERE run = ?", takes: 1 },
  forgetFacts: { sql: "DELETE FROM fact WHERE run = ?", takes: 1 },
  forgetTimers: { sql: "DELETE FROM timer WHERE run = ?", takes: 1 },
  forgetWaits: { sql: "DELETE FROM wait WHERE run = ?", takes: 1 },
  forgetSnapshot: { sql: "DELETE FROM snapshot WHERE run = ?", takes: 1 },
  forgetRun: { sql: "DELETE FROM run WHERE id = ?", takes: 1 },
} as const satisfies { readonly [name: string]: Op };

export type OpName = keyof typeof ops;

/** Operations by their number. */
export const opList: readonly (Op & { readonly name: OpName })[] = Object.entries(ops).map(([name, op]) => ({
  name: name as OpName,
  ...op,
}));

/** The number of each operation. */
export const opNumber = Object.fromEntries(opList.map(({ name }, number) => [name, number])) as {
  readonly [Name in OpName]: number;
};

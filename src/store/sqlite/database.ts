import { existsSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { FailureCode, Json } from "../../../machines/failure.ts";
import type { Durability, Problem, WorkerOptions } from "./protocol.ts";
import { applicationId, schema, schemaVersion } from "./schema.ts";

/** How long a write waits for another process that is writing into the same file. */
const busyTimeoutMs = 5_000;
/** Files up to this size are checked for damage when they are opened; larger ones page by page as they are read. */
const checkedBytesMax = 33_554_432;
/** Pages that the write-ahead log may hold before SQLite moves them into the file. */
const walPagesMax = 4_000;

const synchronous: { readonly [Level in Durability]: string } = { full: "FULL", normal: "NORMAL", memory: "OFF" };

/** SQLite's primary result codes that need words of their own. Source: sqlite.org/rescode.html. */
const busy = 5;
const corrupt = 11;
const full = 13;
const cannotOpen = 14;
const notDatabase = 26;

interface SqliteError {
  readonly errcode: number;
  readonly message: string;
}

function codeOf(thrown: unknown): number | undefined {
  const { errcode } = thrown as Partial<SqliteError>;
  // The low byte is the primary code.
  return typeof errcode === "number" ? errcode & 0xff : undefined;
}

/** A store that cannot be opened or used, with the reason in words. */
export class StoreProblem extends Error {
  readonly problem: Problem;
  constructor(code: FailureCode, message: string, data: { readonly [key: string]: Json }) {
    super(message);
    this.problem = { code, message, data };
  }
}

/** Puts what SQLite threw into words. */
export function describeProblem(path: string, thrown: unknown): Problem {
  if (thrown instanceof StoreProblem) return thrown.problem;
  const code = codeOf(thrown);
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  const data = { path, why };
  if (code === notDatabase)
    return { code: "store/corrupt", message: `${path} is not a store of Troupe: it is not a SQLite file`, data };
  if (code === corrupt)
    return {
      code: "store/corrupt",
      message: `${path} is damaged (${why}); restore it from a backup, or save what can be read with: sqlite3 ${path} .recover`,
      data,
    };
  if (code === full) return { code: "store/failed", message: `${path} cannot grow: the disk is full`, data };
  if (code === cannotOpen)
    return {
      code: "store/failed",
      message: `${path} cannot be opened; its folder must exist and be writable`,
      data,
    };
  return { code: "store/failed", message: `the store ${path} failed: ${why}`, data };
}

/** The lock file next to a store. An open transaction on it is a lock that the system takes away with the process. */
function lockPath(path: string): string {
  return `${path}-lock`;
}

/** Takes the lock of a store for this process; undefined when another one has it. It lasts until the connection closes. */
export function takeLock(path: string): DatabaseSync | undefined {
  const lock = new DatabaseSync(lockPath(path), { timeout: 0 });
  try {
    lock.exec("BEGIN EXCLUSIVE");
    return lock;
  } catch (thrown) {
    lock.close();
    if (codeOf(thrown) === busy) return undefined;
    throw thrown;
  }
}

/** Opens the file, makes its tables when it is new, and refuses what is not ours or is damaged. */
export function openDatabase(options: WorkerOptions, isOwner: boolean): DatabaseSync {
  const { path } = options;
  const bytes = existsSync(path) ? statSync(path).size : 0;
  if (bytes === 0 && !isOwner)
    throw new StoreProblem("store/failed", `${path} is being created by another process; try again`, { path });
  const db = new DatabaseSync(path, { timeout: busyTimeoutMs });
  try {
    checkFile(db, path, bytes);
    db.exec(`PRAGMA journal_mode = WAL`);
    db.exec(`PRAGMA synchronous = ${synchronous[options.durability]}`);
    db.exec(`PRAGMA wal_autocheckpoint = ${walPagesMax}`);
    db.exec("PRAGMA temp_store = MEMORY");
    if (bytes === 0) createTables(db);
    if (isOwner) db.prepare("INSERT OR REPLACE INTO owner VALUES (1, ?, ?)").run(options.pid, options.now);
    return db;
  } catch (thrown) {
    db.close();
    throw thrown;
  }
}

function createTables(db: DatabaseSync): void {
  db.exec(`BEGIN; ${schema} PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion}; COMMIT;`);
}

function pragma(db: DatabaseSync, name: string): unknown {
  return Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}

function checkFile(db: DatabaseSync, path: string, bytes: number): void {
  if (bytes === 0) return;
  if (pragma(db, "application_id") !== applicationId)
    throw new StoreProblem(
      "store/corrupt",
      `${path} is not a store of Troupe: it is a SQLite file of another program; nothing in it was changed`,
      { path },
    );
  const version = pragma(db, "user_version");
  if (version !== schemaVersion)
    throw new StoreProblem(
      "store/newer",
      `${path} was written by a newer Troupe (tables of version ${String(version)}, this one knows ${schemaVersion}); use that version, or another file`,
      { path },
    );
  if (bytes > checkedBytesMax) return;
  const verdict = String(pragma(db, "quick_check(1)")).replaceAll("\n", " ");
  if (verdict !== "ok")
    throw new StoreProblem(
      "store/corrupt",
      `${path} is damaged (${verdict}); restore it from a backup, or save what can be read with: sqlite3 ${path} .recover`,
      { path },
    );
}

/** Who owns the file, as it said itself. */
export function readHolder(db: DatabaseSync): { pid: number; since: number } | undefined {
  return db.prepare("SELECT pid, since FROM owner").get() as { pid: number; since: number } | undefined;
}

/** Grows when another connection has written. */
export function readForeignVersion(db: DatabaseSync): unknown {
  return pragma(db, "data_version");
}

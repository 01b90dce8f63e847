import { parentPort, workerData } from "node:worker_threads";
import type { DatabaseSync } from "node:sqlite";
import { describeProblem, openDatabase, readForeignVersion, readHolder, takeLock } from "./database.ts";
import type { Word } from "./ops.ts";
import type { FromWorker, Parcel, Question, Reply, ToWorker, WorkerOptions } from "./protocol.ts";
import { Reader } from "./reader.ts";
import { Writer } from "./writer.ts";

/** How often the owner looks whether another process has left a request. */
const foreignPollMs = 200;

const options = workerData as WorkerOptions;
// This file runs as a worker only.
const port = parentPort as NonNullable<typeof parentPort>;
const send = (message: FromWorker): void => port.postMessage(message);

interface Desk {
  readonly db: DatabaseSync;
  readonly writer: Writer;
  readonly reader: Reader;
}

/** One request of a parcel: where the words of its turn stand, or its question. */
type Entry = { readonly from: number; readonly to: number } | Question;

function unpack({ words, questions }: Parcel): readonly Entry[] {
  const entries: Entry[] = [];
  let asked = 0;
  for (let at = 0; at < words.length;) {
    const length = words[at] as number;
    if (length === -1) {
      entries.push(questions[asked] as Question);
      asked += 1;
      at += 1;
    } else {
      entries.push({ from: at + 1, to: at + 1 + length });
      at += 1 + length;
    }
  }
  return entries;
}

/**
 * One parcel is one transaction, and its answers leave after the commit. A turn that was refused after its first
 * write must leave no trace: then the transaction starts again without it, which is rare, because conditions come
 * first. When something breaks, each request is tried for itself, so that the others do not suffer.
 */
function answer(desk: Desk, words: readonly Word[], entries: readonly Entry[]): readonly Reply[] {
  if (!entries.some((entry) => "from" in entry))
    return entries.map((entry) => askReader(desk.reader, entry as Question));
  const refused = new Map<number, Reply>();
  try {
    for (;;) {
      desk.db.exec("BEGIN IMMEDIATE");
      const replies = serveAll(desk, { words, entries, refused });
      desk.db.exec(replies === undefined ? "ROLLBACK" : "COMMIT");
      if (replies !== undefined) return replies;
    }
  } catch (thrown) {
    if (desk.db.isTransaction) desk.db.exec("ROLLBACK");
    if (entries.length === 1) return [{ problem: describeProblem(options.path, thrown) }];
    return entries.flatMap((entry) => answer(desk, words, [entry]));
  }
}

/** Undefined when the transaction must start again; `refused` then knows one more turn to leave out. */
function serveAll(
  { writer, reader }: Desk,
  parcel: { readonly words: readonly Word[]; readonly entries: readonly Entry[]; readonly refused: Map<number, Reply> },
): readonly Reply[] | undefined {
  const { words, entries, refused } = parcel;
  const replies: Reply[] = [];
  for (const [index, entry] of entries.entries()) {
    if ("read" in entry) {
      replies.push(askReader(reader, entry));
      continue;
    }
    const known = refused.get(index);
    const refusal = known === undefined ? writer.apply(words, entry.from, entry.to) : undefined;
    if (refusal?.torn === true) {
      refused.set(index, { value: refusal.refusal });
      return undefined;
    }
    replies.push(known ?? (refusal === undefined ? true : { value: refusal.refusal }));
  }
  return replies;
}

function askReader(reader: Reader, request: Question): Reply {
  try {
    const method = reader[request.read] as (...args: readonly unknown[]) => unknown;
    return { value: method.apply(reader, [...request.args]) };
  } catch (thrown) {
    return { problem: describeProblem(options.path, thrown) };
  }
}

/** Tells the owner when another process has written, while there is anybody who listens. */
function watchForeignWrites(db: DatabaseSync): void {
  let seen = readForeignVersion(db);
  setInterval(() => {
    const now = readForeignVersion(db);
    if (now === seen) return;
    seen = now;
    send({ foreignWrite: true });
  }, foreignPollMs).unref();
}

function serve(): void {
  const lock = takeLock(options.path);
  const db = openDatabase(options, lock !== undefined);
  const desk = { db, writer: new Writer(db), reader: new Reader(db) };
  watchForeignWrites(db);
  port.on("message", (message: ToWorker) => {
    if ("parcel" in message) return send({ replies: answer(desk, message.parcel.words, unpack(message.parcel)) });
    if (lock !== undefined) db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    db.close();
    lock?.close();
    send({ closed: true });
    port.close();
  });
  send({
    opened: { isOwner: lock !== undefined, holder: lock === undefined ? readHolder(db) : undefined },
  });
}

try {
  serve();
} catch (thrown) {
  send({ unopened: describeProblem(options.path, thrown) });
}

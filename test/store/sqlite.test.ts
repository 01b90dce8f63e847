import { spawn, spawnSync } from "node:child_process";
import {
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  openSync,
  writeSync,
  closeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isTroupeError, type TroupeError } from "../../src/errors.ts";
import { systemClock } from "../../src/ports/clock.ts";
import { SqliteStore, type OpenOptions } from "../../src/store/sqlite/store.ts";
import { factRow, runRow } from "../conformance/store-rows.ts";

let folder: string;
let path: string;
const opened: SqliteStore[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "troupe-sqlite-"));
  path = join(folder, "troupe.db");
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function open(options: Partial<OpenOptions> = {}, file = path): Promise<SqliteStore> {
  const store = await SqliteStore.open(file, { clock: systemClock, ...options });
  opened.push(store);
  return store;
}

async function refusal(opening: Promise<unknown>): Promise<TroupeError> {
  const thrown = await opening.then(
    () => new Error("it was not refused"),
    (error: unknown) => error,
  );
  if (!isTroupeError(thrown)) throw thrown;
  return thrown;
}

/** A process of its own that opens the store, does `body`, and waits to be ended. */
const worker = (body: string): string => `
  import { SqliteStore } from ${JSON.stringify(join(import.meta.dirname, "../../src/store/sqlite/store.ts"))};
  const store = await SqliteStore.open(${JSON.stringify(path)}, { clock: { now: Date.now, after: () => ({ cancel() {} }) } });
  ${body}
  setInterval(() => {}, 1000);
`;

function start(body: string): { process: ReturnType<typeof spawn>; line: () => Promise<string> } {
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", worker(body)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  let hear = (): void => {};
  child.stdout?.on("data", (chunk: Buffer) => {
    text += chunk.toString();
    hear();
  });
  const line = async (): Promise<string> => {
    while (!text.includes("\n")) await new Promise<void>((resolve) => (hear = resolve));
    const end = text.indexOf("\n");
    const first = text.slice(0, end);
    text = text.slice(end + 1);
    return first;
  };
  return { process: child, line };
}

describe("one process owns a store file", () => {
  test("a second opening is refused and says who has it; when the owner is gone the file is free", async () => {
    const owner = await open();
    expect(owner.isOwner).toBe(true);
    const refused = await refusal(open());
    expect(refused.code).toBe("store/in-use");
    expect(refused.message).toContain(path);
    expect(refused.message).toContain(`process ${process.pid} since `);
    expect(refused.data["pid"]).toBe(process.pid);
    await owner[Symbol.asyncDispose]();
    expect((await open()).isOwner).toBe(true);
  });

  test("another process keeps it until it dies, even by kill -9, and what it was told is done is there", async () => {
    const other = start(`
      await store.append("log", ["first"]);
      console.log("written");
      void store.append("log", ["never awaited"]);
    `);
    expect(await other.line()).toBe("written");
    expect((await refusal(open())).data["pid"]).toBe(other.process.pid);
    const ended = new Promise((resolve) => other.process.once("exit", resolve));
    other.process.kill("SIGKILL");
    await ended;
    const store = await open();
    expect((await store.read("log"))[0]?.body).toBe("first");
  });

  test("beside the owner the file can be read and wishes can be left, and the owner hears of them", async () => {
    const owner = await open();
    await owner.append("log", [1]);
    const guest = await open({ beside: true });
    expect(guest.isOwner).toBe(false);
    expect(guest.holder?.pid).toBe(process.pid);
    expect(await guest.read("log")).toHaveLength(1);
    expect((await refusal(guest.append("log", [2]))).code).toBe("store/in-use");
    const heard = new Promise<void>((resolve) => owner.onForeignWrite(resolve));
    const request = { id: "q", at: 1, run: "r", verb: "pause", body: "{}", answer: null };
    expect(await guest.commit({ putRequests: [request] })).toEqual({ ok: true });
    await heard;
    expect(await owner.listRequests()).toEqual([request]);
    await owner.commit({ answerRequests: [{ id: "q", answer: '"done"' }] });
    expect((await guest.readRequest("q"))?.answer).toBe('"done"');
  });

  test("beside nobody, it owns the file", async () => {
    expect((await open({ beside: true })).isOwner).toBe(true);
  });
});

describe("files that cannot be used", () => {
  test("a file that is not SQLite is refused and left as it is", async () => {
    writeFileSync(path, "These are the minutes of a meeting. ".repeat(40));
    const refused = await refusal(open());
    expect(refused.code).toBe("store/corrupt");
    expect(refused.message).toContain(`${path} is not a store of Troupe`);
    expect(readFileSync(path, "utf8")).toContain("minutes");
  });

  test("the database of another program is refused and left as it is", async () => {
    const db = new DatabaseSync(path);
    db.exec("CREATE TABLE invoices (id INTEGER)");
    db.close();
    const bytes = readFileSync(path);
    const refused = await refusal(open());
    expect(refused.code).toBe("store/corrupt");
    expect(refused.message).toContain("of another program");
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  test("a store of a newer version is refused with both numbers", async () => {
    await (await open())[Symbol.asyncDispose]();
    const db = new DatabaseSync(path);
    db.exec("PRAGMA user_version = 99");
    db.close();
    const refused = await refusal(open());
    expect(refused.code).toBe("store/newer");
    expect(refused.message).toContain("version 99");
  });

  test.each([
    ["overwritten in the middle", (file: string): void => scribble(file, 8_192)],
    ["cut off", (file: string): void => truncateSync(file, Math.floor(statSync(file).size / 2 / 4_096) * 4_096)],
  ])("a store that was %s is refused, with the way to save what is left", async (_how, damage) => {
    const store = await open();
    await store.append(
      "log",
      Array.from({ length: 500 }, (_, each) => "entry ".repeat(20) + each),
    );
    await store[Symbol.asyncDispose]();
    damage(path);
    const refused = await refusal(open());
    expect(refused.code).toBe("store/corrupt");
    expect(refused.message).toMatch(/damaged .*\.recover/);
  });

  test("a folder that does not exist is named", async () => {
    const refused = await refusal(open({}, join(folder, "none", "troupe.db")));
    expect(refused.code).toBe("store/failed");
    expect(refused.message).toMatch(/none.*its folder must exist/);
  });
});

function scribble(file: string, at: number): void {
  const handle = openSync(file, "r+");
  writeSync(handle, Buffer.alloc(4_096, 0xa5), 0, 4_096, at);
  closeSync(handle);
}

describe("commits", () => {
  test("closing writes what nobody waited for, and nothing can be asked afterwards", async () => {
    const store = await open();
    const writes = Array.from({ length: 5_000 }, (_, each) => store.append("log", [each]));
    await store[Symbol.asyncDispose]();
    expect((await Promise.all(writes)).every(({ ok }) => ok)).toBe(true);
    expect((await refusal(store.append("log", [1]))).code).toBe("usage/closed");
    const again = await open();
    expect(await again.read("log")).toHaveLength(5_000);
  });

  test("a turn that the database cannot take breaks alone", async () => {
    const store = await open();
    await store.commit({ createRuns: [runRow("r1")] });
    const [before, broken, after] = await Promise.allSettled([
      store.append("log", ["before"]),
      store.commit({ facts: [factRow("r1", 1.5)] }),
      store.append("log", ["after"]),
    ]);
    expect(before.status).toBe("fulfilled");
    expect(after.status).toBe("fulfilled");
    expect(broken.status === "rejected" && isTroupeError(broken.reason, "store/failed")).toBe(true);
    expect(await store.readFacts("r1")).toEqual([]);
  });

  test("a process that only forgot to close the store ends by itself, and loses nothing", () => {
    const run = spawnSync(
      process.execPath,
      [
        "--input-type=module-typescript",
        "-e",
        worker(`await store.append("log", [1]); process.stdout.write("done");`).replace(/setInterval.*/, ""),
      ],
      { encoding: "utf8", timeout: 15_000 },
    );
    expect(run.stderr).toBe("");
    expect([run.status, run.stdout]).toEqual([0, "done"]);
  });
});

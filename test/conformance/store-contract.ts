import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Store, Turn } from "../../src/ports/store.ts";
import { factRow, runRow, taskRow, update } from "./store-rows.ts";
import { describeWork, type Subject } from "./store-work.ts";

/**
 * The contract of every store. A new implementation joins with one line in `store.test.ts`; whatever it is made of,
 * the engine and the council see the same.
 */
export function describeStore(name: string, open: () => Promise<Subject>): void {
  describe(`the store contract: ${name}`, () => {
    let subject: Subject;
    let store: Store;
    beforeEach(async () => {
      subject = await open();
      store = subject.store;
    });
    afterEach(async () => {
      await subject.close();
    });
    const commit = (turn: Turn): Promise<unknown> => store.commit(turn);

    describe("logs and keys", () => {
      test("entries come back in order with their positions", async () => {
        expect(await store.append("log", [{ a: 1 }, ["two"]])).toEqual({ ok: true, seq: 0 });
        expect(await store.append("log", [null])).toEqual({ ok: true, seq: 2 });
        const entries = await store.read("log");
        expect(entries.map(({ seq, body }) => [seq, body])).toEqual([
          [0, { a: 1 }],
          [1, ["two"]],
          [2, null],
        ]);
        expect(entries.every(({ at }) => at > 0)).toBe(true);
        expect((await store.read("log", 1, 1)).map(({ seq }) => seq)).toEqual([1]);
        expect(await store.read("other")).toEqual([]);
      });

      test("an append that expects another length appends nothing", async () => {
        await store.append("log", [1]);
        expect(await store.append("log", [2], 0)).toEqual({ ok: false, seq: 1 });
        expect(await store.append("log", [2], 1)).toEqual({ ok: true, seq: 1 });
        expect(await store.read("log")).toHaveLength(2);
      });

      test("of many appends that expect the same length one wins", async () => {
        const results = await Promise.all(Array.from({ length: 8 }, (_, each) => store.append("log", [each], 0)));
        expect(results.filter(({ ok }) => ok)).toHaveLength(1);
        expect(await store.read("log")).toHaveLength(1);
      });

      test("a key is written only over the version that the writer saw", async () => {
        expect(await store.get("key")).toBeUndefined();
        expect(await store.compareAndSet("key", 1, "early")).toBe(false);
        expect(await store.compareAndSet("key", 0, { a: 1 })).toBe(true);
        expect(await store.compareAndSet("key", 0, "late")).toBe(false);
        expect(await store.get("key")).toEqual({ value: { a: 1 }, version: 1 });
        expect(await store.compareAndSet("key", 1, "next")).toBe(true);
        expect(await store.get("key")).toEqual({ value: "next", version: 2 });
        await store.delete("key");
        await store.delete("key");
        expect(await store.get("key")).toBeUndefined();
      });

      test("what is stored does not follow later changes of the value that was given", async () => {
        const value = { list: [1] };
        await store.append("log", [value]);
        await store.compareAndSet("key", 0, value);
        value.list.push(2);
        expect((await store.read("log"))[0]?.body).toEqual({ list: [1] });
        expect((await store.get("key"))?.value).toEqual({ list: [1] });
      });
    });

    describe("runs", () => {
      test("a run comes back as it was written, with all that belongs to it", async () => {
        const run = runRow("r1", {
          key: "k",
          parent: "p",
          parentTask: "p/x/1/1",
          deadlineAt: 9_000.25,
          result: '{"a":1}',
        });
        expect(
          await commit({
            createRuns: [run],
            facts: [factRow("r1", 1), factRow("r1", 2, { type: "signal", message: "m1", mark: -5 })],
            openTasks: [taskRow("r1", "b"), taskRow("r1", "a", { agent: "/reviewer/1", lane: 0 })],
            setTimers: [{ run: "r1", id: "t1", dueAt: 5_000 }],
            openWaits: [{ run: "r1", id: "w1", namespace: "default", event: "approved" }],
          }),
        ).toEqual({ ok: true });
        expect(await store.readRun("r1")).toEqual(run);
        expect(await store.findRun("default", "k")).toEqual(run);
        expect(await store.findRun("other", "k")).toBeUndefined();
        expect(await store.loadRuns(["r1", "nobody"])).toEqual([
          {
            run,
            snapshot: undefined,
            facts: [factRow("r1", 1), factRow("r1", 2, { type: "signal", message: "m1", mark: -5 })],
            tasks: [taskRow("r1", "a", { agent: "/reviewer/1", lane: 0 }), taskRow("r1", "b")],
            timers: [{ run: "r1", id: "t1", dueAt: 5_000 }],
            waits: [{ run: "r1", id: "w1", namespace: "default", event: "approved" }],
          },
        ]);
        expect(await store.readRun("nobody")).toBeUndefined();
      });

      test("an id and a key in its namespace are given once, and the refusal names the holder", async () => {
        await commit({ createRuns: [runRow("r1", { key: "k" })] });
        expect(await commit({ createRuns: [runRow("r1")] })).toEqual({
          ok: false,
          refused: "run-exists",
          subject: "r1",
        });
        expect(await commit({ createRuns: [runRow("r2", { key: "k" })] })).toEqual({
          ok: false,
          refused: "run-exists",
          subject: "r1",
        });
        expect(await commit({ createRuns: [runRow("r2", { key: "k", namespace: "other" })] })).toEqual({ ok: true });
        expect(await store.readRun("r2")).toMatchObject({ namespace: "other" });
      });

      test("an update changes what it names and leaves the rest", async () => {
        const run = runRow("r1", { key: "k" });
        await commit({ createRuns: [run] });
        const over = { status: "completed", endedAt: 2_000, updatedAt: 2_000, seq: 9, result: '"done"' } as const;
        expect(await commit({ updateRuns: [update(run, over)] })).toEqual({ ok: true });
        expect(await store.readRun("r1")).toEqual({ ...run, ...over });
        expect(await commit({ updateRuns: [update(runRow("nobody"), {})] })).toMatchObject({ refused: "unknown-run" });
      });

      test("runs are listed by what they are, in order of id, a page at a time", async () => {
        await commit({
          createRuns: [
            runRow("r3", { status: "paused" }),
            runRow("r1", { namespace: "other" }),
            runRow("r2", { workflow: "deploy", parent: "r3" }),
            runRow("r4", { variant: "b", status: "completed", endedAt: 5 }),
          ],
        });
        const ids = async (filter?: Parameters<Store["listRuns"]>[0]): Promise<string[]> =>
          (await store.listRuns(filter)).map(({ id }) => id);
        expect(await ids()).toEqual(["r1", "r2", "r3", "r4"]);
        expect(await ids({ namespace: "default" })).toEqual(["r2", "r3", "r4"]);
        expect(await ids({ workflow: "deploy" })).toEqual(["r2"]);
        expect(await ids({ status: ["paused", "completed"] })).toEqual(["r3", "r4"]);
        expect(await ids({ variant: "b" })).toEqual(["r4"]);
        expect(await ids({ parent: "r3" })).toEqual(["r2"]);
        expect(await ids({ after: "r1", limit: 2 })).toEqual(["r2", "r3"]);
      });

      test("what was forgotten is gone with all that belonged to it, and its id and key are free", async () => {
        await commit({
          createRuns: [runRow("r1", { key: "k" }), runRow("r10")],
          facts: [factRow("r1", 1), factRow("r10", 1)],
          openTasks: [taskRow("r1", "a"), taskRow("r10", "a")],
          setTimers: [{ run: "r1", id: "t", dueAt: 1 }],
          openWaits: [{ run: "r1", id: "w", namespace: "default", event: "e" }],
          snapshots: [{ run: "r1", seq: 1, body: "{}" }],
          values: [
            { hash: "own", body: "1", run: "r1" },
            { hash: "both", body: "2", run: "r1" },
            { hash: "both", body: "2", run: "r10" },
          ],
        });
        await commit({ forgetRuns: ["r1", "nobody"] });
        expect(await store.loadRuns(["r1"])).toEqual([]);
        expect(await store.readFacts("r1")).toEqual([]);
        expect((await store.listTasks()).map(({ id }) => id)).toEqual(["r10/a/1/1"]);
        expect(await store.listTimers({ dueUpTo: 10 })).toEqual([]);
        expect(await store.listWaits({ namespace: "default", event: "e" })).toEqual([]);
        expect(await store.readValues(["own", "both"])).toEqual([{ hash: "both", body: "2" }]);
        expect(await commit({ createRuns: [runRow("r1", { key: "k" })] })).toEqual({ ok: true });
        expect(await store.loadRuns(["r1"])).toMatchObject([{ facts: [], tasks: [], timers: [], snapshot: undefined }]);
      });
    });

    describe("journals", () => {
      test("a place in a journal is taken once", async () => {
        await commit({ createRuns: [runRow("r1")], facts: [factRow("r1", 1)] });
        expect(await commit({ facts: [factRow("r1", 1)] })).toEqual({
          ok: false,
          refused: "seq-taken",
          subject: "r1#1",
        });
        expect(await commit({ facts: [factRow("r1", 2)] })).toEqual({ ok: true });
        expect((await store.readFacts("r1", 2)).map(({ seq }) => seq)).toEqual([2]);
        expect((await store.readFacts("r1", 1, 1)).map(({ seq }) => seq)).toEqual([1]);
      });

      test("a message is taken once in a run, and in another run again", async () => {
        await commit({ createRuns: [runRow("r1"), runRow("r2")], facts: [factRow("r1", 1, { message: "m" })] });
        expect(await commit({ facts: [factRow("r1", 2, { message: "m" })] })).toEqual({
          ok: false,
          refused: "message-known",
          subject: "m",
        });
        expect(await commit({ facts: [factRow("r2", 1, { message: "m" })] })).toEqual({ ok: true });
      });

      test("after a snapshot only the facts behind it are loaded, and all of them stay readable", async () => {
        await commit({
          createRuns: [runRow("r1")],
          facts: [1, 2, 3].map((seq) => factRow("r1", seq)),
          snapshots: [{ run: "r1", seq: 1, body: '{"old":true}' }],
        });
        await commit({ snapshots: [{ run: "r1", seq: 2, body: '{"value":"a"}' }] });
        const [loaded] = await store.loadRuns(["r1"]);
        expect(loaded?.snapshot).toEqual({ run: "r1", seq: 2, body: '{"value":"a"}' });
        expect(loaded?.facts.map(({ seq }) => seq)).toEqual([3]);
        expect(await store.readFacts("r1")).toHaveLength(3);
      });
    });
    describeWork(() => subject);
  });
}

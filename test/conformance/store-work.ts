import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import type { DefinitionRow } from "../../src/ports/store-rows.ts";
import type { Store, Turn } from "../../src/ports/store.ts";

import { factRow, runRow, taskRow, tenant, update } from "./store-rows.ts";

/** A store under test. `reopen` is there for stores that outlive their process. */
export interface Subject {
  readonly store: Store;
  reopen?(): Promise<Store>;
  close(): Promise<void>;
}

/** The rest of the contract: tasks, timers, what is kept and handed on, and turns as a whole. */
export function describeWork(subjectOf: () => Subject): void {
  let subject: Subject;
  let store: Store;
  beforeEach(() => {
    subject = subjectOf();
    store = subject.store;
  });
  const commit = (turn: Turn): Promise<unknown> => store.commit(turn);

  describe("tasks, timers and waits", () => {
    beforeEach(async () => {
      await commit({ createRuns: [runRow("r1"), runRow("r10"), runRow("r2")] });
    });

    test("a task is closed once, and only under its fence", async () => {
      await commit({ openTasks: [taskRow("r1", "a", { fence: 3 })] });
      const close = (fence: number): Promise<unknown> => commit({ closeTasks: [{ id: "r1/a/1/1", fence }] });
      expect(await close(2)).toEqual({ ok: false, refused: "stale-task", subject: "r1/a/1/1" });
      expect(await close(3)).toEqual({ ok: true });
      expect(await close(3)).toMatchObject({ refused: "stale-task" });
      expect(await store.readTask("r1/a/1/1")).toBeUndefined();
    });

    test("giving a task away moves its fence, and the old one no longer counts", async () => {
      await commit({ openTasks: [taskRow("r1", "a")] });
      const assignment = { id: "r1/a/1/1", fence: 1, newFence: 2, assignee: "worker-7", leaseUntil: 9_000 };
      expect(await commit({ assignTasks: [assignment] })).toEqual({ ok: true });
      expect(await commit({ assignTasks: [assignment] })).toMatchObject({ refused: "stale-task" });
      expect(await store.readTask("r1/a/1/1")).toEqual(
        taskRow("r1", "a", { fence: 2, assignee: "worker-7", leaseUntil: 9_000 }),
      );
      expect(await commit({ closeTasks: [{ id: "r1/a/1/1", fence: 1 }] })).toMatchObject({ refused: "stale-task" });
    });

    test("tasks are listed in order of id, of one run or of all", async () => {
      await commit({ openTasks: [taskRow("r2", "a"), taskRow("r1", "b"), taskRow("r1", "a"), taskRow("r10", "a")] });
      const ids = async (filter?: Parameters<Store["listTasks"]>[0]): Promise<string[]> =>
        (await store.listTasks(filter)).map(({ id }) => id);
      expect(await ids()).toEqual(["r1/a/1/1", "r1/b/1/1", "r10/a/1/1", "r2/a/1/1"]);
      expect(await ids({ run: "r1" })).toEqual(["r1/a/1/1", "r1/b/1/1"]);
      expect(await ids({ run: "r1", after: "r1/a/1/1" })).toEqual(["r1/b/1/1"]);
      expect(await ids({ after: "r1/a/1/1", limit: 2 })).toEqual(["r1/b/1/1", "r10/a/1/1"]);
      await commit({ dropTasks: ["r1/a/1/1", "nobody"] });
      expect(await ids({ run: "r1" })).toEqual(["r1/b/1/1"]);
    });

    test("timers come in order of their time, up to the time asked for", async () => {
      await commit({
        setTimers: [
          { run: "r1", id: "late", dueAt: 3_000 },
          { run: "r2", id: "far", dueAt: 4e12 },
          { run: "r2", id: "soon", dueAt: 1_000 },
          { run: "r1", id: "moved", dueAt: 9_000 },
        ],
      });
      await commit({ setTimers: [{ run: "r1", id: "moved", dueAt: 2_000 }] });
      expect((await store.listTimers({ dueUpTo: 3_000 })).map(({ id }) => id)).toEqual(["soon", "moved", "late"]);
      expect((await store.listTimers({ dueUpTo: 3_000, limit: 1 })).map(({ id }) => id)).toEqual(["soon"]);
      expect((await store.listTimers({ dueAfter: 1_000, dueUpTo: 3_000 })).map(({ id }) => id)).toEqual([
        "moved",
        "late",
      ]);
      expect((await store.listTimers({})).at(-1)).toEqual({ run: "r2", id: "far", dueAt: 4e12 });
    });

    test("a timer is taken once, and not after it was dropped", async () => {
      await commit({
        setTimers: [
          { run: "r1", id: "t", dueAt: 1 },
          { run: "r1", id: "u", dueAt: 1 },
        ],
      });
      expect(await commit({ takeTimers: [{ run: "r1", id: "t" }] })).toEqual({ ok: true });
      expect(await commit({ takeTimers: [{ run: "r1", id: "t" }] })).toMatchObject({ refused: "stale-timer" });
      await commit({ dropTimers: [{ run: "r1", id: "u" }] });
      expect(await commit({ takeTimers: [{ run: "r1", id: "u" }] })).toMatchObject({ refused: "stale-timer" });
    });

    test("who waits for an event is found by its namespace and name", async () => {
      const wait = { namespace: "default", event: "approved" };
      await commit({
        openWaits: [
          { ...wait, run: "r2", id: "w" },
          { ...wait, run: "r1", id: "w" },
          { ...wait, run: "r1", id: "x", event: "other" },
          { ...wait, run: "r10", id: "w", namespace: "tenant" },
        ],
      });
      expect((await store.listWaits(wait)).map(({ run }) => run)).toEqual(["r1", "r2"]);
      await commit({ dropWaits: [{ run: "r1", id: "w" }] });
      expect((await store.listWaits(wait)).map(({ run }) => run)).toEqual(["r2"]);
    });
  });

  describe("definitions, values, events, schedules and requests", () => {
    const definition = (key: string, version: string, hash: string): DefinitionRow => ({
      ...tenant,
      key,
      version,
      hash,
      name: key,
      body: `{"key":"${key}"}`,
      createdAt: 1,
    });

    test("a version keeps its content; the newest registration is the last", async () => {
      const first = definition("setup", "2.0.0", "h1");
      expect(await commit({ definitions: [first] })).toEqual({ ok: true });
      expect(await commit({ definitions: [{ ...first, createdAt: 99 }] })).toEqual({ ok: true });
      expect(await commit({ definitions: [definition("setup", "2.0.0", "h2")] })).toEqual({
        ok: false,
        refused: "version-taken",
        subject: "setup@2.0.0",
      });
      await commit({ definitions: [definition("setup", "1.0.0", "h0"), definition("deploy", "1", "h3")] });
      await commit({ definitions: [{ ...definition("setup", "2.0.0", "h2"), namespace: "other" }] });
      expect((await store.listDefinitions({ namespace: "default" })).map(({ hash }) => hash)).toEqual([
        "h3",
        "h1",
        "h0",
      ]);
      expect((await store.listDefinitions({ key: "setup" })).map(({ hash }) => hash)).toEqual(["h1", "h0", "h2"]);
      expect(await store.readDefinition("h1")).toEqual(first);
      expect(await store.readDefinition("none")).toBeUndefined();
    });

    test("a value is kept once, however often it is referred to", async () => {
      const body = JSON.stringify("x".repeat(100_000));
      await commit({ createRuns: [runRow("r1"), runRow("r2")] });
      await commit({
        values: [
          { hash: "h", body, run: "r1" },
          { hash: "h", body, run: "r1" },
        ],
      });
      await commit({ values: [{ hash: "h", body, run: "r2" }] });
      expect(await store.readValues(["h", "none"])).toEqual([{ hash: "h", body }]);
    });

    test("an event is taken once and owed until it was delivered", async () => {
      const event = { ...tenant, id: "e1", event: "push", at: 5, payload: '{"n":1}', delivered: false };
      expect(await commit({ createEvents: [event, { ...event, id: "e0", at: 4 }] })).toEqual({ ok: true });
      expect(await commit({ createEvents: [event] })).toEqual({ ok: false, refused: "event-known", subject: "e1" });
      expect(await commit({ createEvents: [{ ...event, namespace: "other", at: 6 }] })).toEqual({ ok: true });
      await commit({ eventsDelivered: [{ namespace: "default", id: "e0" }] });
      expect(await store.listEvents()).toEqual([event, { ...event, namespace: "other", at: 6 }]);
      expect(await commit({ createEvents: [{ ...event, id: "e0" }] })).toMatchObject({ refused: "event-known" });
    });

    test("schedules are put, replaced and dropped", async () => {
      const schedule = { ...tenant, id: "s1", workflow: "setup", spec: '{"everyMs":5}', input: "{}", nextAt: 7 };
      await commit({ putSchedules: [schedule, { ...schedule, id: "s0" }] });
      await commit({ putSchedules: [{ ...schedule, nextAt: 8 }], dropSchedules: ["s0"] });
      expect(await store.listSchedules()).toEqual([{ ...schedule, nextAt: 8 }]);
    });

    test("a request waits until it has its answer", async () => {
      const request = { id: "q1", at: 1, run: "r1", verb: "pause", body: "{}", answer: null };
      await commit({ putRequests: [request, { ...request, id: "q0", at: 2 }] });
      expect((await store.listRequests()).map(({ id }) => id)).toEqual(["q1", "q0"]);
      await commit({ answerRequests: [{ id: "q1", answer: '{"ok":true}' }] });
      expect((await store.listRequests()).map(({ id }) => id)).toEqual(["q0"]);
      expect(await store.readRequest("q1")).toEqual({ ...request, answer: '{"ok":true}' });
      await commit({ dropRequests: ["q1"] });
      expect(await store.readRequest("q1")).toBeUndefined();
    });
  });

  describe("turns", () => {
    test("a turn that is refused leaves no trace, wherever its condition stands", async () => {
      await commit({
        createRuns: [runRow("r1")],
        facts: [factRow("r1", 1, { message: "m" })],
        openTasks: [taskRow("r1", "a")],
        keys: [{ key: "k", version: 0, value: "1" }],
      });
      const parts: Turn = {
        closeTasks: [{ id: "r1/a/1/1", fence: 1 }],
        keys: [{ key: "k", version: 1, value: "2" }],
        logs: [{ log: "l", at: 1, bodies: ["1"] }],
        createRuns: [runRow("r2")],
        facts: [factRow("r1", 2)],
        openTasks: [taskRow("r1", "b")],
        setTimers: [{ run: "r1", id: "t", dueAt: 1 }],
      };
      const broken: Turn[] = [
        { ...parts, closeTasks: [...(parts.closeTasks ?? []), { id: "r1/z/1/1", fence: 1 }] },
        { ...parts, takeTimers: [{ run: "r1", id: "none" }] },
        { ...parts, keys: [...(parts.keys ?? []), { key: "other", version: 4, value: "1" }] },
        { ...parts, logs: [...(parts.logs ?? []), { log: "m", at: 1, bodies: ["1"], expectedSeq: 3 }] },
        { ...parts, createRuns: [runRow("r2"), runRow("r1")] },
        { ...parts, facts: [factRow("r1", 2), factRow("r1", 3, { message: "m" })] },
        { ...parts, updateRuns: [update(runRow("nobody"), {})] },
        { ...parts, assignTasks: [{ id: "r1/z/1/1", fence: 1, newFence: 2, assignee: "w", leaseUntil: 1 }] },
      ];
      // Together, so that a store that commits in batches has good turns around each bad one.
      const results = await Promise.all(
        broken.flatMap((turn, index) => [
          commit({ keys: [{ key: `good-${index}`, version: 0, value: "1" }] }),
          commit(turn),
        ]),
      );
      expect(results.map((result) => (result as { ok: boolean }).ok)).toEqual(broken.flatMap(() => [true, false]));
      expect(await store.get("k")).toEqual({ value: 1, version: 1 });
      expect(await store.get(`good-${broken.length - 1}`)).toEqual({ value: 1, version: 1 });
      expect(await store.read("l")).toEqual([]);
      expect(await store.readRun("r2")).toBeUndefined();
      expect(await store.readFacts("r1")).toHaveLength(1);
      expect((await store.listTasks()).map(({ id }) => id)).toEqual(["r1/a/1/1"]);
      expect(await store.listTimers({ dueUpTo: 10 })).toEqual([]);
      expect(await commit(parts)).toEqual({ ok: true });
    });

    test("turns take effect in the order in which they were given, and reads see those before them", async () => {
      const writes = Array.from({ length: 200 }, (_, version) =>
        store.compareAndSet("key", version, `value ${version}`),
      );
      const seen = store.get("key");
      expect(await Promise.all(writes)).toEqual(writes.map(() => true));
      expect(await seen).toEqual({ value: "value 199", version: 200 });
    });

    test("whatever text a value is made of, it comes back the same", async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.uuid(),
          fc.jsonValue({ maxDepth: 3 }),
          fc.string({ unit: "binary" }),
          async (key, value, text) => {
            const stored = JSON.parse(JSON.stringify([value, text])) as never;
            await store.compareAndSet(key, 0, stored);
            expect((await store.get(key))?.value).toEqual(stored);
            await store.delete(key);
          },
        ),
        { numRuns: 60 },
      );
    });
  });

  test("what was acknowledged is there after the store was opened again", async () => {
    if (subject.reopen === undefined) return;
    await store.append("log", ["kept"]);
    await commit({
      createRuns: [runRow("r1", { key: "k" })],
      facts: [factRow("r1", 1)],
      openTasks: [taskRow("r1", "a")],
    });
    const again = await subject.reopen();
    expect((await again.read("log")).map(({ body }) => body)).toEqual(["kept"]);
    expect(await again.loadRuns(["r1"])).toMatchObject([
      { run: { key: "k" }, facts: [{ seq: 1 }], tasks: [{ step: "a" }] },
    ]);
  });
}

import { describe, expect, test } from "vitest";
import { chain, makeFolder, setScene, task, workflow } from "./scene.ts";

const forever = (): Promise<never> => new Promise(() => {});

describe("stopping", () => {
  test("ends the run and what is with agents, and nothing further begins", async () => {
    let aborted = false;
    const { troupe, seen, close } = await setScene({
      doing: {
        slow: ({ signal }) => {
          signal.addEventListener("abort", () => (aborted = true));
          return forever();
        },
      },
    });
    const run = await troupe.run(workflow("w", [task("a", "slow", { next: "b" }), task("b", "echo")]));
    expect(await run.stop({ reason: "not needed" })).toEqual({ ok: true, value: null });
    expect(aborted).toBe(true);
    expect(await run.result()).toMatchObject({ ok: false, failure: { code: "workflow/cancelled" } });
    expect(await run.status()).toMatchObject({ status: "cancelled" });
    expect(seen).toHaveLength(1);
    expect(await run.stop()).toMatchObject({ ok: false, failure: { code: "workflow/not-waiting" } });
    await close();
  });

  test("with compensation undoes what was completed, the newest first, under keys of its own", async () => {
    const { troupe, of, clock, close } = await setScene({ doing: { undo: () => null, slow: forever } });
    const undo = (id: string): object => ({ compensate: { capability: "undo", input: { of: id } } });
    const run = await troupe.run(
      workflow("w", [
        task("book", "echo", { next: "pay", ...undo("book") }),
        task("pay", "echo", { next: "ship", ...undo("pay") }),
        task("ship", "slow"),
      ]),
    );
    await clock.advance(0);
    await run.stop({ compensate: true });
    await run.result();
    expect(of("undo").map(({ input }) => input.of)).toEqual(["pay", "book"]);
    expect(new Set(of("undo").map(({ key }) => key)).size).toBe(2);
    expect((await run.status()).status).toBe("cancelled");
    await close();
  });

  test("compensation that fails parks the run, visible, and retry tries it again", async () => {
    const { troupe, of, clock, close } = await setScene({
      doing: {
        undo: ({ call, fail }) => (call === 1 ? fail("bank/closed", "come back tomorrow") : null),
        slow: forever,
      },
    });
    const run = await troupe.run(
      workflow("w", [task("pay", "echo", { next: "ship", compensate: { capability: "undo" } }), task("ship", "slow")]),
    );
    await clock.advance(0);
    await run.stop({ compensate: true });
    expect(await run.result()).toMatchObject({ ok: false, failure: { code: "bank/closed" } });
    expect((await run.status()).status).toBe("compensation-failed");
    expect(await run.retry()).toMatchObject({ ok: true });
    expect(await run.result()).toMatchObject({ ok: false, failure: { code: "workflow/cancelled" } });
    expect(of("undo")).toHaveLength(2);
    expect((await run.status()).status).toBe("cancelled");
    await close();
  });
});

describe("signals and queries", () => {
  test("a signal that comes before its step is kept for it, and the same id is taken once", async () => {
    const { troupe, close } = await setScene();
    const ask = (id: string, next: string): object => ({
      id,
      name: id,
      type: "event",
      event: { name: "vote" },
      output: { [id]: "$.output" },
      next,
    });
    const run = await troupe.run(workflow("w", [ask("one", "two"), ask("two", "$end")]));
    expect(await run.signal("vote", "yes", { id: "m1" })).toEqual({ ok: true, value: null });
    expect(await run.signal("vote", "yes", { id: "m1" })).toEqual({ ok: true, value: null });
    expect((await run.status()).status).toBe("running");
    await run.signal("vote", "no", { id: "m2" });
    expect(await run.result()).toEqual({ ok: true, value: { one: "yes", two: "no" } });
    await close();
  });

  test("a payload that does not fit the form is refused, and the step goes on waiting", async () => {
    const { troupe, close } = await setScene();
    const form = { type: "object", properties: { approved: { type: "boolean" } }, required: ["approved"] };
    const run = await troupe.run(
      workflow("w", [
        {
          id: "ask",
          name: "Ask",
          type: "event",
          event: { name: "approval", form },
          output: { it: "$.output" },
          next: "$end",
        },
      ]),
    );
    expect(await run.signal("approval", { approved: "perhaps" })).toMatchObject({
      ok: false,
      failure: { code: "workflow/invalid-signal" },
    });
    expect(await run.signal("approval", { approved: true })).toMatchObject({ ok: true });
    expect(await run.result()).toEqual({ ok: true, value: { it: { approved: true } } });
    await close();
  });

  test("a query computes over the run while it runs, and changes nothing", async () => {
    const { troupe, clock, close } = await setScene({ doing: { slow: forever } });
    const run = await troupe.run(
      workflow("w", [
        task("a", "echo", { input: [1, 2, 3], output: { list: "$.output" }, next: "b" }),
        task("b", "slow"),
      ]),
      { factor: 2 },
    );
    await clock.advance(0);
    expect(await run.query("$.variables.list.length * $.input.factor")).toBe(6);
    expect(await run.query("$.variables.nothing")).toBeNull();
    await expect(run.query("$.variables.list.push(4)")).rejects.toThrow(/the query/);
    expect(await run.query("$.variables.list.length")).toBe(3);
    await close();
  });
});

describe("going on after a failure", () => {
  test("retry goes on from the failed step and keeps what was completed", async () => {
    const { troupe, of, close } = await setScene({
      doing: { shaky: ({ call, fail }) => (call === 1 ? fail("disk/full", "full") : "ok") },
    });
    const run = await troupe.run(
      workflow("w", [task("a", "echo", { next: "b" }), task("b", "shaky", { output: { b: "$.output" } })]),
    );
    expect(await run.result()).toMatchObject({ ok: false });
    expect(await run.retry()).toEqual({ ok: true, value: null });
    expect(await run.result()).toEqual({ ok: true, value: { b: "ok" } });
    expect(of("echo")).toHaveLength(1);
    expect(new Set(of("shaky").map(({ key }) => key)).size).toBe(2);
    expect((await run.status()).status).toBe("completed");
    await close();
  });

  test("retry works in another process, on a run that ended in an earlier one", async () => {
    using folder = makeFolder();
    const options = { store: folder.store };
    const first = await setScene({ options, doing: { shaky: ({ fail }) => fail("disk/full", "full") } });
    const run = await first.troupe.run(workflow("w", [task("a", "echo", { next: "b" }), task("b", "shaky")]));
    await run.result();
    await first.close();
    const second = await setScene({ options, seed: 2, doing: { shaky: () => "ok" } });
    const again = await second.troupe.runs.get(run.id);
    expect(again.actor.getSnapshot()).toMatchObject({ status: "done", output: { ok: false } });
    await again.retry();
    expect(await again.result()).toMatchObject({ ok: true });
    expect(second.of("echo")).toEqual([]);
    await second.close();
  });

  test("fork makes a new run that goes on from a step, and leaves the old one as it is", async () => {
    const { troupe, of, close } = await setScene({ doing: { draw: ({ call }) => call } });
    const names = ["first", "second", "third"];
    const run = await troupe.run(workflow("w", chain(names, "draw")));
    expect(await run.result()).toMatchObject({ value: { third: 3 } });
    const fork = await run.fork("second");
    expect(fork.id).not.toBe(run.id);
    expect(await fork.result()).toEqual({ ok: true, value: { first: 1, second: 4, third: 5 } });
    expect(of("draw").map(({ key }) => key?.startsWith(fork.id))).toEqual([false, false, false, true, true]);
    expect(await run.result()).toMatchObject({ value: { third: 3 } });
    expect((await fork.history()).map(({ type }) => type)).toEqual([
      "start",
      "task.completed",
      "fork",
      "task.completed",
      "task.completed",
    ]);
    await expect(run.fork("nowhere")).rejects.toThrow(/these did: first, second, third/);
    await close();
  });

  test("a live patch changes variables, is journaled, and tells what would change them back", async () => {
    const { troupe, of, clock, close } = await setScene({
      doing: {
        slow: ({ call }) => (call === 1 ? new Promise((resolve) => clock.after(1_000, () => resolve("ok"))) : null),
      },
    });
    const run = await troupe.run(
      workflow("w", [task("a", "slow", { next: "b" }), task("b", "echo", { input: { limit: "$.variables.limit" } })], {
        variables: { limit: 10, list: ["x"] },
      }),
    );
    const patched = await run.patch((variables) => {
      variables["limit"] = 99;
      (variables["list"] as string[]).push("y");
    });
    expect(patched).toMatchObject({ ok: true });
    expect(await run.query("$.variables.list.length")).toBe(2);
    if (patched.ok) await run.patch(patched.value.inverse.filter(({ path }) => path[0] === "list"));
    expect(await run.query("$.variables.list.length")).toBe(1);
    await clock.advance(1_000);
    await run.result();
    expect(of("echo")[0]?.input).toEqual({ limit: 99 });
    expect((await run.history()).map(({ type }) => type)).toEqual([
      "start",
      "patch",
      "patch",
      "task.completed",
      "task.completed",
    ]);
    await close();
  });
});

describe("changed definitions", () => {
  const asking = (version: string, steps: readonly object[]): object => ({
    ...workflow("w", steps),
    version,
  });
  const ask = { id: "ask", name: "Ask", type: "event", event: { name: "go" }, next: "end" };
  const v1 = asking("1", [ask, task("end", "echo", { input: "old" })]);
  const v2 = asking("2", [ask, task("end", "echo", { input: "new" })]);
  const v3 = asking("3", [task("other", "echo")]);

  test("a run stays on the version it began with, whatever is registered later", async () => {
    const { troupe, of, close } = await setScene();
    const run = await troupe.run(v1);
    await troupe.workflows.define(v2);
    await run.signal("go");
    await run.result();
    expect(of("echo")[0]?.input).toBe("old");
    expect((await troupe.run("w")).id).not.toBe(run.id);
    expect((await troupe.run("w@1").then((again) => again.status())).version).toBe("1");
    await expect(troupe.workflows.define({ ...v2, name: "Changed" })).rejects.toThrow(/raise its version/);
    await close();
  });

  test("a run moves to a version in which every step under way exists, also over a restart", async () => {
    using folder = makeFolder();
    const options = { store: folder.store };
    const first = await setScene({ options });
    const run = await first.troupe.run(v1);
    await first.troupe.workflows.define(v2);
    await first.troupe.workflows.define(v3);
    expect(await run.migrate("3")).toMatchObject({ ok: false, failure: { message: expect.stringContaining('"ask"') } });
    expect(await run.migrate("2")).toEqual({ ok: true, value: null });
    expect(await run.status()).toMatchObject({ version: "2", status: "running" });
    await expect(run.migrate("9")).rejects.toThrow(/has no version 9/);
    await first.close();
    const second = await setScene({ options, seed: 2 });
    const again = await second.troupe.runs.get(run.id);
    await again.signal("go");
    expect(await again.result()).toMatchObject({ ok: true });
    expect(second.of("echo")[0]?.input).toBe("new");
    expect((await again.history()).map(({ type }) => type)).toEqual(["start", "migrated", "signal", "task.completed"]);
    await second.close();
  });

  test("replay tells where stored histories would have gone another way, and changes nothing", async () => {
    const { troupe, close } = await setScene();
    const run = await troupe.run(v1);
    await run.signal("go");
    await run.result();
    const before = await run.history();
    expect(await troupe.runs.replay([run.id], v2)).toMatchObject([{ runId: run.id, divergences: [] }]);
    const [report] = await troupe.runs.replay([run.id], v3);
    expect(report?.divergences[0]).toMatchObject({ seq: 1, type: "start" });
    expect(await run.history()).toEqual(before);
    await close();
  });
});

test("an unknown run is named, with the way to find those there are", async () => {
  const { troupe, close } = await setScene();
  await expect(troupe.runs.get("nobody")).rejects.toThrow(/no run "nobody"/);
  await expect(troupe.run("nothing")).rejects.toThrow(/no workflow is defined as "nothing"/);
  await close();
});

test("runs are listed by workflow, status and namespace, and an ended one can be removed", async () => {
  const { troupe, clock, close } = await setScene({ doing: { slow: forever } });
  const done = await troupe.run(workflow("fast", [task("a", "echo")]), {}, { key: "k1", priority: "high" });
  await done.result();
  const open = await troupe.run(workflow("slow", [task("a", "slow")]), {}, { namespace: "tenant", variant: "b" });
  await clock.advance(0);
  const all = await troupe.runs.list();
  expect(all).toHaveLength(2);
  expect(all.find(({ id }) => id === done.id)).toMatchObject({
    workflow: "fast",
    status: "completed",
    key: "k1",
    priority: "high",
  });
  expect(all.find(({ id }) => id === open.id)).toMatchObject({ status: "running", namespace: "tenant", variant: "b" });
  expect(await troupe.runs.list({ status: ["running"] })).toHaveLength(1);
  expect(await troupe.runs.list({ namespace: "default" })).toHaveLength(1);
  await expect(troupe.runs.remove(open.id)).rejects.toThrow(/only a run that has ended/);
  await troupe.runs.remove(done.id);
  await expect(troupe.runs.get(done.id)).rejects.toThrow(/no run/);
  await close();
});

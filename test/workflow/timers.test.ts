import { describe, expect, test } from "vitest";
import { PatientClock } from "./patient-clock.ts";
import { makeFolder, setScene, task, workflow } from "./scene.ts";

const day = 86_400_000;

function waitFor(ms: number): object {
  return { id: "wait", name: "Wait", type: "wait", wait: { for: ms }, next: "after" };
}

const after = task("after", "echo", { input: "on time" });

describe("a durable wait", () => {
  test.each([1, 24, 25, 30, 365])("of %i days ends on its day, not before and not later", async (days) => {
    const { troupe, clock, seen, close } = await setScene();
    const run = await troupe.run(workflow("w", [waitFor(days * day), after]));
    await clock.advance(days * day - 1_000);
    expect(seen).toEqual([]);
    expect((await run.status()).currentSteps).toMatchObject([{ id: "wait", status: "waiting", waitsFor: "time" }]);
    await clock.advance(1_000);
    expect(await run.result()).toMatchObject({ ok: true });
    expect((await run.status()).metrics.duration).toBe(days * day);
    await close();
  });

  test("is not lost with the process: the next one waits for the rest, or makes up for what is overdue", async () => {
    using folder = makeFolder();
    const clock = new PatientClock();
    const options = { store: folder.store };
    const first = await setScene({ options, clock });
    const short = await first.troupe.run(workflow("short", [waitFor(2 * day), after]));
    const long = await first.troupe.run(workflow("long", [waitFor(60 * day), after]));
    await clock.advance(day);
    await first.close();
    // Two days pass while nothing runs.
    await clock.advance(2 * day);
    const second = await setScene({ options, clock, seed: 2 });
    await second.troupe.runs.recovered();
    expect(await (await second.troupe.runs.get(short.id)).result()).toMatchObject({ ok: true });
    const again = await second.troupe.runs.get(long.id);
    await clock.advance(57 * day - 10_000);
    expect((await again.status()).status).toBe("running");
    await clock.advance(10_000);
    expect(await again.result()).toMatchObject({ ok: true });
    await second.close();
  });

  test("of many runs, due at the same moment, wakes each of them once", async () => {
    const { troupe, clock, seen, close } = await setScene();
    const definition = workflow("w", [waitFor(40 * day), after]);
    const runs = await Promise.all(Array.from({ length: 50 }, () => troupe.run(definition)));
    await clock.advance(40 * day);
    for (const run of runs) expect(await run.result()).toMatchObject({ ok: true });
    expect(new Set(seen.map(({ key }) => key)).size).toBe(50);
    expect(seen).toHaveLength(50);
    await close();
  });

  test("that was cancelled does not fire", async () => {
    const { troupe, clock, seen, close } = await setScene();
    const run = await troupe.run(workflow("w", [waitFor(day), after]));
    await run.stop();
    await clock.advance(2 * day);
    expect(seen).toEqual([]);
    expect((await run.history()).map(({ type }) => type)).toEqual(["start", "cancel"]);
    await close();
  });
});

describe("a paused run", () => {
  test("for 30 days goes on where it was, over a restart of the process", async () => {
    using folder = makeFolder();
    const clock = new PatientClock();
    const options = { store: folder.store };
    const first = await setScene({ options, clock });
    const run = await first.troupe.run(workflow("w", [task("one", "echo", { next: "wait" }), waitFor(5_000), after]));
    await clock.advance(0);
    expect(await run.pause()).toEqual({ ok: true, value: null });
    expect((await run.status()).status).toBe("paused");
    await clock.advance(15 * day);
    await first.close();
    const second = await setScene({ options, clock, seed: 2 });
    await clock.advance(15 * day);
    const again = await second.troupe.runs.get(run.id);
    expect((await again.status()).status).toBe("paused");
    expect(second.seen).toEqual([]);
    expect(await again.resume()).toEqual({ ok: true, value: null });
    await clock.advance(0);
    expect(await again.result()).toMatchObject({ ok: true });
    expect(second.of("echo").map(({ key }) => key)).toEqual([`${run.id}/after/1/1`]);
    await second.close();
  });

  test("takes what comes in meanwhile when it is resumed, in order, and its input can be mended", async () => {
    const { troupe, clock, of, close } = await setScene();
    const definition = workflow("w", [
      { id: "ask", name: "Ask", type: "event", event: { name: "go" }, output: { by: "$.output.by" }, next: "use" },
      task("use", "echo", { input: { by: "$.variables.by", mode: "$.input.mode" } }),
    ]);
    const run = await troupe.run(definition, { mode: "wrong" });
    await run.pause();
    await run.signal("go", { by: "ann" });
    await clock.advance(1_000);
    expect(of("echo")).toEqual([]);
    await run.resume({ mode: "right" });
    expect(await run.result()).toMatchObject({ ok: true });
    expect(of("echo")[0]?.input).toEqual({ by: "ann", mode: "right" });
    await close();
  });
});

describe("retries and timeouts", () => {
  test("a failed task waits its backoff and is tried again under a key of its own", async () => {
    const { troupe, clock, of, close } = await setScene({
      doing: { flaky: ({ call, fail }) => (call < 3 ? fail("net/down", "no route") : "up") },
    });
    const retry = { attempts: 4, strategy: "exponential", firstMs: 1_000, rate: 2, errors: ["net/*"] };
    const run = await troupe.run(workflow("w", [task("a", "flaky", { retry, output: { it: "$.output" } })]));
    await clock.advance(999);
    expect(of("flaky")).toHaveLength(1);
    await clock.advance(1);
    expect(of("flaky")).toHaveLength(2);
    await clock.advance(1_999);
    expect(of("flaky")).toHaveLength(2);
    await clock.advance(1);
    expect(await run.result()).toEqual({ ok: true, value: { it: "up" } });
    expect(of("flaky").map(({ key }) => key)).toEqual([1, 2, 3].map((attempt) => `${run.id}/a/1/${attempt}`));
    expect((await run.status()).metrics).toMatchObject({ retryCount: 2, errorCount: 2, taskCount: 3 });
    expect(await run.steps()).toMatchObject([{ id: "a", attempts: 3, status: "completed" }]);
    await close();
  });

  test("a backoff that was under way goes on after a restart", async () => {
    using folder = makeFolder();
    const clock = new PatientClock();
    const options = { store: folder.store };
    const retry = { attempts: 2, strategy: "linear", firstMs: 3 * day, maxMs: 3 * day, errors: ["net/down"] };
    const first = await setScene({ options, clock, doing: { flaky: ({ fail }) => fail("net/down", "no route") } });
    const run = await first.troupe.run(workflow("w", [task("a", "flaky", { retry })]));
    await clock.advance(day);
    await first.close();
    const second = await setScene({ options, clock, seed: 2, doing: { flaky: () => "up" } });
    await second.troupe.runs.recovered();
    await clock.advance(day);
    expect(second.of("flaky")).toEqual([]);
    await clock.advance(day);
    expect(await (await second.troupe.runs.get(run.id)).result()).toMatchObject({ ok: true });
    expect(second.of("flaky")[0]?.key).toBe(`${run.id}/a/1/2`);
    await second.close();
  });

  test("a task that is over time is told to stop, and its late result is refused", async () => {
    let finish = (_value: unknown): void => {};
    let aborted = false;
    const { troupe, clock, close } = await setScene({
      doing: {
        slow: ({ signal }) => {
          signal.addEventListener("abort", () => (aborted = true));
          return new Promise((resolve) => (finish = resolve));
        },
      },
    });
    const run = await troupe.run(
      workflow("w", [
        task("a", "slow", { timeout: 5_000, onError: [{ error: ["*"], action: "next", next: "b" }] }),
        task("b", "echo"),
      ]),
    );
    await clock.advance(5_000);
    expect(aborted).toBe(true);
    finish("late");
    expect(await run.result()).toMatchObject({ ok: true });
    const types = (await run.history()).map(({ type }) => type);
    expect(types).toEqual(["start", "timer.fired", "task.completed"]);
    await close();
  });

  test("a run that is not done by its deadline is ended then", async () => {
    const { troupe, clock, close } = await setScene({ doing: { slow: () => new Promise(() => {}) } });
    const run = await troupe.run(workflow("w", [task("a", "slow")]), {}, { deadlineMs: 40 * day });
    const other = await troupe.run(workflow("v", [task("a", "echo")]), {}, { deadlineMs: 1_000 });
    expect(await other.result()).toMatchObject({ ok: true });
    await clock.advance(40 * day - 1);
    expect((await run.status()).status).toBe("running");
    await clock.advance(1);
    expect(await run.result()).toMatchObject({ ok: false, failure: { code: "workflow/cancelled" } });
    expect((await run.history()).at(-1)?.text[0]).toBe("The run was told to stop: its deadline has passed.");
    await close();
  });
});

test("what is late is told once, by step and by run, and is done all the same", async () => {
  const { troupe, clock, close } = await setScene({
    doing: { slow: () => new Promise((resolve) => clock.after(300, () => resolve("done"))) },
  });
  const late: string[] = [];
  const following = (async () => {
    for await (const { type } of troupe.events({ type: "*" })) {
      if (type.endsWith(".late")) late.push(type);
      if (type === "execution.completed") return;
    }
  })();
  const run = await troupe.run(workflow("w", [task("a", "slow", { sla: 50 })], { slaMs: 100 }));
  await clock.advance(400);
  expect(await run.result()).toMatchObject({ ok: true });
  await following;
  expect(late).toEqual(["step.late", "execution.late"]);
  await close();
});

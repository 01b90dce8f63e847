import { describe, expect, test } from "vitest";
import { compile } from "../../machines/workflow/compile/compile.ts";
import type { Definition } from "../../machines/workflow/definition.ts";
import type { RunEvent, Start } from "../../machines/workflow/events.ts";
import { chain, makeFolder, setScene, task, until, workflow } from "./scene.ts";

const steps = chain(["first", "second", "third"]);

describe("a run", () => {
  test("takes its steps in order and gives back its variables", async () => {
    const { troupe, close, seen } = await setScene();
    const run = await troupe.run(workflow("w", steps), { ticket: 7 });
    expect(await run.result()).toEqual({
      ok: true,
      value: { first: { step: "first" }, second: { step: "second" }, third: { step: "third" } },
    });
    expect(seen.map(({ input }) => input.step)).toEqual(["first", "second", "third"]);
    expect(new Set(seen.map(({ runId }) => runId))).toEqual(new Set([run.id]));
    expect(seen.map(({ key }) => key)).toEqual(["first", "second", "third"].map((id) => `${run.id}/${id}/1/1`));
    await close();
  });

  test("tells where it stands, while it runs and afterwards", async () => {
    let go = (): void => {};
    const gate = new Promise<void>((resolve) => (go = resolve));
    const { troupe, close, clock } = await setScene({ doing: { slow: () => gate.then(() => "done") } });
    const run = await troupe.run(workflow("w", [task("only", "slow", { output: { it: "$.output" } })]), { n: 1 });
    await clock.advance(250);
    expect(await run.status()).toMatchObject({
      id: run.id,
      workflow: "w",
      workflowName: "Workflow w",
      status: "running",
      input: { n: 1 },
      variables: {},
      endTime: null,
      currentSteps: [{ id: "only", name: "Step only", path: "only", status: "running", attempt: 1 }],
      metrics: { duration: 250, stepCount: 1, completedSteps: 0, taskCount: 1 },
    });
    go();
    expect(await run.result()).toMatchObject({ ok: true });
    expect(await run.status()).toMatchObject({
      status: "completed",
      output: { it: "done" },
      progress: 1,
      currentSteps: [],
      metrics: { duration: 250, completedSteps: 1, errorCount: 0 },
    });
    await close();
  });

  test("fails as data, with the failure of the step, and without the steps that follow", async () => {
    const { troupe, close, seen } = await setScene({
      doing: { broken: ({ fail }) => fail("disk/full", "no space left") },
    });
    const run = await troupe.run(workflow("w", [task("one", "broken", { next: "two" }), task("two", "echo")]));
    const outcome = await run.result();
    expect(outcome).toMatchObject({ ok: false, failure: { code: "disk/full", message: "no space left" } });
    expect(await run.status()).toMatchObject({ status: "failed", error: { code: "disk/full" } });
    expect(seen).toHaveLength(1);
    await close();
  });

  test("a capability that nobody offers fails its task at once", async () => {
    const { troupe, close } = await setScene();
    const run = await troupe.run(workflow("w", [task("one", "nobody.has.this")]));
    expect(await run.result()).toMatchObject({ ok: false, failure: { code: "dispatch/no-agent" } });
    await close();
  });

  test("with the same key is the same run, also when many ask at once", async () => {
    const { troupe, close, seen } = await setScene();
    const definition = workflow("w", steps);
    const runs = await Promise.all(Array.from({ length: 5 }, () => troupe.run(definition, {}, { key: "order-7" })));
    expect(new Set(runs.map(({ id }) => id)).size).toBe(1);
    await runs[0]?.result();
    const again = await troupe.run(definition, {}, { key: "order-7" });
    expect(again.id).toBe(runs[0]?.id);
    expect(await again.result()).toMatchObject({ ok: true });
    expect(seen).toHaveLength(3);
    const other = await troupe.run(definition, {}, { key: "order-7", namespace: "tenant" });
    expect(other.id).not.toBe(again.id);
    await close();
  });

  test("journals who did each task, how long it took and what it cost", async () => {
    const { troupe, close, clock } = await setScene({
      doing: {
        think: async ({ spend, degrade }) => {
          spend({ tokens: 120, cost: 0.5 });
          degrade({ what: "a guess", why: "no data", severity: "low" });
          await new Promise<void>((resolve) => clock.after(40, resolve));
          return "thought";
        },
      },
    });
    const run = await troupe.run(workflow("w", [task("one", "think")]));
    await clock.advance(50);
    await run.result();
    const history = await run.history();
    expect(history.map(({ type }) => type)).toEqual(["start", "task.completed"]);
    expect(history[1]?.record).toEqual({
      capability: "think",
      agent: "/stand-in/1",
      queuedMs: 0,
      ranMs: 40,
      attempt: 1,
      tokens: 120,
      cost: 0.5,
      degraded: 1,
    });
    expect(history[0]?.text.join(" ")).toBe('The run starts with input {}. "Step one" (one) began.');
    expect(history[1]?.text.join(" ")).toContain('The task of "one" was done by /stand-in/1 in 40 ms: "thought".');
    await close();
  });

  test("lists its steps, one record for each visit", async () => {
    const { troupe, close } = await setScene();
    const run = await troupe.run(
      workflow("w", [task("a", "echo", { next: "b" }), task("b", "echo", { condition: "1 > 2" })]),
    );
    await run.result();
    expect(await run.steps()).toMatchObject([
      { id: "a", path: "a", kind: "task", visit: 1, status: "completed", attempts: 1, agent: "/stand-in/1" },
      { id: "b", status: "skipped" },
    ]);
    await close();
  });

  test("what an agent does to its input or its output later does not reach the run", async () => {
    const kept: { list: number[] }[] = [];
    const { troupe, close, of } = await setScene({
      doing: {
        give: ({ input }) => {
          input.list.push(99);
          const out = { list: [1] };
          kept.push(out);
          return out;
        },
        wait: () => kept[0]?.list.push(2),
      },
    });
    const run = await troupe.run(
      workflow(
        "w",
        [
          task("a", "give", { input: { list: "$.variables.given" }, output: { out: "$.output" }, next: "b" }),
          task("b", "wait", { next: "c" }),
          task("c", "echo", { input: { given: "$.variables.given", out: "$.variables.out" } }),
        ],
        { variables: { given: [5] } },
      ),
    );
    await run.result();
    expect(of("echo")[0]?.input).toEqual({ given: [5], out: { list: [1] } });
    await close();
  });

  test("an output that JSON cannot carry fails the task, and dates arrive as text", async () => {
    const { troupe, close } = await setScene({
      doing: { big: () => 10n, date: () => ({ at: new Date(0), gone: undefined }) },
    });
    const bad = await troupe.run(workflow("bad", [task("a", "big")]));
    expect(await bad.result()).toMatchObject({ ok: false, failure: { code: "agent/invalid-output" } });
    const good = await troupe.run(workflow("good", [task("a", "date", { output: { out: "$.output" } })]));
    expect(await good.result()).toEqual({ ok: true, value: { out: { at: "1970-01-01T00:00:00.000Z" } } });
    await close();
  });

  test("is stopped by the signal it was started with", async () => {
    const { troupe, close } = await setScene({
      doing: { slow: ({ signal }) => new Promise((_, no) => signal.addEventListener("abort", no)) },
    });
    const controller = new AbortController();
    const run = await troupe.run(workflow("w", [task("a", "slow")]), {}, { signal: controller.signal });
    controller.abort();
    expect(await run.result()).toMatchObject({ ok: false, failure: { code: "workflow/cancelled" } });
    expect((await run.status()).status).toBe("cancelled");
    await close();
  });
});

describe("every run is an XState actor", () => {
  test("in the supervision tree, under the supervisor of runs, while it goes on", async () => {
    const { troupe, close } = await setScene({ doing: { slow: () => new Promise(() => {}) } });
    const run = await troupe.run(workflow("w", [task("a", "slow")]));
    expect(troupe.actors().filter(({ id }) => id.startsWith("/runs"))).toEqual([
      expect.objectContaining({ id: "/runs", type: "supervisor" }),
      {
        id: `/runs/${run.id}`,
        type: "run",
        parent: "/runs",
        definition: "w",
        state: "running",
        sessionId: run.actor.sessionId,
      },
    ]);
    await run.stop();
    expect(troupe.actors().map(({ id }) => id)).not.toContain(`/runs/${run.id}`);
    await close();
  });

  test("its snapshot is always the fold of the journal, and it is done when the run is", async () => {
    const { troupe, close } = await setScene();
    const definition = workflow("w", steps);
    const run = await troupe.run(definition);
    const values: unknown[] = [];
    let completed = false;
    run.actor.subscribe({ next: ({ value }) => values.push(value), complete: () => (completed = true) });
    const outcome = await run.result();
    const snapshot = run.actor.getSnapshot();
    expect(snapshot).toMatchObject({ status: "done", output: outcome });
    expect(completed).toBe(true);
    expect({ value: snapshot.value, context: snapshot.context }).toEqual(foldAgain(definition, await run.history()));
    expect(values.length).toBeGreaterThan(0);
    await close();
  });

  test("a message sent to it is a signal of the run", async () => {
    const { troupe, close } = await setScene();
    const definition = workflow("w", [
      {
        id: "ask",
        name: "Ask",
        type: "event",
        event: { name: "approve" },
        output: { by: "$.output.by" },
        next: "$end",
      },
    ]);
    const run = await troupe.run(definition);
    expect(run.actor.getSnapshot().matches("ask")).toBe(true);
    run.actor.send({ type: "approve", by: "ann" });
    expect(await run.result()).toEqual({ ok: true, value: { by: "ann" } });
    await close();
  });

  test("its chart is the one of the compiled definition", async () => {
    const { troupe, close } = await setScene({ doing: { slow: () => new Promise(() => {}) } });
    const run = await troupe.run(workflow("w", [task("a", "slow", { next: "b" }), task("b", "echo")]));
    const { config } = (run.actor as unknown as { logic: { config: { states: object } } }).logic;
    expect(Object.keys(config.states)).toEqual(expect.arrayContaining(["a", "b"]));
    expect(run.actor.id).toBe(run.id);
    await close();
  });
});

describe("after a restart", () => {
  test("an unfinished run goes on by itself, under the keys it had, and nothing runs that was done", async () => {
    using folder = makeFolder();
    const seen: never[] = [];
    const options = { store: folder.store };
    const first = await setScene({ options, clock: "real", seen, doing: { stuck: () => new Promise(() => {}) } });
    const definition = workflow("w", [
      task("a", "echo", { input: { n: 1 }, output: { a: "$.output.n" }, next: "b" }),
      task("b", "stuck", { output: { b: "$.output" }, next: "c" }),
      task("c", "echo", { input: { a: "$.variables.a", b: "$.variables.b" } }),
    ]);
    const run = await first.troupe.run(definition, {}, { key: "k" });
    await until(() => first.of("stuck").length === 1);
    await first.close();

    const second = await setScene({ options, clock: "real", seen, doing: { stuck: () => "free" } });
    expect(await second.troupe.runs.recovered()).toBe(1);
    const again = await second.troupe.runs.get(run.id);
    expect(await again.result()).toEqual({ ok: true, value: { a: 1, b: "free" } });
    expect(second.of("stuck").map(({ key }) => key)).toEqual([`${run.id}/b/1/1`, `${run.id}/b/1/1`]);
    expect(second.of("echo").map(({ key }) => key)).toEqual([`${run.id}/a/1/1`, `${run.id}/c/1/1`]);
    expect((await second.troupe.run(definition, {}, { key: "k" })).id).toBe(run.id);
    await second.close();
  });

  test("a result that somebody waits for at the close is told as a failure, and the run lives on", async () => {
    using folder = makeFolder();
    const { troupe, close } = await setScene({
      options: { store: folder.store },
      clock: "real",
      doing: { stuck: () => new Promise(() => {}) },
    });
    const run = await troupe.run(workflow("w", [task("a", "stuck")]));
    const waiting = run.result();
    await close();
    expect(await waiting).toMatchObject({ ok: false, failure: { code: "system/closed" } });
  });

  test("a task that may run at most once is not run again, since nobody knows whether it ran", async () => {
    using folder = makeFolder();
    const options = { store: folder.store };
    const first = await setScene({ options, clock: "real", doing: { pay: () => new Promise(() => {}) } });
    const run = await first.troupe.run(workflow("w", [task("a", "pay", { effect: "at-most-once" })]));
    await until(() => first.of("pay").length === 1);
    await first.close();
    const second = await setScene({ options, clock: "real", doing: { pay: () => "paid twice" } });
    const outcome = await (await second.troupe.runs.get(run.id)).result();
    expect(outcome).toMatchObject({ ok: false, failure: { code: "workflow/outcome-unknown" } });
    expect(second.of("pay")).toEqual([]);
    await second.close();
  });

  test("a recovered task waits a while for its agent, and fails when none comes", async () => {
    using folder = makeFolder();
    const options = { store: folder.store };
    const first = await setScene({ options, doing: { stuck: () => new Promise(() => {}) } });
    const run = await first.troupe.run(workflow("w", [task("a", "stuck")]));
    await first.close();
    const second = await setScene({ options, spawn: false, seed: 2 });
    await second.troupe.runs.recovered();
    const again = await second.troupe.runs.get(run.id);
    await second.clock.advance(80_000);
    expect((await again.status()).status).toBe("running");
    await second.clock.advance(11_000);
    expect(await again.result()).toMatchObject({ ok: false, failure: { code: "dispatch/no-agent" } });
    await second.close();
  });
});

/** The state that a journal leads to, folded by the law alone. */
function foldAgain(definition: object, history: readonly { readonly event: unknown }[]): unknown {
  const law = compile(definition as Definition);
  const [start, ...later] = history.map(({ event }) => event as RunEvent);
  const [first] = law.initial(start as Start);
  return later.reduce((state, event) => law.step(state, event)[0], first);
}

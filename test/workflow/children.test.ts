import { describe, expect, test } from "vitest";
import { makeFolder, setScene, task, until, workflow } from "./scene.ts";

function nested(key: string, inner: string, rest: object = {}): object {
  return workflow(key, [
    {
      id: "sub",
      name: "Sub",
      type: "subworkflow",
      subworkflow: { workflow: inner },
      input: { level: key },
      output: { got: "$.output" },
      next: "$end",
      ...rest,
    },
  ]);
}

describe("a child run", () => {
  test("has an id, a journal and an actor of its own, and its output goes to its parent", async () => {
    const { troupe, close } = await setScene();
    await troupe.workflows.define(
      workflow("leaf", [task("a", "echo", { input: "$.input.level", output: { it: "$.output" } })]),
    );
    await troupe.workflows.define(nested("middle", "leaf"));
    const run = await troupe.run(nested("top", "middle"));
    expect(await run.result()).toEqual({ ok: true, value: { got: { got: { it: "middle" } } } });
    const all = await troupe.runs.list();
    expect(all).toHaveLength(3);
    const middle = all.find(({ workflow: key }) => key === "middle");
    expect(middle?.parent).toBe(run.id);
    expect(await run.steps()).toMatchObject([
      { path: "sub", kind: "subworkflow", status: "completed" },
      { path: "sub/sub", runId: middle?.id },
      { path: "sub/sub/a", kind: "task", agent: "/stand-in/1" },
    ]);
    await close();
  });

  test("of a key that nobody has defined fails its step", async () => {
    const { troupe, close } = await setScene();
    const run = await troupe.run(nested("top", "missing"));
    expect(await run.result()).toMatchObject({ ok: false, failure: { code: "workflow/unknown-definition" } });
    await close();
  });

  test("is stopped with its parent", async () => {
    const { troupe, clock, close } = await setScene({ doing: { slow: () => new Promise(() => {}) } });
    await troupe.workflows.define(workflow("leaf", [task("a", "slow")]));
    const run = await troupe.run(nested("top", "leaf"));
    await clock.advance(0);
    await run.stop();
    await clock.advance(0);
    expect((await troupe.runs.list()).map(({ status }) => status)).toEqual(["cancelled", "cancelled"]);
    expect(await troupe.tasks.list()).toEqual([]);
    await close();
  });

  test("of a workflow that starts itself without end is a failure, not a flood", async () => {
    const { troupe, close } = await setScene();
    await troupe.workflows.define(nested("loop", "loop"));
    const run = await troupe.run("loop");
    expect(await run.result()).toMatchObject({ ok: false, failure: { message: expect.stringContaining("32 deep") } });
    expect((await troupe.runs.list()).length).toBe(33);
    await close();
  });

  test("goes on after a restart, and its parent hears of its end once", async () => {
    using folder = makeFolder();
    const options = { store: folder.store };
    const first = await setScene({ options, clock: "real", doing: { slow: () => new Promise(() => {}) } });
    await first.troupe.workflows.define(workflow("leaf", [task("a", "slow", { output: { it: "$.output" } })]));
    const run = await first.troupe.run(nested("top", "leaf"));
    await until(() => first.of("slow").length === 1);
    await first.close();
    const second = await setScene({ options, clock: "real", seed: 2, doing: { slow: () => "done" } });
    const again = await second.troupe.runs.get(run.id);
    expect(await again.result()).toEqual({ ok: true, value: { got: { it: "done" } } });
    expect(await second.troupe.runs.list()).toHaveLength(2);
    expect(second.of("slow")[0]?.key).toBe(first.of("slow")[0]?.key);
    expect((await again.history()).map(({ type }) => type)).toEqual(["start", "child.completed"]);
    await second.close();
  });

  test("whose end was durable before its parent heard of it is found by the next process", async () => {
    using folder = makeFolder();
    const options = { store: folder.store };
    const first = await setScene({ options, clock: "real", doing: { slow: () => new Promise(() => {}) } });
    await first.troupe.workflows.define(workflow("leaf", [task("a", "slow")]));
    const run = await first.troupe.run(nested("top", "leaf"));
    await until(() => first.of("slow").length === 1);
    const [child] = await first.troupe.runs.list({ parent: run.id });
    await first.close();
    // A process that folds and writes but tells nobody: as if it had died right after the child's last commit.
    const operator = await setScene({
      options: { ...options, workflows: { isWorking: false } },
      clock: "real",
      seed: 2,
    });
    await operator.troupe.tasks.complete(`${child?.id}/a/1/1`, "done");
    expect((await operator.troupe.runs.list({ parent: run.id }))[0]?.status).toBe("completed");
    expect((await (await operator.troupe.runs.get(run.id)).status()).status).toBe("running");
    await operator.close();
    const second = await setScene({ options, clock: "real", seed: 3 });
    expect(await (await second.troupe.runs.get(run.id)).result()).toMatchObject({ ok: true });
    await second.close();
  });
});

test("an error handler of another workflow runs with what went wrong, and the run fails all the same", async () => {
  const { troupe, of, clock, close } = await setScene({
    doing: { broken: ({ fail }) => fail("disk/full", "full"), tell: () => null },
  });
  await troupe.workflows.define(
    workflow("handler", [
      task("tell", "tell", { input: { of: "$.workflowName", step: "$.stepId", why: "$.error.message" } }),
    ]),
  );
  const run = await troupe.run(
    workflow("w", [task("a", "broken")], { errorHandlers: [{ error: "*", handler: "handler" }] }),
  );
  expect(await run.result()).toMatchObject({ ok: false, failure: { code: "disk/full" } });
  await clock.advance(0);
  expect(of("tell")[0]?.input).toEqual({ of: "Workflow w", step: "a", why: "full" });
  await close();
});

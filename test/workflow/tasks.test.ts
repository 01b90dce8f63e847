import { describe, expect, test } from "vitest";
import { makeFolder, setScene, task, workflow } from "./scene.ts";

const definition = workflow("w", [
  task("paint", "paint.wall", { input: { colour: "blue" }, output: { done: "$.output" } }),
]);
const options = { workflows: { outside: ["paint.wall"] } };

describe("a task done outside", () => {
  test("is given out under a fence, kept alive, and completed by id", async () => {
    const { troupe, clock, close } = await setScene({ options });
    const run = await troupe.run(definition);
    const [open] = await troupe.tasks.list();
    expect(open).toMatchObject({
      id: `${run.id}/paint/1/1`,
      runId: run.id,
      stepId: "paint",
      capability: "paint.wall",
      status: "open",
      input: { colour: "blue" },
    });
    const mine = await troupe.tasks.assign({ capability: "paint.wall" }, { assignee: "ann", leaseMs: 10_000 });
    expect(mine).toMatchObject({ status: "assigned", assignee: "ann", fence: 2 });
    expect(await troupe.tasks.assign({ capability: "paint.wall" }, { assignee: "bob" })).toBeUndefined();
    const id = mine?.id ?? "";
    await clock.advance(9_000);
    await troupe.tasks.heartbeat(id, { fence: 2, leaseMs: 10_000 });
    await clock.advance(9_000);
    await troupe.tasks.complete(id, { litres: 4 }, { fence: 2 });
    expect(await run.result()).toEqual({ ok: true, value: { done: { litres: 4 } } });
    expect(await troupe.tasks.get(id)).toMatchObject({ status: "completed", output: { litres: 4 }, assignee: "ann" });
    await expect(troupe.tasks.complete(id, 1)).rejects.toThrow(/is over/);
    await expect(troupe.tasks.get("nothing")).rejects.toThrow(/no task has the id/);
    await close();
  });

  test("is free again when its lease ends, and the late result of the first worker is refused", async () => {
    const { troupe, clock, close } = await setScene({ options });
    const run = await troupe.run(definition);
    const first = await troupe.tasks.assign({ capability: "paint.wall" }, { assignee: "ann", leaseMs: 1_000 });
    const id = first?.id ?? "";
    await clock.advance(1_000);
    await expect(troupe.tasks.heartbeat(id, { fence: 2 })).rejects.toThrow(/its lease may have ended/);
    const second = await troupe.tasks.assign(id, { assignee: "bob" });
    expect(second?.fence).toBeGreaterThan(first?.fence ?? 0);
    await expect(troupe.tasks.complete(id, "late", { fence: first?.fence ?? 0 })).rejects.toThrow(
      /given to somebody else/,
    );
    await troupe.tasks.complete(id, "in time", { fence: second?.fence ?? 0 });
    expect(await run.result()).toEqual({ ok: true, value: { done: "in time" } });
    await close();
  });

  test("that fails is followed by what its step says", async () => {
    const { troupe, close } = await setScene({ options });
    const run = await troupe.run(definition);
    const mine = await troupe.tasks.assign({ capability: "paint.wall" }, { assignee: "ann" });
    await troupe.tasks.fail(mine?.id ?? "", { code: "paint/dry", message: "the paint is dry" });
    expect(await run.result()).toMatchObject({ ok: false, failure: { code: "paint/dry" } });
    expect(await troupe.tasks.get(mine?.id ?? "")).toMatchObject({ status: "failed", failure: { code: "paint/dry" } });
    await close();
  });

  test("keeps its worker over a restart of the troupe", async () => {
    using folder = makeFolder();
    const first = await setScene({ options: { ...options, store: folder.store }, clock: "real" });
    const run = await first.troupe.run(definition);
    const mine = await first.troupe.tasks.assign({ capability: "paint.wall" }, { assignee: "ann" });
    await first.close();
    const second = await setScene({ options: { ...options, store: folder.store }, clock: "real", seed: 2 });
    await second.troupe.runs.recovered();
    const again = await second.troupe.tasks.get(mine?.id ?? "");
    expect(again).toMatchObject({ status: "assigned", assignee: "ann", fence: mine?.fence });
    await second.troupe.tasks.complete(again.id, "done", { fence: again.fence });
    expect(await (await second.troupe.runs.get(run.id)).result()).toMatchObject({ ok: true });
    await second.close();
  });
});

test("an agent's own task may be ended from outside, and the agent is told to stop", async () => {
  let aborted = false;
  const { troupe, close } = await setScene({
    doing: {
      slow: ({ signal }) => {
        signal.addEventListener("abort", () => (aborted = true));
        return new Promise(() => {});
      },
    },
  });
  const run = await troupe.run(workflow("w", [task("a", "slow", { output: { it: "$.output" } })]));
  await troupe.tasks.complete(`${run.id}/a/1/1`, "by hand");
  expect(await run.result()).toEqual({ ok: true, value: { it: "by hand" } });
  expect(aborted).toBe(true);
  await close();
});

import { describe, expect, test } from "vitest";
import { setScene, task, workflow } from "./scene.ts";

/** A capability whose calls last until they are let go, and that counts how many there are at once. */
function makeGate(): {
  doing: () => Promise<null>;
  now: () => number;
  most: () => number;
  free: (count?: number) => void;
} {
  const waiting: (() => void)[] = [];
  let most = 0;
  return {
    doing: () =>
      new Promise((resolve) => {
        waiting.push(() => resolve(null));
        most = Math.max(most, waiting.length);
      }),
    now: () => waiting.length,
    most: () => most,
    free: (count = waiting.length) => {
      for (const go of waiting.splice(0, count)) go();
    },
  };
}

describe("limits on tasks", () => {
  test("no more tasks of a capability are out than it may have at once, and all are done in the end", async () => {
    const gate = makeGate();
    const { troupe, clock, close } = await setScene({
      doing: { work: gate.doing },
      options: { workflows: { tasks: { capabilities: { work: { atOnce: 3 } } } } },
    });
    const definition = workflow("w", [task("a", "work")]);
    const runs = await Promise.all(Array.from({ length: 10 }, () => troupe.run(definition)));
    await clock.advance(0);
    expect(gate.now()).toBe(3);
    for (let round = 0; round < 10; round += 1) {
      gate.free();
      await clock.advance(0);
    }
    for (const run of runs) expect(await run.result()).toMatchObject({ ok: true });
    expect(gate.most()).toBe(3);
    await close();
  });

  test("the engine's own limit counts all capabilities together", async () => {
    const gate = makeGate();
    const { troupe, clock, close } = await setScene({
      doing: { one: gate.doing, two: gate.doing },
      options: { workflows: { tasks: { atOnce: 2 } } },
    });
    for (const capability of ["one", "two", "one"]) await troupe.run(workflow(capability, [task("a", capability)]));
    await clock.advance(0);
    expect(gate.now()).toBe(2);
    await close();
  });

  test("a rate spreads the starts over time", async () => {
    const { troupe, clock, of, close } = await setScene({
      doing: { mail: () => null },
      options: { workflows: { tasks: { capabilities: { mail: { rate: { count: 2, perMs: 1_000 } } } } } },
    });
    const definition = workflow("w", [task("a", "mail")]);
    for (let each = 0; each < 5; each += 1) await troupe.run(definition);
    await clock.advance(0);
    expect(of("mail")).toHaveLength(2);
    await clock.advance(999);
    expect(of("mail")).toHaveLength(2);
    await clock.advance(1);
    expect(of("mail")).toHaveLength(4);
    await clock.advance(1_000);
    expect(of("mail")).toHaveLength(5);
    await close();
  });

  test("urgent runs go first, then those with the earliest deadline, then in order", async () => {
    const gate = makeGate();
    const { troupe, clock, of, close } = await setScene({
      doing: { block: gate.doing, work: () => null },
      options: { workflows: { tasks: { atOnce: 1 } } },
    });
    await troupe.run(workflow("first", [task("a", "block")]));
    const definition = workflow("w", [task("a", "work", { input: "$.input.name" })]);
    await troupe.run(definition, { name: "low" }, { priority: "low" });
    await troupe.run(definition, { name: "plain" });
    await troupe.run(definition, { name: "later" }, { deadlineMs: 90_000 });
    await troupe.run(definition, { name: "sooner" }, { deadlineMs: 10_000 });
    await troupe.run(definition, { name: "high" }, { priority: "high" });
    await clock.advance(0);
    gate.free();
    await clock.advance(0);
    expect(of("work").map(({ input }) => input)).toEqual(["high", "sooner", "later", "plain", "low"]);
    await close();
  });

  test("a full mailbox is waited for, and is no attempt of the step", async () => {
    const gate = makeGate();
    const { troupe, clock, close } = await setScene({ doing: { work: gate.doing }, concurrency: 1 });
    const runs = await Promise.all(Array.from({ length: 8 }, () => troupe.run(workflow("w", [task("a", "work")]))));
    for (let round = 0; round < 40; round += 1) {
      gate.free();
      await clock.advance(60);
    }
    for (const run of runs) expect(await run.result()).toMatchObject({ ok: true });
    await close();
  });

  test.each([
    [{ tasks: { atOnce: 0 } }, /atOnce is 0/],
    [{ tasks: { capabilities: { x: { rate: { count: 0, perMs: 5 } } } } }, /rate.count is 0/],
    [{ runs: { atOnce: 1.5 } }, /atOnce is 1.5/],
  ])("a limit that nothing could keep is refused: %j", async (workflows, message) => {
    await expect(setScene({ options: { workflows } })).rejects.toThrow(message);
  });
});

describe("limits on runs", () => {
  test("of a definition: the others wait in the store, in order of priority, and go on as places come free", async () => {
    const gate = makeGate();
    const { troupe, clock, of, close } = await setScene({ doing: { work: gate.doing } });
    const definition = workflow("w", [task("a", "work", { input: "$.input.n" })], { concurrency: 2 });
    const runs = [];
    for (let n = 0; n < 4; n += 1) runs.push(await troupe.run(definition, { n }));
    const urgent = await troupe.run(definition, { n: "urgent" }, { priority: "high" });
    await clock.advance(0);
    expect(of("work").map(({ input }) => input)).toEqual([0, 1]);
    expect((await urgent.history()).map(({ type }) => type)).toEqual(["queued"]);
    gate.free(1);
    await clock.advance(0);
    expect(of("work").at(-1)?.input).toBe("urgent");
    for (let round = 0; round < 5; round += 1) {
      gate.free();
      await clock.advance(0);
    }
    for (const run of [...runs, urgent]) expect(await run.result()).toMatchObject({ ok: true });
    expect(gate.most()).toBe(2);
    await close();
  });

  test("of the engine: a child run needs no place, so that its parent does not wait for ever", async () => {
    const { troupe, clock, close } = await setScene({ options: { workflows: { runs: { atOnce: 1 } } } });
    await troupe.workflows.define(workflow("inner", [task("a", "echo")]));
    const outer = workflow("outer", [
      { id: "sub", name: "Sub", type: "subworkflow", subworkflow: { workflow: "inner" }, next: "$end" },
    ]);
    const first = await troupe.run(outer);
    const second = await troupe.run(outer);
    await clock.advance(0);
    expect(await first.result()).toMatchObject({ ok: true });
    expect(await second.result()).toMatchObject({ ok: true });
    await close();
  });

  test("of a rate: the others are delayed", async () => {
    const { troupe, clock, of, close } = await setScene();
    const definition = workflow("w", [task("a", "echo")], { rate: { runs: 1, perMs: 1_000 } });
    for (let n = 0; n < 3; n += 1) await troupe.run(definition);
    await clock.advance(0);
    expect(of("echo")).toHaveLength(1);
    await clock.advance(1_000);
    expect(of("echo")).toHaveLength(2);
    await clock.advance(1_000);
    expect(of("echo")).toHaveLength(3);
    await close();
  });

  test("a run that waits for its turn can be stopped, and goes on after a pause", async () => {
    const gate = makeGate();
    const { troupe, clock, of, close } = await setScene({ doing: { work: gate.doing } });
    const definition = workflow("w", [task("a", "work", { input: "$.input.n" })], { concurrency: 1 });
    await troupe.run(definition, { n: 1 });
    const stopped = await troupe.run(definition, { n: 2 });
    expect(await stopped.stop()).toMatchObject({ ok: true });
    expect((await stopped.status()).status).toBe("cancelled");
    const third = await troupe.run(definition, { n: 3 });
    gate.free();
    await clock.advance(0);
    gate.free();
    await clock.advance(0);
    expect(await third.result()).toMatchObject({ ok: true });
    expect(of("work").map(({ input }) => input)).not.toContain(2);
    await close();
  });
});

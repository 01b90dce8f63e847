import { describe, expect, test } from "vitest";
import { type Answer, Bench, define, runOf } from "./bench.ts";

const fail = (code = "call/rejected"): Answer => ({ fail: { code, message: "no" } });
const task = (id: string, more: object = {}): object => ({ id, type: "task", capability: id, ...more });

describe("cancel and compensate", () => {
  const saga = {
    name: "n",
    steps: [
      task("a", { compensate: { capability: "undo_a", input: { was: "$.output" } }, next: "p" }),
      {
        id: "p",
        type: "parallel",
        parallel: {
          branches: [
            {
              id: "x",
              steps: [task("x", { compensate: { capability: "undo_x", retry: { attempts: 2, interval: 10 } } })],
            },
            { id: "y", steps: [task("y", { compensate: "undo_y" })] },
          ],
        },
        next: "c",
      },
      task("c"),
    ],
  };

  test("a failure undoes what was done, newest first, and then the run fails", () => {
    const bench = runOf(saga, { agents: { a: 7, c: fail() } });
    expect(bench.calls).toEqual(["a", "x", "y", "c", "undo_y", "undo_x", "undo_a"]);
    expect(bench.phase).toBe("failed");
    expect(bench.tasks.at(-1)).toMatchObject({
      input: { was: 7 },
      compensates: "run-1/a/1/1",
      taskId: "run-1/$undo/3/1",
      effect: "idempotent",
    });
    expect(bench.effects.at(-1)).toMatchObject({ type: "fail", path: "c" });
    expect(bench.facts.map(({ type }) => type)).toContain("compensation.started");
  });

  test("a stop without compensation only cancels; with it, everything done is undone", () => {
    for (const compensate of [false, true]) {
      const bench = new Bench(define(saga), { agents: { c: "never" } }).run();
      bench.send({ type: "cancel", compensate, reason: "enough" });
      bench.run();
      expect(bench.phase).toBe("cancelled");
      expect(bench.calls.slice(4)).toEqual(compensate ? ["undo_y", "undo_x", "undo_a"] : []);
      expect(bench.open.size).toBe(0);
      expect(bench.effects.at(-1)).toEqual({ type: "cancelled", reason: "enough" });
    }
  });

  test("a stop while a run is being undone ends it, and leaves the rest as it is", () => {
    const bench = new Bench(define(saga), { agents: { c: fail(), undo_x: "never" } }).settle();
    expect([...bench.open.values()].map(({ capability }) => capability)).toEqual(["undo_x"]);
    bench.send({ type: "cancel", reason: "enough" });
    expect([bench.phase, bench.open.size]).toEqual(["cancelled", 0]);
    expect(bench.calls).not.toContain("undo_a");
    expect(bench.effects.at(-1)).toEqual({ type: "cancelled", reason: "enough" });
  });

  test("a stop that asks for it makes a rollback undo everything, and the run does not go on", () => {
    const steps = [
      task("a", { compensate: "undo_a", next: "b" }),
      task("b", { compensate: "undo_b", checkpoint: true, next: "c" }),
      task("c", { compensate: "undo_c", next: "d" }),
      task("d", { onError: { action: "rollback" } }),
    ];
    const bench = new Bench(define({ name: "n", steps }), { agents: { d: fail(), undo_c: "never" } }).settle();
    const [open] = bench.open.keys();
    bench.send({ type: "cancel", compensate: true, reason: "enough" });
    expect([bench.phase, ...bench.open.keys()]).toEqual(["compensating", open]);
    bench.send({ type: "task.completed", taskId: open ?? "", output: null });
    bench.run();
    expect([bench.phase, ...bench.calls.slice(4)]).toEqual(["cancelled", "undo_c", "undo_b", "undo_a"]);
  });

  test("undoing has retries of its own; where it stops, the run is parked and a retry goes on", () => {
    let calls = 0;
    const agents = { c: fail(), undo_x: () => ((calls += 1) < 3 ? fail() : 1) };
    const bench = runOf(saga, { agents });
    expect(bench.phase).toBe("compensation-failed");
    expect(bench.effects.at(-1)).toMatchObject({ type: "parkCompensation", taskId: "run-1/p/x/x/1/1" });
    expect(bench.calls).toEqual(["a", "x", "y", "c", "undo_y", "undo_x", "undo_x"]);
    bench.send({ type: "retry" });
    expect(bench.run().phase).toBe("failed");
    expect(bench.calls.slice(7)).toEqual(["undo_x", "undo_a"]);
    expect(new Set(bench.tasks.map(({ taskId }) => taskId)).size).toBe(bench.tasks.length);
  });

  test("a parked run may be given up", () => {
    const bench = runOf(saga, { agents: { c: fail(), undo_x: fail() } });
    bench.send({ type: "cancel" });
    expect(bench.phase).toBe("cancelled");
  });
});

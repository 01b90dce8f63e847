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

/** `b` is undone when `c` fails and the run goes back to where `a` was done; `a` is undone only with everything. */
const rollsBack = {
  name: "n",
  steps: [
    task("a", { compensate: "undo_a", checkpoint: true }),
    task("b", { compensate: "undo_b" }),
    task("c", { onError: { action: "rollback" } }),
  ],
};

describe("a run that was stopped while it was undone", () => {
  const fails = { ...rollsBack, steps: [...rollsBack.steps.slice(0, 2), task("c")] };
  const ways: readonly (readonly [string, object, readonly boolean[]])[] = [
    ["after a failure", fails, [false]],
    ["in a rollback", rollsBack, [false]],
    ["in a rollback, first so that everything is undone", rollsBack, [true, false]],
  ];

  test.each(ways)("%s is not taken up again, whether or not a step was undone", (_how, definition, stops) => {
    for (const throughJson of [false, true]) {
      for (const stuck of ["undo_b", "undo_a"]) {
        const bench = new Bench(define(definition), { agents: { c: fail(), [stuck]: "never" }, throughJson });
        bench.settle();
        for (const compensate of stops) bench.settle().send({ type: "cancel", compensate });
        const { state } = bench;
        expect([state.value, bench.open.size]).toEqual(["$cancelled", 0]);
        expect(bench.send({ type: "retry" })).toEqual([]);
        expect(bench.state).toEqual(state);
        bench.send({ type: "fork", executionId: "run-2" });
        expect([bench.phase, bench.state.value, bench.open.size]).toEqual(["cancelled", "$cancelled", 0]);
      }
    }
  });

  test("is not taken up again either when its undoing stood still before", () => {
    for (const definition of [fails, rollsBack]) {
      const bench = runOf(definition, { agents: { c: fail(), undo_b: fail() } });
      expect(bench.phase).toBe("compensation-failed");
      bench.send({ type: "cancel" });
      expect(bench.send({ type: "retry" })).toEqual([]);
      expect([bench.phase, bench.state.value]).toEqual(["cancelled", "$cancelled"]);
    }
  });
});

test("a run that failed at the end of its rollback is retried and copied as one that is being rolled back", () => {
  const steps = [
    task("a", { checkpoint: true }),
    task("b", { compensate: "undo_b", input: { twice: "$.variables.n * 2" } }),
    task("c", { onError: { action: "rollback" } }),
  ];
  const definition = { name: "n", variables: { n: 1 }, steps };
  const bench = new Bench(define(definition), { agents: { c: fail(), undo_b: "never" } }).settle();
  bench.send({ type: "patch", patches: [{ op: "replace", path: ["n"], value: "x" }] });
  bench.send({ type: "task.completed", taskId: "run-1/$undo/1/1", output: null });
  expect([bench.phase, bench.failure?.code]).toEqual(["failed", "workflow/expression"]);
  bench.send({ type: "retry" });
  expect([bench.phase, bench.failure?.code]).toEqual(["failed", "workflow/expression"]);
  bench.send({ type: "fork", executionId: "run-2" });
  expect([bench.phase, bench.state.value]).toEqual(["compensating", "$compensating"]);
  expect([...bench.open.keys()]).toEqual(["run-2/$undo/2/1"]);
});

describe("a deadline in a rollback", () => {
  const hasty = { ...rollsBack, timeoutMs: 200 };

  function fire(bench: Bench): void {
    const [timerId = ""] = bench.timers.keys();
    bench.timers.delete(timerId);
    bench.now += 300;
    bench.send({ type: "timer.fired", timerId });
  }

  function undone(bench: Bench): void {
    const [taskId = ""] = bench.open.keys();
    bench.send({ type: "task.completed", taskId, output: null });
  }

  test("undoes everything, the running undo under its own id, and fails the run", () => {
    for (const throughJson of [false, true]) {
      const bench = new Bench(define(hasty), { agents: { c: fail(), undo_b: "never" }, throughJson }).settle();
      fire(bench);
      expect([bench.phase, bench.state.value, ...bench.open.keys()]).toEqual([
        "compensating",
        "$compensating",
        "run-1/$undo/1/1",
      ]);
      undone(bench);
      bench.run();
      expect([bench.phase, bench.failure?.code]).toEqual(["failed", "workflow/timeout"]);
      expect(bench.calls).toEqual(["a", "b", "c", "undo_b", "undo_a"]);
      expect(bench.send({ type: "retry" })).toEqual([]);
    }
  });

  test("leaves a rollback that stands still as it is; a retry then undoes everything", () => {
    let broken = true;
    const agents = { c: fail(), undo_b: () => (broken ? fail() : 1) };
    const bench = new Bench(define(hasty), { agents }).settle();
    expect(bench.phase).toBe("compensation-failed");
    fire(bench);
    expect([bench.phase, bench.open.size]).toEqual(["compensation-failed", 0]);
    broken = false;
    bench.send({ type: "retry" });
    expect(bench.run().failure?.code).toBe("workflow/timeout");
    expect([bench.phase, ...bench.calls.slice(3)]).toEqual(["failed", "undo_b", "undo_b", "undo_a"]);
  });

  test("goes to the workflow that handles it first, which may be stopped; then everything is undone", () => {
    const definition = { ...hasty, errorHandlers: [{ error: "workflow/timeout", handler: "tell" }] };
    const workflows = { tell: define({ name: "t", steps: [task("told")] }) };
    const bench = new Bench(define(definition), { agents: { c: fail(), undo_b: "never" }, workflows }).settle();
    fire(bench);
    expect([bench.phase, bench.state.value, bench.open.size]).toEqual(["running", "$handling", 0]);
    const handling = bench.state;
    bench.settle();
    expect([bench.phase, ...bench.open.keys()]).toEqual(["compensating", "run-1/$undo/2/1"]);
    undone(bench);
    expect(bench.run().failure?.code).toBe("workflow/timeout");
    expect([bench.phase, bench.calls.at(-1)]).toEqual(["failed", "undo_a"]);
    const [stopped] = bench.compiled.step(handling, { type: "cancel", at: bench.now });
    expect(stopped.context.phase).toBe("cancelled");
  });

  test("goes to the step that handles it, from where the run goes on", () => {
    const definition = {
      ...hasty,
      steps: [...["b", "c", "$end"].map((next, at) => ({ ...rollsBack.steps[at], next })), task("late")],
      errorHandlers: [{ error: "workflow/timeout", handler: "late" }],
    };
    const bench = new Bench(define(definition), { agents: { c: fail(), undo_b: "never", late: "never" } }).settle();
    fire(bench);
    expect([bench.phase, bench.state.value, ...bench.open.keys()]).toEqual(["running", "late", "run-1/late/1/1"]);
  });
});

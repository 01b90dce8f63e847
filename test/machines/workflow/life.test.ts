import { describe, expect, test } from "vitest";
import { type Answer, Bench, define, runOf } from "./bench.ts";

const fail = (code = "call/rejected", more: object = {}): Answer => ({ fail: { code, message: "no", ...more } });
const task = (id: string, more: object = {}): object => ({ id, type: "task", capability: id, ...more });
const two = {
  name: "n",
  steps: [
    task("a", { output: { a: "$.output" } }),
    task("b", { input: { a: "$.variables.a" }, output: { b: "$.output" } }),
  ],
};

describe("pause and resume", () => {
  test("what is in flight may end, but nothing goes on until the run is resumed", () => {
    const bench = new Bench(define(two), { agents: { a: "never" } });
    bench.send({ type: "pause" });
    expect(bench.phase).toBe("paused");
    bench.send({ type: "task.completed", taskId: "run-1/a/1/1", output: 1 });
    bench.send({ type: "signal", name: "x", payload: 1 });
    expect(bench.calls).toEqual(["a"]);
    bench.send({ type: "resume", input: { more: 2 } });
    expect(bench.run().phase).toBe("completed");
    expect(bench.calls).toEqual(["a", "b"]);
    expect(bench.state.context.input).toEqual({ more: 2 });
    expect(bench.state.context.signals).toEqual([{ name: "x", payload: 1 }]);
  });

  test("events that were held are taken in order, also those of branches side by side", () => {
    const branches = ["x", "y"].map((id) => ({ id, steps: [task(id, { output: { [id]: "$.output" } })] }));
    const bench = new Bench(
      define({ name: "n", steps: [{ id: "p", type: "parallel", parallel: { branches } }, task("z")] }),
      { agents: { x: "never", y: "never" } },
    );
    bench.send({ type: "pause" });
    for (const id of ["y", "x"]) bench.send({ type: "task.completed", taskId: `run-1/p/${id}/${id}/1/1`, output: id });
    bench.send({ type: "resume" });
    expect(bench.run().output).toEqual({ x: "x", y: "y" });
  });

  test("pausing twice, resuming a running run and signals beyond the limit change nothing or are refused", () => {
    const bench = new Bench(define(two), { agents: { a: "never" } });
    expect(bench.send({ type: "resume" })).toEqual([]);
    bench.send({ type: "pause" });
    const paused = bench.state;
    bench.send({ type: "pause" });
    expect(bench.state).toBe(paused);
    for (let at = 0; at < 1_000; at += 1) bench.send({ type: "signal", name: "x", payload: at });
    expect(bench.send({ type: "signal", name: "x", payload: 0 })).toEqual([
      expect.objectContaining({ type: "refuseSignal" }),
    ]);
  });
});

describe("the whole run", () => {
  test("an input that does not fit starts nothing", () => {
    const definition = { ...two, input: { type: "object", properties: { n: { type: "number" } }, required: ["n"] } };
    const bench = runOf(definition, { input: { n: "1" } });
    expect(bench.tasks).toEqual([]);
    expect(bench.failure?.code).toBe("workflow/invalid-input");
    expect(runOf(definition, { input: { n: 1 } }).phase).toBe("completed");
  });

  test("the output is the result, checked against the output's schema, else the variables", () => {
    expect(runOf({ ...two, result: { only: "$.variables.b" } }, { agents: { a: 1, b: 2 } }).output).toEqual({
      only: 2,
    });
    expect(runOf({ ...two, output: { only: "$.variables.b" } }, { agents: { a: 1, b: 2 } }).output).toEqual({
      only: 2,
    });
    const checked = runOf({ ...two, output: { type: "object", required: ["c"] } }, { agents: { a: 1, b: 2 } });
    expect(checked.failure?.code).toBe("workflow/invalid-output");
    expect(runOf({ ...two, result: "$.variables.a + '/x'" }, { agents: { a: 1, b: 2 } }).output).toBe("1/x");
  });

  test("a run over its time fails, with everything open taken back", () => {
    const bench = runOf({ ...two, timeoutMs: 5_000 }, { agents: { b: "never" } });
    expect(bench.failure?.code).toBe("workflow/timeout");
    expect(bench.open.size + bench.timers.size).toBe(0);
    expect(bench.now).toBe(1_005_000);
  });

  test("the deadline's timer goes when the run ends", () => {
    expect(runOf({ ...two, timeoutMs: 5_000 }).timers.size).toBe(0);
  });

  test("steps that lead in circles without waiting fail the run instead of hanging it", () => {
    const definition = {
      name: "n",
      steps: [
        task("a", { condition: "$.input.on", next: "b" }),
        { id: "b", type: "decision", decision: { expression: "true", branches: { true: "a" } } },
      ],
    };
    const bench = runOf(definition, { input: { on: false } });
    expect(bench.failure?.code).toBe("workflow/endless");
    expect(bench.phase).toBe("failed");
  });

  test("variables may be there from the start, values from the environment too", () => {
    const definition = {
      name: "n",
      variables: { base: "$.input.x + 1" },
      env: ["TOKEN_NAME"],
      steps: [task("a", { input: { b: "$.variables.base", t: "$.env.TOKEN_NAME" } })],
    };
    expect(runOf(definition, { input: { x: 1 }, env: { TOKEN_NAME: "t" } }).taskOf("a").input).toEqual({
      b: 2,
      t: "t",
    });
    expect(runOf({ ...definition, variables: { base: "$.input.x * 'a'" } }, { input: { x: 1 } }).tasks).toEqual([]);
  });

  test("a live patch changes the variables that later steps read; one that does not fit is refused", () => {
    const bench = new Bench(define(two), { agents: { a: "never" } });
    bench.send({ type: "patch", patches: [{ op: "add", path: ["extra"], value: { n: 1 } }] });
    bench.send({ type: "task.completed", taskId: "run-1/a/1/1", output: 1 });
    bench.send({
      type: "patch",
      patches: [
        { op: "replace", path: ["a"], value: 9 },
        { op: "remove", path: ["extra", "n"] },
      ],
    });
    expect(bench.send({ type: "patch", patches: [{ op: "replace", path: ["no", "such"], value: 9 }] })).toEqual([
      expect.objectContaining({ type: "refuseSignal", name: "patch" }),
    ]);
    expect(bench.run().output).toMatchObject({ a: 9, extra: {} });
  });
});

describe("retry and fork", () => {
  test.each([
    ["parallel", { type: "parallel", parallel: { branches: [{ id: "x", steps: [task("x")] }] } }],
    ["sequence", { type: "sequence", sequence: { steps: [task("x")] } }],
    ["loop", { type: "loop", loop: { times: 2, steps: [task("x")] } }],
  ])("a fallback that was under way for a whole %s is asked for again, under a new id and alone", (_kind, list) => {
    const step = { id: "p", ...list, onError: { error: "*", fallback: "other" } };
    const bench = new Bench(define({ name: "n", steps: [step] }), { agents: { x: fail(), other: "never" } }).settle();
    bench.send({ type: "cancel" });
    bench.send({ type: "retry" });
    expect([...bench.open.keys()]).toEqual(["run-1/p/1/3"]);
    bench.send({ type: "task.completed", taskId: "run-1/p/1/3", output: 5 });
    expect(bench.phase).toBe("completed");
  });

  test("a run whose last result was undone is not retried, though that result came with the event that failed it", () => {
    const steps = [task("a", { compensate: "undo" }), task("b", { input: { x: "$.input.none * 'a'" } })];
    const bench = new Bench(define({ name: "n", steps }), { agents: { a: 1, undo: null } });
    bench.run();
    expect([bench.phase, bench.calls]).toEqual(["failed", ["a", "undo"]]);
    const { state } = bench;
    expect(bench.send({ type: "retry" })).toEqual([]);
    expect(bench.state).toBe(state);
  });

  test("a copy of a run that is being undone goes on undoing, by a task of its own", () => {
    const steps = [
      task("a", { checkpoint: true }),
      task("b", { compensate: "undo" }),
      task("c", { onError: { action: "rollback" } }),
    ];
    const bench = new Bench(define({ name: "n", steps }), {
      agents: { a: 1, b: 2, c: fail(), undo: "never" },
    }).settle();
    expect([...bench.open.values()].map(({ capability }) => capability)).toEqual(["undo"]);
    const before = bench.state;
    bench.send({ type: "fork", executionId: "run-2" });
    expect(bench.state).not.toBe(before);
    expect(bench.state.context.phase).toBe("compensating");
    expect([...bench.open.keys()].filter((id) => id.startsWith("run-2/"))).toEqual(["run-2/$undo/2/1"]);
    expect(bench.open.get("run-2/$undo/2/1")).toMatchObject({ capability: "undo", step: "b" });
  });

  test("a retry of a run that failed at its resumption keeps the results that were held, and no time that was up", () => {
    const bench = new Bench(define({ ...two, timeoutMs: 200 }), { agents: { a: "never", b: 7 } });
    bench.send({ type: "pause" });
    bench.send({ type: "task.completed", taskId: "run-1/a/1/1", output: 1 });
    bench.now += 200;
    bench.timers.delete("run-1/$run/1/1#deadline");
    bench.send({ type: "timer.fired", timerId: "run-1/$run/1/1#deadline" });
    bench.send({ type: "resume" });
    expect(bench.failure?.code).toBe("workflow/timeout");
    bench.send({ type: "retry" });
    expect(bench.state.context.held).toEqual([]);
    bench.send({ type: "pause" });
    bench.send({ type: "resume" });
    expect(bench.run().output).toEqual({ a: 1, b: 7 });
    expect(bench.calls.filter((call) => call === "a")).toHaveLength(1);
  });

  test("a failed run goes on from the step that failed, as a new visit; what is done keeps its result", () => {
    let calls = 0;
    const bench = runOf(two, { agents: { a: 1, b: () => ((calls += 1) === 1 ? fail() : 2) } });
    expect(bench.phase).toBe("failed");
    bench.send({ type: "retry" });
    expect(bench.run().output).toEqual({ a: 1, b: 2 });
    expect(bench.tasks.map(({ taskId }) => taskId)).toEqual(["run-1/a/1/1", "run-1/b/1/1", "run-1/b/2/1"]);
  });

  test("of a map only the items that were not done are run again", () => {
    let broken = true;
    const definition = {
      name: "n",
      steps: [
        {
          id: "m",
          type: "map",
          map: { over: "$.input.items", concurrency: 2, capability: "f" },
          output: { got: "$.output" },
        },
      ],
    };
    const bench = runOf(definition, {
      input: { items: [1, 2, 3, 4] },
      agents: { f: (asked) => (asked.input === 3 && broken ? fail() : asked.input) },
    });
    expect(bench.phase).toBe("failed");
    broken = false;
    bench.send({ type: "retry" });
    expect(bench.run().output).toEqual({ got: [1, 2, 3, 4] });
    const asked = bench.tasks.map(({ path, visit }) => `${path}/${visit}`);
    expect(asked.filter((id) => id.startsWith("m[0]") || id.startsWith("m[1]"))).toEqual([
      "m[0]/m_item/1",
      "m[1]/m_item/1",
    ]);
    expect(asked).toContain("m[2]/m_item/2");
  });

  test("a result that arrived with the failing event is kept: only the step after it is tried again", () => {
    const definition = {
      name: "n",
      steps: [task("a", { output: { a: "$.output" } }), task("b", { input: { p: "$.variables.late + '/x'" } })],
    };
    const bench = runOf(definition, { agents: { a: 1 } });
    expect(bench.failure?.code).toBe("workflow/expression");
    bench.send({ type: "retry" });
    expect(bench.phase).toBe("failed");
    expect(bench.tasks.map(({ taskId }) => taskId)).toEqual(["run-1/a/1/1"]);
  });

  test("branches that were cancelled with the failed one begin again too, those that were done do not", () => {
    let broken = true;
    const branches = ["x", "y", "z"].map((id) => ({ id, steps: [task(id, { output: { [id]: "$.output" } })] }));
    const definition = { name: "n", steps: [{ id: "p", type: "parallel", parallel: { branches } }] };
    const bench = runOf(definition, {
      agents: { x: 1, y: () => (broken ? fail() : 2), z: () => (broken ? "never" : 3) },
    });
    broken = false;
    bench.send({ type: "retry" });
    expect(bench.run().output).toEqual({ x: 1, y: 2, z: 3 });
    expect(bench.calls).toEqual(["x", "y", "z", "y", "z"]);
  });

  test("a cancelled run may be taken up again; a completed one and one that was undone may not", () => {
    const bench = new Bench(define(two), { agents: { b: "never" } }).run();
    bench.send({ type: "cancel" });
    expect(bench.phase).toBe("cancelled");
    bench.send({ type: "retry" });
    expect(bench.phase).toBe("running");
    bench.send({ type: "task.completed", taskId: "run-1/b/2/1", output: 2 });
    expect(bench.phase).toBe("completed");
    expect(bench.send({ type: "retry" })).toEqual([]);
    const undone = runOf(
      { name: "n", steps: [task("a", { compensate: "undo" }), task("b")] },
      { agents: { b: fail() } },
    );
    expect(undone.send({ type: "retry" })).toEqual([]);
  });

  test("a fork begins what is open again under the new id", () => {
    const bench = new Bench(define(two), { agents: { b: "never" } }).run();
    const effects = bench.send({ type: "fork", executionId: "run-2" });
    expect(effects.filter(({ type }) => type === "scheduleTask")).toEqual([
      expect.objectContaining({ taskId: "run-2/b/1/1", input: { a: {} } }),
    ]);
    bench.send({ type: "task.completed", taskId: "run-2/b/1/1", output: 5 });
    expect(bench.output).toEqual({ a: {}, b: 5 });
  });

  test("a fork of a run with timers, children and loops goes on to its end", () => {
    const child = define({ name: "c", steps: [task("d")] });
    const definition = {
      name: "n",
      timeoutMs: 60_000,
      steps: [
        {
          id: "l",
          type: "loop",
          loop: {
            times: 2,
            steps: [
              { id: "w", type: "wait", wait: 1_000 },
              { id: "s", type: "subworkflow", subworkflow: "c" },
            ],
          },
        },
        task("z"),
      ],
    };
    const bench = new Bench(define(definition), { workflows: { c: child } }).advance(1);
    expect(bench.started.at(-1)).toBe("s");
    bench.timers.clear();
    bench.children.clear();
    bench.send({ type: "fork", executionId: "run-2" });
    expect([...bench.timers.keys()]).toEqual(["run-2/$run/1/1#deadline"]);
    expect(bench.run().phase).toBe("completed");
    expect([...bench.children.keys()]).toEqual(["run-2/l/s/1/1", "run-2/l/s/2/1"]);
  });
});

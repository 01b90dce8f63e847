import { describe, expect, test } from "vitest";
import { Bench, define, runOf, type Answer } from "./bench.ts";

const fail = (code = "call/rejected", more: object = {}): Answer => ({ fail: { code, message: "no", ...more } });
const task = (id: string, more: object = {}): object => ({ id, type: "task", capability: id, ...more });

describe("order", () => {
  test("a list in which no step has next runs in order", () => {
    const bench = runOf({ name: "n", steps: [task("a"), task("b"), task("c")] });
    expect(bench.started).toEqual(["a", "b", "c"]);
    expect(bench.phase).toBe("completed");
  });

  test("where one step has next, a step without it ends its path", () => {
    const bench = runOf({
      name: "n",
      steps: [task("a", { next: "c" }), task("c"), task("b", { next: "c" })].slice(0, 2),
    });
    expect(bench.started).toEqual(["a", "c"]);
    const split = runOf(
      {
        name: "n",
        steps: [
          { id: "d", type: "decision", decision: { expression: "$.input.x", branches: { true: "a", false: "b" } } },
          task("a", { next: "c" }),
          task("b"),
          task("c"),
        ],
      },
      { input: { x: false } },
    );
    expect(split.started).toEqual(["d", "b"]);
  });

  test("next may be computed, or chosen by conditions; a target that is none fails the step", () => {
    const steps = (next: unknown): object => ({
      name: "n",
      steps: [task("a", { next }), task("b", { next: "$end" }), task("c", { next: "$end" })],
    });
    const chosen = steps([{ when: "$.input.n > 5", to: "b" }, { to: "c" }]);
    expect(runOf(chosen, { input: { n: 9 } }).started).toEqual(["a", "b"]);
    expect(runOf(chosen, { input: { n: 1 } }).started).toEqual(["a", "c"]);
    const computed = steps("$.output.go == 'b' ? 'b' : 'c'");
    expect(runOf(computed, { agents: { a: { go: "b" } } }).started).toEqual(["a", "b"]);
    expect(runOf(computed, { agents: { a: { go: "x" } } }).started).toEqual(["a", "c"]);
    const wild = steps("$.output.go || 'b' || 'c'");
    expect(runOf(wild, { agents: { a: { go: "elsewhere" } } }).failure).toMatchObject({ code: "workflow/expression" });
  });

  test("a step whose condition is false is skipped, with its branches", () => {
    const definition = {
      name: "n",
      steps: [
        task("a", { condition: "$.input.on" }),
        {
          id: "p",
          type: "parallel",
          condition: "$.input.on",
          parallel: { branches: [{ id: "x", steps: [task("b")] }] },
        },
        { id: "s", type: "sequence", condition: "$.input.on", sequence: { steps: [task("c")] } },
        { id: "l", type: "loop", condition: "$.input.on", loop: { times: 2, steps: [task("d")] } },
        { id: "m", type: "map", condition: "$.input.on", map: { over: [1], capability: "e" } },
        task("z"),
      ],
    };
    const off = runOf(definition, { input: { on: false } });
    expect(off.calls).toEqual(["z"]);
    expect(off.facts.filter(({ type }) => type === "step.skipped")).toHaveLength(5);
    expect(runOf(definition, { input: { on: true } }).calls).toEqual(["a", "b", "c", "d", "d", "e", "z"]);
  });

  test("$fail fails the run, $end ends the path", () => {
    const definition = (to: string): object => ({
      name: "n",
      steps: [task("a", { next: to }), task("b", { onError: "a" })].slice(0, 1),
    });
    expect(runOf(definition("$end")).phase).toBe("completed");
    expect(runOf(definition("$fail")).failure?.code).toBe("workflow/failed-by-definition");
  });
});

describe("tasks", () => {
  test("an attempt that takes too long is cancelled and tried again; the last one fails", () => {
    const definition = { name: "n", steps: [task("a", { timeout: "5 s", retry: { attempts: 2, interval: 100 } })] };
    const bench = runOf(definition, { agents: { a: "never" } });
    expect(bench.phase).toBe("failed");
    expect(bench.failure).toMatchObject({ code: "workflow/step-timeout" });
    expect(bench.tasks.map(({ taskId, dueAt }) => [taskId, dueAt])).toEqual([
      ["run-1/a/1/1", 1_005_000],
      ["run-1/a/1/2", 1_010_100],
    ]);
    expect(bench.effects.filter(({ type }) => type === "cancelTask")).toHaveLength(2);
    expect(bench.open.size).toBe(0);
    expect(bench.timers.size).toBe(0);
  });

  test("a late result of an attempt that was given up changes nothing", () => {
    const bench = new Bench(
      define({ name: "n", steps: [task("a", { timeout: 1_000, retry: { attempts: 2, interval: 10 } })] }),
      { agents: { a: "never" } },
    );
    bench.advance(2);
    const before = bench.state;
    expect(bench.send({ type: "task.completed", taskId: "run-1/a/1/1", output: 1 })).toEqual([]);
    expect(bench.state).toBe(before);
    bench.send({ type: "task.completed", taskId: "run-1/a/1/2", output: 2 });
    expect(bench.phase).toBe("completed");
    expect(bench.send({ type: "task.completed", taskId: "run-1/a/1/2", output: 3 })).toEqual([]);
  });

  test.each([
    ["linear", [1_000, 3_000, 6_000]],
    ["exponential", [1_000, 3_000, 7_000]],
    ["none", []],
  ])("retries grow: %s", (strategy, due) => {
    const definition = {
      name: "n",
      steps: [task("a", { retry: { strategy, attempts: 4, interval: 1_000, max: 3_500 } })],
    };
    const bench = runOf(definition, { agents: { a: fail() } });
    const times = bench.effects.flatMap((effect) => (effect.type === "startTimer" ? [effect.dueAt - 1_000_000] : []));
    expect(times).toEqual(strategy === "exponential" ? [1_000, 3_000, 6_500] : due);
  });

  test("a failure with a code of the agent's own is retried where the step says so", () => {
    const agents = { a: fail("disk/full", { retry: "never" }) };
    expect(runOf({ name: "n", steps: [task("a", { retry: 3 })] }, { agents }).tasks).toHaveLength(3);
  });

  test("a failure whose advice is never is not retried, unless its code is named", () => {
    const agents = { a: fail("call/invalid-input", { retry: "never" }) };
    expect(runOf({ name: "n", steps: [task("a", { retry: 3 })] }, { agents }).tasks).toHaveLength(1);
    expect(
      runOf({ name: "n", steps: [task("a", { retry: { attempts: 3, errors: "call/*" } })] }, { agents }).tasks,
    ).toHaveLength(3);
    expect(
      runOf({ name: "n", steps: [task("a", { retry: { attempts: 3, errors: ["agent/crashed"] } })] }, { agents }).tasks,
    ).toHaveLength(1);
  });

  test("jitter takes a part of the delay away, the same part on replay", () => {
    const definition = { name: "n", steps: [task("a", { retry: { attempts: 2, interval: 10_000, jitter: 1 } })] };
    const due = (): number[] =>
      runOf(definition, { agents: { a: fail() } }).effects.flatMap((effect) =>
        effect.type === "startTimer" ? [effect.dueAt] : [],
      );
    expect(due()).toEqual(due());
    expect(due()[0]).toBeLessThan(1_010_000);
  });

  test("a result that does not fit the step's schema fails it", () => {
    const schema = { type: "object", properties: { n: { type: "number" } }, required: ["n"] };
    const definition = { name: "n", steps: [task("a", { schema })] };
    expect(runOf(definition, { agents: { a: { n: 1 } } }).phase).toBe("completed");
    expect(runOf(definition, { agents: { a: { n: "1" } } }).failure).toMatchObject({
      code: "workflow/invalid-output",
      message: expect.stringContaining("n ") as string,
    });
  });

  test("a step that is late is told once", () => {
    const bench = runOf(
      { name: "n", slaMs: 500, steps: [task("a", { sla: 100, timeout: 1_000 })] },
      { agents: { a: "never" } },
    );
    expect(
      bench.facts.filter(({ type }) => type === "step.late" || type === "execution.late").map(({ type }) => type),
    ).toEqual(["step.late", "execution.late"]);
  });
});

describe("errors", () => {
  const route = (onError: unknown, agents: { readonly [name: string]: Answer }, extra: object[] = []): Bench =>
    runOf(
      {
        name: "n",
        result: "$.variables",
        steps: [task("a", { onError, output: { got: "$.output" }, next: "z" }), task("z"), ...extra],
      },
      { agents },
    );

  test("continue goes on with a result of its own, and says that it is degraded", () => {
    const bench = route({ action: "continue", result: { stale: true } }, { a: fail() });
    expect(bench.phase).toBe("completed");
    expect(bench.output).toEqual({ got: { stale: true } });
    expect(bench.facts.some(({ type }) => type === "execution.degraded")).toBe(true);
  });

  test("a fallback does it in another way; when that fails too, the next route is tried", () => {
    const onError = [
      { error: "call/*", fallback: { capability: "b", input: { why: "$.error.code" } } },
      { action: "continue", result: 0 },
    ];
    const good = route(onError, { a: fail(), b: 5 });
    expect(good.output).toEqual({ got: 5 });
    expect(good.tasks[1]).toMatchObject({ taskId: "run-1/a/1/2", capability: "b", input: { why: "call/rejected" } });
    expect(route(onError, { a: fail(), b: fail() }).output).toEqual({ got: 0 });
  });

  test("routes are chosen by code and by condition", () => {
    const onError = [
      { error: ["agent/crashed"], next: "x" },
      { when: "$.error.data.severity == 'low'", action: "continue", result: "low" },
      { error: "*", next: "y" },
    ];
    const extra = [task("x", { next: "$end" }), task("y", { next: "$end" })];
    expect(route(onError, { a: fail("agent/crashed") }, extra).started).toEqual(["a", "x"]);
    expect(route(onError, { a: fail("call/rejected", { data: { severity: "low" } }) }, extra).output).toEqual({
      got: "low",
    });
    expect(route(onError, { a: fail() }, extra).started).toEqual(["a", "y"]);
  });

  test("a step handler takes the run on, once; the error is there to read", () => {
    const definition = {
      name: "n",
      errorHandlers: [{ error: "call/*", handler: "mend" }],
      steps: [
        task("a", { next: "b" }),
        task("b", { next: "$end" }),
        task("mend", { input: { step: "$.error.step", code: "$.error.code" }, next: "b" }),
      ],
    };
    const mended = runOf(definition, { agents: { a: fail() } });
    expect(mended.started).toEqual(["a", "mend", "b"]);
    expect(mended.phase).toBe("completed");
    expect(mended.failure).toBeUndefined();
    expect(mended.taskOf("mend").input).toEqual({ step: "a", code: "call/rejected" });
    const twice = runOf(definition, { agents: { a: fail(), b: fail() } });
    expect(twice.started).toEqual(["a", "mend", "b"]);
    expect(twice.phase).toBe("failed");
    expect(runOf(definition, { agents: { a: fail("agent/crashed") } }).started).toEqual(["a"]);
  });

  test("a rollback returns to the checkpoint with its variables, and at most three times", () => {
    const definition = {
      name: "n",
      steps: [
        task("a", { output: { n: "$.output" }, checkpoint: true, next: "b" }),
        task("b", {
          output: { n: "'changed'" },
          compensate: { capability: "undo_b", input: { was: "$.output" } },
          next: "c",
        }),
        task("c", { input: { n: "$.variables.n" }, onError: "rollback", next: "$end" }),
      ],
    };
    let calls = 0;
    const once = runOf(definition, { agents: { a: 1, b: 2, c: () => ((calls += 1) === 1 ? fail() : 3) } });
    expect(once.calls).toEqual(["a", "b", "c", "undo_b", "b", "c"]);
    expect(once.phase).toBe("completed");
    expect(once.tasks.at(-2)?.taskId).toBe("run-1/b/2/1");
    const always = runOf(definition, { agents: { a: 1, c: fail() } });
    expect(always.phase).toBe("failed");
    expect(always.calls.filter((name) => name === "c")).toHaveLength(4);
  });
});

describe("waits, events and children", () => {
  test("a wait of 30 days sets a timer at its absolute time and goes on when it fires", () => {
    const bench = new Bench(define({ name: "n", steps: [{ id: "w", type: "wait", wait: "30 d" }, task("a")] }));
    expect([...bench.timers.values()]).toEqual([1_000_000 + 30 * 86_400_000]);
    expect(bench.run().phase).toBe("completed");
  });

  test.each([
    [{ until: "2026-11-20T08:00:00Z" }, 1_795_161_600_000],
    [{ until: "2026-11-20T08:00:00+01:00" }, 1_795_158_000_000],
    [{ until: "$.input.when" }, 2_000_000],
    [{ for: "$.input.days" }, 173_800_000],
    [250, 1_000_250],
  ])("a wait until or for %j is due at %i", (wait, due) => {
    const bench = new Bench(define({ name: "n", steps: [{ id: "w", type: "wait", wait }] }), {
      input: { when: 2_000_000, days: "2 days" },
    });
    expect([...bench.timers.values()]).toEqual([due]);
  });

  test("a time that has passed is waited for no longer; a broken one fails the step", () => {
    expect(
      runOf({ name: "n", steps: [{ id: "w", type: "wait", wait: { until: "1970-01-01" } }] }).effects.some(
        ({ type }) => type === "startTimer",
      ),
    ).toBe(false);
    expect(
      runOf({ name: "n", steps: [{ id: "w", type: "wait", wait: { until: "$.input.x" } }] }, { input: { x: "soon" } })
        .failure?.code,
    ).toBe("workflow/expression");
  });

  const approval = {
    name: "n",
    steps: [
      {
        id: "approve",
        type: "event",
        timeout: "1 h",
        event: {
          name: "approval",
          match: "$.output.id == $.input.id",
          form: {
            type: "object",
            properties: { ok: { type: "boolean" }, id: { type: "number" } },
            required: ["ok", "id"],
          },
        },
        output: { ok: "$.output.ok" },
        onError: "late",
        next: "a",
      },
      task("a", { next: "$end" }),
      task("late", { next: "$end" }),
    ],
  };

  test("an event step takes the signal that fits, refuses one that does not fit its form, and stops listening", () => {
    const bench = new Bench(define(approval), { input: { id: 7 } });
    expect([...bench.listening.values()]).toEqual(["approval"]);
    expect(bench.send({ type: "signal", name: "approval", payload: { ok: "yes" } })[0]).toMatchObject({
      type: "refuseSignal",
      failure: { code: "workflow/invalid-signal" },
    });
    bench.send({ type: "signal", name: "approval", payload: { ok: true, id: 6 } });
    expect(bench.listening.size).toBe(1);
    bench.send({ type: "signal", name: "approval", payload: { ok: true, id: 7 } });
    expect(bench.listening.size).toBe(0);
    expect(bench.settle().output).toEqual({ ok: true });
    expect(bench.timers.size).toBe(0);
  });

  test("a signal that comes before its step waits for it; a timeout takes the error route", () => {
    const early = new Bench(
      define({ name: "n", steps: [task("a"), { id: "e", type: "event", event: "go", output: { p: "$.output" } }] }),
      { agents: { a: "never" } },
    );
    early.send({ type: "signal", name: "go", payload: 5 });
    early.send({ type: "task.completed", taskId: "run-1/a/1/1", output: 0 });
    expect(early.output).toEqual({ p: 5 });
    expect(runOf(approval, { input: { id: 1 } }).started).toEqual(["approve", "late"]);
  });

  test("too many signals that nothing waits for are refused", () => {
    const bench = new Bench(define({ name: "n", steps: [task("a")] }), { agents: { a: "never" } });
    for (let at = 0; at < 1_000; at += 1) bench.send({ type: "signal", name: "x", payload: at });
    expect(bench.send({ type: "signal", name: "x", payload: 0 })).toEqual([
      expect.objectContaining({ type: "refuseSignal" }),
    ]);
  });

  test("a step may emit an event, with an id that a replay gives again", () => {
    const bench = runOf(
      { name: "n", steps: [{ id: "e", type: "event", event: { emit: "done", payload: { of: "$.input.x" } } }] },
      { input: { x: 1 } },
    );
    expect(bench.effects).toContainEqual({
      type: "emitEvent",
      emitId: "run-1/e/1/1",
      event: "done",
      payload: { of: 1 },
    });
  });

  test("a sub-workflow gives its output back; its failure is the step's, with retries", () => {
    const child = define({
      name: "c",
      result: { double: "$.variables.d" },
      steps: [task("d", { input: "$.input.n", output: { d: "$.output" } })],
    });
    const definition = {
      name: "n",
      steps: [
        {
          id: "s",
          type: "subworkflow",
          subworkflow: "c",
          input: { n: "$.input.n" },
          output: { got: "$.output.double" },
          retry: { attempts: 2, interval: 1 },
        },
      ],
    };
    const bench = runOf(definition, {
      input: { n: 4 },
      workflows: { c: child },
      agents: { d: (asked) => Number(asked.input) * 2 },
    });
    expect(bench.output).toEqual({ got: 8 });
    const failing = runOf(definition, { workflows: { c: child }, agents: { d: fail() } });
    expect([...failing.children.keys()]).toEqual(["run-1/s/1/1", "run-1/s/1/2"]);
    expect(failing.failure?.code).toBe("call/rejected");
    expect(runOf(definition).failure?.code).toBe("workflow/unknown-definition");
  });
});

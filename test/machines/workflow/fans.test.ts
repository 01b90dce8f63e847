import { describe, expect, test } from "vitest";
import type { Json } from "../../../machines/failure.ts";
import { type Answer, Bench, define, runOf } from "./bench.ts";

const fail = (code = "call/rejected", more: object = {}): Answer => ({ fail: { code, message: "no", ...more } });
const task = (id: string, more: object = {}): object => ({ id, type: "task", capability: id, ...more });

describe("parallel", () => {
  const branches = (...ids: string[]): object[] =>
    ids.map((id) => ({ id, steps: [task(id, { output: { [id]: "$.output" } })] }));
  const par = (parallel: object, more: object = {}): object => ({
    name: "n",
    result: { v: "$.variables", got: "$.steps.p.output", failures: "$.variables.failures" },
    steps: [
      { id: "p", type: "parallel", output: { failures: "$.failures" }, parallel, next: "z", ...more },
      task("z"),
      task("other", { next: "$end" }),
    ].slice(0, more === undefined ? 2 : 2),
  });

  test("branches have variables of their own, and those are merged at the end", () => {
    const bench = runOf(par({ branches: branches("a", "b") }), { agents: { a: 1, b: 2, "*": 0 } });
    expect(bench.output).toEqual({ v: { a: 1, b: 2, failures: [] }, got: { a: 1, b: 2 }, failures: [] });
  });

  test("by default the first failure cancels the others and fails the step", () => {
    const bench = runOf(par({ branches: branches("a", "b") }), { agents: { a: fail(), b: "never" } });
    expect(bench.phase).toBe("failed");
    expect(bench.failure).toMatchObject({ code: "call/rejected", data: { branch: "a" } });
    expect(bench.open.size).toBe(0);
    expect(
      bench.facts.filter(({ type }) => type === "step.cancelled").map((fact) => ("step" in fact ? fact.step : "")),
    ).toEqual(["b"]);
  });

  test.each([
    ["settled", { a: fail(), b: 2, c: fail() }, "completed", { b: 2 }],
    ["any", { a: fail(), b: 2, c: "never" }, "completed", { b: 2 }],
    ["any", { a: fail(), b: fail(), c: fail() }, "failed", undefined],
    [{ atLeast: 2 }, { a: fail(), b: 2, c: 3 }, "completed", { b: 2, c: 3 }],
    [{ atLeast: 2 }, { a: fail(), b: fail(), c: "never" }, "failed", undefined],
    [{ atLeast: "50%" }, { a: fail(), b: 2, c: 3 }, "completed", { b: 2, c: 3 }],
  ] as const)("join %j with some failures: %#", (join, agents, phase, got) => {
    for (const concurrency of [undefined, 3]) {
      const limit = concurrency === undefined ? {} : { concurrency };
      const bench = runOf(par({ join, branches: branches("a", "b", "c"), ...limit }), {
        agents: { ...agents, "*": 0 },
      });
      expect(bench.phase).toBe(phase);
      if (got !== undefined) expect((bench.output as { got: Json }).got).toEqual(got);
      expect(bench.open.size).toBe(0);
    }
  });

  test.each([
    [{ x: "list" }, [1, 2]],
    ["last", 2],
    [{ x: "sum($.values) * 10" }, 30],
    ["join($.values, '-')", "1-2"],
  ])("branches that write one variable follow the rule %j", (merge, value) => {
    const both = ["a", "b"].map((id) => ({ id, steps: [task(id, { output: { x: "$.output" } })] }));
    for (const limit of [{}, { concurrency: 1 }]) {
      const bench = runOf(
        { name: "n", steps: [{ id: "p", type: "parallel", parallel: { branches: both, merge, ...limit } }] },
        { agents: { a: 1, b: 2 } },
      );
      expect(bench.output).toEqual({ x: value });
    }
  });

  test("without a rule two writers are a conflict, and onError may take it", () => {
    const both = ["a", "b"].map((id) => ({ id, steps: [task(id, { output: { x: "$.output" } })] }));
    const bench = runOf(
      {
        name: "n",
        steps: [{ id: "p", type: "parallel", parallel: { branches: both }, onError: "y", next: "$end" }, task("y")],
      },
      { agents: { a: 1, b: 1 } },
    );
    expect(bench.started).toEqual(["p", "a", "b", "y"]);
    expect(bench.facts.find(({ type }) => type === "step.failed")).toMatchObject({
      failure: { code: "workflow/write-conflict", data: { variable: "x", branches: ["a", "b"] } },
    });
  });

  test("more than 32 branches, a limit or an order run by counters and give the same", () => {
    const ids = Array.from({ length: 40 }, (_unused, at) => `b${at}`);
    const wide = runOf(
      { name: "n", steps: [{ id: "p", type: "parallel", parallel: { branches: branches(...ids) } }] },
      { agents: { "*": (asked) => asked.step } },
    );
    expect(wide.compiled.config.states?.["p"]?.type).toBeUndefined();
    expect(wide.output).toEqual(Object.fromEntries(ids.map((id) => [id, id])));
    expect(wide.tasks[7]?.taskId).toBe("run-1/p/b7/b7/1/1");
  });

  test("a branch that comes after others starts when they have ended, and reads what they wrote", () => {
    const parallel = {
      branches: [
        { id: "a", steps: [task("a", { output: { x: "$.output" } })] },
        { id: "b", steps: [task("b", { output: { y: "$.output" } })] },
        {
          id: "c",
          after: ["a", "b"],
          steps: [task("c", { input: { sum: "$.variables.x + $.variables.y" }, output: { x: "$.output" } })],
        },
        { id: "d", after: ["c"], steps: [task("d", { input: { x: "$.variables.x" } })] },
      ],
    };
    const bench = runOf(
      { name: "n", steps: [{ id: "p", type: "parallel", parallel }] },
      { agents: { a: 1, b: 2, c: 9, d: 0 } },
    );
    expect(bench.calls).toEqual(["a", "b", "c", "d"]);
    expect(bench.taskOf("c").input).toEqual({ sum: 3 });
    expect(bench.taskOf("d").input).toEqual({ x: 9 });
    expect(bench.output).toEqual({ x: 9, y: 2 });
    const broken = runOf(
      {
        name: "n",
        steps: [{ id: "p", type: "parallel", output: { f: "$.failures" }, parallel: { ...parallel, join: "settled" } }],
      },
      { agents: { a: fail(), b: 2 } },
    );
    expect(broken.calls).toEqual(["a", "b"]);
    expect((broken.output as { f: { code: string }[] }).f.map(({ code }) => code)).toEqual([
      "call/rejected",
      "workflow/dependency-failed",
      "workflow/dependency-failed",
    ]);
  });

  test("a timeout of the step cancels what its branches have open", () => {
    const bench = runOf(par({ branches: branches("a", "b") }, { timeout: 1_000 }), { agents: { a: 1, b: "never" } });
    expect(bench.failure?.code).toBe("workflow/step-timeout");
    expect(bench.open.size).toBe(0);
    expect(bench.timers.size).toBe(0);
  });
});

describe("map and loop", () => {
  const map = (settings: object, more: object = {}): object => ({
    name: "n",
    result: { got: "$.variables.got", failures: "$.variables.failures", all: "$.variables" },
    steps: [
      {
        id: "m",
        type: "map",
        output: { got: "$.output", failures: "$.failures" },
        map: { over: "$.input.items", ...settings },
        ...more,
      },
    ],
  });
  const items = [1, 2, 3, 4, 5];

  test("each item is one task, at most so many at once, results in the order of the list", () => {
    const bench = new Bench(define(map({ capability: "f", input: { n: "$.item", at: "$.index" }, concurrency: 2 })), {
      input: { items },
      agents: { f: (asked) => (asked.input as { n: number }).n * 10 },
    });
    expect(bench.tasks.map(({ taskId }) => taskId)).toEqual(["run-1/m[0]/m_item/1/1", "run-1/m[1]/m_item/1/1"]);
    bench.run();
    expect(bench.output).toMatchObject({ got: [10, 20, 30, 40, 50] });
    expect(bench.tasks[4]?.input).toEqual({ n: 5, at: 4 });
  });

  test("an item runs its own steps with its own variables; merge lets some of them out", () => {
    const steps = [
      task("f", { input: "$.item", output: { x: "$.output" } }),
      task("g", { input: { x: "$.variables.x" }, output: { y: "$.variables.x + 1" } }),
    ];
    const bench = runOf(map({ steps, merge: { y: "list" }, result: "$.variables.y" }), {
      input: { items: [1, 2] },
      agents: { f: (asked) => asked.input, g: 0 },
    });
    expect(bench.output).toEqual({ got: [2, 3], failures: [], all: { y: [2, 3], got: [2, 3], failures: [] } });
  });

  test.each([
    [0, 1, "failed"],
    [1, 1, "completed"],
    [1, 2, "failed"],
    ["40%", 2, "completed"],
    ["20%", 2, "failed"],
  ])("with tolerate %j and %i failures the step has %s", (tolerate, failing, phase) => {
    const bench = runOf(map({ capability: "f", tolerate }), {
      input: { items },
      agents: { f: (asked) => (Number(asked.input) <= failing ? fail() : asked.input) },
    });
    expect(bench.phase).toBe(phase);
    if (phase === "completed")
      expect((bench.output as { got: Json[] }).got.slice(failing)).toEqual(items.slice(failing));
    if (phase === "completed") expect((bench.output as { failures: Json[] }).failures).toHaveLength(failing);
  });

  test("no items is done at once; no list and too many items are failures", () => {
    expect(runOf(map({ capability: "f" }), { input: { items: [] } }).output).toMatchObject({ got: [] });
    expect(runOf(map({ capability: "f" }), { input: { items: 3 } }).failure).toMatchObject({
      code: "workflow/expression",
      message: expect.stringContaining("must be a list") as string,
    });
    expect(
      runOf(map({ capability: "f" }), { input: { items: Array.from({ length: 10_001 }, () => 0) } }).failure?.code,
    ).toBe("workflow/too-many-items");
  });

  test("maps and parallels nest, each with its own paths", () => {
    const inner = { id: "in", type: "map", map: { over: "$.item", capability: "f" } };
    const pair = {
      id: "p",
      type: "parallel",
      parallel: {
        branches: [
          { id: "l", steps: [inner] },
          { id: "r", steps: [task("g")] },
        ],
      },
    };
    const bench = runOf(map({ steps: [pair] }), {
      input: { items: [[1], [2, 3]] },
      agents: { f: (asked) => asked.input, g: "g" },
    });
    expect(bench.output).toMatchObject({
      got: [
        { l: [1], r: "g" },
        { l: [2, 3], r: "g" },
      ],
    });
    expect(bench.tasks.map(({ path }) => path)).toContain("m[1]/p/l/in[1]/in_item");
    expect(bench.state.context.lanes.size + bench.state.context.active.size + bench.state.context.fans.size).toBe(0);
    expect(bench.state.context.scopes.size).toBe(1);
  });

  const loop = (settings: object): object => ({
    name: "n",
    variables: { n: 0 },
    steps: [
      {
        id: "l",
        type: "loop",
        output: { last: "$.output" },
        loop: {
          steps: [task("f", { input: { i: "$.index", item: "$.item" }, output: { n: "$.variables.n + 1" } })],
          ...settings,
        },
      },
    ],
  });

  test.each([
    [{ times: 3 }, 3],
    [{ times: 0 }, 0],
    [{ while: "$.variables.n < 2" }, 2],
    [{ until: "$.variables.n >= 4" }, 4],
    [{ over: ["x", "y"] }, 2],
    [{ over: "$.input.list" }, 3],
  ])("a loop with %j makes %i rounds", (settings, rounds) => {
    const bench = runOf(loop(settings), { input: { list: [1, 2, 3] }, agents: { f: (_asked, call) => call } });
    expect(bench.phase).toBe("completed");
    expect(bench.tasks.map(({ taskId }) => taskId)).toEqual(
      Array.from({ length: rounds }, (_unused, at) => `run-1/l/f/${at + 1}/1`),
    );
    expect(bench.output).toEqual({ n: rounds, last: rounds === 0 ? null : rounds });
  });

  test("a loop that does not end fails after its most rounds", () => {
    expect(runOf(loop({ while: "true", max: 5 })).failure).toMatchObject({
      code: "workflow/too-many-rounds",
      data: { max: 5 },
    });
  });

  test("a cycle by next counts its visits", () => {
    const definition = {
      name: "n",
      steps: [task("a", { next: "b" }), task("b", { next: [{ when: "$.output < 3", to: "a" }, { to: "$end" }] })],
    };
    const bench = runOf(definition, { agents: { a: 0, b: (_asked, call) => call } });
    expect(bench.tasks.map(({ taskId }) => taskId)).toEqual(
      [1, 2, 3].flatMap((visit) => [`run-1/a/${visit}/1`, `run-1/b/${visit}/1`]),
    );
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readDefinition } from "../../../machines/workflow/read/definition.ts";
import { problemCodes, type Problem, writePath } from "../../../machines/workflow/read/problem.ts";
import { $ } from "../../../machines/workflow/expression/recorder.ts";
import { compile } from "../../../machines/workflow/compile/compile.ts";
import * as document003 from "../../fixtures/workflow/document-003.ts";
import { definitionArbitrary } from "./definitions.ts";

const task = (id: string, more: object = {}): object => ({ id, type: "task", capability: "c", ...more });
const flow = (...steps: object[]): object => ({ name: "n", steps });
const say = ({ path, message }: Problem): string => `${writePath(path)}: ${message}`;
const errors = (value: unknown): readonly Problem[] =>
  readDefinition(value).problems.filter(({ severity }) => severity === "error");

/** Each broken in one way: what is wrong, where the problem is, and words of the message that name the fix. */
const malformed: readonly (readonly [what: string, value: unknown, path: string, words: RegExp])[] = [
  ["not an object", "steps: []", "", /must be an object with a name and steps/],
  ["no form at all", { name: "n" }, "", /needs `steps`, a list with at least one step/],
  ["an unknown field of the definition", { name: "n", timout: 5, steps: [task("a")] }, "timout", /no field `timout`/],
  [
    "a misspelt field of a step",
    flow({ id: "a", type: "task", capabilty: "c" }),
    "steps[0].capabilty",
    /did you mean `capability`\?/,
  ],
  [
    "a field of another kind",
    flow(task("a", { decision: { expression: "1", branches: {} } })),
    "steps[0].decision",
    /is for steps of type decision/,
  ],
  ["an unknown kind", flow({ id: "a", type: "taks", capability: "c" }), "steps[0].type", /did you mean `task`\?/],
  ["no type and nothing to tell it by", flow({ id: "a" }), "steps[0].type", /is one of task, subworkflow, parallel/],
  ["a task for nobody", flow({ id: "a", type: "task" }), "steps[0]", /add capability, agent or mode/],
  ["no id", flow({ type: "task", capability: "c" }), "steps[0].id", /`id` is missing/],
  ["an id with a dot", flow(task("a.b")), "steps[0].id", /use letters, digits, _ and -/],
  ["two steps of one id", flow(task("a", { next: "b" }), task("b"), task("b")), "steps[2].id", /another step `b`/],
  [
    "an id twice, in an inner list",
    flow(task("a"), { id: "l", type: "sequence", sequence: { steps: [task("a")] } }),
    "steps[1].sequence.steps[0].id",
    /inner lists included/,
  ],
  [
    "next to nowhere",
    flow(task("fetch", { next: "tranform" }), task("transform", { next: "fetch" })),
    "steps[0].next",
    /did you mean `transform`\?/,
  ],
  [
    "next into another list",
    flow(task("a", { next: "b" }), { id: "s", type: "sequence", sequence: { steps: [task("b")] }, next: "a" }),
    "steps[0].next",
    /`b` is in another list/,
  ],
  [
    "an error route to nowhere",
    flow(task("a", { onError: "mend" })),
    "steps[0].onError[0]",
    /leads to `mend`, and there is no such step/,
  ],
  [
    "a branch to nowhere",
    flow({ id: "d", type: "decision", decision: { expression: "$.input.x", branches: { true: "b" } } }),
    "steps[0].decision.branches.true",
    /leads to `b`/,
  ],
  [
    "a decision without branches",
    flow({ id: "d", type: "decision", decision: { expression: "1", branches: {} } }),
    "steps[0].decision.branches",
    /name at least one step/,
  ],
  [
    "a step that nothing leads to",
    flow(task("a", { next: "$end" }), task("b", { next: "$end" })),
    "steps[1]",
    /no step leads to `b`; lead to it by `next`/,
  ],
  [
    "a circle in which nothing waits",
    flow(
      { id: "d", type: "decision", decision: { expression: "1", branches: { 1: "e" } } },
      { id: "e", type: "decision", decision: { expression: "1", branches: { 1: "d" } } },
    ),
    "steps[0]",
    /lead in a circle in which nothing waits; put a task/,
  ],
  [
    "a loop in which nothing waits",
    flow({
      id: "l",
      type: "loop",
      loop: {
        while: "true",
        steps: [{ id: "d", type: "decision", decision: { expression: "1", branches: { 1: "$end" } } }],
      },
    }),
    "steps[0]",
    /nothing inside `l` waits/,
  ],
  [
    "a loop without an end",
    flow({ id: "l", type: "loop", loop: { steps: [task("a")] } }),
    "steps[0].loop",
    /add while, until, times or over/,
  ],
  ["an empty list", { name: "n", steps: [] }, "steps", /give it at least one/],
  [
    "a branch without steps",
    flow({ id: "p", type: "parallel", parallel: { branches: [{ id: "x" }] } }),
    "steps[0].parallel.branches[0]",
    /the branch `x` has no steps/,
  ],
  [
    "two branches of one id",
    flow({
      id: "p",
      type: "parallel",
      parallel: {
        branches: [
          { id: "x", steps: [task("a")] },
          { id: "x", steps: [task("b")] },
        ],
      },
    }),
    "steps[0].parallel.branches[1]",
    /another branch `x`/,
  ],
  [
    "a branch after no branch",
    flow({
      id: "p",
      type: "parallel",
      parallel: {
        branches: [
          { id: "x", after: ["yy"], steps: [task("a")] },
          { id: "y", steps: [task("b")] },
        ],
      },
    }),
    "steps[0].parallel.branches[0].after[0]",
    /did you mean `y`\?/,
  ],
  [
    "branches that wait for each other",
    flow({
      id: "p",
      type: "parallel",
      parallel: {
        branches: [
          { id: "x", after: ["y"], steps: [task("a")] },
          { id: "y", after: ["x"], steps: [task("b")] },
        ],
      },
    }),
    "steps[0].parallel.branches",
    /wait for each other; one of them must not/,
  ],
  [
    "an expression that breaks off",
    flow(task("a", { input: { v: "$.input.x + " } })),
    "steps[0].input.v",
    /at column \d+/,
  ],
  [
    "a name that $ does not have",
    flow(task("a", { condition: "$.inputs.x" })),
    "steps[0].condition",
    /did you mean `input`\?/,
  ],
  [
    "a function that is not there",
    flow(task("a", { input: ["ok", { deep: "${length($.input.x)}" }] })),
    "steps[0].input[1].deep",
    /no function `length`/,
  ],
  ["a method", flow(task("a", { output: { v: "$.output.trim()" } })), "steps[0].output.v", /methods cannot be called/],
  [
    "a step that is not there, read",
    flow(task("fetch"), task("b", { input: "$.steps.fech.output" })),
    "steps[1].input",
    /did you mean `fetch`\?/,
  ],
  [
    "an environment value that is not named",
    flow(task("a", { input: "$.env.HOME" })),
    "steps[0].input",
    /add it: env: \[HOME\]/,
  ],
  [
    "a broken schema",
    flow(task("a", { schema: { type: "strng" } })),
    "steps[0].schema",
    /no JSON Schema that can be used/,
  ],
  [
    "an input that is no schema",
    { name: "n", input: { feature: "a text" }, steps: [task("a")] },
    "input",
    /write \{ type: "object"/,
  ],
  [
    "a duration that is none",
    flow(task("a", { timeout: "soon" })),
    "steps[0].timeout",
    /write milliseconds, or "30 s"/,
  ],
  [
    "a time that is none",
    flow({ id: "w", type: "wait", wait: { until: "tomorrow" } }),
    "steps[0].wait.until",
    /write ISO 8601/,
  ],
  [
    "a retry on a step without attempts",
    flow({ id: "p", type: "parallel", retry: 3, parallel: { branches: [{ id: "x", steps: [task("a")] }] } }),
    "steps[0].retry",
    /put `retry` on the steps inside/,
  ],
  ["a number out of its range", flow(task("a", { retry: { attempts: 0 } })), "steps[0].retry.attempts", /1/],
  ["a wrong word", flow(task("a", { priority: "urgent" })), "steps[0].priority", /one of "high", "normal", "low"/],
  [
    "a rollback to nowhere",
    flow(task("a", { onError: "rollback" })),
    "steps[0].onError[0]",
    /mark the step to go back to/,
  ],
  [
    "an error route that says nothing",
    flow(task("a", { onError: { error: "x" } })),
    "steps[0].onError",
    /add next, fallback, result/,
  ],
  [
    "a schedule with two times",
    { name: "n", schedules: [{ cron: "* * * * *", every: 5 }], steps: [task("a")] },
    "schedules[0]",
    /either `cron` or `every`/,
  ],
  ["a value that is no data", flow(task("a", { input: { when: new Date(0) } })), "steps[0].input.when", /plain data/],
  ["a function", flow(task("a", { condition: () => true })), "steps[0].condition", /a definition is data/],
  [
    "a phase without a mode",
    { name: "n", phases: [{ name: "One", tasks: ["x"] }] },
    "phases[0].tasks[0].mode",
    /`mode` is missing/,
  ],
  [
    "a phase after no phase",
    {
      name: "n",
      phases: [
        { name: "One", mode: "m", tasks: ["x"] },
        { name: "Two", mode: "m", tasks: ["y"], dependencies: ["Onne"] },
      ],
    },
    "phases[1].dependencies[0]",
    /did you mean `One`\?/,
  ],
  [
    "a misspelt field of a phase",
    { name: "n", phases: [{ name: "One", mode: "m", task: ["x"] }] },
    "phases[0].task",
    /did you mean `tasks`\?/,
  ],
  [
    "a bare branch without steps",
    { id: "x", branches: [{ id: "a", steps: [] }] },
    "branches[0]",
    /the branch `a` has no steps/,
  ],
  [
    "a trigger without a handler",
    { id: "x", triggers: [{ event: "e" }] },
    "triggers[0].handler",
    /`handler` is missing/,
  ],
  [
    "a parallel phase that is none",
    { workflow_templates: { t: { phases: ["a"], parallel_phases: ["b"] } } },
    "workflow_templates.t.parallel_phases[0]",
    /no phase `b`/,
  ],
];

describe("malformed definitions", () => {
  test("there are more than thirty of them", () => expect(malformed.length).toBeGreaterThan(30));

  test.each(malformed)("%s", (_what, value, path, words) => {
    const reading = readDefinition(value);
    expect(reading.definitions).toEqual([]);
    const found = errors(value).find((problem) => writePath(problem.path) === path && words.test(problem.message));
    expect(found, errors(value).map(say).join("\n")).toBeDefined();
  });

  test("all problems are found at once, also inside broken steps", () => {
    const value = {
      nam: "n",
      steps: [
        {
          id: "p",
          type: "parallel",
          parallel: {
            branchs: 1,
            branches: [{ id: "x", steps: [task("a", { timeout: "x" }), { id: "b", type: "nope" }] }],
          },
        },
        task("c", { input: "$.nothing", next: "zz" }),
      ],
    };
    const paths = errors(value).map(({ path }) => writePath(path));
    expect(paths).toEqual(
      expect.arrayContaining([
        "nam",
        "steps[0].parallel.branchs",
        "steps[0].parallel.branches[0].steps[0].timeout",
        "steps[0].parallel.branches[0].steps[1].type",
        "steps[1].input",
      ]),
    );
  });

  test("a misspelt field hides nothing else: arrows, ids, expressions and conditions of the same file are told too", () => {
    const value = {
      name: "n",
      tagz: [],
      steps: [
        { id: "a", type: "task", agnt: "x", input: { x: "$.input.x +" }, next: "zz" },
        { ...task("b"), retry: { strategy: "expo" }, condition: "a +" },
        { ...task("b"), type: undefined, typ: "task", next: "c" },
        { id: "c", type: "tusk", condition: "$.steps.nobody" },
        { id: "d", type: "task", input: "$.steps.a.output" },
        task("lonely", { next: "$end" }),
      ],
    };
    const found = errors(value).map(({ path, code }) => `${writePath(path)} ${code.split("/")[1]}`);
    expect(found.toSorted()).toEqual(
      [
        "tagz unknown-field",
        "steps[0].agnt unknown-field",
        "steps[0].input.x bad-expression",
        "steps[0].next unknown-step",
        "steps[1].retry.strategy wrong-value",
        "steps[1].condition bad-expression",
        "steps[2].typ unknown-field",
        "steps[2].id duplicate-id",
        "steps[3].type unknown-kind",
        "steps[3].condition unknown-step",
        "steps[4] missing-field",
      ].toSorted(),
    );
  });

  test("too deep, too many and too wide are refused with the limit", () => {
    let deep: unknown = "x";
    for (let at = 0; at < 200; at += 1) deep = { a: deep };
    expect(errors(flow(task("a", { input: deep })))[0]?.message).toMatch(/deeper than 64 levels/);
    const many = flow(...Array.from({ length: 20_001 }, (_unused, at) => task(`s${at}`)));
    expect(errors(many).map(say)).toContainEqual(expect.stringContaining("more than 20000 steps"));
    const branches = Array.from({ length: 1_001 }, (_unused, at) => ({ id: `b${at}`, steps: [task(`s${at}`)] }));
    expect(errors(flow({ id: "p", type: "parallel", parallel: { branches } })).map(say)).toContainEqual(
      expect.stringContaining("one step takes 1000"),
    );
    const circular: { self?: unknown } = {};
    circular.self = circular;
    expect(errors(flow(task("a", { input: circular })))[0]?.code).toBe("definition/too-large");
  });

  test("every code of a problem is in the table, and the messages end with a way out", () => {
    for (const [, value] of malformed)
      for (const { code, message } of errors(value)) {
        expect(Object.keys(problemCodes)).toContain(code);
        expect(message.length).toBeGreaterThan(12);
      }
  });
});

describe("warnings", () => {
  const warn = (value: unknown, known?: object): readonly string[] =>
    readDefinition(value, known === undefined ? {} : { known })
      .problems.filter(({ severity }) => severity === "warning")
      .map(say);

  test("what only run time can know is a warning", () => {
    const known = { hasCapability: (name: string) => name === "c", hasAgent: () => false, hasWorkflow: () => false };
    const value = {
      ...flow(
        task("a"),
        task("b", { capability: "d", agent: "e" }),
        { id: "m", type: "task", mode: "f" },
        { id: "s", type: "subworkflow", subworkflow: "g" },
      ),
      errorHandlers: [{ error: "*", handler: "h" }],
    };
    expect(warn(value, known)).toEqual([
      expect.stringMatching(/^steps\[1\]\.capability: no agent offers `d` yet/),
      expect.stringMatching(/^steps\[1\]\.agent: there is no agent `e` yet/),
      expect.stringMatching(/^steps\[2\]\.mode: there is no capability and no agent `f` yet/),
      expect.stringMatching(/^steps\[3\]\.subworkflow: no workflow is defined as `g` yet/),
      expect.stringMatching(/^errorHandlers\[0\]\.handler: there is no step `h`/),
    ]);
    expect(readDefinition(value, { known }).definitions).toHaveLength(1);
  });

  test.each([
    [flow(task("a", { input: "$.variables.nothing" })), /no step writes it/],
    [flow(task("a", { input: "$.output" })), /not there yet/],
    [flow(task("a", { input: "$.item" })), /outside a map or a loop/],
    [
      flow({
        id: "p",
        type: "parallel",
        parallel: { branches: ["x", "y"].map((id) => ({ id, steps: [task(id, { output: { v: "$.output" } })] })) },
      }),
      /x and y write the variable `v`/,
    ],
  ])("%#: %s", (value, words) => expect(warn(value)).toEqual([expect.stringMatching(words)]));

  test("branches that come after each other, or have a rule, do not compete", () => {
    const branches = [
      { id: "x", steps: [task("x", { output: { v: "1" } })] },
      { id: "y", after: ["x"], steps: [task("y", { output: { v: "2" } })] },
    ];
    expect(warn(flow({ id: "p", type: "parallel", parallel: { branches } }))).toEqual([]);
  });
});

describe("the TypeScript form", () => {
  test("`$` records paths: alone it is the expression, in a template literal it is text", () => {
    const value = flow(
      task("a", {
        input: {
          path: $.input.path,
          title: `Feature: ${$.input.list[0]}`,
          joined: $.input.dir + "/x",
          odd: $.input["a-b"],
        },
      }),
    );
    const [definition] = readDefinition(value).definitions;
    expect(definition?.steps[0]).toMatchObject({
      input: {
        path: "$.input.path",
        title: "Feature: ${$.input.list[0]}",
        joined: "${$.input.dir}/x",
        odd: '$.input["a-b"]',
      },
    });
  });

  test("an operator that would need a value says what to write instead", () => {
    expect(() => Number($.input.count) > 3).toThrow(/write the whole expression as a string/);
  });

  test("the caller's objects are neither kept nor changed", () => {
    const before = JSON.stringify(document003.dataProcessing);
    const [definition] = readDefinition(document003.dataProcessing).definitions;
    expect(JSON.stringify(document003.dataProcessing)).toBe(before);
    expect(definition?.steps).not.toBe(document003.dataProcessing.steps);
  });
});

describe("no value crashes or hangs the reader", () => {
  test("random JSON", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        readDefinition(value);
        readDefinition({ name: "n", steps: value });
        readDefinition({ name: "n", phases: value });
        readDefinition({ name: "n", branches: value, triggers: value, workflow_templates: value });
      }),
      { numRuns: 400 },
    );
  });

  test("valid definitions with one value replaced: a problem, or a definition that compiles", () => {
    const odd = fc.oneof(
      fc.constantFrom<unknown>(
        null,
        0,
        -1,
        "",
        "x",
        "$.",
        "$.input.",
        "${",
        [],
        {},
        { literal: 1 },
        true,
        "__proto__",
        "constructor",
        1e308,
      ),
      fc.jsonValue({ maxDepth: 2 }),
    );
    let refused = 0;
    fc.assert(
      fc.property(
        fc.oneof(definitionArbitrary, fc.constantFrom<object>(...Object.values(document003))),
        odd,
        fc.nat(),
        (value, replacement, number) => {
          const copy = JSON.parse(JSON.stringify(value)) as unknown;
          const places: [Record<string, unknown>, string][] = [];
          const walk = (inner: unknown): void => {
            if (typeof inner !== "object" || inner === null) return;
            for (const key of Object.keys(inner)) {
              places.push([inner as Record<string, unknown>, key]);
              walk((inner as Record<string, unknown>)[key]);
            }
          };
          walk(copy);
          const [at, key] = places[number % places.length] ?? [{}, "x"];
          at[key] = replacement;
          const { definitions, problems } = readDefinition(copy);
          if (definitions.length === 0) {
            expect(problems.some(({ severity }) => severity === "error")).toBe(true);
            refused += 1;
          }
          for (const definition of definitions) {
            const compiled = compile(definition);
            compiled.initial({ type: "start", at: 0, executionId: "r", input: {} });
            expect(JSON.stringify(readDefinition(definition).definitions[0])).toBe(JSON.stringify(definition));
          }
        },
      ),
      { numRuns: 600 },
    );
    expect(refused).toBeGreaterThan(50);
  });
});

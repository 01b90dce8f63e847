import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readDefinition } from "../../../machines/workflow/read/definition.ts";
import { problemCodes, type Problem, writePath } from "../../../machines/workflow/read/problem.ts";
import { $ } from "../../../machines/workflow/expression/recorder.ts";
import { compile } from "../../../machines/workflow/compile/compile.ts";
import * as document003 from "../../fixtures/workflow/document-003.ts";
import { definitionArbitrary } from "./definitions.ts";
import { flow, malformed, task } from "./malformed.ts";

const say = ({ path, message }: Problem): string => `${writePath(path)}: ${message}`;
const errors = (value: unknown): readonly Problem[] =>
  readDefinition(value).problems.filter(({ severity }) => severity === "error");

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

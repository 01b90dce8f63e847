import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileExpression } from "../../../../machines/workflow/expression/evaluate.ts";
import { ExpressionProblem } from "../../../../machines/workflow/expression/functions.ts";
import { SyntaxProblem } from "../../../../machines/workflow/expression/syntax.ts";
import { compute, fill, rootOf, world } from "./scene.ts";

describe("the expressions of the user's documents", () => {
  test.each([
    ["$.input.requirements", "R"],
    ["$.output", { url: "u" }],
    ["$.output.url", "u"],
    ["$.variables.plan.requiresScaffolding", true],
    ["$.variables.projectPath || $.input.projectPath", "/v"],
    ['$.variables.projectPath + "/**/*.{js,ts,jsx,tsx}"', "/v/**/*.{js,ts,jsx,tsx}"],
    ["$.variables.issues.length > 0", true],
    ["$.variables.testResults.passed", false],
    ['$.input.projectPath + "/src/components"', "/p/src/components"],
    ["$.error", { message: "boom" }],
    ["$.workflowName", "W"],
    ["`Feature: ${$.input.feature}`", "Feature: F"],
    ["$.steps.fetch.output + 1", 8],
    ["$.env.HOME", "/h"],
  ])("%s", (source, value) => {
    expect(compute(source)).toEqual(value);
    expect(fill(source)).toEqual(value);
  });

  test.each([
    [
      'echo "Critical error in workflow ${$.workflowName} at step ${$.stepId}: ${$.error.message}" | mail x',
      'echo "Critical error in workflow W at step S: boom" | mail x',
    ],
    ['mail -s "Success" $.input.notificationEmail', 'mail -s "Success" a@b.c'],
    ["mkdir -p $(dirname ${$.input.outputPath}) && echo ${HOME}", "mkdir -p $(dirname /o/x) && echo ${HOME}"],
    ["project_plan_template", "project_plan_template"],
    ["tests/**/*.test.{js,ts}", "tests/**/*.test.{js,ts}"],
    ["costs \\$.input.feature, not $5", "costs $.input.feature, not $5"],
    ["see $.input.feature.", "see F."],
  ])("text: %s", (source, value) => expect(fill(source)).toBe(value));

  test.each([
    ["${len($.variables.issues)}", 2],
    ["${$.output}", { url: "u" }],
    ["${concat($.variables.issues, $.variables.issues).length > 1}", true],
    ["${$.variables.nothing}", undefined],
    ["${len($.variables.issues)} ", "2 "],
    ["${HOME}", "${HOME}"],
  ])("one placeholder and nothing else keeps the type of its value: %s", (source, value) =>
    expect(fill(source)).toEqual(value),
  );

  test("a literal is never read, whatever it looks like", () => {
    expect(fill({ literal: "$.input.requirements" })).toBe("$.input.requirements");
    expect(fill({ kept: { literal: { deep: ["${$.input.feature}"] } } })).toEqual({
      kept: { deep: ["${$.input.feature}"] },
    });
  });

  test("a value that looks like an expression is not read again", () => {
    const given = { input: { name: "$.variables.secret ${$.variables.secret}" }, variables: { secret: "s" } };
    expect(fill("$.input.name", given)).toBe("$.variables.secret ${$.variables.secret}");
    expect(fill("Hello ${$.input.name}", given)).toBe("Hello $.variables.secret ${$.variables.secret}");
  });
});

describe("what is missing", () => {
  test.each([
    ["$.variables.nothing.at.all", undefined],
    ["$.nothing_here || 1", SyntaxProblem],
    ["$.variables.nothing || 'd'", "d"],
    ["$.variables.nothing ?? 'd'", "d"],
    ["$.variables.nothing == null", true],
    ["$.variables.nothing.length > 0", false],
    ["$.variables?.nothing?.x", undefined],
  ])("%s", (source, value) => {
    if (value === SyntaxProblem) expect(() => compute(source)).toThrow(SyntaxProblem);
    else expect(compute(source)).toEqual(value);
  });

  test("no text is made of nothing, and the message names the path", () => {
    expect(() => compute('$.variables.nothing + "/src"')).toThrow(/\$\.variables\.nothing is not there/);
    expect(() => fill("path ${$.variables.nothing}")).toThrow(/\$\.variables\.nothing is not there/);
    expect(() => compute("`${$.variables.nothing}`")).toThrow(ExpressionProblem);
  });

  test("a field that names nothing is left out, an entry of a list is null", () => {
    expect(fill({ a: "$.input.none", b: ["$.input.none", 1] })).toEqual({ b: [null, 1] });
  });
});

describe("what an expression cannot reach", () => {
  test.each([
    "$.constructor",
    '$["constructor"]',
    '$["con"+"structor"]["constructor"]',
    "$.input.list.map.constructor",
    '"".constructor.constructor("return process")()',
    "$.__proto__",
    '$["__proto__"]["polluted"] = 1',
    "$.input.pwn = 1",
    '[].constructor.constructor("return globalThis.process.pid")()',
    "(x => x.constructor)(1)",
    "this.constructor",
    "globalThis.process.pid",
    "process.pid",
    "new Date()",
    "$.input.list.push(9)",
    "$.input.toString.call.constructor",
    '"x".repeat(1e8)',
    "/x/.test($.input.feature)",
    "$.input.list++",
    "delete $.input",
    "$.input.feature`x`",
    "{...$.input}",
    "$",
    "$[$.input.feature]",
    "",
    "1 2",
  ])("%s", (source) => {
    let value: unknown;
    try {
      value = compute(source);
    } catch (error) {
      expect(error instanceof SyntaxProblem || error instanceof ExpressionProblem).toBe(true);
      return;
    }
    expect(value).toBeUndefined();
  });

  test("inherited names are nothing, own ones are read", () => {
    for (const name of ["toString", "constructor", "__proto__", "hasOwnProperty"])
      expect(compute(`$.input.${name}`)).toBeUndefined();
    expect(compute('$.input["__proto__"]', { input: JSON.parse('{"__proto__": 1}') as unknown })).toBe(1);
    expect(compute("$.variables.plan.constructor || 'none'")).toBe("none");
  });

  test("the world is the same afterwards", () => {
    const before = JSON.stringify(world);
    for (const source of ["{ a: $.input }", "concat($.input.list, [3])", "$.input.list[0]"]) compute(source);
    expect(JSON.stringify(world)).toBe(before);
  });
});

describe("limits and messages", () => {
  test.each([
    ["x".repeat(5_000), /5000 characters long; the limit is 4096/],
    [`${"(".repeat(100)}1${")".repeat(100)}`, /nested deeper than 40/],
    [`${"!".repeat(100)}1`, /nested deeper than 40/],
    [Array.from({ length: 600 }, () => "1").join("+"), /larger than 500 parts/],
    ["$.varables.x", /did you mean `variables`\?/],
    ["lenn($.input)", /did you mean `len`\?/],
    ["len()", /len\(x\) was given 0 arguments/],
    ["feature == 'x'", /write \$\.input\.feature or \$\.variables\.feature/],
    ["$.input.name.trim()", /methods cannot be called/],
    ["$.input & 1", /no operator `&`/],
  ])("%s", (source, message) => {
    expect(() => compileExpression(source)).toThrow(message);
  });

  test("a syntax problem says in which column", () => {
    expect(() => compileExpression("$.input.a + ")).toThrow(
      expect.objectContaining({ column: expect.any(Number) as number }) as Error,
    );
  });

  test.each([
    ["1 / 0", /no number/],
    ["$.input.feature * 2", /`\*` works on numbers/],
    ["true + 1", /adds numbers or joins texts/],
    ["parse('{')", /JSON text/],
    ["split(3, ',')", /wants a string, and got a number/],
    ["keys(1)", /wants an object/],
  ])("at run time: %s", (source, message) => {
    const run = compileExpression(source);
    expect(() => run(rootOf())).toThrow(message);
  });
});

describe("functions and operators", () => {
  test.each([
    ["len($.input.list) + len('abc') + len($.input.plan)", 6],
    ["keys($.input.plan)[0]", "a-b"],
    ["values($.input.plan)", [1]],
    ['parse(json({ a: [1, "x"] })).a[1]', "x"],
    ['join(split("a,b", ","), "-")', "a-b"],
    ['upper(trim(" a ")) + lower("B")', "Ab"],
    ['includes("abc", "b") && includes([1, 2], 2)', true],
    ['startsWith("abc", "a") && endsWith("abc", "c")', true],
    ['slice("abcd", 1, 3) + string(slice([1, 2, 3], -1)[0])', "bc3"],
    ["max(1, 2, min(3, 9)) + round(1.6) + sum([1, 2])", 8],
    ["concat([1], [2, 3])", [1, 2, 3]],
    ["number('4.5') % 2", 0.5],
    ["default($.input.none, 'x')", "x"],
    ["now()", 1_000],
    ["hash('a') == hash('a') && hash('a') != hash('b')", true],
    ["$.input.list[1] > 1 ? 'two' : 'one'", "two"],
    ["2 ** 3 - -1", 9],
    ["'a' < 'b' && !(1 > 2)", true],
    ["'10' == 10", false],
    ["{ a: 1, ['b' + 'c']: undefined }", { a: 1 }],
  ])("%s", (source, value) => expect(compute(source)).toEqual(value));

  test("uuid gives a UUID that a replay gives again", () => {
    const first = compileExpression("uuid()")(rootOf());
    expect(first).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(compileExpression("uuid()")(rootOf())).toBe(first);
    expect(compute("[uuid(), uuid()][0] != uuid()")).toBe(true);
  });
});

test("no source crashes, hangs or reaches a function", () => {
  const tokens = [
    "$",
    ".input",
    ".variables",
    "[",
    "]",
    "(",
    ")",
    "{",
    "}",
    "'a'",
    '"',
    "`",
    "${",
    "+",
    "!",
    "?",
    ":",
    ",",
    "1",
    "len",
    "constructor",
    "__proto__",
    ".length",
    " ",
    "=>",
    "=",
    "\\",
    "||",
    "null",
    "this",
    ";",
    "??",
    "?.",
  ];
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(fc.constantFrom(...tokens), { maxLength: 40 }).map((parts) => parts.join("")),
      ),
      (source) => {
        for (const read of [compute, fill]) {
          try {
            expect(typeof read(source)).not.toBe("function");
          } catch (error) {
            if (!(error instanceof SyntaxProblem) && !(error instanceof ExpressionProblem)) throw error;
          }
        }
      },
    ),
    { numRuns: 3_000 },
  );
});

import { describe, expect, test } from "vitest";
import { compileSchema } from "../../../machines/workflow/schema-check.ts";
import type { Json } from "../../../machines/failure.ts";
import type { JsonSchema } from "../../../machines/workflow/definition.ts";

describe("JSON Schemas of definitions", () => {
  test.each<[JsonSchema, Json, Json]>([
    [{ type: "object", required: ["c"] }, { c: 1 }, {}],
    [{ required: ["c"] }, { c: 1 }, {}],
    [{ properties: { c: { type: "number" } } }, { c: 1 }, { c: "x" }],
    [{ properties: { c: { minLength: 2 } } }, { c: "ab" }, { c: "a" }],
    [
      { properties: { type: { type: "string" }, required: { type: "boolean" } }, required: ["type"] },
      { type: "x" },
      { required: true },
    ],
    [{ items: { type: "string" } }, ["a"], [1]],
    [{ minimum: 3 }, 3, 2],
    [{ type: ["string", "null"] }, null, 3],
    [{ enum: ["a", 1] }, 1, "b"],
    [{ anyOf: [{ type: "string" }, { type: "number" }] }, 1, true],
    [{ allOf: [{ required: ["a"] }, { required: ["b"] }] }, { a: 1, b: 1 }, { a: 1 }],
    [{ $ref: "#/$defs/x", $defs: { x: { pattern: "^a" } } }, "ab", "b"],
    [{ type: "object", additionalProperties: false, properties: { a: true } }, { a: 1 }, { b: 1 }],
    [true, 1, undefined as never],
  ])("%j takes %j and refuses %j", (schema, good, bad) => {
    const check = compileSchema(schema);
    expect(check(good)).toEqual([]);
    if (bad !== undefined) expect(check(bad).length).toBeGreaterThan(0);
  });

  test("an issue names the place and what is wrong there", () => {
    const check = compileSchema({
      properties: { list: { items: { required: ["n"], properties: { n: { type: "number" } } } } },
    });
    expect(check({ list: [{ n: 1 }, {}] })).toEqual([{ path: "list.1.n", message: "is missing" }]);
  });

  test.each([[{ type: "bogus" }], [{ not: { type: "string" } }], [{ type: "string", pattern: "(" }]])(
    "%j cannot be used, and says so",
    (schema) => {
      expect(() => compileSchema(schema)).toThrow();
    },
  );
});

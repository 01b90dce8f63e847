import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { builtinKinds } from "../../../machines/workflow/kinds/table.ts";
import { readDefinition } from "../../../machines/workflow/read/definition.ts";
import { writeDefinitionSchema } from "../../../machines/workflow/read/json-schema.ts";
import * as document000 from "../../fixtures/workflow/document-000.ts";
import * as document002 from "../../fixtures/workflow/document-002.ts";
import * as document003 from "../../fixtures/workflow/document-003.ts";

const schema = z.fromJSONSchema(writeDefinitionSchema(builtinKinds));
const yaml = (name: string): unknown =>
  parse(readFileSync(new URL(`../../fixtures/workflow/${name}`, import.meta.url), "utf8"));

describe("the published JSON Schema", () => {
  test("takes every definition that is read without errors, and its normal form", () => {
    const values = [
      ...Object.values(document003),
      ...Object.values(document000),
      document002.codeDevelopment,
      yaml("full-stack-development.yaml"),
      yaml("technology-decision.yaml"),
      yaml("orchestrator-config.yaml"),
    ];
    for (const value of values) {
      const plain: unknown = JSON.parse(JSON.stringify(value));
      expect(schema.safeParse(plain).error?.issues ?? []).toEqual([]);
      for (const definition of readDefinition(value).definitions)
        expect(schema.safeParse(JSON.parse(JSON.stringify(definition))).error?.issues ?? []).toEqual([]);
    }
  });

  test.each([
    [{ steps: [{ id: "a", type: "task", capabilty: "c" }] }],
    [{ steps: [{ id: "a", type: "nope" }] }],
    [{ steps: "x" }],
    [{ phases: [{ nam: "x" }] }],
    [
      {
        steps: [
          {
            id: "p",
            type: "parallel",
            parallel: { branches: [{ steps: [{ id: "a", type: "task", capability: 3 }] }] },
          },
        ],
      },
    ],
  ])("refuses %j", (value) => expect(schema.safeParse(value).success).toBe(false));
});

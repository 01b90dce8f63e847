import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { expect } from "vitest";
import { compile } from "../../../machines/workflow/compile/compile.ts";
import type { CompiledWorkflow } from "../../../machines/workflow/compiled.ts";
import { readDefinition } from "../../../machines/workflow/read/definition.ts";
import type { Problem } from "../../../machines/workflow/read/problem.ts";

export function fixture(name: string): unknown {
  return parse(readFileSync(new URL(`../../fixtures/workflow/${name}`, import.meta.url), "utf8"));
}

export function read(value: unknown, key?: string): { workflows: CompiledWorkflow[]; problems: readonly Problem[] } {
  const { definitions, problems } = readDefinition(value, key === undefined ? {} : { key });
  return { workflows: definitions.map((definition) => compile(definition)), problems };
}

export function only(value: unknown, key?: string): CompiledWorkflow {
  const { workflows, problems } = read(value, key);
  const [workflow] = workflows;
  if (workflow === undefined) throw new Error(JSON.stringify(problems));
  return workflow;
}

export function warnings(problems: readonly Problem[]): readonly string[] {
  expect(problems.every(({ severity }) => severity === "warning")).toBe(true);
  return problems.map(({ message }) => message);
}

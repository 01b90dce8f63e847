import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { expressionFunctions } from "../../machines/workflow/expression/functions.ts";
import { builtinKinds } from "../../machines/workflow/kinds/table.ts";
import { readDefinition } from "../../machines/workflow/read/definition.ts";
import { readYaml } from "../../src/workflow/load/yaml-text.ts";
import { rootFolder } from "../house/source-files.ts";

const guide = readFileSync(join(rootFolder, "docs/guide/workflows.md"), "utf8");

test("every workflow in the guide is a valid definition", () => {
  const fences = [...guide.matchAll(/```yaml\n([^]*?)```/g)].map(([, text = ""]) => text);
  expect(fences.length).toBeGreaterThan(0);
  for (const text of fences)
    for (const { value } of readYaml(text).documents) expect(readDefinition(value).problems).toEqual([]);
});

test("the guide names every kind of step and every function of expressions", () => {
  for (const kind of builtinKinds.keys()) expect(guide).toContain(`| \`${kind}\` |`);
  const list = /Functions: `([^`]*)`/.exec(guide)?.[1]?.split(/\s+/) ?? [];
  expect(list.toSorted()).toEqual(Object.keys(expressionFunctions).toSorted());
});

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readDefinition } from "../../../machines/workflow/read/definition.ts";
import {
  loadDefinitionFile,
  loadDefinitionFolder,
  type LoadOptions,
} from "../../../src/workflow/load/definition-file.ts";
import { writeDefinition } from "../../../src/workflow/load/definition-text.ts";
import { readYaml } from "../../../src/workflow/load/yaml-text.ts";
import * as document003 from "../../fixtures/workflow/document-003.ts";
import { definitionArbitrary } from "../../machines/workflow/definitions.ts";

const options: LoadOptions = {
  read: (authored, fallbackKey) => readDefinition(authored, { fallbackKey }),
  importModule: (url) => import(url) as Promise<unknown>,
};

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "troupe-load-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

describe("a file of definitions", () => {
  test("in YAML says of each problem on which line it is", async () => {
    const path = await file(
      "broken.yaml",
      `name: broken
steps:
  - id: fetch
    type: task
    capabilty: http.get
  - id: shape
    type: task
    capability: shape
    input:
      url: "$.input.url + "
      deep: [1, "\${lenn($.input.x)}"]
    next: sav
`,
    );
    const { problems, definitions } = await loadDefinitionFile(path, options);
    expect(definitions).toEqual([]);
    expect(problems.map(({ path: at, line }) => [at, line])).toEqual([
      ["steps[0].capabilty", 5],
      ["steps[1].input.url", 10],
      ["steps[1].input.deep[1]", 11],
      ["steps[1].next", 12],
    ]);
    const mended = await file(
      "mended.yaml",
      "name: m\nsteps:\n  - { id: a, type: task, capability: c, next: bb }\n  - { id: b, type: task, capability: c, next: a }\n",
    );
    expect((await loadDefinitionFile(mended, options)).problems).toMatchObject([
      {
        path: "steps[0].next",
        line: 3,
        severity: "error",
        message: expect.stringContaining("did you mean `b`?") as string,
      },
      { path: "steps[1]", line: 4, code: "definition/unreachable-step" },
    ]);
  });

  test("in JSON has lines as well, also for what is missing", async () => {
    const path = await file(
      "x.json",
      '{\n  "name": "x",\n  "steps": [\n    {\n      "id": "a",\n      "type": "wait",\n      "wait": "soon"\n    },\n    { "id": "b" }\n  ]\n}\n',
    );
    const { problems } = await loadDefinitionFile(path, options);
    expect(problems.map(({ path: at, line }) => [at, line])).toEqual([
      ["steps[0].wait", 7],
      ["steps[1].type", 9],
    ]);
  });

  test.each([
    ["a.yaml", "name: x\nsteps:\n  - id: a\n   type: task\n", 4, /is no YAML/],
    ["b.yaml", "name: x\nname: y\nsteps: []\n", 2, /is no YAML: Map keys must be unique/],
    ["c.json", '{\n  "name": "x",\n  "steps": [1,]\n}\n', 3, /is no JSON/],
    ["d.json", '{\n  "name": "x"', 2, /is no JSON/],
    ["e.yaml", "", 1, /is empty/],
  ])("that cannot be parsed says where: %s", async (name, text, line, message) => {
    const { problems, definitions } = await loadDefinitionFile(await file(name, text), options);
    expect(definitions).toEqual([]);
    expect(problems).toMatchObject([
      { code: "definition/bad-syntax", line, message: expect.stringMatching(message) as string },
    ]);
  });

  test("may hold several documents; the name of the file is the key where none is given", async () => {
    const two = await file(
      "pair.yml",
      "key: one\nsteps: [{ id: a, capability: c }]\n---\nkey: two\nsteps: [{ id: a, capability: c }]\n",
    );
    expect((await loadDefinitionFile(two, options)).definitions.map(({ key }) => key)).toEqual(["one", "two"]);
    const same = await file(
      "nightly-report.yaml",
      "steps: [{ id: a, capability: c }]\n---\nsteps: [{ id: b, capability: c }]\n",
    );
    const { problems } = await loadDefinitionFile(same, options);
    expect(problems.map(({ message }) => message)).toEqual([
      expect.stringContaining("defines nightly-report 1 more than once"),
    ]);
  });

  test("may be a module with one definition or a list of them", async () => {
    const one = await file("one.mjs", 'export default { name: "one", steps: [{ id: "a", capability: "c" }] };\n');
    expect((await loadDefinitionFile(one, options)).definitions).toMatchObject([{ key: "one", name: "one" }]);
    const many = await file(
      "many.ts",
      'export default [{ key: "x", steps: [{ id: "a", capability: "c" }] }, { key: "y", steps: [] }] as const;\n',
    );
    expect((await loadDefinitionFile(many, options)).problems).toMatchObject([
      { path: "steps", code: "definition/no-steps" },
    ]);
    const none = await file("none.mjs", "export const x = 1;\n");
    expect((await loadDefinitionFile(none, options)).problems).toMatchObject([
      { message: expect.stringContaining("has no default export") as string },
    ]);
    const thrower = await file("thrower.mjs", 'throw new Error("boom");\n');
    expect((await loadDefinitionFile(thrower, options)).problems).toMatchObject([
      { message: "cannot be loaded: boom" },
    ]);
    expect((await loadDefinitionFile(one, { read: options.read })).problems).toMatchObject([
      { message: expect.stringContaining("import it") as string },
    ]);
  });

  test("that is missing or of another kind is a usage error", async () => {
    await expect(loadDefinitionFile(join(folder, "no.yaml"), options)).rejects.toMatchObject({
      code: "usage/bad-file",
    });
    await expect(loadDefinitionFile(await file("x.txt", ""), options)).rejects.toMatchObject({
      code: "usage/bad-file",
      message: expect.stringContaining("must end in .json, .yaml") as string,
    });
  });

  test("aliases that would fill the memory are refused", () => {
    const bomb = [
      "a: &a [x, x, x, x, x, x, x, x, x]",
      ...Array.from(
        "bcdefghi",
        (name, at) => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${"abcdefgh".charAt(at)}`).join(", ")}]`,
      ),
    ].join("\n");
    expect(readYaml(bomb).problems).toMatchObject([
      { code: "definition/bad-syntax", message: expect.stringContaining("alias") as string },
    ]);
  });
});

test("a folder is read in the order of paths, inner folders included", async () => {
  const inner = join(folder, "flows");
  await mkdir(join(inner, "more"), { recursive: true });
  await writeFile(join(inner, "b.yaml"), "steps: [{ id: a, capability: c }]\n");
  await writeFile(join(inner, "more", "a.json"), '{ "steps": [{ "id": "a" }] }');
  await writeFile(join(inner, "readme.md"), "# no");
  const files = await loadDefinitionFolder(inner, options);
  expect(
    files.map(({ file: name, definitions, problems }) => [
      name.slice(inner.length + 1),
      definitions.length,
      problems.length,
    ]),
  ).toEqual([
    ["b.yaml", 1, 0],
    [join("more", "a.json"), 0, 1],
  ]);
  await expect(loadDefinitionFolder(join(folder, "nowhere"), options)).rejects.toMatchObject({
    code: "usage/bad-file",
  });
});

test("a definition that is written and read again is the same, in JSON and in YAML", () => {
  fc.assert(
    fc.property(fc.oneof(definitionArbitrary, fc.constantFrom<object>(...Object.values(document003))), (value) => {
      const [definition] = readDefinition(value).definitions;
      if (definition === undefined) throw new Error("the definition is broken");
      for (const format of ["json", "yaml"] as const) {
        const text = writeDefinition(definition, format);
        const [again] = readDefinition(
          format === "json" ? JSON.parse(text) : readYaml(text).documents[0]?.value,
        ).definitions;
        expect(JSON.stringify(again)).toBe(JSON.stringify(definition));
      }
    }),
    { numRuns: 60 },
  );
});

test("no text crashes the readers", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string({
          unit: fc.constantFrom(
            "a",
            ":",
            " ",
            "-",
            "\n",
            "&",
            "*",
            "{",
            "}",
            "[",
            "]",
            '"',
            "'",
            "|",
            ">",
            "!",
            "%",
            "#",
            "?",
          ),
        }),
      ),
      (text) => {
        for (const { value } of readYaml(text).documents) readDefinition(value);
      },
    ),
    { numRuns: 500 },
  );
});

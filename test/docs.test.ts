import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { compileFences, findExamples, findFences } from "./house/fences.ts";
import { Doors } from "./house/public-names.ts";
import { readSourceFiles, rootFolder } from "./house/source-files.ts";

const sources = readSourceFiles(["machines", "src", "agents"]);
const doors = ["src/index.ts", "agents/index.ts", "machines/index.ts", "src/testing/index.ts"];

function readDocuments(): { file: string; text: string }[] {
  const listed = readdirSync(join(rootFolder, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name));
  return ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", ...listed].map((file) => ({
    file,
    text: readFileSync(join(rootFolder, file), "utf8"),
  }));
}

const broken = 'Words.\n\n```ts\nimport { defineAgent } from "troupe";\ndefineAgent(1);\n```\n';

describe("programs in the documents", () => {
  const documents = readDocuments();
  const fences = documents.flatMap(({ file, text }) => findFences(file, text));
  const examples = sources.flatMap(findExamples);
  const all = [...fences, ...examples];
  const compiled = all.filter((fence) => fence.skipped === undefined);
  let problems: readonly string[] = [];
  // One run of the compiler says both: what is right here, and that it would have noticed what is not.
  beforeAll(() => {
    problems = compileFences([...compiled, ...findFences("broken.md", broken)]);
  }, 60_000);

  test("every ts fence and every @example compiles against troupe as a user has it", () => {
    expect(documents.length).toBeGreaterThan(8);
    expect(examples.length).toBeGreaterThan(8);
    expect(compiled.some((fence) => fence.file === "README.md")).toBe(true);
    // Skipped programs are not checked by anything: there may be a few, each with its reason.
    expect(all.length - compiled.length).toBeLessThanOrEqual(5);
    expect(compiled.some(({ file }) => file === "broken.md")).toBe(false);
    expect(problems.filter((problem) => !problem.startsWith("broken.md:"))).toEqual([]);
  });

  test("a program that does not compile is named by file and line", () => {
    const named = problems.filter((problem) => problem.startsWith("broken.md:"));
    expect(named).toEqual([expect.stringMatching(/^broken\.md:5: error TS\d+/)]);
  });

  test("a program that is not to be compiled says why", () => {
    const [fence] = findFences("guide.md", "```ts no-compile — needs a browser\nlocation.reload();\n```\n");
    expect(fence?.skipped).toBe("needs a browser");
    expect(() => findFences("guide.md", "```ts no-compile\nlocation.reload();\n```\n")).toThrow(/guide\.md:1 says/);
    expect(() => findFences("guide.md", "```ts\nlocation.reload();\n")).toThrow(/never closes/);
  });

  test("an @example is found inside a docstring, and one without a fence is refused", () => {
    const text = "/**\n * Adds.\n * @example\n * ```ts\n * add(1, 2);\n * ```\n */\nexport const add = 1;\n";
    expect(findExamples({ path: "src/add.ts", text })).toEqual([
      { file: "src/add.ts", line: 5, code: "add(1, 2);", skipped: undefined },
    ]);
    const bare = "/**\n * Adds.\n * @example add(1, 2);\n */\nexport const add = 1;\n";
    expect(() => findExamples({ path: "src/add.ts", text: bare })).toThrow(/src\/add\.ts:1 has an @example without/);
  });
});

describe("docstrings", () => {
  test.each(doors)("every name that %s exports says what it gives", (door) => {
    const names = new Doors(sources).readNames(door);
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((entry) => entry.comment === "").map((entry) => `${entry.name} in ${entry.file}`)).toEqual([]);
  });

  test("a name without a docstring is found behind its re-exports", () => {
    const found = new Doors([
      { path: "src/index.ts", text: 'export { first as one, type Two } from "./middle.ts";\n' },
      {
        path: "src/middle.ts",
        text: 'import { first } from "./end.ts";\nexport { first };\n/** Two. */\nexport type Two = 2;\n',
      },
      { path: "src/end.ts", text: "// Not a docstring.\nexport const first = 1;\n" },
    ]).readNames("src/index.ts");
    expect(found.map((entry) => [entry.name, entry.file, entry.comment])).toEqual([
      ["one", "src/end.ts", ""],
      ["Two", "src/middle.ts", "* Two. "],
    ]);
  });

  test("a door that leads nowhere is an error", () => {
    const files = [
      { path: "src/index.ts", text: 'export { lost } from "./end.ts";\n' },
      { path: "src/end.ts", text: "export {};\n" },
    ];
    expect(() => new Doors(files).readNames("src/index.ts")).toThrow(/declared nowhere/);
  });
});

describe("decision records", () => {
  const folder = join(rootFolder, "docs", "decisions");
  const records = readdirSync(folder).filter((name) => name.endsWith(".md"));
  const headings = ["Status", "Context", "Options", "Decision", "Consequences", "Check"];

  test.each(records)("%s has a number of its own and every part", (name) => {
    expect(name).toMatch(/^\d{4}-[a-z0-9-]+\.md$/);
    expect(records.filter((other) => other.startsWith(name.slice(0, 4)))).toEqual([name]);
    const text = readFileSync(join(folder, name), "utf8");
    expect([...text.matchAll(/^## (.+)$/gm)].map((match) => match[1])).toEqual(headings);
  });

  test("every record that the code refers to exists", () => {
    const references = sources.flatMap(({ path, text }) =>
      [...text.matchAll(/decisions\/(\d{4})/g)].map((match) => ({ path, number: match[1] ?? "" })),
    );
    expect(references.length).toBeGreaterThan(2);
    expect(references.filter(({ number }) => !records.some((name) => name.startsWith(number)))).toEqual([]);
  });

  test("every file that a check of a record names exists", () => {
    const named = records.flatMap((name) => {
      const check = readFileSync(join(folder, name), "utf8").split("## Check")[1] ?? "";
      return [...check.matchAll(/`((?:test|docs|machines|src)\/[^`*]+\.[a-z]+)`/g)].map(
        (match) => `${name}: ${match[1]}`,
      );
    });
    expect(named.length).toBeGreaterThan(4);
    expect(named.filter((entry) => !existsSync(join(rootFolder, entry.split(": ")[1] ?? "")))).toEqual([]);
  });
});

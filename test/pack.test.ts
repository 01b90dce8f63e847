import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findFences } from "./house/fences.ts";
import { linkNodeTypes, PackedPackage, runCompiler, runProgram } from "./house/packed-package.ts";
import { rootFolder } from "./house/source-files.ts";

interface Manifest {
  readonly exports: { readonly [subpath: string]: string | { readonly [condition: string]: string } };
}

const manifest = JSON.parse(readFileSync(join(rootFolder, "package.json"), "utf8")) as Manifest;
const doors = Object.keys(manifest.exports).filter((subpath) => !subpath.endsWith(".json"));

/** The unpacked package stays below this; the experts' libraries are not in it. */
const unpackedBytesMax = 4_000_000;

const agentsModule = `import { defineAgent } from "troupe";
import { z } from "zod";

type Name = { name: string };

export default defineAgent({
  name: "greeter",
  capabilities: {
    greet: {
      input: z.object({ name: z.string() }),
      output: z.string(),
      run: ({ input }) => \`Hello, \${(input satisfies Name).name}\`,
    },
  },
});
`;

const program = `import { createTroupe } from "troupe";
import greeter from "./agents.ts";

await using troupe = await createTroupe({ agents: [greeter] });
await troupe.spawn(greeter);
const outcome = await troupe.call("greet", { name: "Ada" });
if (!outcome.ok) throw new Error(outcome.failure.message);
const words: string = outcome.value;
console.log(words);
`;

const tsconfig = {
  compilerOptions: {
    target: "ES2024",
    lib: ["ES2024", "ESNext.Disposable"],
    module: "NodeNext",
    types: ["node"],
    strict: true,
    rewriteRelativeImportExtensions: true,
    outDir: "built",
  },
  files: ["program.ts", "first.ts"],
};

/** A newcomer's program fits on one screen. */
const firstProgramLinesMax = 24;
const readme = readFileSync(join(rootFolder, "README.md"), "utf8");
const [firstProgram] = findFences("README.md", readme);

let packed: PackedPackage;
let project = "";

beforeAll(() => {
  packed = new PackedPackage();
  project = packed.installInto("project");
  linkNodeTypes(project);
  writeFileSync(join(project, "agents.ts"), agentsModule);
  writeFileSync(join(project, "program.ts"), program);
  writeFileSync(join(project, "first.ts"), `${firstProgram?.code}\n`);
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify(tsconfig));
}, 600_000);

afterAll(() => packed?.[Symbol.dispose]());

describe("the packed package in a clean project", () => {
  test("it holds what runs and what explains it, and nothing of the workshop", () => {
    for (const file of [
      "package.json",
      "README.md",
      "LICENSE",
      "CHANGELOG.md",
      "bin/troupe.js",
      "dist/src/index.js",
      "dist/src/index.d.ts",
    ]) {
      expect(packed.files).toContain(file);
    }
    expect(
      packed.files.filter(
        (file) =>
          !/^(package\.json|README\.md|LICENSE|CHANGELOG\.md|bin\/|dist\/|docs\/(guide\/|workflow\.schema\.json$))/.test(
            file,
          ),
      ),
    ).toEqual([]);
    expect(packed.files.filter((file) => /(^|\/)test\/|(?<!\.d)\.ts$/.test(file))).toEqual([]);
    expect(packed.unpackedBytes).toBeLessThan(unpackedBytesMax);
  });

  test("publint finds nothing to complain about", async () => {
    const { messages, pkg } = await publint({ pkgDir: packed.copy, strict: true, pack: false });
    expect(messages.map((message) => formatMessage(message, pkg as Record<string, unknown>))).toEqual([]);
  });

  test("a TypeScript program type-checks against it, its declarations included", { timeout: 60_000 }, () => {
    expect(runCompiler(project, "-p", ".").stdout).toBe("");
  });

  test("the first program of README.md is short, and prints there what README.md says", { timeout: 60_000 }, () => {
    const lines = firstProgram?.code.split("\n").filter((line) => line.trim() !== "") ?? [];
    expect(lines.length).toBeGreaterThan(5);
    expect(lines.length).toBeLessThanOrEqual(firstProgramLinesMax);
    const [, printed = ""] = /It prints `([^`]+)`/.exec(readme) ?? [];
    expect(printed).toMatch(/^decided /);
    expect(runProgram(project, [process.execPath, "first.ts"]).stdout).toBe(`${printed}\n`);
  });

  test("a wrong input is a compile error there", { timeout: 60_000 }, () => {
    writeFileSync(join(project, "wrong.ts"), program.replace('{ name: "Ada" }', "{ name: 1 }"));
    const config = { ...tsconfig, compilerOptions: { ...tsconfig.compilerOptions, noEmit: true }, files: ["wrong.ts"] };
    writeFileSync(join(project, "tsconfig.wrong.json"), JSON.stringify(config));
    expect(() => runCompiler(project, "-p", "tsconfig.wrong.json")).toThrow(/wrong\.ts\(6,\d+\): error TS/);
  });

  test("the program runs as TypeScript, and compiled as JavaScript", { timeout: 60_000 }, () => {
    expect(runProgram(project, [process.execPath, "program.ts"]).stdout).toBe("Hello, Ada\n");
    expect(runProgram(project, [process.execPath, join("built", "program.js")]).stdout).toBe("Hello, Ada\n");
  });

  test(
    "every door opens without the optional libraries, and gives the names that its source exports",
    { timeout: 60_000 },
    async () => {
      expect(doors.length).toBeGreaterThanOrEqual(4);
      const names = doors.map((subpath) => `troupe${subpath.slice(1)}`);
      const script = `for (const name of ${JSON.stringify(names)}) console.log(name, Object.keys(await import(name)).sort().join(" "));`;
      const printed = runProgram(project, [process.execPath, "--input-type=module", "-e", script])
        .stdout.trim()
        .split("\n");
      for (const [index, name] of names.entries()) {
        const source = (await import(name)) as object;
        expect(printed[index]).toBe([name, ...Object.keys(source).toSorted()].join(" "));
      }
    },
  );

  test("without msgpackr a node listens and connects in JSON, and says what the binary codec needs", () => {
    const talk = `
      import { createTroupe } from "troupe";
      await using north = await createTroupe({ node: "north" });
      await using south = await createTroupe({ node: "south" });
      const { url } = await north.listen({ port: 0 });
      console.log((await south.connect(url)).node);
      await south.connect(url, { codec: "msgpack" }).catch(({ code, message }) => console.log(code, message));
      await north.listen({ port: 0, codec: "msgpack" }).catch(({ code }) => console.log(code));`;
    const said = runProgram(project, [process.execPath, "--input-type=module", "-e", talk]).stdout;
    expect(said).toMatch(/^north\nusage\/missing-peer .* run `npm i msgpackr`\nusage\/missing-peer\n$/);
  });

  test("nothing else is public", () => {
    const inner = 'await import("troupe/dist/src/index.js");';
    const run = runProgram(project, [process.execPath, "--input-type=module", "-e", inner], { allowFailure: true });
    expect(run.stderr).toContain("ERR_PACKAGE_PATH_NOT_EXPORTED");
  });

  test("the command says what it can do", { timeout: 60_000 }, () => {
    const command = join(project, "node_modules", ".bin", "troupe");
    expect(runProgram(project, [command, "--help"]).stdout).toMatch(/^Usage: troupe/m);
  });

  test("a user's agents module in TypeScript runs through the command", { timeout: 60_000 }, () => {
    const command = join(project, "node_modules", ".bin", "troupe");
    const run = runProgram(project, [
      command,
      "call",
      "greet",
      "--agents",
      "agents.ts",
      "--input",
      '{"name":"Ada"}',
      "--json",
    ]);
    expect(JSON.parse(run.stdout)).toEqual({ ok: true, value: "Hello, Ada" });
  });
});

import { spawnSync } from "node:child_process";
import { join, posix } from "node:path";
import { describe, expect, test } from "vitest";
import { Visitor } from "oxc-parser";
import { findSharedTenants, judgeImports, roomOf } from "./house/import-rules.ts";
import { emptyNames, folderFilesMax, linesMax, rooms } from "./house/import-table.ts";
import { parseSource, readImports, readSourceFiles, rootFolder, type SourceFile } from "./house/source-files.ts";

const files = readSourceFiles();
const imports = files.map((file) => ({ path: file.path, imports: readImports(file) }));
const house = files.filter((file) => /^(machines|src|agents)\//.test(file.path));

/** The gates below judge what they see; fewer files than this means that they look in the wrong place. */
const filesMin = 40;
const importsMin = 120;

function judgeText(path: string, text: string): string[] {
  return judgeImports(path, readImports({ path, text }));
}

describe("who may import whom", () => {
  test("the gate sees the whole house", () => {
    expect(files.length).toBeGreaterThan(filesMin);
    expect(imports.flatMap((file) => file.imports).length).toBeGreaterThan(importsMin);
    for (const top of ["machines", "src", "agents", "examples", "test", "bench", "bin", "docs"]) {
      expect(files.map((file) => file.path.split("/")[0])).toContain(top);
    }
  });

  test("every import is one that the table allows", () => {
    expect(imports.flatMap((file) => judgeImports(file.path, file.imports))).toEqual([]);
  });

  test("a library that agents bring along has one owner room", () => {
    expect(findSharedTenants(imports)).toEqual([]);
  });

  test("a library that two experts share is caught", () => {
    const used = [{ specifier: "left-pad", lazy: false, typeOnly: false, names: [] }];
    const two = ["agents/security/rules.ts", "agents/performance/rules.ts"].map((path) => ({ path, imports: used }));
    expect(findSharedTenants(two)).toEqual([
      expect.stringContaining("left-pad is used by agents/security and agents/performance"),
    ]);
  });

  test("every floor of the table has a room, and no room is listed twice", () => {
    expect(new Set(rooms.map((row) => row.floor ?? 0))).toEqual(new Set([0, 1, 2, 3, 4, 5, 6]));
    expect(new Set(rooms.map((row) => row.room)).size).toBe(rooms.length);
  });

  test.each([
    ["the law reaches into the runtime", "machines/call/machine.ts", 'import { x } from "../../src/errors.ts";'],
    ["the law does I/O", "machines/call/machine.ts", 'import { readFileSync } from "node:fs";'],
    ["the law takes even the types of I/O", "machines/call/machine.ts", 'import type { Stats } from "node:fs";'],
    ["the law runs an actor", "machines/call/machine.ts", 'import { createActor } from "xstate";'],
    ["the law takes a library of the runtime", "machines/wire/frame.ts", 'import { WebSocket } from "ws";'],
    ["a room of the law opens another", "machines/mailbox/ring.ts", 'import { x } from "../supervision/strategy.ts";'],
    ["a type crosses upwards", "machines/failure.ts", 'import type { X } from "../src/ports/log.ts";'],
    ["a type query crosses upwards", "machines/failure.ts", 'export type X = import("../src/ports/log.ts").Log;'],
    ["a lower floor opens a higher one", "src/system/spawn.ts", 'import { x } from "../dispatch/route.ts";'],
    ["a re-export opens a higher floor", "src/agent/define.ts", 'export { x } from "../consensus/opinion/opinion.ts";'],
    ["a room opens its neighbour", "src/store/sqlite.ts", 'import { x } from "../remote/link.ts";'],
    ["dispatch opens consensus", "src/dispatch/route.ts", 'import { x } from "../consensus/tally.ts";'],
    ["a view opens the system", "src/inspect/feed.ts", 'import { x } from "../system/tree.ts";'],
    ["a view opens the store lazily", "src/dashboard/page.ts", 'const x = await import("../store/memory.ts");'],
    ["a root opens a view at once", "src/troupe/create.ts", 'import { x } from "../inspect/attach.ts";'],
    ["the command opens the agents at once", "src/cli/demo.ts", 'import { experts } from "troupe/agents";'],
    ["the runtime imports its own door", "src/dispatch/route.ts", 'import { x } from "troupe";'],
    ["an agent reaches the runtime", "agents/security/agent.ts", 'import { x } from "../../src/agent/define.ts";'],
    ["an agent reaches the law", "agents/project/walk.ts", 'import { x } from "../../machines/failure.ts";'],
    ["an expert opens another expert", "agents/security/agent.ts", 'import { x } from "../performance/rules.ts";'],
    ["the survey opens an expert", "agents/project/walk.ts", 'import { x } from "../security/rules.ts";'],
    ["an example reaches the runtime", "examples/01-hello.ts", 'import { x } from "../src/index.ts";'],
    ["a package without an owner", "src/system/spawn.ts", 'import pad from "left-pad";'],
    ["a node: module without an owner", "src/stream/feed.ts", 'import { Worker } from "node:worker_threads";'],
    ["the scaffold of the experts opens an expert", "agents/expert.ts", 'import { x } from "./security/rules.ts";'],
    ["a second owner", "src/dispatch/route.ts", 'import { DatabaseSync } from "node:sqlite";'],
    ["a hidden path", "src/dispatch/route.ts", "const x = await import(name);"],
    ["a room that is not in the table", "src/attic/box.ts", 'import { z } from "zod";'],
    ["tests inside the house", "src/system/spawn.ts", 'import { test } from "vitest";'],
    ["a path out of the package", "src/system/spawn.ts", 'import { x } from "../../../other/x.ts";'],
  ])("is caught: %s", (_what, path, text) => {
    expect(judgeText(path, text)).toHaveLength(1);
  });

  test.each([
    ["src/consensus/shell.ts", 'import { x } from "../dispatch/route.ts";'],
    ["src/troupe/create.ts", 'const { x } = await import("../inspect/attach.ts");'],
    ["src/cli/demo.ts", 'const { experts } = await import("troupe/agents");'],
    ["src/stream/feed.ts", 'import { Observe } from "../ports/observe.ts";'],
    [
      "machines/call/machine.ts",
      'import { setup, type AnyActorRef } from "xstate";\nimport { x } from "../failure.ts";',
    ],
    [
      "agents/security/agent.ts",
      'import { z } from "zod";\nimport { x } from "../project/walk.ts";\nimport { y } from "troupe";',
    ],
  ])("is allowed in %s: %s", (path, text) => {
    expect(judgeText(path, text)).toEqual([]);
  });

  test("rooms are read from paths", () => {
    expect(["machines/failure.ts", "machines/index.ts", "machines/call/machine.ts"].map(roomOf)).toEqual([
      "machines",
      "machines/index",
      "machines/call",
    ]);
    expect(["src/errors.ts", "src/cli/commands/demo.ts", "agents/index.ts"].map(roomOf)).toEqual([
      "src/errors",
      "src/cli",
      "agents/index",
    ]);
  });
});

/** What is wrong with a file's name, length or exports, in words. */
function judgeShape(file: SourceFile): string[] {
  const problems: string[] = [];
  const name = posix.basename(file.path).replace(/\.(test\.)?[cm]?[jt]s$/, "");
  if (emptyNames.includes(name)) problems.push(`${file.path}: the name "${name}" says nothing about what is inside`);
  if (!/^[a-z0-9]+([.-][a-z0-9]+)*$/.test(name)) problems.push(`${file.path}: file names are kebab-case`);
  const lines = file.text.split("\n").length - 1;
  if (lines > linesMax) problems.push(`${file.path}: ${lines} lines; the most is ${linesMax}`);
  for (const node of parseSource(file).program.body) {
    if (node.type === "ExportAllDeclaration")
      problems.push(`${file.path}: export * hides what is public; name each export`);
  }
  return problems;
}

/** Where an object literal has a getter. Source: docs/decisions/0018. */
function findLiteralGetters(file: SourceFile): string[] {
  const found: string[] = [];
  new Visitor({
    ObjectExpression({ properties }) {
      for (const one of properties)
        if (one.type === "Property" && one.kind === "get") found.push(`${file.path}:${one.start}`);
    },
  }).visit(parseSource(file).program);
  return found;
}

describe("the shape of files and folders", () => {
  test("names say what is inside, files end in time, and exports are named", () => {
    expect(files.flatMap(judgeShape)).toEqual([]);
  });

  test.each([
    ["an empty name", { path: "src/system/utils.ts", text: "export const a = 1;\n" }],
    ["an empty name of a test", { path: "test/src/helpers.test.ts", text: "export const a = 1;\n" }],
    ["a name in camel case", { path: "src/system/runQueue.ts", text: "export const a = 1;\n" }],
    ["an endless file", { path: "src/system/queue.ts", text: "// line\n".repeat(linesMax + 1) }],
    ["an endless test", { path: "test/system/queue.test.ts", text: "// line\n".repeat(linesMax + 1) }],
    ["a star export", { path: "src/index.ts", text: 'export * from "./errors.ts";\n' }],
  ])("is caught: %s", (_what, file) => {
    expect(judgeShape(file)).toHaveLength(1);
  });

  test("no object literal has a getter: each one made has a hidden class, which keeps what it sees until a full collection", () => {
    expect(house.flatMap(findLiteralGetters)).toEqual([]);
    const caught = { path: "src/a.ts", text: "export const one = (n: number) => ({ get two() { return n; } });\n" };
    const allowed = { path: "src/a.ts", text: "export class One { get two() { return 2; } }\n" };
    expect([caught, allowed].map((file) => findLiteralGetters(file).length)).toEqual([1, 0]);
  });

  test("no folder of source holds more files than one idea needs", () => {
    const counts = new Map<string, number>();
    for (const { path } of house) counts.set(posix.dirname(path), (counts.get(posix.dirname(path)) ?? 0) + 1);
    expect(counts.size).toBeGreaterThan(8);
    expect([...counts].filter(([, count]) => count > folderFilesMax)).toEqual([]);
  });

  test("doors hold names and lists of names, no code", () => {
    const doors = files.filter((file) => /^(src|agents|src\/testing)\/index\.ts$/.test(file.path));
    expect(doors.length).toBeGreaterThanOrEqual(3);
    const code = doors.flatMap((door) =>
      parseSource(door).program.body.flatMap((node) => {
        const named = node.type === "ExportNamedDeclaration" ? node.declaration : node;
        const plain = ["ImportDeclaration", "VariableDeclaration", "TSInterfaceDeclaration", "TSTypeAliasDeclaration"];
        return named === null || plain.includes(named.type)
          ? []
          : [`${door.path}: ${door.text.slice(node.start, node.end)}`];
      }),
    );
    expect(code).toEqual([]);
  });
});

describe("the compiler keeps machines/ pure", () => {
  const folder = join(rootFolder, "test", "fixtures", "impure");
  const bad = ["clock", "console", "crypto", "fetch", "node-module", "performance", "process", "text", "timer"];

  test("each kind of I/O fails to compile there, and pure code compiles", { timeout: 60_000 }, () => {
    const run = spawnSync(
      process.execPath,
      [join(rootFolder, "node_modules", "typescript", "bin", "tsc"), "-p", folder, "--pretty", "false"],
      {
        cwd: rootFolder,
        encoding: "utf8",
      },
    );
    const broken = new Set(
      [...run.stdout.matchAll(/impure\/([a-z-]+)\.ts\(\d+,\d+\): error TS/g)].map((match) => match[1] ?? ""),
    );
    expect(run.status).not.toBe(0);
    expect([...broken].toSorted()).toEqual(bad);
    // A reach into the runtime compiles the runtime without Node's types, which fails there.
    expect(run.stdout).toMatch(/^src\/ports\/clock\.ts\(/m);
  });
});

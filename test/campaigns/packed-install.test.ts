import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { linkNodeTypes, PackedPackage, runCompiler, runNpm, runProgram } from "../house/packed-package.ts";
import { rootFolder } from "../house/source-files.ts";

const greeter = `import { createTroupe, defineAgent } from "troupe";
import { z } from "zod";

export const greeter = defineAgent({
  name: "greeter",
  capabilities: {
    greet: { input: z.object({ name: z.string() }), output: z.string(), run: ({ input }) => "Hello, " + input.name },
  },
});

export async function greet() {
  await using troupe = await createTroupe({ agents: [greeter] });
  await troupe.spawn(greeter);
  const outcome = await troupe.call("greet", { name: "Ada" });
  return outcome.ok ? outcome.value : outcome.failure.code;
}
`;

interface Manifest {
  readonly peerDependencies?: { readonly [name: string]: string };
  readonly devDependencies: { readonly [name: string]: string };
}

const manifest = JSON.parse(readFileSync(join(rootFolder, "package.json"), "utf8")) as Manifest;

/** The first Node.js on PATH that is too old for Troupe, where this machine has one. */
function findOldNode(): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => existsSync(join(folder, "node")));
  return folders.find((folder) => {
    const run = spawnSync(join(folder, "node"), ["-p", "process.versions.node"], { encoding: "utf8" });
    return run.status === 0 && Number.parseInt(run.stdout, 10) < 24;
  });
}

let packed: PackedPackage;

beforeAll(() => {
  packed = new PackedPackage();
});

afterAll(() => packed?.[Symbol.dispose]());

describe("the packed package, installed in other ways", () => {
  test("a project whose modules are CommonJS requires it", () => {
    const project = packed.installInto("commonjs");
    writeFileSync(
      join(project, "main.cjs"),
      'const { defineAgent } = require("troupe");\nconsole.log(typeof defineAgent);\n',
    );
    expect(runProgram(project, [process.execPath, "main.cjs"]).stdout).toBe("function\n");
  });

  test("a project that resolves as bundlers do type-checks against it", () => {
    const project = packed.installInto("bundler");
    linkNodeTypes(project);
    writeFileSync(join(project, "main.ts"), greeter);
    const compilerOptions = {
      target: "ES2024",
      lib: ["ES2024", "ESNext.Disposable"],
      module: "ESNext",
      moduleResolution: "bundler",
      types: ["node"],
      strict: true,
      noEmit: true,
    };
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["main.ts"] }));
    expect(runCompiler(project, "-p", ".").stdout).toBe("");
  });

  test("a project installs it again from its lockfile alone", () => {
    const project = packed.installInto("locked");
    runNpm(project, "ci", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error");
    writeFileSync(join(project, "main.js"), `${greeter}\nconsole.log(await greet());\n`);
    expect(runProgram(project, [process.execPath, "main.js"]).stdout).toBe("Hello, Ada\n");
  });

  test("where the system's Node.js is too old, the command says what to install, and that works", ({ skip }) => {
    const oldNode = findOldNode();
    if (oldNode === undefined) skip("no Node.js older than 24 on PATH");
    const project = packed.installInto("old-node");
    const path = [
      oldNode,
      ...(process.env["PATH"] ?? "").split(delimiter).filter((folder) => !folder.includes("node_modules")),
    ].join(delimiter);
    const npx = ["npx", "--no-install", "troupe", "--help"];
    const refused = runProgram(project, npx, { allowFailure: true, path });
    expect(refused.status).toBe(2);
    const [, advice = ""] = /`(npm i -D node@\d+)`/.exec(refused.stderr) ?? [];
    runProgram(project, [...advice.split(" "), "--prefer-offline", "--no-audit", "--no-fund"], {
      path,
    });
    expect(runProgram(project, npx, { path }).stdout).toMatch(/^Usage: troupe/m);
  });

  test("with the optional libraries, the five experts examine a project and vote", () => {
    const peers = Object.keys(manifest.peerDependencies ?? {}).map(
      (name) => `${name}@${manifest.devDependencies[name]}`,
    );
    const project = packed.installInto("council", peers);
    const examined = join(project, "examined");
    mkdirSync(examined);
    writeFileSync(join(examined, "package.json"), '{ "name": "examined", "version": "1.0.0", "license": "MIT" }\n');
    writeFileSync(join(examined, "index.js"), "module.exports = (code) => eval(code);\n");
    const run = runProgram(project, [join(project, "node_modules", ".bin", "troupe"), "demo", "examined", "--json"], {
      allowFailure: true,
    });
    const report = JSON.parse(run.stdout) as { decision: { status: string }; reports: { agent: string }[] };
    expect(report.reports).toHaveLength(5);
    expect(run.status).toBe(report.decision.status === "decided" ? 0 : 1);
  });
});

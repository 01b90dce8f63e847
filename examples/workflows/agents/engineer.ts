import { readFile } from "node:fs/promises";
import { basename, dirname, extname, join, posix } from "node:path";
import { defineAgent } from "troupe";
import { z } from "zod";
import { listFiles } from "./files.ts";

const modulePath = /\.m?js$/;

/** Names that a module exports, read from its text. */
function exportsOf(text: string): string[] {
  const declared = text.matchAll(/^export\s+(?:async\s+)?(?:function\*?|const|let|class)\s+([A-Za-z_$][\w$]*)/gm);
  return [...declared].map(([, name = ""]) => name);
}

function testPathOf(path: string): string {
  return posix.join("test", `${basename(path, extname(path))}.test.mjs`);
}

/** A test that fails when an export of a module is gone, or the module cannot be loaded. */
function writeTest(path: string, names: readonly string[]): string {
  const from = posix.join("..", path);
  const checks = names.map(
    (name) => `test("${path} exports ${name}", () => assert.notEqual(module.${name}, undefined));`,
  );
  return [
    'import assert from "node:assert/strict";',
    'import { test } from "node:test";',
    `import * as module from "${from}";`,
    "",
    ...checks,
    "",
  ].join("\n");
}

/** Reads a project of JavaScript modules, and drafts what it lacks. */
export const engineer = defineAgent({
  name: "engineer",
  concurrency: 4,
  capabilities: {
    "code.survey": {
      idempotent: true,
      input: z.object({ folder: z.string() }),
      output: z.object({
        modules: z.array(z.object({ path: z.string(), exports: z.array(z.string()) })),
        untested: z.array(z.object({ path: z.string(), exports: z.array(z.string()), test: z.string() })),
      }),
      async run({ input: { folder }, fail }) {
        const paths = await listFiles(folder).catch((error: Error) => fail("files/unreadable", error.message));
        const sources = paths.filter((path) => modulePath.test(path) && dirname(path).split("/")[0] !== "test");
        const modules = await Promise.all(
          sources.map(async (path) => ({ path, exports: exportsOf(await readFile(join(folder, path), "utf8")) })),
        );
        const untested = modules
          .filter((one) => one.exports.length > 0 && !paths.includes(testPathOf(one.path)))
          .map((one) => ({ ...one, test: testPathOf(one.path) }));
        return { modules, untested };
      },
    },
    "code.draft_test": {
      idempotent: true,
      input: z.object({ path: z.string(), exports: z.array(z.string()) }),
      output: z.object({ text: z.string() }),
      run: ({ input: { path, exports } }) => ({ text: writeTest(path, exports) }),
    },
    "code.plan": {
      idempotent: true,
      input: z.object({
        name: z.string(),
        functions: z.array(z.object({ name: z.string(), body: z.string() })).min(1),
      }),
      output: z.object({
        module: z.string(),
        code: z.string(),
        doc: z.string(),
        test: z.string(),
        testPath: z.string(),
      }),
      run({ input: { name, functions } }) {
        const module = `src/${name}.mjs`;
        const code = functions.map((one) => `export function ${one.name} ${one.body}\n`).join("\n");
        const names = functions.map((one) => one.name);
        const doc = [`# ${name}`, "", `\`${module}\` exports:`, "", ...names.map((each) => `- \`${each}\``), ""].join(
          "\n",
        );
        return { module, code, doc, test: writeTest(module, names), testPath: testPathOf(module) };
      },
    },
  },
});

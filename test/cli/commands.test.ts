import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { makeFolder, startTroupe, troupe, troupeInto } from "./command-line.ts";

const agents = `import { defineAgent } from "troupe";
import { z } from "zod";
const greeter = defineAgent({
  name: "greeter",
  capabilities: { greet: { input: z.object({ name: z.string() }), output: z.string(), run: ({ input }) => "Hello, " + input.name } },
});
`;
const folder = makeFolder({
  "one.ts": `${agents}export default greeter;\n`,
  "list.ts": `${agents}export default [greeter];\n`,
  "function.ts": `${agents}export default async (troupe: { node: string }) => (troupe.node === "local" ? greeter : []);\n`,
  "slow.ts": `import { defineAgent } from "troupe";
import { z } from "zod";
export default defineAgent({
  name: "slow",
  capabilities: { greet: { input: z.object({ name: z.string() }), output: z.string(), async run({ signal }) {
    console.error("greeting");
    const hold = setInterval(() => {}, 1000);
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    clearInterval(hold);
    console.error("told to stop");
    return "";
  } } },
});
`,
  "nothing.ts": "export const greeter = 1;\n",
  "broken.ts": "throw new Error('no');\n",
  "input.json": '{"name":"file"}',
});
// A project that has troupe and zod installed: the module must meet the same copy that the command runs.
const modules = join(folder.path, "node_modules");
mkdirSync(modules);
symlinkSync(join(import.meta.dirname, "../.."), join(modules, "troupe"));
symlinkSync(join(import.meta.dirname, "../../node_modules/zod"), join(modules, "zod"));
afterAll(() => folder.remove());

describe("troupe call", () => {
  test.each(["one.ts", "list.ts", "function.ts"])("calls an agent of %s", async (module) => {
    const { code, stdout } = await troupe(
      ["call", "greet", "--agents", module, "--input", '{"name":"world"}', "--json"],
      folder.path,
    );
    expect({ code, outcome: JSON.parse(stdout) as unknown }).toEqual({
      code: 0,
      outcome: { ok: true, value: "Hello, world" },
    });
  });

  test("is interrupted by Ctrl-C with 130, and its handler is told", async () => {
    const run = startTroupe(["call", "greet", "--agents", "slow.ts", "--input", '{"name":"x"}', "--json"], folder.path);
    run.interruptOn("greeting");
    const { code, stdout, stderr } = await run.finished;
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, failure: { code: "call/cancelled" } });
    expect(stderr).toContain("told to stop");
  });

  test("takes its input from a file", async () => {
    const { stdout } = await troupe(["call", "greet", "--agents", "one.ts", "--input", "@input.json"], folder.path);
    expect(stdout).toBe('"Hello, file"\n');
  });

  test("a failed call exits 1 with the failure as its outcome", async () => {
    const { code, stdout } = await troupe(["call", "sing", "--agents", "one.ts", "--json"], folder.path);
    expect({ code, ...(JSON.parse(stdout) as object) }).toMatchObject({
      code: 1,
      ok: false,
      failure: { code: "dispatch/no-agent" },
    });
  });

  test.each([
    ["no module", ["call", "greet"], "--agents is missing"],
    ["a missing module", ["call", "greet", "--agents", "none.ts"], "there is no such file"],
    ["a module that breaks", ["call", "greet", "--agents", "broken.ts"], "it cannot be loaded: no"],
    ["a module without agents", ["call", "greet", "--agents", "nothing.ts"], "its default export must be"],
    ["input that is not JSON", ["call", "greet", "--agents", "one.ts", "--input", "{"], "it is not JSON"],
  ])("%s exits 2 and says so", async (_what, args, words) => {
    const { code, stderr } = await troupe(args, folder.path);
    expect(code).toBe(2);
    expect(stderr).toContain(words);
  });
});

describe("troupe", () => {
  test("doctor lists every check with what to do", async () => {
    const { code, stdout } = await troupe(["doctor", "--json"], folder.path);
    const { checks } = JSON.parse(stdout) as { checks: readonly { name: string; ok: boolean; message: string }[] };
    expect(code).toBe(0);
    expect(checks.map(({ name }) => name)).toEqual(expect.arrayContaining(["node", "git"]));
    for (const check of checks) expect(check.message).not.toBe("");
  });

  test("a result that cannot be written is said on the other stream, and ends with 1", async () => {
    // /dev/full refuses every write, as a full disk does; other systems have no such file.
    if (!existsSync("/dev/full")) return;
    const { code, stderr } = await troupeInto("/dev/full", ["doctor"], folder.path);
    expect(stderr).toMatch(/^troupe: the result could not be written: ENOSPC/);
    expect(code).toBe(1);
  });

  test("--help names every command, and every command has a page of its own", async () => {
    const { stdout } = await troupe(["--help"], folder.path);
    const names = [...stdout.matchAll(/^ {2}([a-z]+) {2}/gm)].map((match) => match[1] ?? "");
    expect(names).toEqual(expect.arrayContaining(["demo", "call", "verify", "doctor"]));
    const pages = await Promise.all(names.map((name) => troupe([name, "--help"], folder.path)));
    for (const [at, page] of pages.entries()) {
      const name = names[at] ?? "";
      expect(page.code).toBe(0);
      expect(page.stdout).toContain(`Usage: troupe ${name}`);
      expect(page.stdout).toContain("--json");
    }
  });
});

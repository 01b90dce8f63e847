import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { rootFolder } from "../house/source-files.ts";

const run = promisify(execFile);

/** Lists every module that a troupe loads, and what holds its process open, in a process of its own. */
function programWith(options: string): string {
  return `
    import { registerHooks } from "node:module";
    const loaded = [];
    registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
    const { createTroupe, defineAgent } = await import("troupe");
    const { z } = await import("zod");
    const echo = defineAgent({
      name: "echo",
      capabilities: { echo: { input: z.string(), output: z.string(), run: ({ input }) => input } },
    });
    const troupe = await createTroupe({ agents: [echo], ${options} });
    await troupe.spawn(echo);
    const outcome = await troupe.call("echo", "hello");
    const held = process.getActiveResourcesInfo().filter((kind) => !/^(Pipe|TTY|File)/.test(kind));
    const watched = troupe.inspector !== undefined;
    await troupe.close();
    console.log(JSON.stringify({ ok: outcome.ok, watched, loaded, held }));
  `;
}

const withoutPackage = `
  import { registerHooks } from "node:module";
  registerHooks({ resolve: (name, context, next) => next(name.replace("@statelyai/inspect", "@absent/package"), context) });
  const { createTroupe } = await import("troupe");
  await createTroupe({ inspect: true }).catch(({ code, message }) => console.log(JSON.stringify({ code, message })));
`;

async function runTroupe(options: string) {
  const argv = ["--conditions=troupe-source", "--input-type=module-typescript", "-e", programWith(options)];
  const { stdout, stderr } = await run(process.execPath, argv, { cwd: rootFolder });
  const said = JSON.parse(stdout) as { ok: boolean; watched: boolean; loaded: string[]; held: string[] };
  const inspection = said.loaded.filter((url) => /src\/inspect\/|@statelyai|node_modules\/(ws|superjson)\//.test(url));
  return { ...said, inspection, stderr };
}

describe("a troupe that nobody watches", () => {
  test("loads nothing of the inspector and holds nothing open", async () => {
    const { ok, watched, loaded, inspection, held, stderr } = await runTroupe("inspect: false");
    expect({ ok, watched, inspection, stderr }).toEqual({ ok: true, watched: false, inspection: [], stderr: "" });
    expect(loaded.filter((url) => url.includes("/src/troupe/")).length).toBeGreaterThan(2);
    expect(held.filter((kind) => /TCP|Server/.test(kind))).toEqual([]);
  });

  test("while one that is watched loads it and listens, ends by itself once closed, and says nothing", async () => {
    const { watched, inspection, held, stderr } = await runTroupe("inspect: true");
    expect({ watched, stderr }).toEqual({ watched: true, stderr: "" });
    expect(inspection.length).toBeGreaterThan(10);
    expect(held.filter((kind) => /TCP|Server/.test(kind))).not.toEqual([]);
  });

  test("without the inspector's package says what to install, and leaves nothing open", async () => {
    const argv = ["--conditions=troupe-source", "--input-type=module", "-e", withoutPackage];
    const { stdout } = await run(process.execPath, argv, { cwd: rootFolder });
    expect(JSON.parse(stdout)).toEqual({
      code: "usage/missing-peer",
      message: expect.stringContaining("npm i -D @statelyai/inspect"),
    });
  });

  test("one whose inspector cannot be reached ends by itself as well, without an unhandled rejection", async () => {
    const { ok, watched, stderr } = await runTroupe('inspect: { url: "ws://127.0.0.1:1" }');
    expect({ ok, watched, stderr }).toEqual({ ok: true, watched: true, stderr: "" });
  });
});

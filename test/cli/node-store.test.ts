import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import { endAll } from "../remote/yard.ts";
import { makeFolder, startProgram, troupe, type Finished } from "./command-line.ts";

const agents = `import { defineAgent } from "troupe";
import { z } from "zod";
export default (troupe) => defineAgent({
  name: "notary",
  capabilities: {
    note: { input: z.null(), output: z.number(), run: async () => (await troupe.store.append("notes", ["seen"])).seq },
  },
});
`;
const started: ChildProcess[] = [];
let folder: ReturnType<typeof makeFolder>;
beforeEach(() => {
  folder = makeFolder({ "agents.ts": agents });
  mkdirSync(join(folder.path, "node_modules"));
  symlinkSync(join(import.meta.dirname, "../.."), join(folder.path, "node_modules/troupe"));
  symlinkSync(join(import.meta.dirname, "../../node_modules/zod"), join(folder.path, "node_modules/zod"));
});
afterEach(async () => {
  await endAll(started.splice(0));
  folder.remove();
});

const listening = ["node", "--listen", "127.0.0.1:0", "--agents", "agents.ts"];

async function serve(...more: readonly string[]): Promise<{ note(): Promise<Finished>; stop(): Promise<void> }> {
  const child = startProgram([...listening, "--json", ...more], folder.path);
  started.push(child);
  const ended = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const { url } = JSON.parse(line) as { readonly url: string };
    return {
      note: () => troupe(["call", "note", "--connect", url, "--input", "null", "--json"], folder.path),
      stop: () => {
        child.kill("SIGINT");
        return ended;
      },
    };
  }
  throw new Error("the node said nothing");
}

test("what is refused with exit 2 has made no store", async () => {
  for (const options of [
    ["--listen", "0.0.0.0:0"],
    ["--name", "no/name"],
    ["--tls", "nothing"],
  ]) {
    expect(await troupe([...listening, ...options], folder.path)).toMatchObject({ code: 2, stdout: "" });
    expect(existsSync(join(folder.path, ".troupe"))).toBe(false);
  }
});

test("a node keeps what its agents store in a file of its name, and has it again when it comes back", async () => {
  const first = await serve("--name", "north:1");
  expect(await first.note()).toMatchObject({ code: 0, stdout: '{"ok":true,"value":0}\n' });
  await first.stop();
  const again = await serve("--name", "north:1");
  expect(await again.note()).toMatchObject({ code: 0, stdout: '{"ok":true,"value":1}\n' });
  await again.stop();
  expect(readdirSync(join(folder.path, ".troupe")).filter((name) => name.endsWith(".db"))).toEqual([
    "node-north%3A1.db",
  ]);
});

test("two nodes of one folder need two names; the second one is told so, with exit 1, and who has the file", async () => {
  const first = await serve();
  const { code, stdout, stderr } = await troupe(listening, folder.path);
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(/node\.db is in use by process \d+ since .*needs a --name of its own, or a --store/);
  const named = await serve("--name", "south");
  const kept = await serve("--store", ":memory:");
  expect(await kept.note()).toMatchObject({ code: 0, stdout: '{"ok":true,"value":0}\n' });
  await Promise.all([first.stop(), named.stop(), kept.stop()]);
});

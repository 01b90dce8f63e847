import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineAgent } from "troupe";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { makeFolder, setScene, task, until, workflow, type Scene } from "./scene.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "troupe-shell-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function runShell(input: any): string {
  const env = { PATH: process.env["PATH"] ?? "", ...input.env };
  return spawnSync("/bin/sh", ["-c", input.command], { cwd: folder, env, encoding: "utf8" }).stdout;
}

const shell = { sh: ["command"] };
const doing = { sh: ({ input }: { input: any }) => runShell(input) };
const attack = "$(touch pwned); touch pwned & `touch pwned`";

async function outputOf(scene: Scene, step: object, input: object): Promise<unknown> {
  const run = await scene.troupe.run(workflow("w", [step]), input);
  const outcome = await run.result();
  return outcome.ok ? (outcome.value as { said: unknown }).said : outcome.failure.code;
}

const said = { output: { said: "$.output" } };

test("values reach a real shell as text, whether the step names a capability, an agent or a mode", async () => {
  const scene = await setScene({ doing, shell, clock: "real" });
  const input = { command: "printf %s ${$.input.text}" };
  expect(await outputOf(scene, task("a", "sh", { input, ...said }), { text: attack })).toBe(attack);
  const only = defineAgent({
    name: "only-shell",
    capabilities: {
      "sh.only": { input: z.any(), output: z.any(), shell: ["command"], run: ({ input: i }) => runShell(i) },
    },
  });
  await scene.troupe.spawn(only);
  for (const target of [{ agent: "only-shell" }, { mode: "only-shell" }, { mode: "sh.only" }]) {
    const { capability: _capability, ...step } = task("a", "", { ...target, input, ...said }) as { capability: string };
    const run = await scene.troupe.run({ ...workflow("w", [step]), key: JSON.stringify(target) }, { text: attack });
    expect(await run.result()).toEqual({ ok: true, value: { said: attack } });
  }
  expect(readdirSync(folder)).toEqual([]);
  await scene.close();
});

test("an input that is a value as a whole has no syntax in its command either", async () => {
  const scene = await setScene({ doing, shell, clock: "real" });
  const input = { command: "printf %s one;touch pwned" };
  // The semicolon is a character of the first argument, and what follows it the second one.
  expect(await outputOf(scene, task("a", "sh", { input: "$.input", ...said }), input)).toBe("one;touchpwned");
  expect(readdirSync(folder)).toEqual([]);
  await scene.close();
});

test("a task that was written before its agent was known is not given to the shell, and is written anew", async () => {
  using place = makeFolder();
  const definition = workflow("w", [
    { id: "pause", name: "Pause", type: "event", event: "go", next: "a" },
    task("a", "sh", { input: { command: "printf %s ${$.input.text}" }, retry: { attempts: 2, interval: 1 }, ...said }),
  ]);
  const first = await setScene({ clock: "real", options: { store: place.store } });
  const { id } = await first.troupe.run(definition, { text: attack });
  await first.close();
  // A process that has no agents, and only passes a signal on: it writes the task, and does not know its agent.
  const between = await setScene({ clock: "real", options: { store: place.store, workflows: { isWorking: false } } });
  await (await between.troupe.runs.get(id)).signal("go", {});
  await between.close();
  const last = await setScene({ doing, shell, clock: "real", options: { store: place.store } });
  const run = await last.troupe.runs.get(id);
  await until(async () => (await run.status()).endTime !== null);
  expect(await run.result()).toEqual({ ok: true, value: { said: attack } });
  expect(last.of("sh")).toHaveLength(1);
  expect((await run.history()).map(({ type }) => type)).toContain("task.failed");
  expect(readdirSync(folder)).toEqual([]);
  await last.close();
});

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startTroupe, troupe, useFolders } from "./command-line.ts";

const fixtures = join(import.meta.dirname, "../fixtures/cli");
const flow = join(fixtures, "slow-flow.yaml");
const agents = join(fixtures, "note-agents.ts");
const folderOf = useFolders();

function argsOf(folder: string, ...more: readonly string[]): readonly string[] {
  return ["run", flow, "--agents", agents, "--set", `folder=${folder}`, ...more];
}

const logOf = (folder: string): readonly string[] => readFileSync(join(folder, "log"), "utf8").trim().split("\n");

interface Document {
  readonly runId: string;
  readonly status: string;
  readonly output: unknown;
  readonly steps: readonly { readonly path: string; readonly status: string; readonly attempts: number }[];
}

describe("troupe run", () => {
  test("killed with -9 half way and started again with the same key, goes on where it was and prints one result", async () => {
    const folder = folderOf();
    const killed = startTroupe(argsOf(folder, "--key", "night"), folder);
    killed.killOn("both/left/quick: done");
    const { code, stdout } = await killed.finished;
    expect([code, stdout]).toEqual([null, ""]);
    expect(logOf(folder)).toEqual(["first", "quick"]);
    writeFileSync(join(folder, "gate"), "");
    const again = await troupe(argsOf(folder, "--key", "night", "--json"), folder);
    expect(again.code).toBe(0);
    const document = JSON.parse(again.stdout) as Document;
    expect(document.output).toEqual({ done: "last" });
    expect(document.steps.map(({ path, status }) => [path, status])).toEqual([
      ["first", "completed"],
      ["both", "completed"],
      ["both/left/quick", "completed"],
      ["both/right/gated", "completed"],
      ["last", "completed"],
    ]);
    expect(logOf(folder)).toEqual(["first", "quick", "gated", "last"]);
    const third = await troupe(argsOf(folder, "--key", "night", "--json"), folder);
    expect((JSON.parse(third.stdout) as Document).runId).toBe(document.runId);
    expect(logOf(folder)).toHaveLength(4);
  });

  test("shows branches side by side; Ctrl-C pauses, says how to go on, and that command does", async () => {
    const folder = folderOf();
    const running = startTroupe(argsOf(folder, "--key", "day"), folder);
    running.interruptOn("both/left/quick: done");
    const { code, stdout, stderr } = await running.finished;
    expect([code, stdout]).toEqual([130, ""]);
    expect(stderr).toContain("both/left/quick: runs\nboth/right/gated: runs\n");
    const how = /paused and keeps what it has done\. Go on with:\n {2}troupe (.+)\n$/.exec(stderr)?.[1];
    expect(how).toBe(`run ${flow} --key day --agents ${agents}`);
    writeFileSync(join(folder, "gate"), "");
    const again = await troupe((how ?? "").split(" "), folder);
    expect(again.code).toBe(0);
    expect(again.stdout).toContain('"done": "last"');
    expect(logOf(folder)).toEqual(["first", "quick", "gated", "last"]);
  });

  test("an unfinished run of another workflow in the same store stays as it was", async () => {
    const folder = folderOf();
    const killed = startTroupe(argsOf(folder, "--key", "night"), folder);
    killed.killOn("both/right/gated: runs");
    await killed.finished;
    const other = join(folder, "other.json");
    writeFileSync(other, JSON.stringify({ name: "other", steps: [{ id: "wait", type: "wait", wait: { for: 1 } }] }));
    expect((await troupe(["run", other], folder)).code).toBe(0);
    writeFileSync(join(folder, "gate"), "");
    expect((await troupe(argsOf(folder, "--key", "night"), folder)).code).toBe(0);
    expect(logOf(folder)).toContain("last");
  });

  test("a wrong file exits 2 with line and fix, and makes no store", async () => {
    const folder = folderOf();
    writeFileSync(join(folder, "bad.yaml"), "name: bad\nsteps:\n  - id: a\n    type: task\n    capabilty: x\n");
    const { code, stderr } = await troupe(["run", "bad.yaml"], folder);
    expect(code).toBe(2);
    expect(stderr).toContain("bad.yaml:5: steps[0].capabilty:");
    expect(existsSync(join(folder, ".troupe"))).toBe(false);
  });
});

describe("troupe runs", () => {
  test("pauses a run that another process works on, and tells its history in words afterwards", async () => {
    const folder = folderOf();
    const running = startTroupe(argsOf(folder, "--key", "day"), folder);
    await running.said("both/left/quick: done");
    const listed = await troupe(["runs", "list", "--json"], folder);
    const id = (JSON.parse(listed.stdout) as { id: string }[])[0]?.id ?? "";
    const paused = troupe(["runs", "pause", id], folder);
    expect(await paused).toMatchObject({ code: 0, stdout: `run ${id} is paused\n` });
    running.interrupt();
    // What is in hand may end; that it is cut off where it does not is shown above.
    writeFileSync(join(folder, "gate"), "");
    expect((await running.finished).code).toBe(130);
    const { code, stdout } = await troupe(["runs", "history", id], folder);
    expect(code).toBe(0);
    expect(stdout).toContain("The run starts with input");
    expect(stdout).toContain('"quick" completed.');
    expect(stdout).toContain("The run was paused.");
  });
});

describe("troupe validate", () => {
  test("names file, line, path and fix of everything, and exits 1 where a file is invalid", async () => {
    const folder = folderOf();
    writeFileSync(join(folder, "bad.yaml"), "name: bad\nsteps:\n  - id: a\n    type: task\n    capabilty: x\n");
    const { code, stdout } = await troupe(["validate", flow, "bad.yaml", "--json"], folder);
    expect(code).toBe(1);
    const document = JSON.parse(stdout) as { ok: boolean; files: { ok: boolean; errors: object[] }[] };
    expect([document.ok, ...document.files.map(({ ok }) => ok)]).toEqual([false, true, false]);
    expect(document.files[1]?.errors[0]).toMatchObject({ path: "steps[0].capabilty", line: 5 });
  });
});

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempDisposableSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ExecutionPlan, Fall } from "./execution-worker.ts";

const worker = join(import.meta.dirname, "execution-worker.ts");

interface Life {
  readonly signal: NodeJS.Signals | null;
  readonly said: unknown;
}

function live(plan: ExecutionPlan): Life {
  const argv = ["--conditions=troupe-source", "--no-warnings", worker, JSON.stringify(plan)];
  const { signal, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: "utf8" });
  if (signal === null && stdout === "") throw new Error(stderr);
  return { signal, said: stdout === "" ? undefined : JSON.parse(stdout) };
}

/** Dies once at the place given, and lives two times more; what was done, and what the later lives said. */
function fall(option: ExecutionPlan["option"], place: Fall): { done: string[]; lives: Life[] } {
  using folder = mkdtempDisposableSync(join(tmpdir(), "troupe-execute-"));
  const plan = { store: join(folder.path, "store.db"), effects: join(folder.path, "effects.txt"), option };
  const lives = [
    live({ ...plan, fall: place, isLater: false }),
    live({ ...plan, fall: "nowhere", isLater: true }),
    live({ ...plan, fall: "nowhere", isLater: true }),
  ];
  const done = existsSync(plan.effects) ? readFileSync(plan.effects, "utf8").trimEnd().split("\n") : [];
  return { done, lives };
}

const again = { signal: null, said: { status: "begun-elsewhere", runs: 0 } };
const killed = { signal: "SIGKILL", said: undefined };

describe("a decision whose process is killed while it is carried out", () => {
  it("makes the call in the next life where it was not claimed yet, and once", { timeout: 60_000 }, () => {
    const { done, lives } = fall("call", "before the claim");
    expect(lives).toEqual([killed, { signal: null, said: { status: "done", runs: 0 } }, again]);
    expect(done).toEqual(["by call decision/release-7/execution"]);
  });

  it("does not repeat a call that may have been made", { timeout: 60_000 }, () => {
    expect(fall("call", "after the claim")).toEqual({ done: [], lives: [killed, again, again] });
    expect(fall("call", "after the call")).toEqual({
      done: ["by call decision/release-7/execution"],
      lives: [killed, again, again],
    });
  });

  it.each<Fall>(["before the claim", "after the claim", "after the call"])(
    "has one run of the workflow, which gives out its work under one key, when it falls %s",
    { timeout: 60_000 },
    (place) => {
      const { done, lives } = fall("run", place);
      expect(lives).toEqual([
        killed,
        { signal: null, said: { status: "done", runs: 1 } },
        { signal: null, said: { status: "begun-elsewhere", runs: 1 } },
      ]);
      // A step that the kill interrupts is given out again, under the same key.
      expect(new Set(done).size).toBe(1);
      expect(done[0]).toMatch(/^by run /);
    },
  );
});

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { Member } from "troupe";

interface Effect {
  readonly what: "begun" | "done" | "asked";
  readonly node: string;
  readonly key: string;
}

interface Started {
  readonly url: string;
  readonly member: Member;
  readonly child: ChildProcess;
}

/** A session that is soon over, and still bears a busy machine. */
export const shortSessionMs = 2_000;
/** When what another process is to do counts as never done: no bound of speed, machines may be busy. */
const neverMs = 60_000;

/** Kills processes and waits until they are gone: until then they may write into a folder that is to be removed. */
export async function endAll(children: readonly ChildProcess[]): Promise<void> {
  await Promise.all(
    children.map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    }),
  );
}

/** Real processes with one file that their effects go to. */
export class Yard implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "troupe-yard-"));
  readonly #children: ChildProcess[] = [];

  /** `port`: 0 for any free one. `sessionMs`: how long its sessions outlive their connections. */
  async start(name: string, { port = 0, sessionMs = shortSessionMs } = {}): Promise<Started> {
    const file = join(import.meta.dirname, "../fixtures/remote/span-node.ts");
    const given = [name, join(this.#folder, "effects"), String(port), String(sessionMs)];
    const argv = ["--conditions=troupe-source", file, ...given];
    const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"] });
    this.#children.push(child);
    for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream }))
      return { ...(JSON.parse(line) as { url: string; member: Member }), child };
    throw new Error(`${name} said nothing`);
  }

  /** Lets all go on that wait for it: voters, and agents whose input says that they do. */
  openGate(): void {
    writeFileSync(join(this.#folder, "gate"), "");
  }

  effects(what: Effect["what"]): readonly Effect[] {
    let text = "";
    try {
      text = readFileSync(join(this.#folder, "effects"), "utf8");
    } catch {
      // Nobody has done anything yet.
    }
    const all = text.split("\n").filter((line) => line !== "");
    return all.map((line) => JSON.parse(line) as Effect).filter((effect) => effect.what === what);
  }

  /** Polls, since another process tells nobody here when it writes a line of its file. */
  async until(what: string, holds: () => boolean): Promise<void> {
    const ends = performance.now() + neverMs;
    while (!holds()) {
      if (performance.now() > ends) throw new Error(`never: ${what}`);
      await sleep(10);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endAll(this.#children);
    rmSync(this.#folder, { recursive: true });
  }
}

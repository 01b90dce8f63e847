import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
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

/** Real processes with one file that their effects go to. */
export class Yard implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "troupe-yard-"));
  readonly #children: ChildProcess[] = [];

  /** `port`: 0 for any free one. `sessionMs`: how long its sessions outlive their connections. */
  async start(name: string, { port = 0, sessionMs = 1_000 } = {}): Promise<Started> {
    const file = join(import.meta.dirname, "../fixtures/remote/span-node.ts");
    const given = [name, join(this.#folder, "effects"), String(port), String(sessionMs)];
    const argv = ["--conditions=troupe-source", file, ...given];
    const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"] });
    this.#children.push(child);
    for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream }))
      return { ...(JSON.parse(line) as { url: string; member: Member }), child };
    throw new Error(`${name} said nothing`);
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
    for (let turn = 0; !holds(); turn += 1) {
      if (turn > 1_000) throw new Error(`never: ${what}`);
      await sleep(10);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) child.kill("SIGKILL");
    rmSync(this.#folder, { recursive: true });
    return Promise.resolve();
  }
}

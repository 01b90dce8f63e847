import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { voterAt, type Member, type Participant, type Troupe } from "troupe";
import { endAll } from "./yard.ts";

/** What a node of these did, as it says itself. */
export interface Effect {
  readonly node: string;
  readonly what: "asked" | "vote" | "commit" | "lie";
  readonly kind?: string;
  readonly decision?: string;
  readonly round?: number;
  readonly validRound?: number;
  readonly value?: string | null;
}

interface House {
  readonly url: string;
  readonly member: Member;
  /** When it has ended: its code and its signal. */
  readonly over: Promise<unknown>;
  kill(signal: "SIGKILL" | "SIGTERM" | "SIGSTOP" | "SIGCONT"): void;
}

/** Real processes, each with a voter, its key and its store file. */
export class Houses implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "troupe-council-"));
  readonly #children: ChildProcess[] = [];

  /** Starts a node. `fall`: the vote at which it kills itself. `lies`: how often it signs twice in each life. `outer`: its proxy. */
  async start(
    name: string,
    given: {
      readonly fall?: "never" | "prevote" | "precommit";
      readonly port?: number;
      readonly lies?: number;
      readonly outer?: string;
    } = {},
  ): Promise<House> {
    const { fall = "never", port = 0, lies = 0, outer = "" } = given;
    const file = join(import.meta.dirname, "../fixtures/remote/council-node.ts");
    const own = [name, this.#folder, String(port), fall, String(lies), outer];
    const argv = ["--conditions=troupe-source", "--no-warnings", file, ...own];
    const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "inherit"] });
    this.#children.push(child);
    const over = once(child, "exit");
    const kill: House["kill"] = (signal) => void child.kill(signal);
    for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream }))
      return { ...(JSON.parse(line) as { url: string; member: Member }), over, kill };
    throw new Error(`${name} said nothing`);
  }

  async seat(chair: Troupe, { url, member }: Pick<House, "url" | "member">): Promise<Participant> {
    return Houses.voterOf(await chair.connect(url), member);
  }

  /** The voter of a node, behind a link to it. */
  static voterOf(peer: Awaited<ReturnType<Troupe["connect"]>>, member: Member): Participant {
    return voterAt(peer.ref("/voter/1"), member);
  }

  effects(node: string): readonly Effect[] {
    const file = join(this.#folder, "effects");
    const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
    // A node that is killed while it writes leaves a line that does not end.
    const all = lines.filter((line) => line.endsWith("}")).map((line) => JSON.parse(line) as Effect);
    return all.filter((effect) => effect.node === node);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endAll(this.#children);
    rmSync(this.#folder, { recursive: true });
  }
}

/** Contents that a node signed per place in the protocol; an honest one signs one. */
export function contentsPerPlace(effects: readonly Effect[]): number[] {
  const places = new Map<string, Set<unknown>>();
  for (const { what, kind, decision, round, value, validRound } of effects) {
    if (what !== "vote") continue;
    const place = `${decision}/${kind}/${round}`;
    places.set(place, (places.get(place) ?? new Set()).add(`${value}/${validRound}`));
  }
  return [...places.values()].map(({ size }) => size);
}

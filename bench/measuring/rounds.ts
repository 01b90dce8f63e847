import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunMode } from "../suite.ts";
import type { ArmEntry, ArmTable, Reading, Readings, Scale } from "./arm.ts";
import { medianOf } from "./median.ts";

/** Stands before the readings on an arm's standard output. */
export const resultMark = "@@readings ";
/** An arm that needs longer than this, in milliseconds, is stopped and said to be unable, unless its entry allows more. On a busy machine it has as much more time. */
const armLimitMs = 30_000;

const armFile = fileURLToPath(new URL("./arm-process.ts", import.meta.url));
/**
 * Every arm begins with the same young generation, in megabytes: V8 grows it as it sees fit, and a larger one costs
 * the caches, so that arms that load more would seem slower at the same work.
 */
const youngGenerationMb = 16;
const nodeFlags = [
  `--min-semi-space-size=${youngGenerationMb}`,
  "--expose-gc",
  "--max-old-space-size=12288",
  "--conditions=troupe-source",
  "--no-warnings",
];

/** What the rounds of all arms gave. */
export class Results {
  readonly #rounds = new Map<string, (Readings | undefined)[]>();
  readonly #problems = new Map<string, string>();

  add(arm: string, readings: Readings | undefined, problem?: string): void {
    const rounds = this.#rounds.get(arm);
    if (rounds === undefined) this.#rounds.set(arm, [readings]);
    else rounds.push(readings);
    if (problem !== undefined) this.#problems.set(arm, problem);
  }

  /** Why an arm has no figure, where it has none. */
  problemOf(arm: string): string | undefined {
    return this.#problems.get(arm);
  }

  median({ arm, reading }: Place): Reading | undefined {
    const readings = (this.#rounds.get(arm) ?? []).flatMap((round) => round?.[reading] ?? []);
    if (readings.length === 0) return undefined;
    const walls = readings.flatMap((each) => each.wall ?? []);
    const value = medianOf(readings.map((each) => each.value));
    return walls.length === 0 ? { value } : { value, wall: medianOf(walls) };
  }

  /** The median over the rounds of ours divided by theirs in the same round. */
  ratio(ours: Place, theirs: Place): Reading | undefined {
    const pairs = this.#pairs(ours, theirs);
    if (pairs.length === 0) return undefined;
    const value = medianOf(pairs.map(([left, right]) => left.value / right.value));
    const walls = pairs.flatMap(([left, right]) =>
      left.wall === undefined || right.wall === undefined ? [] : left.wall / right.wall,
    );
    return walls.length === 0 ? { value } : { value, wall: medianOf(walls) };
  }

  /** The median over the rounds of ours less theirs in the same round. */
  difference(ours: Place, theirs: Place): number | undefined {
    const pairs = this.#pairs(ours, theirs);
    return pairs.length === 0 ? undefined : medianOf(pairs.map(([left, right]) => left.value - right.value));
  }

  #pairs(ours: Place, theirs: Place): [Reading, Reading][] {
    const right = this.#rounds.get(theirs.arm) ?? [];
    return (this.#rounds.get(ours.arm) ?? []).flatMap((round, index): [Reading, Reading][] => {
      const [mine, other] = [round?.[ours.reading], right[index]?.[theirs.reading]];
      return mine === undefined || other === undefined ? [] : [[mine, other]];
    });
  }
}

/** Where a figure stands. */
export interface Place {
  readonly arm: string;
  readonly reading: string;
}

export interface RoundsPlan {
  readonly suite: string;
  readonly arms: ArmTable;
  readonly repeats: number;
  readonly scale: Scale;
  readonly progress: RunMode["progress"];
}

/** Runs every arm once a round, one process at a time, so that drift of the machine hits all arms alike. */
export async function runRounds(plan: RoundsPlan): Promise<Results> {
  const results = new Results();
  // Loading the same sources again and again would be a third of a quick run.
  const cache = mkdtempSync(join(tmpdir(), "troupe-bench-"));
  for (let round = 1; round <= plan.repeats; round += 1) {
    for (const [name, entry] of Object.entries(plan.arms)) {
      if ((plan.scale.quick && entry.fullOnly === true) || round > (entry.repeats ?? plan.repeats)) continue;
      const from = performance.now();
      const { readings, problem } = await runArm({ ...plan, cache }, name, entry);
      results.add(name, readings, problem);
      const seconds = ((performance.now() - from) / 1_000).toFixed(1);
      plan.progress(
        `round ${round}/${plan.repeats}  ${name}  ${seconds} s${problem === undefined ? "" : `  ${problem}`}`,
      );
    }
  }
  rmSync(cache, { recursive: true, force: true });
  return results;
}

async function runArm(
  plan: RoundsPlan & { readonly cache: string },
  name: string,
  entry: ArmEntry,
): Promise<{ readings: Readings | undefined; problem?: string }> {
  const child = spawn(
    process.execPath,
    [...nodeFlags, ...(entry.flags ?? []), armFile, plan.suite, name, JSON.stringify(plan.scale)],
    {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NODE_ENV: "production", NODE_COMPILE_CACHE: plan.cache },
    },
  );
  let [output, complaint] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
  const limitMs = entry.limitMs ?? armLimitMs;
  const limit = setTimeout(() => child.kill("SIGKILL"), limitMs * machineShare());
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  clearTimeout(limit);
  if (signal === "SIGKILL") return { readings: undefined, problem: `did not finish within ${limitMs / 1_000} s` };
  const line = output.split("\n").find((each) => each.startsWith(resultMark));
  if (code === 0 && line !== undefined) return { readings: JSON.parse(line.slice(resultMark.length)) as Readings };
  return {
    readings: undefined,
    problem: `ended with ${code ?? signal ?? "?"}: ${firstError(complaint)}`,
  };
}

/** How much longer everything takes because others use this machine too; 1 while nobody does. */
function machineShare(): number {
  return Math.max(1, (loadavg()[0] ?? 0) / availableParallelism());
}

/** The line that says what went wrong, of all that Node.js prints around it. */
function firstError(complaint: string): string {
  const lines = complaint.trim().split("\n");
  return lines.find((line) => /^\S*(Error|ERR)/.test(line)) ?? lines.at(-1) ?? "";
}

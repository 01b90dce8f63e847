import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { seededRandom } from "../../src/testing/seeded.ts";
import { CrashCheck, type CrashCounts, type Found } from "./crash-check.ts";
import type { Sabotage } from "./crash-store.ts";
import type { WorkerPlan } from "./crash-worker.ts";

export interface CrashOptions {
  readonly seed: number;
  /** Lives that end by `kill -9`; one more follows, which finishes. */
  readonly kills: number;
  /** Most orders of all lives together. */
  readonly ordersMax: number;
  readonly atOnce?: number;
  /** Longest life, in milliseconds after a process said that it is ready. */
  readonly lifeMs?: number;
  readonly sabotage?: Sabotage;
  readonly progress?: (line: string) => void;
}

export interface CrashResult extends CrashCounts {
  readonly kills: number;
  readonly findings: readonly Found[];
}

/** Share of kills that may hit a process while it starts and recovers. */
const earlyShare = 0.25;
/** Longest life after a process said that it is ready, in milliseconds, unless the campaign says otherwise. */
const lifeMsDefault = 600;
/**
 * The most that a life must have written of its calls before it dies, in bytes: some hundred calls. On a busy machine it
 * comes to nothing within its time, and there would be nothing to judge.
 */
const workBytes = 16_384;
/** How long nothing may be written before nothing more is waited for: the orders may be done. In milliseconds. */
const restMs = 500;
/** How long the last life may take, in milliseconds. */
const lastLifeMs = 120_000;

const workerFile = fileURLToPath(new URL("./crash-worker.ts", import.meta.url));

interface Life {
  readonly process: ChildProcess;
  readonly ready: Promise<unknown>;
  readonly ended: Promise<number | string>;
  readonly complaint: () => string;
}

function begin(plan: WorkerPlan, cache: string): Life {
  const worker = spawn(
    process.execPath,
    ["--conditions=troupe-source", "--no-warnings", workerFile, JSON.stringify(plan)],
    {
      stdio: ["ignore", "pipe", "pipe"],
      // Every life loads the same sources.
      env: { ...process.env, NODE_COMPILE_CACHE: cache },
    },
  );
  let complaint = "";
  worker.stderr.setEncoding("utf8").on("data", (text: string) => (complaint = `${complaint}${text}`.slice(-2_000)));
  const ended = once(worker, "close").then(([code, signal]) => (signal ?? code ?? -1) as number | string);
  return { process: worker, ready: once(worker.stdout, "data"), ended, complaint: () => complaint.trim() };
}

/**
 * Lives of one process over one store file, each ended by `kill -9` at a random moment under load, and a last one that
 * goes on to the end. Then everything that they left behind is judged.
 */
export async function runCrash(options: CrashOptions): Promise<CrashResult> {
  const { seed, kills, ordersMax, atOnce = 24, lifeMs = lifeMsDefault, sabotage = "none" } = options;
  const folder = mkdtempSync(join(tmpdir(), "troupe-crash-"));
  const files = {
    store: join(folder, "troupe.db"),
    effects: join(folder, "effects.jsonl"),
    orders: join(folder, "orders.jsonl"),
  };
  writeFileSync(files.effects, "");
  writeFileSync(files.orders, "");
  const random = seededRandom(seed);
  const findings: Found[] = [];
  try {
    for (let life = 1; life <= kills + 1; life += 1) {
      const isLast = life > kills;
      const one = begin({ ...files, life, atOnce, ordersMax, isLast, sabotage }, join(folder, "cache"));
      const death = await (isLast ? finish(one) : kill(one, random, { lifeMs, effects: files.effects }));
      if (death !== (isLast ? 0 : "SIGKILL")) {
        const message = `life ${life} ended with ${death}: ${one.complaint()}`;
        findings.push({ rule: "a life ends as it is told to", message });
      }
      if (life % 10 === 0) options.progress?.(`${life} of ${kills} killed`);
    }
    const check = new CrashCheck(files);
    return { kills, ...check.counts, findings: [...findings, ...check.run()] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Some die while they start and recover, most under load: not before they have worked for so long, nor done so much. */
async function kill(
  life: Life,
  random: { next(): number },
  { lifeMs, effects }: { readonly lifeMs: number; readonly effects: string },
): Promise<number | string> {
  const [chance, moment] = [random.next(), random.next()];
  const isEarly = chance < earlyShare;
  if (!isEarly) await Promise.race([life.ready, life.ended]);
  const from = statSync(effects).size;
  await sleep(moment * lifeMs);
  if (!isEarly) await written(effects, from + moment * workBytes);
  life.process.kill("SIGKILL");
  return life.ended;
}

/** Waits until a file is so long, or does not grow any more. Polls, since a file tells nobody that it has grown. */
async function written(file: string, bytes: number): Promise<void> {
  let [size, grewAt] = [statSync(file).size, performance.now()];
  while (size < bytes && performance.now() - grewAt < restMs) {
    await sleep(5);
    const now = statSync(file).size;
    if (now > size) [size, grewAt] = [now, performance.now()];
  }
}

async function finish(life: Life): Promise<number | string> {
  const limit = new AbortController();
  const timer = sleep(lastLifeMs, undefined, { signal: limit.signal }).then(
    () => life.process.kill("SIGKILL"),
    () => false,
  );
  const ended = await life.ended;
  limit.abort();
  await timer;
  return ended;
}

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { seededRandom } from "troupe/testing";
import { openSoakHouse, type SoakHouse } from "./soak-house.ts";

/** One look at the process, after everything was let come to rest and garbage was collected. */
export interface SoakSample {
  readonly rounds: number;
  readonly heapBytes: number;
  /** Sockets, timers and the like that are open. */
  readonly resources: number;
}

export interface SoakResult {
  readonly rounds: number;
  readonly ms: number;
  readonly samples: readonly SoakSample[];
  /** Bytes of heap that the measured part grew by, on the line through its samples. */
  readonly heapGrowth: number;
  readonly counts: { readonly [deed: string]: number };
  readonly findings: readonly { readonly rule: string; readonly message: string }[];
}

export interface SoakOptions {
  readonly seed: number;
  readonly minutes: number;
  readonly progress?: (line: string) => void;
  /** Something that is kept for ever each round; a soak that does not find it has shown nothing. */
  readonly leak?: () => void;
}

/** Rounds before the measured part: code is compiled, and bounded memories fill. */
const warmRounds = 3_000;
/** Rounds between two samples, and samples of the measured part at least. */
const roundsPerSample = 250;
const samplesMin = 6;
/** How much longer a soak may take than it was told, for the samples that are needed. */
const graceMs = 300_000;
/**
 * Heap that the measured part may grow by. V8's own tables grow for minutes while nothing is kept, and fall by 4.5 MB at
 * once (measured); over a minute this is a fifth of a kilobyte a round, over half an hour a few bytes.
 */
export const soakGrowthMax = 4 * 1_048_576;
/** Open sockets and timers that may differ between two samples: a connection that is being dialled again. */
const resourcesSlack = 6;

function exposeGarbageCollection(): () => void {
  setFlagsFromString("--expose-gc");
  return runInNewContext("gc") as () => void;
}

async function look(rounds: number, collect: () => void): Promise<SoakSample> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  collect();
  collect();
  return { rounds, heapBytes: process.memoryUsage().heapUsed, resources: process.getActiveResourcesInfo().length };
}

/** The median of the slopes between each two samples: one odd sample does not move it. Source: Theil and Sen. */
export function slopeOf(samples: readonly SoakSample[]): number {
  const slopes = samples.flatMap((from, index) =>
    samples.slice(index + 1).map((to) => (to.heapBytes - from.heapBytes) / (to.rounds - from.rounds)),
  );
  const sorted = slopes.toSorted((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function judge(samples: readonly SoakSample[]): { heapGrowth: number; findings: SoakResult["findings"] } {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || samples.length < samplesMin) {
    const message = `${samples.length} samples after ${warmRounds} rounds; ${samplesMin} are needed: run it longer`;
    return { heapGrowth: 0, findings: [{ rule: "the soak measures", message }] };
  }
  const heapGrowth = Math.round(slopeOf(samples) * (last.rounds - first.rounds));
  const findings: { rule: string; message: string }[] = [];
  const span = `from round ${first.rounds} to ${last.rounds}`;
  if (heapGrowth > soakGrowthMax)
    findings.push({ rule: "the heap is flat", message: `it grew by ${heapGrowth} bytes ${span}` });
  if (last.resources > first.resources + resourcesSlack)
    findings.push({ rule: "nothing stays open", message: `${first.resources} then ${last.resources} ${span}` });
  return { heapGrowth, findings };
}

/** Rounds of everything that two connected troupes do, for so many minutes; memory and handles must stay as they are. */
export async function runSoak({ seed, minutes, progress, leak }: SoakOptions): Promise<SoakResult> {
  const collect = (globalThis as { gc?: () => void }).gc ?? exposeGarbageCollection();
  const folder = await mkdtemp(join(tmpdir(), "troupe-soak-"));
  const startedAt = performance.now();
  const until = startedAt + minutes * 60_000;
  const samples: SoakSample[] = [];
  let house: SoakHouse | undefined;
  try {
    house = await openSoakHouse(folder, seededRandom(seed));
    let rounds = 0;
    // A busy machine takes longer for the samples that are needed, within reason.
    const isDue = (): boolean => performance.now() >= until && samples.length >= samplesMin;
    while (!isDue() && performance.now() < until + graceMs && house.findings.length === 0) {
      await house.round(rounds);
      leak?.();
      rounds += 1;
      if (rounds % roundsPerSample > 0) continue;
      await house.renew();
      if (rounds < warmRounds) continue;
      samples.push(await look(rounds, collect));
      progress?.(JSON.stringify(samples.at(-1)));
    }
    const { heapGrowth, findings } = judge(samples);
    await house.end();
    const ms = Math.round(performance.now() - startedAt);
    return { rounds, ms, samples, heapGrowth, counts: house.counts, findings: [...house.findings, ...findings] };
  } finally {
    await house?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

import { decide } from "../../src/consensus/decide.ts";
import { createMember, createSigner, verifyEd25519 } from "../../src/consensus/ed25519.ts";
import type { Voter } from "../../src/consensus/voter.ts";
import { systemIds } from "../../src/ports/chance.ts";
import { systemClock } from "../../src/ports/clock.ts";
import { Observe } from "../../src/ports/observe.ts";
import type { Signer } from "../../src/ports/signer.ts";
import type { Reading, Readings, Scale } from "../measuring/arm.ts";
import { cpuMs, startClocks } from "../measuring/clocks.ts";
import type { Mode } from "./scales.ts";
import { medianOf } from "../measuring/median.ts";

/** One panel in one mode. */
interface Sitting {
  readonly mode: Mode;
  readonly voters: number;
}

/** Signatures made and checked, counted where they are made and checked. */
interface Tally {
  signs: number;
  verifies: number;
}

function counting(signer: Signer, tally: Tally): Signer {
  return {
    publicKey: signer.publicKey,
    sign: (bytes) => {
      tally.signs += 1;
      return signer.sign(bytes);
    },
  };
}

/** CPU milliseconds, and decisions, before anything is measured, so that compiling is over. */
const warmMs = 3_000;
const warmDecisions = 8;
/** Signatures, and checks, of one calibration. */
const calibrations = 200;
/**
 * CPU milliseconds of decisions between two calibrations, one decision at least: a shared machine's speed changes within
 * less than a second.
 */
const windowMs = 60;
/** Regions that the efficiency is measured over: a neighbour on the same machine moves one window by a tenth. */
const efficiencyRegions = 3;

/** A signature of one voter over bytes as long as ours. */
interface Sample {
  readonly signer: Signer;
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * One sample a voter, as in a decision: a processor foresees the branches of one and the same check done again and
 * again, which makes it 3 % cheaper than any that a panel ever does.
 */
async function sampleSignatures(voters: number): Promise<readonly Sample[]> {
  return await Promise.all(
    Array.from({ length: voters }, async (_, index) => {
      const signer = createSigner();
      const bytes = new Uint8Array(49).fill(index);
      return { signer, bytes, signature: await signer.sign(bytes) };
    }),
  );
}

/** CPU milliseconds of one signature and of one check. */
async function calibrate(samples: readonly Sample[]): Promise<{ sign: number; verify: number }> {
  const cost = async (work: (sample: Sample) => unknown): Promise<number> => {
    const rounds = Math.ceil(calibrations / samples.length);
    const from = cpuMs();
    for (let round = 0; round < rounds; round += 1) for (const sample of samples) await work(sample);
    return (cpuMs() - from) / (rounds * samples.length);
  };
  return {
    sign: await cost(({ signer, bytes }) => signer.sign(bytes)),
    verify: await cost(({ signer, bytes, signature }) => verifyEd25519(signer.publicKey, bytes, signature)),
  };
}

/** Warms up for a while, then counts whole decisions for one region's time. */
async function measureDecisions(step: () => Promise<number>, { regionMs }: Scale): Promise<Reading> {
  const from = cpuMs();
  for (let done = 0; done < warmDecisions || cpuMs() - from < warmMs;) done += await step();
  const stop = startClocks();
  let decisions = 0;
  for (const begun = cpuMs(); cpuMs() - begun < regionMs;) decisions += await step();
  return stop(decisions);
}

/** Opinions as agents give them: with words, a worry and a confidence. */
function opinionOf(index: number): object {
  return {
    recommendation: index % 5 === 4 ? "hold" : "release",
    confidence: 0.5 + (index % 5) / 10,
    reasoning: "The change is small, covered by tests, and can be taken back within a minute.",
    concerns: [{ message: "The migration locks one table.", severity: "low", file: "migrations/7.sql", line: 3 }],
  };
}

/**
 * Signatures made and checked in one decision. Mode ballot: each voter signs its ballot, the coordinator the proposal and
 * the closing, and each ballot is checked once. Mode bft: the question, n ballots, one proposal and 2n votes are signed, and
 * every member checks all of the others' itself, as if it were on a machine of its own. Source: consensus design §6.
 */
function countsOf({ mode, voters: n }: Sitting): Tally {
  return mode === "ballot" ? { signs: n + 2, verifies: n } : { signs: 3 * n + 2, verifies: (n - 1) * (3 * n + 1) };
}

/**
 * Whole decisions of one mode, every voter and the coordinator on one core. The efficiency is what the signatures
 * cost by themselves over all CPU time; both are taken in turn, so that drift of the machine hits both alike.
 */
export async function measureDecisionsOf(sitting: Sitting, scale: Scale): Promise<Readings> {
  const { mode, voters: count } = sitting;
  const counts = countsOf(sitting);
  const tally: Tally = { signs: 0, verifies: 0 };
  const voters = Array.from({ length: count }, (_, index): Voter => {
    const { member, signer } = createMember({ id: `voter-${index}`, group: `group-${index % 3}` });
    return { member, signer: counting(signer, tally), opine: async () => ({ ok: true, value: opinionOf(index) }) };
  });
  const ports = {
    clock: systemClock,
    ids: systemIds,
    observe: new Observe(),
    coordinator: counting(createSigner(), tally),
    verify: (key: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean => {
      tally.verifies += 1;
      return verifyEd25519(key, bytes, signature);
    },
  };
  const step = async (): Promise<number> => {
    const decision = await decide(
      { mode, question: "Release?", options: ["release", "hold"], voters, threshold: ">1/2", close: "all" },
      ports,
    );
    if (decision.option !== "release") throw new Error(`the panel decided ${decision.option}`);
    return 1;
  };
  const rate = await measureDecisions(step, scale);
  const samples = await sampleSignatures(count);
  const shares: number[] = [];
  const limits: number[] = [];
  const until = cpuMs() + efficiencyRegions * scale.regionMs;
  let before = await calibrate(samples);
  do {
    Object.assign(tally, { signs: 0, verifies: 0 });
    const from = cpuMs();
    let decisions = 0;
    do decisions += await step();
    while (cpuMs() - from < windowMs);
    const spent = cpuMs() - from;
    if (tally.signs !== decisions * counts.signs || tally.verifies !== decisions * counts.verifies)
      throw new Error(`${decisions} decisions of ${count} made ${tally.signs} signatures and ${tally.verifies} checks`);
    const after = await calibrate(samples);
    const sign = (before.sign + after.sign) / 2;
    const verify = (before.verify + after.verify) / 2;
    limits.push(1_000 / (counts.signs * sign + counts.verifies * verify));
    shares.push((tally.signs * sign + tally.verifies * verify) / spent);
    before = after;
  } while (cpuMs() < until);
  return { decisions: rate, limit: { value: medianOf(limits) }, efficiency: { value: medianOf(shares) } };
}

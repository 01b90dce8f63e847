import { decide } from "../../src/consensus/decide.ts";
import { createMember, createSigner, verifyEd25519 } from "../../src/consensus/ed25519.ts";
import type { Voter } from "../../src/consensus/voter.ts";
import { systemIds } from "../../src/ports/chance.ts";
import { systemClock } from "../../src/ports/clock.ts";
import { Observe } from "../../src/ports/observe.ts";
import type { Signer } from "../../src/ports/signer.ts";
import type { Reading, Readings, Scale } from "../measuring/arm.ts";
import { cpuMs, startClocks } from "../measuring/clocks.ts";
import { calibrate, sampleSignatures } from "./calibration.ts";
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
/**
 * CPU milliseconds of decisions between two calibrations, one decision at least: a shared machine's speed changes within
 * less than a second.
 */
const windowMs = 60;
/** Regions that the efficiency is measured over: a neighbour on the same machine moves one window by a tenth. */
const efficiencyRegions = 3;

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

import { describe, expect, it } from "vitest";
import { localTimeouts } from "../../machines/consensus/bft/council.ts";
import type { BftMessage } from "../../machines/consensus/bft/messages.ts";
import { raiseOpponent } from "../../src/testing/simulation/opponent.ts";
import { drawPlan, type AdversaryName, type PlanOverrides } from "../../src/testing/simulation/plan.ts";
import { happeningsMax, simulate, type ScheduleReport } from "../../src/testing/simulation/simulate.ts";
import { World } from "../../src/testing/simulation/world.ts";

/** Schedules per row: enough that each row meets every electorate. */
const schedules = 150;
const rowTimeoutMs = 60_000;

function runRow(overrides: PlanOverrides): ScheduleReport[] {
  return Array.from({ length: schedules }, (_, index) => simulate(10_000 + index, overrides));
}

/** The same members, on a network that takes a millisecond for everything: what is sent first comes first, once. */
class InOrder extends World {
  override deliverLater(to: number, message: BftMessage): void {
    super.deliverLater(to, message, 1);
  }
}

/** What the correct members decide, when all of them have. */
function decideIn(world: World): { readonly values: readonly string[]; readonly trace: string } {
  world.opponent = raiseOpponent(world);
  world.start();
  for (let count = 0; !world.isEverybodyDecided && count < happeningsMax; count += 1) if (!world.advance()) break;
  expect(world.isEverybodyDecided).toBe(true);
  const values = [...world.watch.decisions.values()].map(({ value }) => value);
  return { values: [...new Set(values)], trace: String(world.hash) };
}

function rulesBroken(reports: readonly ScheduleReport[]): string[] {
  return reports.flatMap(({ violation, plan }) => (violation === null ? [] : [`${plan.seed}: ${violation.message}`]));
}

/** Rows of the fault matrix (consensus design §5) that are about agreement; the weight of the faulty is within F_live. */
const rows: readonly (readonly [string, AdversaryName, "accused" | "unprovable" | "either"])[] = [
  ["1 and 28: crashes at each step, and comes back with what was durable", "crash", "unprovable"],
  ["2: silent for ever", "silent", "unprovable"],
  ["3 to 5: an equivocating proposer and voters", "equivocate", "accused"],
  ["14: both sides of a partition are told what they like", "split", "either"],
  ["19: votes against its lock", "amnesia", "either"],
  ["20: claims a polka that is not", "fake-polka", "either"],
  ["21: proposes nil", "nil-proposer", "unprovable"],
  ["22: floods with distinct statements and far rounds", "flood", "accused"],
  ["23: twins with one key", "twins", "accused"],
  ["9 to 13: replays, forges, pads certificates, changes messages", "mutate", "accused"],
  ["24: shows a polka to one member alone and falls silent", "hidden-lock", "either"],
  ["all: anything to anybody", "random", "accused"],
];

describe("the fault matrix within the bounds: agreement, an end, and no honest member accused", () => {
  it.each(rows)("row %s", { timeout: rowTimeoutMs }, (_row, adversary, evidence) => {
    const reports = runRow({ adversary, regime: "within" });
    expect(rulesBroken(reports)).toEqual([]);
    expect(reports.every(({ isDecided, isSplit }) => isDecided && !isSplit)).toBe(true);
    const accusations = reports.reduce((sum, report) => sum + report.accusations, 0);
    if (evidence === "accused") expect(accusations).toBeGreaterThan(0);
    if (evidence === "unprovable") expect(accusations).toBe(0);
  });

  it("row 8: messages just within the slowest delay only cost rounds", { timeout: rowTimeoutMs }, () => {
    const slow = runRow({ regime: "within" }).filter(({ plan }) => plan.delayMs === 100);
    expect(slow.length).toBeGreaterThan(20);
    expect(slow.every(({ isDecided }) => isDecided)).toBe(true);
  });

  it("row 15: loss and repetition keep nobody from the one decision", { timeout: rowTimeoutMs }, () => {
    const lossy = runRow({ regime: "within" }).filter(({ plan }) => plan.dropPercent > 0 && plan.duplicatePercent > 0);
    expect(lossy.length).toBeGreaterThan(10);
    expect(rulesBroken(lossy)).toEqual([]);
    expect(lossy.every(({ isDecided, isSplit }) => isDecided && !isSplit)).toBe(true);
  });

  // Where one comes later than a wait, or is lost and said again, the round may end in nil and the next one's value win.
  it.each(["silent", "crash", "mutate"] as const)(
    "row 15: out of order and repeated, none later than the shortest wait, the same is decided as in order (%s)",
    { timeout: rowTimeoutMs },
    (adversary) => {
      const lossless = ["crashes", "partition", "mute", "picky", "drops"] as const;
      let [compared, reordered] = [0, 0];
      for (let seed = 10_000; seed < 10_000 + 3 * schedules; seed += 1) {
        const plan = drawPlan(seed, { adversary, regime: "within", without: lossless });
        if (plan.earlyDelayMs >= localTimeouts.voteMs || plan.duplicatePercent === 0) continue;
        const inOrder = decideIn(new InOrder({ ...plan, duplicatePercent: 0 }));
        const shuffled = decideIn(new World(plan));
        expect(shuffled.values, `seed ${seed}`).toEqual(inOrder.values);
        expect(inOrder.values).toHaveLength(1);
        compared += 1;
        if (shuffled.trace !== inOrder.trace) reordered += 1;
      }
      expect(compared).toBeGreaterThan(30);
      expect(reordered).toBe(compared);
    },
  );
});

describe("the fault matrix at and beyond the bounds", () => {
  it.each(["silent", "split", "amnesia", "fake-polka", "equivocate", "twins"] as const)(
    "rows 16 and 17: up to F_safe %s never makes two members disagree",
    { timeout: rowTimeoutMs },
    (adversary) => {
      const reports = runRow({ adversary, regime: "edge" });
      expect(rulesBroken(reports)).toEqual([]);
      expect(reports.some(({ isSplit }) => isSplit)).toBe(false);
    },
  );

  it("row 16: with more than F_live silent nobody decides", { timeout: rowTimeoutMs }, () => {
    const edge = runRow({ adversary: "silent", regime: "edge" }).filter(({ plan }) => plan.regime === "edge");
    expect(edge.length).toBeGreaterThan(20);
    expect(edge.some(({ isDecided }) => isDecided)).toBe(false);
  });

  it(
    "row 18: beyond F_safe disagreements happen, and each convicts more than a third and nobody honest (P6, P7)",
    {
      timeout: rowTimeoutMs,
    },
    () => {
      const reports = (["split", "amnesia", "fake-polka", "equivocate", "twins"] as const).flatMap((adversary) =>
        runRow({ adversary, regime: "beyond" }),
      );
      expect(rulesBroken(reports)).toEqual([]);
      expect(reports.filter(({ isSplit }) => isSplit).length).toBeGreaterThan(5);
    },
  );
});

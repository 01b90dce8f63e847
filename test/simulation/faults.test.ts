import { describe, expect, it } from "vitest";
import type { AdversaryName, PlanOverrides } from "../../src/testing/simulation/plan.ts";
import { simulate, type ScheduleReport } from "../../src/testing/simulation/simulate.ts";

/** Schedules per row: enough that each row meets every electorate. */
const schedules = 150;
const rowTimeoutMs = 60_000;

function runRow(overrides: PlanOverrides): ScheduleReport[] {
  return Array.from({ length: schedules }, (_, index) => simulate(10_000 + index, overrides));
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

  it("row 15: loss and repetition change nothing but the time", { timeout: rowTimeoutMs }, () => {
    const lossy = runRow({ regime: "within" }).filter(({ plan }) => plan.dropPercent > 0 && plan.duplicatePercent > 0);
    expect(lossy.length).toBeGreaterThan(10);
    expect(rulesBroken(lossy)).toEqual([]);
  });
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

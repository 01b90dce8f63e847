import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { lines } from "../../machines/consensus/bft/state.ts";
import { runCampaign } from "../../src/testing/simulation/campaign.ts";
import { adversaries, drawPlan, features, membersMin, regimes } from "../../src/testing/simulation/plan.ts";
import { replayCommand, shrink } from "../../src/testing/simulation/shrink.ts";
import { simulate } from "../../src/testing/simulation/simulate.ts";
import { rootFolder } from "../house/source-files.ts";

const schedules = 5_000;
/** A few seconds of computing; much longer on a machine that is busy with other things. */
const campaignTimeoutMs = 120_000;

describe("the simulator", () => {
  it(
    `runs ${schedules} schedules without a violation, on every line of the paper`,
    { timeout: campaignTimeoutMs },
    () => {
      const report = runCampaign({ from: 1, count: schedules });
      expect(report.findings).toEqual([]);
      expect(report).toMatchObject({ ran: schedules, violations: 0, disagreements: 0, nonTerminating: 0 });
      for (const line of lines) expect(report.lines[line], line).toBeGreaterThan(100);
      for (const name of adversaries) expect(report.adversaries[name], name).toBeGreaterThan(200);
      for (const regime of regimes) expect(report.schedules[regime], regime).toBeGreaterThan(200);
      expect(report.explained, "disagreements beyond the bound, all explained").toBeGreaterThan(0);
      expect(report.deliveries / schedules).toBeGreaterThan(100);
    },
  );

  it("gives the same trace for the same seed, and another one for another seed (P10)", () => {
    const traces = Array.from({ length: 40 }, (_, seed) => simulate(seed).traceHash);
    expect(Array.from({ length: 40 }, (_, seed) => simulate(seed).traceHash)).toEqual(traces);
    expect(new Set(traces).size).toBe(traces.length);
    expect(simulate(7, { adversary: "silent" }).traceHash).not.toBe(simulate(7, { adversary: "split" }).traceHash);
  });

  it("draws faulty weight within the bounds of its regime, and weights that nobody can veto with", () => {
    for (let seed = 0; seed < 500; seed += 1) {
      const { council, faulty, regime } = drawPlan(seed);
      const weight = faulty.reduce((sum, member) => sum + (council.weights[member] ?? 0), 0);
      const [live, safe] = [council.total - council.quorum, 2 * council.quorum - council.total - 1];
      if (regime === "within") expect(weight).toBeLessThanOrEqual(live);
      if (regime === "edge") expect(weight > live && weight <= safe).toBe(true);
      if (regime === "beyond") expect(weight > safe && 3 * weight <= 2 * council.total).toBe(true);
      expect(Math.max(...council.weights)).toBeLessThanOrEqual(live);
    }
  });

  it("seats fewer members where it is asked to: the same ones for the same seed, and within the bounds of the regime", () => {
    const regimesSeen = new Set<string>();
    for (let seed = 0; seed < 300; seed += 1) {
      const drawn = drawPlan(seed);
      for (let members = membersMin; members <= 8; members += 1) {
        const plan = drawPlan(seed, { members });
        const { council, faulty, side, partitions, muted, crashes } = plan;
        expect(drawPlan(seed, { members })).toEqual(plan);
        if (members >= drawn.council.weights.length) {
          expect(plan).toEqual(drawn);
          continue;
        }
        regimesSeen.add(plan.regime);
        expect([council.weights.length, side.length]).toEqual([members, members]);
        const weight = faulty.reduce((sum, member) => sum + (council.weights[member] ?? 0), 0);
        const [live, safe] = [council.total - council.quorum, 2 * council.quorum - council.total - 1];
        if (plan.regime === "within") expect(weight).toBeLessThanOrEqual(live);
        if (plan.regime === "edge") expect(weight > live && weight <= safe).toBe(true);
        if (plan.regime === "beyond") expect(weight > safe && 3 * weight <= 2 * council.total).toBe(true);
        expect([drawn.regime, "within"]).toContain(plan.regime);
        expect(Math.max(...council.weights)).toBeLessThanOrEqual(live);
        for (const { member } of [...crashes, ...(muted === null ? [] : [muted])]) {
          expect(member).toBeLessThan(members);
          expect(faulty).not.toContain(member);
        }
        expect(partitions.every((each) => each.side.length === members)).toBe(true);
      }
    }
    expect([...regimesSeen].sort()).toEqual(["beyond", "edge", "within"]);
    expect(runCampaign({ from: 1, count: 300 }, { members: 4 }).findings).toEqual([]);
  });

  it("says how to run a schedule again, naming each feature once", () => {
    const command = replayCommand(17, {
      adversary: "split",
      regime: "beyond",
      without: ["crashes", "drops", "crashes"],
      actsMax: 5,
      members: 5,
    });
    expect(command).toBe(
      "npm run test:simulation -- --seeds 1 --from 17 --adversary split --regime beyond --members 5 --without crashes,drops --acts 5",
    );
    for (const feature of features) expect(simulate(3, { without: [feature] }).violation).toBeNull();
  });

  it("does not shrink a schedule that breaks nothing", () => {
    expect(shrink(3, "P5").overrides).toEqual({});
  });
});

function runCommand(...argv: string[]): { status: number | null; stdout: string; stderr: string } {
  const main = join(rootFolder, "src/testing/simulation/main.ts");
  return spawnSync(process.execPath, ["--conditions=troupe-source", main, ...argv], { encoding: "utf8" });
}

describe("npm run test:simulation", () => {
  it("ends with one JSON line that says what ran", () => {
    const run = runCommand("--seeds", "20", "--from", "5");
    expect(run.status).toBe(0);
    const report = JSON.parse(run.stdout.trimEnd().split("\n").at(-1) ?? "") as Record<string, unknown>;
    expect(report).toMatchObject({
      campaign: "simulation",
      seeds: { from: 5, count: 20 },
      ran: 20,
      violations: 0,
      findings: [],
    });
    expect(report["traceHash"]).toBe(runCampaign({ from: 5, count: 20 }).traceHash);
    expect(report["ms"]).toBeTypeOf("number");
  });

  it("lists its options with --help, and runs nothing", () => {
    const run = runCommand("--help");
    expect(run.status).toBe(0);
    for (const option of ["seeds", "from", "adversary", "regime", "members", "without", "acts"])
      expect(run.stdout).toContain(`--${option} `);
    expect(run.stdout).not.toContain("{");
  });

  it.each([
    [["--seeds", "none"], "--seeds none: give a whole number"],
    [["--adversary", "rain"], "--adversary rain: choose one of crash, silent"],
    [["--without", "crashes,rain"], "--without rain: choose one of crashes"],
    [["--members", "3"], "--members 3: give a whole number from 4"],
    [["--wind"], "--wind"],
  ])("refuses %j with status 2 and the way out", (argv, message) => {
    const run = runCommand(...argv);
    expect(run.status).toBe(2);
    expect(run.stderr).toContain(message);
    expect(run.stdout).toBe("");
  });
});

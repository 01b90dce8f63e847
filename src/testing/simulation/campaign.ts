import { lines, type Line } from "../../../machines/consensus/bft/state.ts";
import { TraceHash } from "./dice.ts";
import { adversaries, type AdversaryName, type PlanOverrides, type Regime } from "./plan.ts";
import { replayCommand, shrink } from "./shrink.ts";
import { simulate, type ScheduleReport } from "./simulate.ts";

/** Findings that are shrunk and printed; more of them are only counted. */
export const findingsMax = 10;

/** One schedule that broke a rule. */
export interface Finding {
  readonly seed: number;
  readonly rule: string;
  readonly message: string;
  /** The command that runs its smallest form again. */
  readonly replay: string;
}

/** What many schedules came to. */
export interface CampaignReport {
  readonly campaign: "simulation";
  readonly seeds: { readonly from: number; readonly count: number };
  readonly ran: number;
  readonly ms: number;
  readonly cpuMs: number;
  readonly traceHash: string;
  readonly violations: number;
  readonly findings: readonly Finding[];
  readonly schedules: Readonly<Record<Regime, number>>;
  readonly adversaries: Readonly<Record<AdversaryName, number>>;
  /** Within the bounds on faulty weight: correct members that decided differently, and schedules that did not end. */
  readonly disagreements: number;
  readonly nonTerminating: number;
  /** Beyond the bounds: disagreements, each of them explained by more than a third of the weight. */
  readonly explained: number;
  readonly deliveries: number;
  readonly simulatedMs: number;
  readonly roundsMax: number;
  /** How often each line of the paper was executed. */
  readonly lines: Readonly<Record<Line, number>>;
}

interface Totals {
  readonly hash: TraceHash;
  readonly findings: Finding[];
  readonly schedules: Record<Regime, number>;
  readonly adversaries: Record<AdversaryName, number>;
  readonly lines: Record<Line, number>;
  violations: number;
  disagreements: number;
  nonTerminating: number;
  explained: number;
  deliveries: number;
  simulatedMs: number;
  roundsMax: number;
}

function zeros<Name extends string>(names: readonly Name[]): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;
}

function count(totals: Totals, report: ScheduleReport): void {
  const { plan } = report;
  totals.schedules[plan.regime] += 1;
  totals.adversaries[plan.adversary] += 1;
  for (const [line, times] of report.lines) totals.lines[line] += times;
  totals.deliveries += report.deliveries;
  totals.simulatedMs += report.ms;
  totals.roundsMax = Math.max(totals.roundsMax, plan.regime === "within" ? report.rounds : 0);
  if (report.isSplit && plan.regime === "beyond" && report.violation === null) totals.explained += 1;
  if (report.isSplit && plan.regime !== "beyond") totals.disagreements += 1;
  if (!report.isDecided && plan.regime === "within") totals.nonTerminating += 1;
  for (let index = 0; index < report.traceHash.length; index += 8) {
    totals.hash.add(Number.parseInt(report.traceHash.slice(index, index + 8), 16));
  }
}

/** What is told is what the printed command shows again. */
function findingOf(seed: number, violation: { rule: string; message: string }, overrides: PlanOverrides): Finding {
  const { rule } = violation;
  const smallest = shrink(seed, rule, overrides);
  const { message } = smallest.report.violation ?? violation;
  return { seed, rule, message, replay: replayCommand(seed, smallest.overrides) };
}

/** Runs `count` schedules from seed `from` on; `tell` hears how far it is, about once a second. */
export function runCampaign(
  seeds: { readonly from: number; readonly count: number },
  given: PlanOverrides & { readonly tell?: (ran: number) => void } = {},
): CampaignReport {
  const { tell, ...overrides } = given;
  const totals: Totals = {
    hash: new TraceHash(),
    findings: [],
    schedules: zeros(["within", "edge", "beyond"]),
    adversaries: zeros(adversaries),
    lines: zeros(lines),
    violations: 0,
    disagreements: 0,
    nonTerminating: 0,
    explained: 0,
    deliveries: 0,
    simulatedMs: 0,
    roundsMax: 0,
  };
  const startedAt = performance.now();
  const cpu = process.cpuUsage();
  let toldAt = startedAt;
  for (let seed = seeds.from; seed < seeds.from + seeds.count; seed += 1) {
    const report = simulate(seed, overrides);
    count(totals, report);
    if (report.violation !== null) {
      totals.violations += 1;
      if (totals.findings.length < findingsMax) totals.findings.push(findingOf(seed, report.violation, overrides));
    }
    if (tell === undefined || performance.now() - toldAt < 1_000) continue;
    toldAt = performance.now();
    tell(seed - seeds.from + 1);
  }
  const used = process.cpuUsage(cpu);
  const { hash, findings, violations, ...rest } = totals;
  return {
    campaign: "simulation",
    seeds,
    ran: seeds.count,
    ms: Math.round(performance.now() - startedAt),
    cpuMs: Math.round((used.user + used.system) / 1_000),
    traceHash: String(hash),
    violations,
    findings,
    ...rest,
  };
}

import { TroupeError } from "../errors.ts";
import {
  adversaries,
  drawPlan,
  features,
  membersMin,
  regimes,
  type AdversaryName,
  type Feature,
  type Regime,
} from "./simulation/plan.ts";
import { replayCommand } from "./simulation/shrink.ts";
import { simulate as runSchedule } from "./simulation/simulate.ts";

/** What to fix of a schedule; everything else follows from its seed. */
export interface SimulationOptions {
  /** A whole number from 0; the same seed gives the same schedule on every machine. */
  readonly seed: number;
  /** What the faulty members do. */
  readonly adversary?: AdversaryName;
  /** How much weight is faulty: "within" the bounds, at their "edge", or "beyond" them. */
  readonly regime?: Regime;
  /** Parts of the schedule to leave out, such as "crashes" or "drops". */
  readonly without?: readonly Feature[];
  /** So many members and no more, from 4 on; as many as the seed draws where that is fewer. */
  readonly members?: number;
}

/** What became of one schedule, as plain data. */
export interface Simulation {
  readonly seed: number;
  readonly adversary: AdversaryName;
  readonly regime: Regime;
  /** By member, in the order of their places. */
  readonly weights: readonly number[];
  /** Places of the faulty members. */
  readonly faulty: readonly number[];
  /** The rule that was broken; null is as it should be. */
  readonly violation: { readonly rule: string; readonly message: string } | null;
  /** Whether every correct member decided. */
  readonly isDecided: boolean;
  /** Whether two correct members decided differently; possible beyond the bounds only. */
  readonly isSplit: boolean;
  readonly rounds: number;
  readonly deliveries: number;
  readonly simulatedMs: number;
  /** How often a correct member came to hold proof against a faulty one. */
  readonly accusations: number;
  /** Over everything that happened, in order: equal hashes are equal schedules. */
  readonly traceHash: string;
  /** The command that runs this schedule again, in the repository of Troupe. */
  readonly replay: string;
}

function checkName(field: string, given: string | undefined, known: readonly string[]): void {
  if (given === undefined || known.includes(given)) return;
  throw new TroupeError("usage/invalid-options", `${field} is "${given}"; use one of ${known.join(", ")}`);
}

/**
 * Runs one schedule of mode bft against the code that agrees in production: a network that loses, repeats and delays,
 * members that crash and come back, and faulty ones that lie. Every property is checked after every step.
 * Shape: plain data. Errors: throws `usage/invalid-options`; a broken property is `violation`, never thrown.
 * @example
 * ```ts
 * import { simulate } from "troupe/testing";
 * const { isDecided, violation, traceHash } = simulate(7);
 * console.log(isDecided, violation, traceHash === simulate({ seed: 7 }).traceHash);
 * ```
 */
export function simulate(given: number | SimulationOptions): Simulation {
  const { seed, ...overrides } = typeof given === "number" ? { seed: given } : given;
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new TroupeError("usage/invalid-options", `seed is ${seed}; it must be a whole number from 0`);
  checkName("adversary", overrides.adversary, adversaries);
  checkName("regime", overrides.regime, regimes);
  for (const feature of overrides.without ?? []) checkName("without", feature, features);
  const { members = membersMin } = overrides;
  if (!Number.isSafeInteger(members) || members < membersMin)
    throw new TroupeError(
      "usage/invalid-options",
      `members is ${members}; it must be a whole number from ${membersMin}`,
    );
  const { adversary, regime, council, faulty } = drawPlan(seed, overrides);
  const report = runSchedule(seed, overrides);
  return {
    seed,
    adversary,
    regime,
    weights: council.weights,
    faulty,
    violation: report.violation,
    isDecided: report.isDecided,
    isSplit: report.isSplit,
    rounds: report.rounds,
    deliveries: report.deliveries,
    simulatedMs: report.ms,
    accusations: report.accusations,
    traceHash: report.traceHash,
    replay: replayCommand(seed, overrides),
  };
}

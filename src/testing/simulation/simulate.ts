import { lines, type Line } from "../../../machines/consensus/bft/state.ts";
import { raiseOpponent } from "./opponent.ts";
import { drawPlan, type Plan, type PlanOverrides } from "./plan.ts";
import { roundsAfterStableMax, Violation, type Listener } from "./watch.ts";
import { World } from "./world.ts";

/** Happenings of one schedule; a schedule that reaches it counts as one that does not end. */
export const happeningsMax = 60_000;
/** How long a schedule that need not end goes on once its network is stable, in simulated milliseconds. */
export const openRunMs = 600;

/** What became of one schedule. */
export interface ScheduleReport {
  readonly plan: Plan;
  readonly violation: { readonly rule: string; readonly message: string } | null;
  /** Whether every correct member decided. */
  readonly isDecided: boolean;
  /** Whether two correct members decided differently; possible beyond the bound only. */
  readonly isSplit: boolean;
  readonly rounds: number;
  readonly deliveries: number;
  /** Simulated time. */
  readonly ms: number;
  readonly accusations: number;
  readonly traceHash: string;
  readonly lines: readonly (readonly [Line, number])[];
}

/** Runs until all have decided, or until the rounds that are granted after the network became stable are used up. */
function run(world: World): void {
  const { plan, watch } = world;
  let roundAtStable = plan.stableAtMs === 0 ? 0 : -1;
  const granted = roundsAfterStableMax(plan.council.weights.length);
  world.start();
  for (let count = 0; !world.isEverybodyDecided; count += 1) {
    if (!world.advance() || count >= happeningsMax) return watch.checkTermination(roundAtStable, true);
    if (roundAtStable < 0 && world.now >= plan.stableAtMs) roundAtStable = watch.roundMax;
    if (plan.regime !== "within" && world.now > plan.stableAtMs + openRunMs) return;
    if (roundAtStable >= 0 && watch.roundMax > roundAtStable + granted) {
      return watch.checkTermination(roundAtStable, true);
    }
  }
}

/** Runs one schedule: everything in it follows from the seed and the overrides. */
export function simulate(seed: number, given: PlanOverrides & { readonly listener?: Listener } = {}): ScheduleReport {
  const plan = drawPlan(seed, given);
  const world = new World(plan, given.listener);
  world.opponent = raiseOpponent(world);
  let violation: ScheduleReport["violation"] = null;
  try {
    run(world);
    world.watch.explain(world.members);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = { rule: error.rule, message: error.message };
  }
  const { watch } = world;
  return {
    plan,
    violation,
    isDecided: world.isEverybodyDecided,
    isSplit: watch.disagreement !== undefined,
    rounds: watch.roundMax + 1,
    deliveries: world.deliveries,
    ms: world.now,
    accusations: watch.evidence.length,
    traceHash: String(world.hash),
    lines: lines.map((line) => [line, watch.linesFired.get(line) ?? 0]),
  };
}

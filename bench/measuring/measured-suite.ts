import type { Report, Row, Suite, Target } from "../suite.ts";
import type { ArmTable } from "./arm.ts";
import { watchPressure } from "./pressure.ts";
import { runRounds, type Results } from "./rounds.ts";

/** A figure of a quick run and of a full one. */
interface ByMode {
  readonly quick: number;
  readonly full: number;
}

/** What one suite has of its own: its arms, how often and how long they run, and how their results are read. */
export interface SuitePlan extends Pick<Suite, "name" | "hasPeers" | "method"> {
  readonly arms: ArmTable;
  /** Rounds through all arms. */
  readonly repeats: ByMode;
  /** How long a region is measured at least, in milliseconds of CPU time. */
  readonly regionMs: ByMode;
  readonly rowsOf: (results: Results, quick: boolean) => readonly Row[];
  readonly targetsOf: (results: Results, quick: boolean) => readonly Target[];
  /** What a quick run leaves out; nothing where it is not given. */
  readonly skippedOf?: (quick: boolean) => Report["skipped"];
}

/** A suite whose arms run in rounds, each in a process of its own. */
export function measuredSuite(plan: SuitePlan): Suite {
  const { name, hasPeers, method, arms, rowsOf, targetsOf, skippedOf } = plan;
  return {
    name,
    hasPeers,
    method,
    async run({ quick, progress }) {
      const pressure = watchPressure();
      const mode = quick ? "quick" : "full";
      const repeats = plan.repeats[mode];
      const scale = { quick, regionMs: plan.regionMs[mode] };
      const results = await runRounds({ suite: name, arms, repeats, scale, progress });
      return {
        suite: name,
        nodeVersion: process.version,
        repeats,
        rows: rowsOf(results, quick),
        targets: targetsOf(results, quick),
        skipped: skippedOf?.(quick) ?? [],
        cpuPressure: pressure(),
      };
    },
  };
}

import { features, membersMin, type Feature, type PlanOverrides } from "./plan.ts";
import { simulate, type ScheduleReport } from "./simulate.ts";

/** A failing schedule with as little in it as still fails the same rule. */
export interface Shrunk {
  readonly overrides: PlanOverrides;
  readonly report: ScheduleReport;
  /** Schedules tried. */
  readonly tried: number;
}

/**
 * Takes as few members as will do, leaves out one feature after the other, then half of the acts at a time, as long as the
 * same rule still fails with as much faulty weight by its regime, and again until nothing more can go: a feature may be
 * needed only beside another.
 */
export function shrink(seed: number, rule: string, start: PlanOverrides = {}): Shrunk {
  let overrides = start;
  let report = simulate(seed, overrides);
  let tried = 1;
  const attempt = (next: PlanOverrides): boolean => {
    const candidate = simulate(seed, next);
    tried += 1;
    if (candidate.violation?.rule !== rule || candidate.plan.regime !== report.plan.regime) return false;
    overrides = next;
    report = candidate;
    return true;
  };
  for (let before: PlanOverrides | undefined; before !== overrides;) {
    before = overrides;
    const seated = report.plan.council.weights.length;
    for (let members = membersMin; members < seated; members += 1) if (attempt({ ...overrides, members })) break;
    for (const feature of features) {
      const without: readonly Feature[] = overrides.without ?? [];
      if (!without.includes(feature)) attempt({ ...overrides, without: [...without, feature] });
    }
    if (overrides.without?.includes("acts") === true) continue;
    let acts = overrides.actsMax ?? report.plan.actsMax;
    while (acts > 1 && attempt({ ...overrides, actsMax: acts >> 1 })) acts >>= 1;
    while (acts > 1 && attempt({ ...overrides, actsMax: acts - 1 })) acts -= 1;
  }
  return { overrides, report, tried };
}

/** The command that runs one schedule again. */
export function replayCommand(seed: number, overrides: PlanOverrides = {}): string {
  const parts = [`npm run test:simulation -- --seeds 1 --from ${seed}`];
  if (overrides.adversary !== undefined) parts.push(`--adversary ${overrides.adversary}`);
  if (overrides.regime !== undefined) parts.push(`--regime ${overrides.regime}`);
  if (overrides.members !== undefined) parts.push(`--members ${overrides.members}`);
  if (overrides.without !== undefined && overrides.without.length > 0) {
    parts.push(`--without ${[...new Set(overrides.without)].join(",")}`);
  }
  if (overrides.actsMax !== undefined && overrides.without?.includes("acts") !== true)
    parts.push(`--acts ${overrides.actsMax}`);
  return parts.join(" ");
}

import type { Results } from "../measuring/rounds.ts";
import type { Report, Target } from "../suite.ts";
import { limitArm, oneWayName, titles } from "./rows.ts";

/** A figure that was promised. Source: the issue "Remote actors", speed to reach. */
interface TargetPlan {
  readonly name: string;
  readonly relation: ">=" | "<=";
  readonly bound: number;
  readonly needs: readonly string[];
  readonly figure: (results: Results) => number | undefined;
}

function over(ours: string, theirs: string, reading: string, bound: number): TargetPlan {
  return {
    name: `${reading === oneWayName ? "one way, 100 B" : reading}: ${titles[ours] ?? ours} over ${titles[theirs] ?? theirs}`,
    relation: ">=",
    bound,
    needs: [ours, theirs],
    figure: (results) => results.ratio({ arm: ours, reading }, { arm: theirs, reading })?.value,
  };
}

const plans: readonly TargetPlan[] = [
  ...(["troupe", "session"] as const).flatMap((ours) => [
    over(ours, limitArm, "64 × 100 B", 0.8),
    over(ours, limitArm, "1 × 100 B", 0.4),
    over(ours, limitArm, oneWayName, 0.7),
    over(ours, limitArm, "64 × 4 KiB", 0.45),
    over(ours, "socket.io", "64 × 100 B", 1.6),
  ]),
  {
    name: "sender's memory under a stalled peer, MiB",
    relation: "<=",
    bound: 128,
    needs: ["stall"],
    figure: (results) => results.median({ arm: "stall", reading: "rss" })?.value,
  },
  {
    name: "resume of 1,000 unacknowledged messages, ms",
    relation: "<=",
    bound: 50,
    needs: ["resume"],
    figure: (results) => results.median({ arm: "resume", reading: "resume" })?.value,
  },
];

export function targetsOf(results: Results): Target[] {
  return plans.map(({ name, relation, bound, needs, figure }): Target => {
    const target = `${relation} ${bound}`;
    const value = figure(results);
    if (value !== undefined) return { name, value, target, met: relation === ">=" ? value >= bound : value <= bound };
    const reason = needs.flatMap((arm) => results.problemOf(arm) ?? []).at(0) ?? "was not measured";
    return { name, value: null, target, met: false, reason };
  });
}

/** What a quick run leaves out. */
export function skippedOf(quick: boolean): Report["skipped"] {
  const left = ["NATS, gRPC and comedy", "memory of idle links"];
  return quick ? left.map((name) => ({ name, reason: "it takes longer than a quick run has" })) : [];
}

import type { Place, Results } from "../measuring/rounds.ts";
import type { Target } from "../suite.ts";
import { chainSteps, chainWindow, recoveredCounts, stepsCount, writersCount } from "./scales.ts";

/** A figure that was promised. Source: the issue "Durable workflows", speed to reach. */
interface TargetPlan {
  readonly name: string;
  readonly relation: ">=" | "<=";
  readonly bound: number;
  readonly fullOnly?: boolean;
  readonly needs: readonly string[];
  readonly figure: (results: Results) => number | undefined;
}

const [few, many] = recoveredCounts;
/** Cost of one of many over its cost among few: linear, but for the noise of a shared machine. */
const linearMax = 1.25;

function at(arm: string, reading = "run"): Place {
  return { arm, reading };
}

function ratio(ours: Place, theirs: Place): (results: Results) => number | undefined {
  return (results) => results.ratio(ours, theirs)?.value;
}

function inverse(ours: Place, theirs: Place): (results: Results) => number | undefined {
  return ratio(theirs, ours);
}

const run = `${stepsCount} steps`;

const plans: readonly TargetPlan[] = [
  {
    name: `${run}: LangGraph.js on SQLite over ours, both NORMAL`,
    relation: ">=",
    bound: 15,
    needs: ["langgraph, sqlite", "troupe, normal"],
    figure: inverse(at("troupe, normal"), at("langgraph, sqlite")),
  },
  {
    name: `${run}: Mastra on libsql over ours, NORMAL`,
    relation: ">=",
    bound: 5,
    needs: ["mastra, libsql", "troupe, normal"],
    figure: inverse(at("troupe, normal"), at("mastra, libsql")),
  },
  ...(["normal", "full"] as const).map((mode): TargetPlan => ({
    name: `${run}: ours over a raw loop writing the same rows, both ${mode.toUpperCase()}`,
    relation: "<=",
    bound: 6,
    needs: [`troupe, ${mode}`, `raw, ${mode}`],
    figure: ratio(at(`troupe, ${mode}`), at(`raw, ${mode}`)),
  })),
  {
    name: `event-loop delay p99 at ${writersCount} writers, ms`,
    relation: "<=",
    bound: 5,
    needs: ["loop delay"],
    figure: (results) => results.median(at("loop delay", "p99"))?.value,
  },
  {
    name: `recovery: one run of ${many} over one of ${few}`,
    relation: "<=",
    bound: linearMax,
    fullOnly: true,
    needs: ["recovery"],
    figure: ratio(at("recovery", `each-${many}`), at("recovery", `each-${few}`)),
  },
  {
    name: `one step at ${chainSteps} over one at 10, means of ${chainWindow} steps`,
    relation: "<=",
    bound: linearMax,
    fullOnly: true,
    needs: ["long chain"],
    figure: ratio(at("long chain", "late"), at("long chain", "early")),
  },
];

export function targetsOf(results: Results, quick: boolean): Target[] {
  return plans
    .filter((plan) => !(quick && plan.fullOnly === true))
    .map(({ name, relation, bound, needs, figure }): Target => {
      const target = `${relation} ${bound}`;
      const value = figure(results);
      if (value !== undefined) return { name, value, target, met: relation === ">=" ? value >= bound : value <= bound };
      const reasons = needs.flatMap((arm) => {
        const problem = results.problemOf(arm);
        return problem === undefined ? [] : `${arm}: ${problem}`;
      });
      return { name, value: null, target, met: false, reason: reasons[0] ?? "was not measured" };
    });
}

/** What a quick run leaves out. */
export function skippedOf(quick: boolean): { name: string; reason: string }[] {
  const left = plans.filter((plan) => quick && plan.fullOnly === true);
  return left.map(({ name }) => ({ name, reason: "it takes longer than a quick run has" }));
}

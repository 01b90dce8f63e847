import type { Results } from "../measuring/rounds.ts";
import type { Row } from "../suite.ts";
import { chainSteps, recoveredCounts, stepsCount } from "./scales.ts";

const peers: { readonly [ours: string]: readonly string[] } = {
  "troupe, normal": ["langgraph, sqlite", "mastra, libsql", "raw, normal"],
  "troupe, full": ["dbos", "raw, full"],
  "troupe, memory": ["langgraph, memory"],
};

const titles: { readonly [arm: string]: string } = {
  "troupe, normal": "ours, SQLite, NORMAL",
  "troupe, full": "ours, SQLite, FULL",
  "troupe, memory": "ours, in memory",
  "langgraph, sqlite": "LangGraph.js, SqliteSaver, NORMAL",
  "langgraph, memory": "LangGraph.js, MemorySaver",
  "mastra, libsql": "Mastra, libsql, its defaults",
  dbos: "DBOS, PostgreSQL (its server not counted)",
  "raw, normal": "node:sqlite loop, the same rows, NORMAL",
  "raw, full": "node:sqlite loop, the same rows, FULL",
};

function runRow(results: Results, arm: string): Row {
  const reading = results.median({ arm, reading: "run" });
  const versus = (peers[arm] ?? []).map((peer) => {
    const ratio = results.ratio({ arm, reading: "run" }, { arm: peer, reading: "run" });
    const wall = ratio?.wall === undefined ? {} : { wallRatio: ratio.wall };
    return { name: titles[peer] ?? peer, ratio: ratio?.value ?? null, ...wall };
  });
  return {
    name: `${stepsCount} steps: ${titles[arm] ?? arm}`,
    value: reading?.value ?? null,
    unit: "µs/run",
    ...(reading?.wall === undefined ? {} : { wall: reading.wall }),
    ...(versus.length === 0 ? {} : { versus }),
  };
}

function plainRow(results: Results, row: { arm: string; reading: string; name: string; unit: string }): Row[] {
  const { arm, reading, name, unit } = row;
  const found = results.median({ arm, reading });
  if (found === undefined) return [];
  return [{ name, value: found.value, unit, ...(found.wall === undefined ? {} : { wall: found.wall }) }];
}

export function rowsOf(results: Results): Row[] {
  const others = [
    { arm: "loop delay", reading: "p50", name: "event-loop delay among 1,000 writers, median", unit: "ms" },
    { arm: "loop delay", reading: "p99", name: "event-loop delay among 1,000 writers, p99", unit: "ms" },
    { arm: "loop delay", reading: "writes", name: "writes of 1,000 writers, FULL", unit: "writes/s" },
    ...recoveredCounts.map((count) => ({
      arm: "recovery",
      reading: `all-${count}`,
      name: `recovery of ${count} unfinished runs`,
      unit: "ms",
    })),
    { arm: "long chain", reading: "early", name: "one step, from step 10 on", unit: "µs" },
    { arm: "long chain", reading: "late", name: `one step, up to step ${chainSteps}`, unit: "µs" },
  ];
  const measured = Object.keys(titles).filter(
    (arm) => results.median({ arm, reading: "run" }) !== undefined || results.problemOf(arm) !== undefined,
  );
  return [...measured.map((arm) => runRow(results, arm)), ...others.flatMap((row) => plainRow(results, row))];
}

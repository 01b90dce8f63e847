import { measuredSuite } from "../measuring/measured-suite.ts";
import { workflowArms } from "./arms.ts";
import { rowsOf } from "./rows.ts";
import { skippedOf, targetsOf } from "./targets.ts";

const repeats = { quick: 3, full: 3 };
const regionMs = { quick: 1_200, full: 3_000 };

const method = `A workflow of ten tasks in a row, each of which adds one to a number and gives back 100 characters more, with a hundred
runs under way at once. Ours is measured through the public API: \`troupe.run\` of a definition, an agent with zod schemas,
\`run.result()\`. A figure is the CPU time of the whole process for one run, helper threads and the store's worker included,
so it is what a machine can carry; less is better. Ratios are ours over the other's.

- Every arm runs in a process of its own, one at a time; rounds go through all arms, and every ratio is taken within one
  round. Results are checked in every run.
- LangGraph.js is a graph of ten nodes, each run its own thread, its checkpointer writing after each superstep
  (\`durability: "sync"\`) into SQLite with WAL and \`synchronous = NORMAL\`. Mastra is a workflow of ten steps with its libsql
  store on a file, as it sets it up. DBOS is a workflow of ten steps on PostgreSQL over loopback; the work of the server is
  not in its figure. Peers are pinned in \`bench/peers/workflows\`.
- The raw loop writes what our engine writes for one run, recorded from it, by prepared statements on the main thread, with
  as many turns in one commit as there are runs under way. It folds nothing, calls nobody and answers nobody.
- Event-loop delay: a thousand writers each wait for a write of 300 characters to be durable (FULL) before the next one;
  the histogram has a resolution of 1 ms, which is part of every figure.
- Recovery: runs that wait for an event behind three finished steps; the time is from opening the store until every run is
  back as an actor with its journal folded.
- The long chain: four runs of ten thousand steps side by side, NORMAL, each step keeping its text in a variable.`;

/** Durable workflows: ours against LangGraph.js, Mastra, DBOS and a bare loop. */
export const workflowsSuite = measuredSuite({
  name: "workflows",
  hasPeers: true,
  method,
  arms: workflowArms,
  repeats,
  regionMs,
  rowsOf,
  targetsOf,
  skippedOf,
});

import type { ArmTable } from "../measuring/arm.ts";

/** Every arm of the suite; each runs in a process of its own. */
export const workflowArms: ArmTable = {
  "troupe, normal": { load: async () => (await import("./troupe.ts")).runTroupe("normal") },
  "langgraph, sqlite": { load: async () => (await import("./langgraph.ts")).runLangGraph("sqlite") },
  "mastra, libsql": { load: async () => (await import("./mastra.ts")).runMastra },
  "raw, normal": { load: async () => (await import("./raw.ts")).writeRaw("NORMAL") },
  "troupe, full": { fullOnly: true, load: async () => (await import("./troupe.ts")).runTroupe("full") },
  "raw, full": { fullOnly: true, load: async () => (await import("./raw.ts")).writeRaw("FULL") },
  "troupe, memory": { fullOnly: true, load: async () => (await import("./troupe.ts")).runTroupe(undefined) },
  "langgraph, memory": { fullOnly: true, load: async () => (await import("./langgraph.ts")).runLangGraph("memory") },
  dbos: { fullOnly: true, load: async () => (await import("./dbos.ts")).runDbos },
  "loop delay": { load: async () => (await import("./loop-delay.ts")).delayWriters },
  "long chain": { repeats: 3, fullOnly: true, load: async () => (await import("./long-chain.ts")).runLongChain },
  recovery: {
    repeats: 3,
    fullOnly: true,
    limitMs: 120_000,
    load: async () => (await import("./recovery.ts")).recoverRuns,
  },
};

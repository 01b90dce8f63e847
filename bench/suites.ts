import type { ArmTable } from "./measuring/arm.ts";
import type { Suite } from "./suite.ts";

/** The suites that exist. Each is loaded only when it is asked for. */
export const suites: { readonly [name: string]: () => Promise<Suite> } = {
  actors: async () => (await import("./actors/suite.ts")).actorsSuite,
  consensus: async () => (await import("./consensus/suite.ts")).consensusSuite,
  remote: async () => (await import("./remote/suite.ts")).remoteSuite,
  workflows: async () => (await import("./workflows/suite.ts")).workflowsSuite,
};

/** What the arms of a suite run, for the processes in which they run. */
export const armTables: { readonly [suite: string]: () => Promise<ArmTable> } = {
  actors: async () => (await import("./actors/arms.ts")).actorArms,
  consensus: async () => (await import("./consensus/arms.ts")).consensusArms,
  remote: async () => (await import("./remote/arms.ts")).remoteArms,
  workflows: async () => (await import("./workflows/arms.ts")).workflowArms,
};

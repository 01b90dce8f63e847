import type { ArmTable } from "../measuring/arm.ts";
import { millionCount, populationCounts } from "./scales.ts";

const million = (): readonly number[] => [millionCount];
/** A million actors fill gigabytes; a bare one and ours may take their time, a peer has the usual limit. */
const large = { fullOnly: true, repeats: 3, limitMs: 180_000 } as const;

/** Allocations are counted in code that no compiler has changed, while nothing is collected. */
const countable = ["--no-opt", "--no-maglev", "--min-semi-space-size=128", "--max-semi-space-size=128"];

/** Every arm of the suite; each runs in a process of its own. */
export const actorArms: ArmTable = {
  "queue tell": { load: async () => (await import("./queue.ts")).tellQueue },
  "xstate transition tell": { load: async () => (await import("./xstate.ts")).sendTransition },
  "xstate machine tell": { fullOnly: true, load: async () => (await import("./xstate.ts")).sendMachine },
  "nact tell": { load: async () => (await import("./nact.ts")).tellNact },
  "troupe tell": { load: async () => (await import("./troupe.ts")).tellTroupe },

  "queue call": { load: async () => (await import("./queue.ts")).callQueue },
  "nact call": { load: async () => (await import("./nact.ts")).callNact },
  "troupe call": { load: async () => (await import("./troupe.ts")).callTroupe },
  "xstate machine twice": { load: async () => (await import("./xstate.ts")).sendTwice },
  "troupe statechart call": { load: async () => (await import("./troupe.ts")).callStatechart },

  "queue live": { load: async () => (await import("./queue.ts")).populateQueues(populationCounts) },
  "nact live": { load: async () => (await import("./nact.ts")).populateNact(populationCounts) },
  "xstate transition live": { load: async () => (await import("./xstate.ts")).populateTransitions(populationCounts) },
  "troupe live": { load: async () => (await import("./troupe.ts")).populateDefaults(populationCounts) },
  "xstate machine live": { load: async () => (await import("./xstate.ts")).populateMachines(populationCounts) },
  "troupe statechart live": { load: async () => (await import("./troupe.ts")).populateStatecharts(populationCounts) },

  siblings: { load: async () => (await import("./siblings.ts")).disturbSiblings },
  storm: { load: async () => (await import("./storm.ts")).restartStorm },
  "watching unheard": { load: async () => (await import("./watching.ts")).workUnheard },
  // Counted and not timed: the same in every round.
  "watching allocations": {
    flags: countable,
    repeats: 1,
    load: async () => (await import("./watching.ts")).allocateUnheard,
  },
  "watching heard": { fullOnly: true, load: async () => (await import("./watching.ts")).workHeard },

  "queue live million": { ...large, load: async () => (await import("./queue.ts")).populateQueues(million) },
  "nact live million": { fullOnly: true, load: async () => (await import("./nact.ts")).populateNact(million) },
  "xstate transition live million": {
    ...large,
    load: async () => (await import("./xstate.ts")).populateTransitions(million),
  },
  "troupe live million": { ...large, load: async () => (await import("./troupe.ts")).populateDefaults(million) },
  "xstate machine live million": {
    ...large,
    load: async () => (await import("./xstate.ts")).populateMachines(million),
  },
  "troupe statechart live million": {
    ...large,
    load: async () => (await import("./troupe.ts")).populateStatecharts(million),
  },
};

/** Messages sent in one go before the sender waits for all of them. */
export const bursts = [1_000, 100_000] as const;

/** Callers that wait at the same time. */
export const callersMax = 64;

export const millionCount = 1_000_000;

/** Counts of live actors; the full run adds a million in arms of their own. */
export function populationCounts(quick: boolean): readonly number[] {
  return quick ? [10_000] : [1_000, 10_000, 100_000];
}

/** Siblings beside the one agent that is restarted or stopped: half of them default agents, half statecharts. */
export const siblingCounts = [10, 100_000] as const;

/** Live agents in the restart storm. */
export const stormAgents = 100_000;
/** Agents that crash at once, in each storm. */
export const stormSizes = [2_500, 5_000, 10_000] as const;

/** What is measured with and without observation points: messages, calls, and the whole life of an agent. */
export const watchedWorks = ["tell", "call", "life"] as const;
export type WatchedWork = (typeof watchedWorks)[number];

/** Steps of the workflow that everybody runs. */
export const stepsCount = 10;
/** Runs under way at once, for ours and for every peer. */
export const inFlight = 100;
/** What each step gives back besides its number. */
export const resultText = "r".repeat(100);

/** Who writes to the store at once while the event loop is watched. */
export const writersCount = 1_000;

/** Unfinished runs that a new process brings back. */
export const recoveredCounts = [2_500, 10_000] as const;

/** Steps of the long chain, and the windows of it that are compared. */
export const chainSteps = 10_000;
export const chainWindow = 1_000;

import { flatChart } from "../chart.ts";

/**
 * A breaker cuts off what keeps failing. Counting is in `breaker.ts`; the chart has only the states.
 * Source: Nygard, "Release It!", circuit breaker; limits from the user's documents (5 failures, 60 s, 3 probes).
 */
export const breakerChart = flatChart({
  id: "breaker",
  description: "Cuts off an agent's capability, or a slot, that keeps failing, and lets a few probes try it again.",
  initial: "closed",
  states: {
    closed: {
      description: "Calls pass; failures in a row are counted.",
      on: { trip: { target: "open", description: "Too many failures in a row." } },
    },
    open: {
      description: "No call passes until the open time is over.",
      on: { cool: { target: "halfOpen", description: "The open time is over." } },
    },
    halfOpen: {
      description: "A limited number of probe calls may pass.",
      on: {
        recover: { target: "closed", description: "Every probe worked." },
        trip: { target: "open", description: "A probe failed." },
      },
    },
  },
});

export type BreakerStateName = "closed" | "open" | "halfOpen";

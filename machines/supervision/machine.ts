import { flatChart } from "../chart.ts";

/**
 * The life of a supervisor. Which child is restarted is decided in `strategy.ts` and `restart-window.ts`.
 * Source: Erlang/OTP `supervisor` (restart strategies, intensity and period, shutdown order).
 */
export const supervisorChart = flatChart({
  id: "supervisor",
  description: "Starts its children from left to right, restarts them as declared, and stops them in reverse.",
  initial: "starting",
  states: {
    starting: {
      description: "Children start one after the other, from left to right.",
      on: {
        started: { target: "running", description: "Every declared child is up." },
        exceed: { target: "escalating", description: "A child could not be started." },
        stop: { target: "stopping", description: "Told to stop before it was ready." },
      },
    },
    running: {
      description: "All children are as they should be.",
      on: {
        restart: { target: "restarting", description: "A child ended and its declaration asks for a restart." },
        exceed: { target: "escalating", description: "More restarts than the intensity allows." },
        stop: { target: "stopping", description: "Told to stop, or a significant child ended." },
      },
    },
    restarting: {
      description: "At least one child is on its way back.",
      on: {
        restarted: { target: "running", description: "The last child on its way is up again." },
        exceed: { target: "escalating", description: "More restarts than the intensity allows." },
        stop: { target: "stopping", description: "Told to stop, or a significant child ended." },
      },
    },
    escalating: {
      description: "Gives up: stops every child in reverse order, then tells its own supervisor.",
      on: { stopped: { target: "failed", description: "Every child has ended." } },
    },
    stopping: {
      description: "Stops every child in reverse order, each within its shutdown time.",
      on: { stopped: { target: "stopped", description: "Every child has ended." } },
    },
    stopped: { description: "Ended in good order.", type: "final" },
    failed: { description: "Gave up; the supervisor above decides what follows.", type: "final" },
  },
});

export type SupervisorState = "starting" | "running" | "restarting" | "escalating" | "stopping" | "stopped" | "failed";

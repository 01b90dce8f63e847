import { flatChart } from "../chart.ts";

/**
 * The life of one incarnation of an agent. It decides nothing about restarts: a crashed incarnation ends in
 * `failed`, and its supervisor may start the next one.
 * Source: docs/decisions/0004 (mailbox and supervision are ours).
 */
export const agentChart = flatChart({
  id: "agent",
  description: "The life of one incarnation of an agent, from its start hook to its end.",
  initial: "starting",
  states: {
    starting: {
      description: "The start hook runs; messages wait in the mailbox.",
      on: {
        started: { target: "idle", description: "The start hook returned; the agent takes messages." },
        crash: { target: "failed", description: "The start hook failed or took too long." },
        stop: { target: "stopped", description: "Stopped before it was ready." },
      },
    },
    idle: {
      description: "Ready, with nothing in hand and nothing waiting.",
      on: {
        work: { target: "working", description: "A message is in hand." },
        pause: { target: "paused", description: "Takes no further message until resumed." },
        drain: { target: "draining", description: "An orderly stop has begun." },
        stop: { target: "stopped", description: "Stopped at once." },
        crash: { target: "failed", description: "The agent broke outside a call." },
      },
    },
    working: {
      description: "At least one message is in hand or waiting.",
      on: {
        rest: { target: "idle", description: "The last message is done and none waits." },
        pause: { target: "paused", description: "What is in hand goes on; nothing further is taken." },
        drain: { target: "draining", description: "An orderly stop has begun; what is in hand may finish." },
        stop: { target: "stopped", description: "Stopped at once; what is in hand is aborted." },
        crash: { target: "failed", description: "A handler threw." },
      },
    },
    paused: {
      description: "Messages wait; what was in hand may still finish.",
      on: {
        resume: { target: "idle", description: "Takes messages again." },
        drain: { target: "draining", description: "An orderly stop has begun." },
        stop: { target: "stopped", description: "Stopped at once." },
        crash: { target: "failed", description: "A handler that was still in hand threw." },
      },
    },
    draining: {
      description: "Finishes what is in hand within its shutdown time; takes nothing new.",
      on: {
        stop: { target: "stopped", description: "All is done, or the shutdown time is over." },
        crash: { target: "failed", description: "A handler threw during the orderly stop." },
      },
    },
    stopped: { description: "Ended in good order.", type: "final" },
    failed: { description: "Ended by a crash; the supervisor decides what follows.", type: "final" },
  },
});

export type AgentState = "starting" | "idle" | "working" | "paused" | "draining" | "stopped" | "failed";

import { flatChart } from "../chart.ts";

/**
 * The life of one call, through every attempt. Which link of the recovery chain comes next is decided in
 * `recovery.ts`.
 */
export const callChart = flatChart({
  id: "call",
  description: "One request to an agent, from routing to its one outcome.",
  initial: "routing",
  states: {
    routing: {
      description: "An agent is being chosen.",
      on: {
        send: { target: "sent", description: "An agent's mailbox took it." },
        fail: { target: "recovering", description: "No agent could take it." },
        expire: { target: "expired", description: "The deadline passed." },
        cancel: { target: "cancelled", description: "The caller aborted it." },
      },
    },
    sent: {
      description: "It waits in the agent's mailbox or is in hand.",
      on: {
        answer: { target: "succeeded", description: "The handler returned a valid output." },
        fail: { target: "recovering", description: "The handler, the mailbox or the agent failed." },
        expire: { target: "expired", description: "The deadline passed; the handler is told to abort." },
        cancel: { target: "cancelled", description: "The caller aborted it; the handler is told to abort." },
      },
    },
    recovering: {
      description: "The declared recovery chain is asked for the next link.",
      on: {
        wait: { target: "waiting", description: "A retry follows after its backoff." },
        route: { target: "routing", description: "Another agent, capability or approach is tried." },
        answer: { target: "succeeded", description: "A cached answer stands in." },
        exhaust: { target: "failed", description: "No link is left." },
      },
    },
    waiting: {
      description: "Waits for the backoff to pass.",
      on: {
        route: { target: "routing", description: "The wait is over." },
        expire: { target: "expired", description: "The deadline passed." },
        cancel: { target: "cancelled", description: "The caller aborted it." },
      },
    },
    succeeded: { description: "The outcome is a value.", type: "final" },
    failed: { description: "The outcome is a failure as data.", type: "final" },
    expired: { description: "The outcome is call/timeout.", type: "final" },
    cancelled: { description: "The outcome is call/cancelled.", type: "final" },
  },
});

export type CallState =
  | "routing"
  | "sent"
  | "recovering"
  | "waiting"
  | "succeeded"
  | "failed"
  | "expired"
  | "cancelled";

export type CallEvent = "send" | "answer" | "fail" | "expire" | "cancel" | "wait" | "route" | "exhaust";

/** Every move of every call goes through here. */
export const callMoves: { readonly [Event in CallEvent]: { readonly [State in CallState]?: CallState } } = {
  send: callChart.arrows("send"),
  answer: callChart.arrows("answer"),
  fail: callChart.arrows("fail"),
  expire: callChart.arrows("expire"),
  cancel: callChart.arrows("cancel"),
  wait: callChart.arrows("wait"),
  route: callChart.arrows("route"),
  exhaust: callChart.arrows("exhaust"),
};

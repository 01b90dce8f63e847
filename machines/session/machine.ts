import { flatChart } from "../chart.ts";

/**
 * The life of one link: a session with a peer, over any number of connections. It says what may be expected of the
 * link, never what travels on it: that is `step.ts`. A lost connection is never the end of a session.
 * Source: docs/protocol.md; MQTT 5 §4.1 (session state outlives the network connection).
 */
export const linkChart = flatChart({
  id: "link",
  description: "A session with a peer, which survives the loss of its connections until its time to live is over.",
  initial: "connecting",
  states: {
    connecting: {
      description: "No connection has been accepted yet; messages wait.",
      on: {
        attach: { target: "up", description: "The peer accepted the session." },
        end: { target: "down", description: "The peer refused for good, or this side gave up." },
      },
    },
    up: {
      description: "Connected: messages flow within the credit.",
      on: {
        attach: { target: "up", description: "A newer connection takes over." },
        lose: { target: "resuming", description: "The connection is lost; nothing else is." },
        drain: { target: "draining", description: "One side takes nothing new any more." },
        end: { target: "down", description: "The session was closed, refused or broken." },
      },
    },
    draining: {
      description: "Connected, but nothing new begins: what is under way may end.",
      on: {
        attach: { target: "draining", description: "A newer connection takes over." },
        lose: { target: "resuming", description: "The connection is lost; nothing else is." },
        end: { target: "down", description: "The session was closed, refused or broken." },
      },
    },
    resuming: {
      description: "Not connected: messages wait, and what was not acknowledged is kept.",
      on: {
        attach: { target: "up", description: "Connected again; what was missed is sent again." },
        doubt: { target: "suspect", description: "It takes long: the peer gets no new calls." },
        end: { target: "down", description: "The session was given up." },
      },
    },
    suspect: {
      description: "Not connected for long: the peer is passed over, the session still kept.",
      on: {
        attach: { target: "up", description: "Connected again after all." },
        end: { target: "down", description: "The time to live is over: what was out is indeterminate." },
      },
    },
    down: { description: "The session has ended; another connection begins another session.", type: "final" },
  },
});

export type LinkState = "connecting" | "up" | "draining" | "resuming" | "suspect" | "down";

import { enqueueActions, setup } from "xstate";
import { collect, idleCollection, type CollectState } from "./collect.ts";
import type { CollectEffects } from "./effects.ts";
import type { CollectEvent } from "./events.ts";

/** Three eventless moves at most follow one event (commit → collect → tally → the end); more is a fault of the chart. */
export const microstepsMax = 8;

/** A named effect: the chart says that it happens, the shell provides how. */
function effect<Name extends keyof CollectEffects>(): (scope: unknown, params: CollectEffects[Name]) => void {
  return () => undefined;
}

/**
 * The collecting of ballots as a chart. It decides nothing itself: each event goes through the pure core `collect`,
 * which becomes the context, and the chart follows the core's phase. It never signs, waits or reads a clock.
 * Source: consensus design §3.4.
 */
export const ballotMachine = setup({
  types: { context: {} as CollectState, events: {} as CollectEvent },
  actions: {
    scheduleClose: effect<"scheduleClose">(),
    askReveals: effect<"askReveals">(),
    recordBallot: effect<"recordBallot">(),
    reportEvidence: effect<"reportEvidence">(),
    signClosing: effect<"signClosing">(),
    announceResult: effect<"announceResult">(),
    collect: enqueueActions(({ context, event, enqueue }) => {
      const [next, effects] = collect(context, event);
      enqueue.assign(next);
      for (const each of effects) enqueue(each);
    }),
  },
  guards: {
    takesCommitments: ({ event }) => event.type === "round.open" && event.round.proposal.commitClosesAt !== undefined,
    isCommitted: ({ context }) => context.phase !== "commit",
    isOver: ({ context }) => context.phase !== "collect",
    isDecided: ({ context }) => context.phase === "decided",
    isUndecided: ({ context }) => context.phase === "undecided",
  },
}).createMachine({
  id: "ballot",
  description: "Collects signed ballots on one proposal and closes the round: decided by a quorum, or undecided.",
  context: idleCollection,
  initial: "idle",
  options: { maxIterations: microstepsMax },
  states: {
    idle: {
      description: "No round is open.",
      on: {
        "round.open": [
          {
            guard: "takesCommitments",
            target: "commit",
            actions: "collect",
            description: "The proposal asks for commitments before any ballot is shown.",
          },
          {
            target: "collect",
            actions: "collect",
            description: "The proposal is signed and the electorate frozen; voting begins.",
          },
        ],
      },
    },
    commit: {
      description: "Commitments are taken; no ballot is shown to anybody yet.",
      always: {
        guard: "isCommitted",
        target: "collect",
        description: "All commitments that can come are in; those who committed reveal.",
      },
      on: {
        "commit.received": { actions: "collect", description: "A signed commitment arrived." },
        "ballots.received": { actions: "collect", description: "A ballot before its time; it is not counted." },
        "ballot.refused": {
          actions: "collect",
          description: "A message was dropped by admission; it is only counted.",
        },
        "voter.lost": { actions: "collect", description: "A voter failed or gave no commitment; it is absent." },
        "time.expired": { actions: "collect", description: "The time for commitments is over." },
      },
    },
    collect: {
      description: "Ballots are taken until the outcome is fixed, everybody is in, or the time is over.",
      always: { guard: "isOver", target: "tally", description: "The core has closed the round and tallied it." },
      on: {
        "ballots.received": {
          actions: "collect",
          description: "Signed ballots arrived: each is accepted, a duplicate, an equivocation, or late.",
        },
        "ballot.refused": {
          actions: "collect",
          description: "A message was dropped by admission; it is only counted.",
        },
        "voter.lost": { actions: "collect", description: "A voter failed or gave nothing usable; it is absent." },
        "time.expired": { actions: "collect", description: "The closing time has come; whoever is silent is absent." },
      },
    },
    tally: {
      description: "The result is fixed and waits for the coordinator's signature on the closing.",
      always: [
        { guard: "isDecided", target: "decided", description: "The signed result names an option." },
        { guard: "isUndecided", target: "undecided", description: "The signed result names none." },
      ],
      on: {
        "closing.signed": { actions: "collect", description: "The coordinator has signed the closing." },
        "ballots.received": {
          actions: "collect",
          description: "Too late to count; a second ballot is still evidence.",
        },
        "ballot.refused": {
          actions: "collect",
          description: "A message was dropped by admission; it is only counted.",
        },
      },
    },
    decided: {
      description: "An option has its quorum and its certificate.",
      on: {
        "ballots.received": {
          actions: "collect",
          description: "Too late to count; a second ballot is still evidence.",
        },
        "ballot.refused": {
          actions: "collect",
          description: "A message was dropped by admission; it is only counted.",
        },
      },
    },
    undecided: {
      description: "The round ended without a decision; the result says why.",
      on: {
        "ballots.received": {
          actions: "collect",
          description: "Too late to count; a second ballot is still evidence.",
        },
        "ballot.refused": {
          actions: "collect",
          description: "A message was dropped by admission; it is only counted.",
        },
      },
    },
  },
});

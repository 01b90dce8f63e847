import { enqueueActions, setup } from "xstate";
import type { BftEffects } from "./effects.ts";
import type { BftEvent } from "./events.ts";
import { outsider, type BftState } from "./state.ts";
import { step } from "./step.ts";

/** One eventless move follows an event, into the phase that the core is in; more is a fault of the chart. */
export const bftMicrostepsMax = 8;

/** A named effect: the chart says that it happens, the shell provides how. */
function effect<Name extends keyof BftEffects>(): (scope: unknown, params: BftEffects[Name]) => void {
  return () => undefined;
}

const toPropose = { guard: "isPropose", target: "propose" } as const;
const toPrevote = { guard: "isPrevote", target: "prevote" } as const;
const toPrecommit = { guard: "isPrecommit", target: "precommit" } as const;
const toDecided = { guard: "isDecided", target: "decided" } as const;

/**
 * One member of accountable Tendermint as a chart. It decides nothing itself: each event goes through the pure core
 * `step`, which becomes the context, and the chart follows the core's phase. `fired` in the context names the lines of
 * the paper that the last event executed. Source: consensus design §4.2.
 */
export const bftMachine = setup({
  types: { context: {} as BftState, events: {} as BftEvent },
  actions: {
    castVote: effect<"castVote">(),
    propose: effect<"propose">(),
    sendStatus: effect<"sendStatus">(),
    resend: effect<"resend">(),
    setTimer: effect<"setTimer">(),
    requestValue: effect<"requestValue">(),
    fetchValue: effect<"fetchValue">(),
    decide: effect<"decide">(),
    answerLaggard: effect<"answerLaggard">(),
    reportEvidence: effect<"reportEvidence">(),
    step: enqueueActions(({ context, event, enqueue }) => {
      const [next, effects] = step(context, event);
      enqueue.assign(next);
      for (const each of effects) enqueue(each);
    }),
  },
  guards: {
    isPropose: ({ context }) => context.phase === "propose",
    isPrevote: ({ context }) => context.phase === "prevote",
    isPrecommit: ({ context }) => context.phase === "precommit",
    isDecided: ({ context }) => context.phase === "decided",
  },
}).createMachine({
  id: "bft",
  description: "One member of a Byzantine agreement: rounds of proposal, prevote and precommit until a commit decides.",
  context: outsider,
  initial: "unstarted",
  options: { maxIterations: bftMicrostepsMax },
  on: {
    "council.joined": { actions: "step", description: "This member is told the council and its place in it." },
    "decision.started": { actions: "step", description: "The first round may begin: a value can be proposed." },
    "decision.restored": { actions: "step", description: "After a crash: what was durable is here again." },
    "value.ready": { actions: "step", description: "The value that this member proposes is built." },
    "value.learned": { actions: "step", description: "The content of a certified value has been fetched." },
    "proposal.received": { actions: "step", description: "A signed proposal of the right proposer arrived." },
    "vote.received": { actions: "step", description: "A signed prevote or precommit arrived, its own ones too." },
    "status.received": { actions: "step", description: "A member told its polka, and why it is in its round." },
    "commit.received": { actions: "step", description: "A whole commit certificate arrived, with its value." },
    "transcript.received": { actions: "step", description: "Somebody else's votes arrived, for accountability." },
    "timer.expired": { actions: "step", description: "A wait is over; one of an earlier round means nothing." },
  },
  states: {
    unstarted: {
      description: "No round has begun here; what others say is heard already.",
      always: [
        { ...toPropose, description: "A round begins: the first one, or the one that the others are in." },
        { ...toPrevote, description: "The proposal of that round was here before the round began." },
        { ...toPrecommit, description: "A round in which this member had precommitted before a crash." },
        { ...toDecided, description: "Others have decided and showed the certificate." },
      ],
    },
    propose: {
      description: "Waiting for the proposal of this round's proposer (L11 to L21).",
      always: [
        { ...toPrevote, description: "A proposal was answered, or the wait for it is over (L22, L28, L57)." },
        { ...toPrecommit, description: "The answer made a quorum of prevotes complete (L36, L44)." },
        { ...toDecided, description: "A quorum of precommits is known (L49)." },
      ],
    },
    prevote: {
      description: "This member has prevoted and waits for the prevotes of the others.",
      always: [
        { ...toPropose, description: "The next round begins, or the one that the others are in (L65, L55)." },
        { ...toPrecommit, description: "A quorum of prevotes, or the wait for it is over (L36, L44, L61)." },
        { ...toDecided, description: "A quorum of precommits is known (L49)." },
      ],
    },
    precommit: {
      description: "This member has precommitted and waits for the precommits of the others.",
      always: [
        { ...toPropose, description: "The next round begins, or the one that the others are in (L65, L55)." },
        { ...toPrevote, description: "The proposal of the next round was here before the round began." },
        { ...toDecided, description: "A quorum of precommits is known (L49)." },
      ],
    },
    decided: {
      description: "A value is decided for good; members that are behind get the certificate.",
    },
  },
});

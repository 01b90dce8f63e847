import { createActor, type Actor, type ActorOptions, type AnyActorRef } from "xstate";
import type { Council } from "../../../machines/consensus/bft/council.ts";
import type { BftEffect, BftEffectName, BftEffects } from "../../../machines/consensus/bft/effects.ts";
import type { BftEvent } from "../../../machines/consensus/bft/events.ts";
import { bftMachine } from "../../../machines/consensus/bft/machine.ts";
import type { BftState } from "../../../machines/consensus/bft/state.ts";

/** What the inspector needs to show a replica below its parent. */
export type ReplicaActorOptions = Pick<ActorOptions<typeof bftMachine>, "id" | "inspect" | "parent" | "systemId">;

/** Where the effects of each running replica go, until the transition is over and the shell performs them. */
const effectsOf = new WeakMap<AnyActorRef, BftEffect[]>();

function keep<Name extends BftEffectName>(type: Name) {
  return ({ self }: { self: AnyActorRef }, params: BftEffects[Name]): void => {
    effectsOf.get(self)?.push({ type, params } as BftEffect);
  };
}

/** The chart with its effects kept for the shell; made once, since building a machine costs more than a round. */
const replicaMachine = bftMachine.provide({
  actions: {
    castVote: keep("castVote"),
    propose: keep("propose"),
    sendStatus: keep("sendStatus"),
    resend: keep("resend"),
    setTimer: keep("setTimer"),
    requestValue: keep("requestValue"),
    fetchValue: keep("fetchValue"),
    decide: keep("decide"),
    answerLaggard: keep("answerLaggard"),
    reportEvidence: keep("reportEvidence"),
  },
});

/** The live chart of one replica: events in, effects out, in order and after the transition. */
export class ReplicaShell {
  readonly #actor: Actor<typeof replicaMachine>;
  readonly #effects: BftEffect[] = [];

  constructor(seat: { readonly council: Council; readonly self: number }, actor: ReplicaActorOptions = {}) {
    this.#actor = createActor(replicaMachine, actor);
    effectsOf.set(this.#actor, this.#effects);
    this.#actor.start();
    this.#actor.send({ type: "council.joined", ...seat });
  }

  /** The active state of the chart. */
  get phase(): string {
    return this.#actor.getSnapshot().value;
  }

  get state(): BftState {
    return this.#actor.getSnapshot().context;
  }

  tell(event: BftEvent): readonly BftEffect[] {
    this.#actor.send(event);
    return this.#effects.splice(0);
  }

  stop(): void {
    this.#actor.stop();
  }
}

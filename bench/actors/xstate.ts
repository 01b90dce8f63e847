import type { ActorLogic, AnyActorLogic, AnyActorRef, EventObject, Snapshot } from "xstate";
import type { Arm } from "../measuring/arm.ts";
import { measureRate } from "../measuring/clocks.ts";
import { loadXState } from "./peers.ts";
import { measureTells } from "./messages.ts";
import { measurePopulations, type Counts } from "./populations.ts";
import { pulseMachine } from "./pulse-machine.ts";
import { Tally } from "./tally.ts";

const pairsPerStep = 2_000;

function counter(tally: Tally | undefined): ActorLogic<Snapshot<undefined> & { context: number }, EventObject> {
  return loadXState().fromTransition((state: number, _event: EventObject) => {
    tally?.hit();
    return state + 1;
  }, 0) as never;
}

/** Sends to one bare actor. They run on the sender's stack: no mailbox, no turn is measured here. */
export const sendTransition: Arm = (scale) => {
  const tally = new Tally();
  const actor = loadXState().createActor(counter(tally)).start();
  return measureTells((n) => actor.send({ type: "add", n } as EventObject), tally, scale);
};

export const sendMachine: Arm = (scale) => {
  const tally = new Tally();
  const actor = loadXState()
    .createActor(pulseMachine(loadXState(), () => tally.hit()))
    .start();
  return measureTells((n) => actor.send({ type: n % 2 === 0 ? "begin" : "finish" }), tally, scale);
};

/** What a statechart agent's call does, without the call: two sends on the same machine and a look at its snapshot. */
export const sendTwice: Arm = async (scale) => {
  const actor = loadXState().createActor(pulseMachine(loadXState())).start();
  let pulses = 0;
  const step = (): number => {
    for (let pair = 0; pair < pairsPerStep; pair += 1) {
      actor.send({ type: "begin" });
      actor.send({ type: "finish" });
      const seen = actor.getSnapshot().context.pulses;
      if (seen !== pulses + 2) throw new Error("the machine did not make two transitions");
      pulses = seen;
    }
    return pairsPerStep;
  };
  return { twice: await measureRate(step, scale) };
};

interface Stoppable {
  _stop(): void;
}

/** Children of one system, made by the `parent` option that XState's own spawn uses. */
function populateChildren(makeLogic: () => AnyActorLogic) {
  return (counts: Counts): Arm =>
    (scale) => {
      const { createActor, fromTransition } = loadXState();
      const logic = makeLogic();
      return measurePopulations(counts, scale, () => {
        const parent = createActor(fromTransition((state: number) => state, 0)).start();
        return {
          spawn: (count) =>
            Array.from({ length: count }, (_, id) =>
              createActor(logic, { parent: parent as AnyActorRef, id: `child-${id}` } as never).start(),
            ),
          stop(actors) {
            for (const actor of actors) (actor as Stoppable)._stop();
          },
        };
      });
    };
}

export const populateTransitions = populateChildren(() => counter(undefined));
export const populateMachines = populateChildren(() => pulseMachine(loadXState()));

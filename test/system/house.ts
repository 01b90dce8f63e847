import { FakeClock, seededIds, seededRandom } from "troupe/testing";
import type { AnyActorRef, InspectionEvent } from "xstate";
import { Dispatcher } from "../../src/dispatch/dispatcher.ts";
import { silentLog } from "../../src/ports/log.ts";
import { Observe } from "../../src/ports/observe.ts";
import { Core } from "../../src/system/core.ts";
import { Supervisor } from "../../src/system/supervisor.ts";
import { Nursery } from "../../src/troupe/nursery.ts";

/** A troupe's floor 2 and its nursery, with every XState actor that is ever created written down. */
export async function openHouse(observe: Observe = new Observe()) {
  const clock = new FakeClock();
  const core = new Core({
    clock,
    random: seededRandom(1),
    ids: seededIds(1),
    log: silentLog,
    observe,
  });
  const born: AnyActorRef[] = [];
  let hear: (actor: AnyActorRef) => void = () => undefined;
  const inspect = (event: InspectionEvent): void => {
    if (event.type !== "@xstate.actor") return;
    const actor = event.actorRef as AnyActorRef;
    born.push(actor);
    hear(actor);
  };
  const onBirth = (listener: typeof hear): void => {
    hear = listener;
  };
  const dispatcher = new Dispatcher(core, { strategy: "balanced", stages: { enrich: [], route: [], map: [] } });
  const root = new Supervisor(core, { clock, inspect }, { name: "troupe" });
  await root.begin();
  return {
    clock,
    core,
    dispatcher,
    root,
    born,
    onBirth,
    nursery: new Nursery(core, dispatcher, { root, node: "local" }),
  };
}

export type House = Awaited<ReturnType<typeof openHouse>>;

import type { Peer } from "../wire.ts";
import { loadPeer } from "./load.ts";

interface ComedyActor {
  createChild(behaviour: object, options: object): Promise<ComedyActor>;
  sendAndReceive(topic: string, payload: string): Promise<unknown>;
}

/** What the bench uses of comedy. */
interface ComedyModule {
  createSystem(options: object): {
    listen(port: number, host: string): Promise<void>;
    rootActor(): Promise<ComedyActor>;
    destroy(): Promise<void>;
  };
}

/** A child is looked for at the default port only. */
const port = 6_161;

/** comedy's remote actors: the other actor library with a network, over bare TCP. */
export const comedy: Peer = {
  async serve() {
    const system = loadPeer<ComedyModule>("comedy").createSystem({ log: "silent" });
    await system.listen(port, "127.0.0.1");
    return port;
  },
  async connect() {
    const system = loadPeer<ComedyModule>("comedy").createSystem({ log: "silent" });
    const root = await system.rootActor();
    const behaviour = { echo: (payload: string) => payload };
    const actor = await root.createChild(behaviour, { mode: "remote", host: "127.0.0.1" });
    return {
      call(payload, answered) {
        void actor.sendAndReceive("echo", payload).then(answered);
      },
      close: () => system.destroy(),
    };
  },
};

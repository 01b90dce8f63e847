import type { ArmTable } from "../measuring/arm.ts";
import type { PeerName } from "./peers/table.ts";

const talk = (name: PeerName) => async () => (await import("./talk.ts")).talkBy(name);

/** Every arm of the suite; each runs in a process of its own and starts the other one of the pair. */
export const remoteArms: ArmTable = {
  troupe: { load: talk("troupe") },
  session: { load: talk("session") },
  "raw ws": { load: talk("raw ws") },
  "socket.io": { load: talk("socket.io") },
  nats: { fullOnly: true, load: talk("nats") },
  grpc: { fullOnly: true, load: talk("grpc") },
  comedy: { fullOnly: true, load: talk("comedy") },
  stall: { load: async () => (await import("./stall.ts")).stallPeer },
  resume: { load: async () => (await import("./resume.ts")).resumeLink },
  "idle, session": { repeats: 3, fullOnly: true, load: async () => (await import("./idle.ts")).idleBy("session") },
  "idle, raw ws": { repeats: 3, fullOnly: true, load: async () => (await import("./idle.ts")).idleBy("raw ws") },
};

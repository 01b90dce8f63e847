import type { Peer } from "../wire.ts";

/** Every way that is measured, by its name; only the one asked for is loaded. */
export const peers = {
  troupe: async () => (await import("./troupe.ts")).troupe,
  session: async () => (await import("./session.ts")).session,
  "raw ws": async () => (await import("./raw-ws.ts")).rawWs,
  "socket.io": async () => (await import("./socketio.ts")).socketio,
  nats: async () => (await import("./nats.ts")).nats,
  grpc: async () => (await import("./grpc.ts")).grpc,
  comedy: async () => (await import("./comedy.ts")).comedy,
} as const satisfies { readonly [name: string]: () => Promise<Peer> };

export type PeerName = keyof typeof peers;

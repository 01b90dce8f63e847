import { HttpDoor } from "../../src/listen/door.ts";
import { systemIds, systemRandom } from "../../src/ports/chance.ts";
import { systemClock } from "../../src/ports/clock.ts";
import type { Hosting } from "../../src/remote/hosting.ts";
import { RemoteNode } from "../../src/remote/node.ts";
import type { Pace } from "../../src/remote/peer-session.ts";
import { acceptWebSockets, webSocketTransport } from "../../src/remote/websocket-transport.ts";
import { token } from "./scales.ts";

/** Answers every call with its input, and counts what it is told. */
export class EchoHost implements Hosting {
  told = 0;
  call: Hosting["call"] = (call) =>
    Promise.resolve({ ok: true, value: call.capability === "count" ? this.told : call.input });
  tell: Hosting["tell"] = () => {
    this.told += 1;
    return undefined;
  };
  monitor: Hosting["monitor"] = () => () => {};
  spawn: Hosting["spawn"] = () => Promise.reject(new Error("nothing is spawned here"));
  stop: Hosting["stop"] = () => {};
}

const auth = { tokens: [token] };
const everything = ["tell:*", "watch:*"];

export function nodeOf(node: string, hosting: Hosting, pace: Pace = {}): RemoteNode {
  return new RemoteNode({
    node,
    clock: systemClock,
    random: systemRandom,
    ids: systemIds,
    hosting,
    auth,
    grants: () => everything,
    pace,
  });
}

/** Names the address, beside its own, at which a door of another process may be reached: that of a proxy. */
export const hostVariable = "TROUPE_BENCH_HOST";

/** Listens on loopback; resolves with the port. */
export async function listenWith(node: RemoteNode): Promise<number> {
  const host = process.env[hostVariable];
  const hosts = host === undefined ? [] : [host];
  const door = await HttpDoor.open({ port: 0, authenticated: true, hosts });
  acceptWebSockets(door, (pipe) => node.accept(pipe));
  return door.port;
}

export function dialWith(node: RemoteNode, port: number): ReturnType<RemoteNode["dial"]> {
  return node.dial({ url: `ws://127.0.0.1:${port}/`, transport: webSocketTransport, auth, grants: everything });
}

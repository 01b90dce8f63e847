import { HttpDoor, type DoorPace } from "../../src/listen/door.ts";
import { systemIds } from "../../src/ports/chance.ts";
import type { Dialer } from "../../src/remote/dialer.ts";
import { RemoteNode } from "../../src/remote/node.ts";
import type { Pace } from "../../src/remote/peer-session.ts";
import { acceptWebSockets, webSocketTransport } from "../../src/remote/websocket-transport.ts";
import { seededRandom } from "../../src/testing/seeded.ts";
import { RunningClock } from "../conformance/running-clock.ts";
import { TestHost } from "../conformance/transport-host.ts";
import { fuzzCodecs } from "./fuzz-visit.ts";

/** How long what is due at once may take on a machine that is busy. */
export const atOnceMs = 20_000;

/** A node behind a real door on loopback, and an honest one with a link to it. */
export class SocketHouse implements AsyncDisposable {
  readonly host = new TestHost([]);
  readonly node: RemoteNode;
  readonly #door: HttpDoor;
  readonly #honest: RemoteNode;
  readonly #link: Dialer;
  readonly #clock = new RunningClock();

  private constructor(door: HttpDoor, seed: number, pace: Pace) {
    this.#door = door;
    this.host.start("/a");
    const ground = { clock: this.#clock, random: seededRandom(seed), ids: systemIds, auth: { open: true } as const };
    this.node = new RemoteNode({ ...ground, node: "target", hosting: this.host, grants: () => ["tell:/a"], pace });
    this.#honest = new RemoteNode({ ...ground, node: "honest", hosting: new TestHost([]), grants: () => [] });
    acceptWebSockets(door, (pipe) => this.node.accept(pipe), fuzzCodecs);
    this.#link = this.#honest.dial({ url: door.address("ws"), transport: webSocketTransport, auth: {} });
  }

  static async open(
    seed: number,
    { pace = {}, doorPace = {} }: { pace?: Pace; doorPace?: DoorPace },
  ): Promise<SocketHouse> {
    const door = await HttpDoor.open({ port: 0, authenticated: false }, doorPace);
    const house = new SocketHouse(door, seed, pace);
    await house.#link.ready();
    return house;
  }

  get port(): number {
    return this.#door.port;
  }

  /** Whether the honest link is as good as new. */
  async isUndisturbed(): Promise<boolean> {
    const options = { timeoutMs: atOnceMs };
    const outcome = await this.#link.session.requests.call({ path: "/a" }, "echo", { input: "alive", options });
    return outcome.ok && outcome.value === "alive" && this.#link.session.link.stats.resumes === 0;
  }

  /** Who is there besides the honest node. */
  get guests(): { readonly sessions: number; readonly strangers: number } {
    return { sessions: this.node.sessions.length - 1, strangers: this.node.strangers };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#honest.close();
    await this.node.close();
    await this.#door[Symbol.asyncDispose]();
    this.#clock[Symbol.dispose]();
  }
}

/** Sockets and timers that keep this process alive. */
export function heldResources(): { readonly sockets: number; readonly timers: number } {
  const held = process.getActiveResourcesInfo();
  const count = (name: string): number => held.filter((one) => one === name).length;
  return { sockets: count("TCPSocketWrap"), timers: count("Timeout") };
}

import { expect, test } from "vitest";
import { FakeClock, seededIds, seededRandom } from "troupe/testing";
import { handshakeBurstMax, handshakesPerSecondMax } from "../../src/remote/limits.ts";
import { MemoryNetwork } from "../../src/remote/memory-network.ts";
import { RemoteNode } from "../../src/remote/node.ts";
import { TestHost } from "../conformance/transport-host.ts";

const clients = 500;
/** How long the last client may take to be back once somebody listens again. */
const backWithinMs = 60_000;

/** The most that happened within one second, at whatever moment it began. */
function mostWithinASecond(times: readonly number[]): number {
  let most = 0;
  for (let from = 0, to = 0; to < times.length; to += 1) {
    while ((times[to] ?? 0) - (times[from] ?? 0) >= 1_000) from += 1;
    most = Math.max(most, to - from + 1);
  }
  return most;
}

test.each([
  [0, 1],
  [10_000, 2],
])(
  `${clients} clients lose their server for %i ms: all come back, at no more than the door's rate (seed %i)`,
  async (goneMs, seed) => {
    const clock = new FakeClock();
    const random = seededRandom(seed);
    const ids = seededIds(seed);
    const net = new MemoryNetwork({ clock, random, latencyMs: 4 });
    const make = (node: string, joined: () => void = () => {}): RemoteNode =>
      new RemoteNode({
        node,
        clock,
        random,
        ids,
        hosting: new TestHost([]),
        auth: { open: true },
        grants: () => [],
        joined,
      });
    /** One life of the server: when somebody knocked, and when somebody was let in. */
    const open = () => {
      const knocks: number[] = [];
      const joins: number[] = [];
      const node = make("server", () => joins.push(clock.now()));
      const place = net.listen("server", (pipe) => {
        knocks.push(clock.now());
        node.accept(pipe);
      });
      return { knocks, joins, place, node };
    };
    const pass = async (holds: () => boolean, limitMs: number): Promise<number> => {
      const from = clock.now();
      while (!holds() && clock.now() - from < limitMs) await clock.advance(250);
      return clock.now() - from;
    };
    const first = open();
    const dialers = Array.from({ length: clients }, (_, index) =>
      make(`client-${index}`).dial({ url: first.place.url, transport: net, auth: {} }),
    );
    const up = (): number => dialers.filter(({ state }) => state === "up").length;
    await pass(() => up() === clients, backWithinMs);
    expect(up()).toBe(clients);

    await first.place[Symbol.asyncDispose]();
    for (const wire of net.wires) wire.cut();
    expect(up()).toBe(0);
    await clock.advance(goneMs);
    const second = open();
    await pass(() => up() === clients, backWithinMs);
    expect(up()).toBe(clients);

    for (const { joins } of [first, second])
      expect(mostWithinASecond(joins)).toBeLessThanOrEqual(handshakeBurstMax + handshakesPerSecondMax);
    // Each is let in once; after a while full jitter has spread them, so that hardly one knocks in vain.
    expect(second.joins).toHaveLength(clients);
    expect(mostWithinASecond(second.knocks)).toBeLessThanOrEqual(goneMs === 0 ? clients : clients / 2);
    const closing = Promise.all(dialers.map((dialer) => dialer.close()));
    await clock.advance(10_000);
    await closing;
  },
  60_000,
);

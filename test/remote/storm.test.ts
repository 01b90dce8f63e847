import { expect, test } from "vitest";
import { FakeClock, seededIds, seededRandom } from "troupe/testing";
import { healthyAfterMs } from "../../machines/session/limits.ts";
import { handshakeBurstMax, handshakesPerSecondMax, returnsPerSecondMax } from "../../src/remote/limits.ts";
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

/** A server over its lives, and a crowd of clients that are connected to the first of them. */
async function crowdOf(seed: number) {
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
  const first = open();
  const dialers = Array.from({ length: clients }, (_, index) =>
    make(`client-${index}`).dial({ url: first.place.url, transport: net, auth: {} }),
  );
  const up = (): number => dialers.filter(({ state }) => state === "up").length;
  /** How long it takes until all are there. */
  const allUp = async (): Promise<number> => {
    const from = clock.now();
    while (up() < clients && clock.now() - from < backWithinMs) await clock.advance(250);
    expect(up()).toBe(clients);
    return clock.now() - from;
  };
  await allUp();
  const close = async (): Promise<void> => {
    const closing = Promise.all(dialers.map((dialer) => dialer.close()));
    await clock.advance(10_000);
    await closing;
  };
  return { clock, net, first, open, up, allUp, close };
}

test.each([
  [0, 1],
  [10_000, 2],
])(
  `${clients} clients lose their server for %i ms: all come back, at no more than the door's rate (seed %i)`,
  async (goneMs, seed) => {
    const { clock, net, first, open, up, allUp, close } = await crowdOf(seed);
    await first.place[Symbol.asyncDispose]();
    for (const wire of net.wires) wire.cut();
    expect(up()).toBe(0);
    await clock.advance(goneMs);
    const second = open();
    await allUp();
    for (const { joins } of [first, second])
      expect(mostWithinASecond(joins)).toBeLessThanOrEqual(handshakeBurstMax + handshakesPerSecondMax);
    // Each is let in once; after a while full jitter has spread them, so that hardly one knocks in vain.
    expect(second.joins).toHaveLength(clients);
    expect(mostWithinASecond(second.knocks)).toBeLessThanOrEqual(goneMs === 0 ? clients : clients / 2);
    await close();
  },
  60_000,
);

test.each([3, 4])(
  `${clients} clients of a server that drains come back one after another, and none in vain (seed %i)`,
  async (seed) => {
    const { clock, first, open, allUp, close } = await crowdOf(seed);
    await clock.advance(healthyAfterMs);
    first.node.drain({ retryAfterMs: 1_000 });
    await clock.advance(20);
    const closing = first.node.close();
    await clock.advance(20);
    await closing;
    await first.place[Symbol.asyncDispose]();
    const second = open();
    const backMs = await allUp();
    // What chance adds to each wait draws the crowd out further, and does not gather it.
    expect(mostWithinASecond(second.knocks)).toBeLessThanOrEqual(returnsPerSecondMax * 1.2);
    expect([second.knocks.length, second.joins.length]).toEqual([clients, clients]);
    expect(backMs).toBeLessThanOrEqual(2 * (1_000 + (clients / returnsPerSecondMax) * 1_000));
    await close();
  },
  60_000,
);

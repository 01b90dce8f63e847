import { expect, test } from "vitest";
import { FakeClock, seededIds, seededRandom } from "troupe/testing";
import { handshakeTimeoutMs } from "../../src/remote/limits.ts";
import { MemoryNetwork } from "../../src/remote/memory-network.ts";
import { RemoteNode } from "../../src/remote/node.ts";
import { TestHost } from "../conformance/transport-host.ts";

const seed = 3;
/** What chance may add to a wait here. */
const redialMaxMs = 1_000;

/** A dialer that was let in once; its node takes each further connection too, and may say nothing to it. */
async function scene(ttlMs: number) {
  const clock = new FakeClock();
  const [random, ids] = [seededRandom(seed), seededIds(seed)];
  const net = new MemoryNetwork({ clock, random, latencyMs: 1 });
  const make = (node: string): RemoteNode =>
    new RemoteNode({
      node,
      clock,
      random,
      ids,
      hosting: new TestHost([]),
      auth: { open: true },
      grants: () => [],
      pace: { ttlMs, redialMaxMs },
    });
  const there = make("there");
  const knocks: number[] = [];
  let mute = false;
  const { url } = net.listen("there", (pipe) => {
    knocks.push(clock.now());
    if (!mute) there.accept(pipe);
  });
  const dialer = make("here").dial({ url, transport: net, auth: {} });
  await clock.advance(500);
  expect([dialer.state, knocks.length]).toEqual(["up", 1]);
  return {
    clock,
    net,
    dialer,
    /** Ends every connection; gives when, and when it was dialled since. */
    async cut(): Promise<{ readonly at: number; readonly knocks: readonly number[] }> {
      await clock.advance(10);
      knocks.length = 0;
      for (const wire of net.wires) wire.cut();
      return { at: clock.now(), knocks };
    },
    sendAway(retryAfterMs: number): void {
      for (const { link } of there.sessions) link.drain({ t: "G", code: 4503, retryAfterMs });
    },
    hush(muted: boolean): void {
      mute = muted;
    },
    async [Symbol.asyncDispose]() {
      void dialer.close(0);
      void there.close();
      await clock.advance(60_000);
    },
  };
}

test.each([50_000, 61_000, 100_000])(
  `who is told to come again in %i ms waits so long once, though a session is kept for 60,000 ms (seed ${seed})`,
  async (retryAfterMs) => {
    await using node = await scene(60_000);
    node.sendAway(retryAfterMs);
    const { at, knocks } = await node.cut();
    await node.clock.advance(retryAfterMs + redialMaxMs + 100);
    const [first = Number.NaN] = knocks;
    expect(first - at).toBeGreaterThanOrEqual(retryAfterMs);
    expect(["up", "draining"]).toContain(node.dialer.state);
  },
);

test(`a wait that is over is not waited again when the session ends in the handshake after it (seed ${seed})`, async () => {
  await using node = await scene(60_000);
  node.sendAway(58_000);
  node.hush(true);
  const { knocks } = await node.cut();
  await node.clock.advance(60_000);
  expect([node.dialer.state, knocks.length]).toEqual(["connecting", 1]);
  node.hush(false);
  await node.clock.advance(redialMaxMs + 100);
  expect([node.dialer.state, knocks.length]).toEqual(["up", 2]);
});

test(`a session that ends in a handshake takes its connection with it (seed ${seed})`, async () => {
  await using node = await scene(handshakeTimeoutMs / 2);
  node.hush(true);
  const { knocks } = await node.cut();
  await node.clock.advance(handshakeTimeoutMs / 2 + redialMaxMs + 100);
  expect([node.dialer.state, knocks.length]).toEqual(["connecting", 2]);
  void node.dialer.close(0);
  await node.clock.advance(10);
  expect(node.net.wires.filter(({ dialerEnd }) => !dialerEnd.hasEnded)).toEqual([]);
});

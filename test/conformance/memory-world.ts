import { FakeClock } from "../../src/testing/fake-clock.ts";
import { seededIds, seededRandom } from "../../src/testing/seeded.ts";
import { MemoryNetwork } from "../../src/remote/memory-network.ts";
import { jsonCodec } from "../../src/remote/codecs/json.ts";
import { Witness } from "./transport-witness.ts";
import {
  everything,
  openNode,
  transportOf,
  type NodeSetup,
  type TestNode,
  type World,
  type WorldOptions,
} from "./transport-world.ts";

/** Time that the fake clock moves at once while something is waited for. */
const strideMs = 5;

/** Pipes in memory on a fake clock: every run with the same seed is the same. */
export function memoryWorld({ seed, codec = jsonCodec, step }: WorldOptions): World {
  const clock = new FakeClock();
  const random = seededRandom(seed);
  const ids = seededIds(seed);
  const witness = new Witness();
  const network = new MemoryNetwork({ clock, random, latencyMs: 3 });
  const nodes: TestNode[] = [];
  const crashed = new Set<TestNode>();
  let closed = false;
  const start = (name: string, place: string, setup: NodeSetup = {}): TestNode => {
    const opened = openNode(
      witness,
      { clock, random, ids, ...(step === undefined ? {} : { step }) },
      { name, ...setup },
    );
    const listening = network.listen(place, (pipe) => {
      if (closed) pipe.terminate();
      else opened.remote.accept(pipe);
    });
    const node: TestNode = {
      ...opened,
      url: listening.url,
      async crash() {
        crashed.add(node);
        await listening[Symbol.asyncDispose]();
        world.cut();
      },
    };
    nodes.push(node);
    return node;
  };
  const world: World = {
    codec,
    history: witness.history,
    cycles: 1_000,
    held: () => clock.waiting + network.wires.length,
    node: (name, setup) => Promise.resolve(start(name, `${name}${nodes.length}`, setup)),
    restart: (node, setup) => Promise.resolve(start(node.remote.node, node.url.slice("memory:".length), setup)),
    dial(from, to, auth = {}) {
      const [transport, grants] = [transportOf(network, () => crashed.has(from)), [...everything]];
      const moved = (): void => witness.watch(dialer.session);
      const dialer = from.remote.dial({ url: to.url, transport, auth, codecs: [codec], grants, moved });
      moved();
      return dialer;
    },
    pipe: (to) => network.dial(to.url, { codecs: [codec], signal: new AbortController().signal }),
    cut() {
      for (const wire of network.wires) wire.cut();
    },
    cutAfter(units) {
      for (const wire of network.wires) wire.cutAfter(units);
    },
    cutDialers() {
      for (const wire of network.wires) wire.dialerEnd.break();
    },
    swallow() {
      for (const wire of network.wires) wire.toDialer.lost = wire.toListener.lost = true;
    },
    delay(ms) {
      for (const wire of network.wires) wire.toDialer.delayMs = wire.toListener.delayMs = ms;
    },
    stall(stalled) {
      for (const wire of network.wires) wire.listenerEnd.paused = stalled;
    },
    close(now) {
      closed = now;
    },
    pass: (ms) => clock.advance(ms),
    async until(what, isSo, limitMs = 20_000) {
      const until = clock.now() + limitMs;
      await clock.settle();
      while (!isSo()) {
        if (clock.now() >= until) throw new Error(`not within ${limitMs} ms: ${what}`);
        await clock.advance(strideMs);
      }
    },
    async [Symbol.asyncDispose]() {
      const closing = Promise.all(nodes.map((node) => node.remote.close()));
      await clock.advance(10_000);
      await closing;
      await clock.settle();
    },
  };
  return world;
}

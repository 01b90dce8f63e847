import { FakeClock } from "../../src/testing/fake-clock.ts";
import { seededIds, seededRandom } from "../../src/testing/seeded.ts";
import { MemoryNetwork } from "../../src/remote/memory-network.ts";
import { jsonCodec } from "../../src/remote/codecs/json.ts";
import { RemoteNode } from "../../src/remote/node.ts";
import { TestHost, type Deed } from "./transport-host.ts";
import { everything, testPace, type TestNode, type World, type WorldOptions } from "./transport-world.ts";

/** Time that the fake clock moves at once while something is waited for. */
const strideMs = 5;

/** Pipes in memory on a fake clock: every run with the same seed is the same. */
export function memoryWorld({ seed, codec = jsonCodec, step }: WorldOptions): World {
  const clock = new FakeClock();
  const random = seededRandom(seed);
  const ids = seededIds(seed);
  const history: Deed[] = [];
  const network = new MemoryNetwork({ clock, random, latencyMs: 3 });
  const nodes: TestNode[] = [];
  let closed = false;
  let number = 0;
  const world: World = {
    codec,
    history,
    node(name, setup = {}) {
      number += 1;
      const host = new TestHost(history);
      const dead: TestNode["dead"] = [];
      const left: string[] = [];
      const remote = new RemoteNode({
        node: name,
        clock,
        random,
        ids,
        hosting: host,
        auth: setup.auth ?? { open: true },
        grants: () => setup.grants ?? everything,
        pace: { ...testPace, ...setup.pace },
        dead: (_, letter) => dead.push(letter),
        left: (_, reason) => left.push(reason),
        ...(step === undefined ? {} : { step }),
      });
      const place = network.listen(`${name}${number}`, (pipe) => {
        if (closed) pipe.terminate();
        else remote.accept(pipe);
      });
      const node: TestNode = {
        remote,
        host,
        url: place.url,
        dead,
        left,
        async crash() {
          await place[Symbol.asyncDispose]();
          world.cut();
        },
      };
      nodes.push(node);
      return Promise.resolve(node);
    },
    dial: (from, to, auth = {}) =>
      from.remote.dial({ url: to.url, transport: network, auth, codecs: [codec], grants: [...everything] }),
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
    },
  };
  return world;
}

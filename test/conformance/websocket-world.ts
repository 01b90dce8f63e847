import { setTimeout as sleep } from "node:timers/promises";
import { systemIds } from "../../src/ports/chance.ts";
import { HttpDoor } from "../../src/listen/door.ts";
import { jsonCodec } from "../../src/remote/codecs/json.ts";
import { msgpackCodec } from "../../src/remote/codecs/msgpack.ts";
import { acceptWebSockets, webSocketTransport } from "../../src/remote/websocket-transport.ts";
import { seededRandom } from "../../src/testing/seeded.ts";
import { ChaosProxy } from "./chaos-proxy.ts";
import { RunningClock } from "./running-clock.ts";
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

/** How long something may take that has no deadline of its own: a busy machine has its time. */
const patienceMs = 15_000;

/** Real sockets on loopback, through the proxy; time stands still while this process does. */
export function webSocketWorld({
  seed,
  codec = jsonCodec,
  step,
}: WorldOptions): World & { narrow(bytesPerMs: number): void } {
  const witness = new Witness();
  const random = seededRandom(seed);
  const clock = new RunningClock();
  const proxies: ChaosProxy[] = [];
  const nodes: TestNode[] = [];
  const doors = new Set<HttpDoor>();
  const crashed = new Set<TestNode>();
  const ports = { clock, random, ids: systemIds, ...(step === undefined ? {} : { step }) };
  const start = async (name: string, proxy: ChaosProxy, setup: NodeSetup = {}): Promise<TestNode> => {
    const door = await HttpDoor.open({ port: 0, authenticated: false, hosts: [`127.0.0.1:${proxy.port}`] });
    doors.add(door);
    proxy.target = door.port;
    const opened = openNode(witness, ports, { name, ...setup });
    acceptWebSockets(door, (pipe) => opened.remote.accept(pipe), [jsonCodec, msgpackCodec]);
    const node: TestNode = {
      ...opened,
      url: `ws://127.0.0.1:${proxy.port}/`,
      async crash() {
        crashed.add(node);
        for (const one of proxies) one.cut();
        doors.delete(door);
        await door[Symbol.asyncDispose]();
      },
    };
    nodes.push(node);
    return node;
  };
  return {
    codec,
    history: witness.history,
    cycles: 100,
    held: () => process.getActiveResourcesInfo().filter((kind) => kind === "TCPSocketWrap").length,
    async node(name, setup) {
      const proxy = await ChaosProxy.open();
      proxies.push(proxy);
      return start(name, proxy, setup);
    },
    restart: (node, setup) =>
      start(node.remote.node, proxies.find(({ port }) => node.url.includes(`:${port}/`)) as ChaosProxy, setup),
    dial(from, to, auth = {}) {
      const [transport, grants] = [transportOf(webSocketTransport, () => crashed.has(from)), [...everything]];
      const moved = (): void => witness.watch(dialer.session);
      const dialer = from.remote.dial({ url: to.url, transport, auth, codecs: [codec], grants, moved });
      moved();
      return dialer;
    },
    pipe: (to) => webSocketTransport.dial(to.url, { codecs: [codec], signal: new AbortController().signal }),
    cut() {
      for (const proxy of proxies) proxy.cut();
    },
    cutAfter(units) {
      for (const proxy of proxies) proxy.cutAfter(units * 97);
    },
    cutDialers() {
      for (const proxy of proxies) proxy.cutDialers();
    },
    swallow() {
      for (const proxy of proxies) proxy.swallow();
    },
    delay(ms) {
      for (const proxy of proxies) proxy.delay(ms);
    },
    narrow(bytesPerMs) {
      for (const proxy of proxies) proxy.narrow(bytesPerMs);
    },
    stall(stalled) {
      for (const proxy of proxies) proxy.stall(stalled);
    },
    close(closed) {
      for (const proxy of proxies) proxy.closed = closed;
    },
    pass: (ms) => new Promise((resolve) => void clock.after(ms, resolve)),
    async until(what, isSo, limitMs = patienceMs) {
      const until = clock.now() + limitMs;
      while (!isSo()) {
        if (clock.now() >= until) throw new Error(`not within ${limitMs} ms: ${what}`);
        await sleep(1);
      }
    },
    async [Symbol.asyncDispose]() {
      for (const proxy of proxies) await proxy.close();
      for (const door of doors) await door[Symbol.asyncDispose]();
      // A link that has not heard yet that it was cut would wait for its peer.
      await sleep(10);
      await Promise.all(nodes.map((node) => node.remote.close()));
      clock[Symbol.dispose]();
    },
  };
}

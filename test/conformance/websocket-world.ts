import { setTimeout as sleep } from "node:timers/promises";
import { systemIds } from "../../src/ports/chance.ts";
import { systemClock } from "../../src/ports/clock.ts";
import { HttpDoor } from "../../src/listen/door.ts";
import { jsonCodec } from "../../src/remote/codecs/json.ts";
import { msgpackCodec } from "../../src/remote/codecs/msgpack.ts";
import { RemoteNode } from "../../src/remote/node.ts";
import { acceptWebSockets, webSocketTransport } from "../../src/remote/websocket-transport.ts";
import { seededRandom } from "../../src/testing/seeded.ts";
import { ChaosProxy } from "./chaos-proxy.ts";
import { TestHost, type Deed } from "./transport-host.ts";
import { everything, testPace, type TestNode, type World, type WorldOptions } from "./transport-world.ts";

/** Real sockets on loopback, through the proxy. */
export function webSocketWorld({ seed, codec = jsonCodec, step }: WorldOptions): World {
  const history: Deed[] = [];
  const random = seededRandom(seed);
  const proxies: ChaosProxy[] = [];
  const nodes: TestNode[] = [];
  const doors: HttpDoor[] = [];
  return {
    codec,
    history,
    async node(name, setup = {}) {
      const host = new TestHost(history);
      const dead: TestNode["dead"] = [];
      const left: string[] = [];
      const proxy = await ChaosProxy.open();
      proxies.push(proxy);
      const door = await HttpDoor.open({ port: 0, authenticated: false, hosts: [`127.0.0.1:${proxy.port}`] });
      doors.push(door);
      proxy.target = door.port;
      const remote = new RemoteNode({
        node: name,
        clock: systemClock,
        random,
        ids: systemIds,
        hosting: host,
        auth: setup.auth ?? { open: true },
        grants: () => setup.grants ?? everything,
        pace: { ...testPace, ...setup.pace },
        dead: (_, letter) => dead.push(letter),
        left: (_, reason) => left.push(reason),
        ...(step === undefined ? {} : { step }),
      });
      acceptWebSockets(door, (pipe) => remote.accept(pipe), [jsonCodec, msgpackCodec]);
      const node: TestNode = {
        remote,
        host,
        url: `ws://127.0.0.1:${proxy.port}/`,
        dead,
        left,
        crash: () => door[Symbol.asyncDispose](),
      };
      nodes.push(node);
      return node;
    },
    dial: (from, to, auth = {}) =>
      from.remote.dial({ url: to.url, transport: webSocketTransport, auth, codecs: [codec], grants: [...everything] }),
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
    stall(stalled) {
      for (const proxy of proxies) proxy.stall(stalled);
    },
    close(closed) {
      for (const proxy of proxies) proxy.closed = closed;
    },
    pass: (ms) => sleep(ms),
    async until(what, isSo, limitMs = 5_000) {
      const until = systemClock.now() + limitMs;
      while (!isSo()) {
        if (systemClock.now() >= until) throw new Error(`not within ${limitMs} ms: ${what}`);
        await sleep(1);
      }
    },
    async [Symbol.asyncDispose]() {
      for (const proxy of proxies) await proxy.close();
      for (const door of doors) await door[Symbol.asyncDispose]();
      // A link that has not heard yet that it was cut would wait for its peer.
      await sleep(10);
      await Promise.all(nodes.map((node) => node.remote.close()));
    },
  };
}

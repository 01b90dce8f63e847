import { Dispatcher } from "../../src/dispatch/dispatcher.ts";
import { Observe } from "../../src/ports/observe.ts";
import { MemoryNetwork } from "../../src/remote/memory-network.ts";
import type { Pipe } from "../../src/ports/transport.ts";
import { RemoteNode } from "../../src/remote/node.ts";
import { Core } from "../../src/system/core.ts";
import { Supervisor } from "../../src/system/supervisor.ts";
import { ConnectedPeer, type RemotePeer } from "../../src/troupe/network/doors.ts";
import { AgentHost } from "../../src/troupe/network/host.ts";
import { Peer } from "../../src/troupe/network/peer.ts";
import { Nursery } from "../../src/troupe/nursery.ts";
import type { AgentDefinition } from "troupe";
import { FakeClock, seededIds, seededRandom } from "troupe/testing";

/** What the nodes of a span expose to each other. */
const everything = ["tell:/*", "tell:cap:*", "tell:node:agents", "watch:/*", "spawn:*"];

export const losses = ["silence both ways", "nothing reaches it", "only the other side notices at once"] as const;
type Loss = (typeof losses)[number];

export interface SpanNode {
  readonly name: string;
  readonly url: string;
  readonly nursery: Nursery;
  /** What has happened to its agents and supervisors, with the second it happened in. */
  readonly story: string[];
  readonly paths: () => readonly string[];
  /** Connections to it are lost, and nobody reaches it until `heal`. */
  part(how: Loss): Promise<void>;
  heal(): void;
}

/** Whole nodes in one process: pipes in memory, a clock that stands still, and the same run for the same seed. */
export class Span {
  readonly clock = new FakeClock(0);
  readonly net: MemoryNetwork;
  readonly #random = seededRandom(7);
  readonly #ids = seededIds(7);

  constructor() {
    this.net = new MemoryNetwork({ clock: this.clock, random: this.#random, latencyMs: 2 });
  }

  #ground(name: string) {
    const observe = new Observe();
    const story: string[] = [];
    observe.listen(({ type, at, agent, data }) => {
      const { node, code, delayMs } = data as { readonly [key: string]: string | number | undefined };
      const words = [`${Math.floor(at / 1_000)} s`, type, agent, node, code, delayMs];
      if (/^(agent\.(started|crashed|stopped|restarting)|supervisor\.escalated)$/u.test(type))
        story.push(words.filter((word) => word !== undefined).join(" "));
    });
    const core = new Core({
      clock: this.clock,
      random: this.#random,
      ids: this.#ids,
      log: { write() {} },
      observe,
    });
    const dispatcher = new Dispatcher(core, { strategy: "balanced", stages: { enrich: [], route: [], map: [] } });
    const root = new Supervisor(core, { clock: this.clock }, { name: "troupe" });
    const nursery = new Nursery(core, dispatcher, { root, node: name });
    return { core, dispatcher, root, nursery, story };
  }

  /** A node that listens, and lets others spawn these. */
  async node(
    name: string,
    spawnable: readonly AgentDefinition[] = [],
  ): Promise<SpanNode & { readonly dial: (to: SpanNode) => Promise<RemotePeer> }> {
    const ground = this.#ground(name);
    await ground.root.begin();
    const grants = (): readonly string[] => everything;
    const remote = new RemoteNode({
      node: name,
      clock: this.clock,
      random: this.#random,
      ids: this.#ids,
      hosting: new AgentHost(ground, { grants, spawnable }),
      auth: { open: true },
      grants,
    });
    let wires: MemoryNetwork["wires"] = [];
    const accept = (pipe: Pipe): void => {
      wires = [...wires, ...this.net.wires.slice(-1)];
      remote.accept(pipe);
    };
    let place = this.net.listen(name, accept);
    return {
      name,
      url: place.url,
      nursery: ground.nursery,
      story: ground.story,
      paths: () => [...ground.dispatcher.registry.groups()].flatMap(({ cells }) => cells.map(({ path }) => path)),
      part: async (how) => {
        await place[Symbol.asyncDispose]();
        for (const wire of wires) {
          if (how === "only the other side notices at once") wire.dialerEnd.break();
          wire.toListener.lost = true;
          if (how === "silence both ways") wire.toDialer.lost = true;
        }
      },
      heal: () => void (place = this.net.listen(name, accept)),
      dial: async ({ url }) => {
        const dialer = remote.dial({ url, transport: this.net, auth: {} });
        const ready = dialer.ready();
        await this.clock.advance(1_000);
        await ready;
        const peer = new Peer(
          {
            node: () => dialer.peer?.node ?? url,
            state: () => dialer.state,
            requests: () => dialer.session.requests,
            heardAt: () => dialer.session.link.heardAt,
            load: () => dialer.session.link.peerLoad,
            dead() {},
          },
          this.clock,
        );
        return new ConnectedPeer({ peer, dialer, core: ground.core }, () => {});
      },
    };
  }

  /** Moves time until a promise has settled. */
  async until<Value>(given: Promise<Value>, limitMs = 300_000): Promise<Value> {
    const settled = { isSo: false };
    const mark = (): void => void (settled.isSo = true);
    given.then(mark, mark);
    for (let passed = 0; passed < limitMs; passed += 50) {
      await this.clock.advance(50);
      if (settled.isSo) return given;
    }
    throw new Error(`nothing within ${limitMs} ms`);
  }
}

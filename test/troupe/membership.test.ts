import { describe, expect, test } from "vitest";
import { createTroupe, defineAgent, type Discovery, type RemotePeer, type Troupe } from "troupe";
import { FakeClock } from "troupe/testing";
import { z } from "zod";
import { Joined, discoveredMax, type JoinOptions } from "../../src/troupe/network/membership.ts";
import { ChaosProxy } from "../conformance/chaos-proxy.ts";
import { RunningClock } from "../conformance/running-clock.ts";

const auth = { token: "a secret for this test only" };

/** A network on paper: which addresses answer, under which name, and what was dialled and left. */
function paper(options: Omit<JoinOptions, "discovery"> = {}) {
  const clock = new FakeClock();
  const nodes = new Map<string, string>();
  const listed: { urls: readonly string[] | Error; changed?: () => void } = { urls: [] };
  const log: string[] = [];
  const peers = new Map<string, { state: string }>();
  const discovery: Discovery = {
    list: () => (listed.urls instanceof Error ? Promise.reject(listed.urls) : Promise.resolve(listed.urls)),
    watch: (changed) => {
      listed.changed = changed;
      return () => delete listed.changed;
    },
  };
  const connect = (url: string): Promise<RemotePeer> => {
    const node = nodes.get(url);
    log.push(`dial ${url.at(-2)}`);
    if (node === undefined) return Promise.reject(new Error("nobody listens there"));
    const peer = {
      url,
      node,
      state: "up",
      close: () => {
        log.push(`leave ${node}`);
        peer.state = "down";
        return Promise.resolve();
      },
    };
    peers.set(node, peer);
    return Promise.resolve(peer as unknown as RemotePeer);
  };
  const joined = new Joined({ options: { discovery, ...options }, clock, connect, self: "me" }, () => log.push("gone"));
  return { clock, nodes, listed, log, peers, joined };
}
const at = (...names: readonly string[]): string[] => names.map((name) => `ws://host/${name}/`);

describe("a membership", () => {
  test("dials what is listed, again what does not answer, and leaves what is listed no more", async () => {
    const { clock, nodes, listed, log, joined } = paper({ healthCheckIntervalMs: 1_000, refreshIntervalMs: 10_000 });
    nodes.set(at("a")[0] as string, "a");
    listed.urls = at("a", "b");
    await joined.start();
    expect(joined.peers.map(({ node }) => node)).toEqual(["a"]);
    expect(joined.missing).toEqual([{ url: "ws://host/b/", why: "nobody listens there" }]);
    await clock.advance(2_000);
    expect(log).toEqual(["dial a", "dial b", "dial b", "dial b"]);
    nodes.set(at("b")[0] as string, "b");
    await clock.advance(1_000);
    expect(joined.peers.map(({ node }) => node)).toEqual(["a", "b"]);
    log.length = 0;
    nodes.set(at("c")[0] as string, "c");
    listed.urls = at("b", "c");
    await clock.advance(6_999);
    expect(log).toEqual([]);
    await clock.advance(1);
    expect(log).toEqual(["leave a", "dial c"]);
    expect(joined.peers.map(({ node }) => node)).toEqual(["b", "c"]);
    await joined.close();
    expect(log.slice(2).toSorted()).toEqual(["gone", "leave b", "leave c"]);
    expect(clock.waiting).toBe(0);
  });

  test("dials anew where a link has ended for good, and keeps the list of a discovery that fails", async () => {
    const { clock, nodes, listed, log, peers, joined } = paper({
      healthCheckIntervalMs: 1_000,
      refreshIntervalMs: 5_000,
    });
    nodes.set(at("a")[0] as string, "a");
    listed.urls = at("a");
    await joined.start();
    listed.urls = new Error("the discovery is away");
    await clock.advance(20_000);
    expect(log).toEqual(["dial a"]);
    (peers.get("a") as { state: string }).state = "down";
    expect(joined.peers).toEqual([]);
    await clock.advance(1_000);
    expect(joined.peers.map(({ node }) => node)).toEqual(["a"]);
    await joined.close();
  });

  test("has begun when each address was tried once, and goes on with those that did not answer", async () => {
    const clock = new FakeClock();
    const discovery: Discovery = { list: () => Promise.resolve(at("a", "b")) };
    const open = new Map<string, PromiseWithResolvers<RemotePeer>>();
    const misses = new Map<string, (why: string) => void>();
    const connect = (url: string, _options: unknown, missed: (why: string) => void): Promise<RemotePeer> => {
      misses.set(url, missed);
      open.set(url, Promise.withResolvers());
      return (open.get(url) as PromiseWithResolvers<RemotePeer>).promise;
    };
    const joined = new Joined({ options: { discovery }, clock, connect, self: "me" }, () => {});
    let hasBegun = false;
    const begun = joined.start().then(() => (hasBegun = true));
    await clock.settle();
    const peer = { url: at("a")[0], node: "a", state: "up", close: () => Promise.resolve() };
    open.get(at("a")[0] as string)?.resolve(peer as unknown as RemotePeer);
    await clock.settle();
    expect(hasBegun).toBe(false);
    misses.get(at("b")[0] as string)?.("nobody listens there");
    await begun;
    expect(joined.missing).toEqual([{ url: "ws://host/b/", why: "nobody listens there" }]);
    await clock.advance(20_000);
    const late = { ...peer, node: "b" };
    open.get(at("b")[0] as string)?.resolve(late as unknown as RemotePeer);
    await clock.settle();
    expect(joined.peers.map(({ node }) => node)).toEqual(["a", "b"]);
    await joined.close();
  });

  test("asks for the list when the discovery says that it has changed, and does not stay connected to itself", async () => {
    const { clock, nodes, listed, log, joined } = paper();
    nodes.set(at("m")[0] as string, "me");
    listed.urls = at("m");
    await joined.start();
    expect(log).toEqual(["dial m", "leave me"]);
    nodes.set(at("a")[0] as string, "a");
    listed.urls = at("m", "a");
    listed.changed?.();
    await clock.settle();
    expect(log).toEqual(["dial m", "leave me", "dial a"]);
    expect(joined.missing).toEqual([]);
    await joined.close();
    expect(listed.changed).toBeUndefined();
  });

  test(`takes ${discoveredMax} addresses at most, and refuses to start without a list or with settings that are none`, async () => {
    const many = paper();
    many.listed.urls = Array.from({ length: discoveredMax + 5 }, (_, index) => `ws://host:${index + 1}/`);
    await many.joined.start();
    expect(many.joined.missing).toHaveLength(discoveredMax);
    await many.joined.close();
    const none = paper();
    none.listed.urls = new Error("away");
    await expect(none.joined.start()).rejects.toMatchObject({ code: "remote/unreachable" });
    expect(none.clock.waiting).toBe(0);
    expect(() => paper({ refreshIntervalMs: 0 })).toThrow(/refreshIntervalMs is 0/);
    expect(() => paper({ failureThreshold: Number.NaN })).toThrow(/failureThreshold/);
  });
});

const namer = (name: string) =>
  defineAgent({
    name: "namer",
    concurrency: 100,
    capabilities: {
      name: { input: z.null(), output: z.string(), run: () => name },
      hang: {
        input: z.null(),
        output: z.null(),
        run: ({ signal, progress }) => {
          progress(0.1);
          return new Promise<null>((resolve) => signal.addEventListener("abort", () => resolve(null)));
        },
      },
    },
  });

async function serve(
  name: string,
  port = 0,
  { hosts = [], heartbeatMs = 5_000 }: { readonly hosts?: readonly string[]; readonly heartbeatMs?: number } = {},
): Promise<{ troupe: Troupe; url: string }> {
  const troupe = await createTroupe({ node: name, links: { heartbeatMs } });
  await troupe.spawn(namer(name));
  return { troupe, url: (await troupe.listen({ port, auth, hosts })).url };
}

/** Waits for the turn of events that makes it so; the test's own deadline bounds it. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve));
}

describe("over real sockets", () => {
  test("a node of the list that goes away loses its calls, and gets them again when it is back", async () => {
    await using client = await createTroupe({ node: "client" });
    const first = await serve("one");
    const { url } = first;
    await using member = await client.join({ discovery: [url], auth, healthCheckIntervalMs: 500 });
    expect(await client.call("name", null)).toEqual({ ok: true, value: "one" });
    await first.troupe.close();
    await until(() => member.peers.length === 0);
    expect(await client.call("name", null)).toMatchObject({ ok: false });
    const again = await serve("one-again", Number(new URL(url).port));
    await until(async () => (await client.call("name", null)).ok);
    expect(await client.call("name", null)).toEqual({ ok: true, value: "one-again" });
    await again.troupe.close();
  });

  test("a node of the list that is not there holds up nobody, and is reached when it is", async () => {
    const first = await serve("one");
    const second = await serve("two");
    const port = Number(new URL(second.url).port);
    await second.troupe.close();
    await using client = await createTroupe({ node: "client" });
    const options = { discovery: [second.url, first.url], auth, healthCheckIntervalMs: 60_000 };
    const from = performance.now();
    await using member = await client.join(options);
    // A refused port answers at once; without an answer a dial is given 10 s.
    expect(performance.now() - from).toBeLessThan(10_000);
    expect(member.peers.map(({ node }) => node)).toEqual(["one"]);
    expect(member.missing).toEqual([
      { url: second.url, why: expect.stringMatching(/^nobody listens there/) as unknown },
    ]);
    const again = await serve("two", port);
    await until(() => member.peers.length === 2);
    await first.troupe.close();
    await again.troupe.close();
  });

  test("a peer that does not say how it is gets no new calls beyond the threshold, until it answers again", async () => {
    const proxy = await ChaosProxy.open();
    const { troupe: server, url } = await serve("one", 0, { hosts: [`127.0.0.1:${proxy.port}`] });
    proxy.target = Number(new URL(url).port);
    using clock = new RunningClock();
    await using client = await createTroupe({ node: "client", ports: { clock } });
    // Answers must come within it; on a busy machine they take some turns of the event loop.
    const settings = { auth, healthCheckIntervalMs: 400, failureThreshold: 2 };
    const peer = await client.connect(`ws://127.0.0.1:${proxy.port}/`, settings);
    expect(peer.isHealthy).toBe(true);
    proxy.stall(true);
    await until(() => !peer.isHealthy);
    expect(peer.state).toBe("up");
    expect(await client.call("name", null)).toMatchObject({ failure: { code: "remote/unreachable" } });
    proxy.stall(false);
    await until(() => peer.isHealthy);
    expect(await client.call("name", null)).toEqual({ ok: true, value: "one" });
    await client.close();
    await server.close();
    await proxy.close();
  });

  test("a peer's heartbeats tell its load, and who comes new asks the one with less of it", async () => {
    const [busy, idle] = [await serve("busy", 0, { heartbeatMs: 100 }), await serve("idle", 0, { heartbeatMs: 100 })];
    await using crowd = await createTroupe({ node: "crowd" });
    await crowd.connect(busy.url, { auth });
    const leave = new AbortController();
    const hang = async (calls: number, { signal }: AbortController): Promise<void> => {
      const started = Array.from({ length: calls }, () => {
        const { promise, resolve } = Promise.withResolvers<void>();
        void crowd.call("hang", null, { signal, onProgress: () => resolve() });
        return promise;
      });
      await Promise.all(started);
    };
    await hang(5, leave);
    for (const name of ["client-1", "client-2", "client-3"]) {
      await using client = await createTroupe({ node: name });
      // Nobody is asked again while this runs.
      const options = { auth, healthCheckIntervalMs: 60_000 };
      const [one, two] = [await client.connect(busy.url, options), await client.connect(idle.url, options)];
      await until(() => one.load === 5);
      expect(two.load).toBe(0);
      expect(one.lastSeenAt).toBeGreaterThan(0);
      expect(await client.call("name", null)).toEqual({ ok: true, value: "idle" });
    }
    await using late = await createTroupe({ node: "late" });
    const peer = await late.connect(busy.url, { auth, healthCheckIntervalMs: 60_000 });
    await until(() => peer.load === 5);
    leave.abort();
    await until(() => peer.load === 0);
    const again = new AbortController();
    await hang(2, again);
    await until(() => peer.load === 2);
    again.abort();
    await busy.troupe.close();
    await idle.troupe.close();
  });

  test("a peer that has gone keeps nothing in routing nor in its directory", async () => {
    const { troupe: server, url } = await serve("one");
    await using client = await createTroupe({ node: "client" });
    const peer = await client.connect(url, { auth });
    expect(peer.capabilities).toContain("name");
    await server.close();
    await until(() => peer.state === "connecting");
    expect([peer.capabilities, peer.agents]).toEqual([[], []]);
    expect(peer.ref("/namer/1").state).toBe("unknown");
    expect(await client.call("name", null)).toMatchObject({ failure: { code: "dispatch/no-agent" } });
  });
});

test("an address that is none is missing with its reason, and keeps no other one away", async () => {
  await using server = await createTroupe({ node: "server" });
  const { url } = await server.listen({ port: 0, auth });
  await using client = await createTroupe({ node: "client" });
  const discovery: Discovery = { list: () => Promise.resolve(["server:7700", url]) };
  await using joined = await client.join({ discovery, auth });
  expect(joined.peers.map(({ node }) => node)).toEqual(["server"]);
  expect(joined.missing).toEqual([
    { url: "server:7700", why: expect.stringContaining("looks like ws://host:port/") as unknown },
  ]);
});

import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { createTroupe, defineAgent, type Listener, type Troupe } from "troupe";
import { FakeClock, seededIds, seededRandom } from "troupe/testing";
import { z } from "zod";
import { redirectsMax } from "../../machines/session/limits.ts";
import type { SessionFrame, Welcome } from "../../machines/wire/frames.ts";
import type { Pipe } from "../../src/ports/transport.ts";
import { jsonCodec } from "../../src/remote/codecs/json.ts";
import { MemoryNetwork } from "../../src/remote/memory-network.ts";
import { RemoteNode } from "../../src/remote/node.ts";
import { ownLimits } from "../../src/remote/peer-session.ts";
import { TestHost } from "../conformance/transport-host.ts";

const auth = { token: "a secret for this test only" };
/** A node with an agent that says which one it is. */
async function serve(node: string, options: { port?: number; token?: string } = {}) {
  const troupe = await createTroupe({ node });
  const who = { input: z.null(), output: z.string(), run: () => node };
  await troupe.spawn(defineAgent({ name: "who", capabilities: { who } }));
  const { port = 0, token = auth.token } = options;
  const listener = await troupe.listen({ port, auth: { token } });
  return {
    troupe,
    listener,
    url: listener.url,
    port: Number(new URL(listener.url).port),
    [Symbol.asyncDispose]: () => troupe.close(),
  };
}

/** Waits for the turn of events that makes it so; the test's own deadline bounds it. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

describe("a node that goes away, over real sockets", () => {
  test("sends a link on to another address that the link was given, and calls are answered there", async () => {
    await using north = await serve("north");
    await using east = await serve("east");
    await using client = await createTroupe({ node: "client" });
    const peer = await client.connect(north.url, { auth, redirects: [east.url] });
    const ref = peer.ref("/who/1");
    expect(await client.call("who", null)).toEqual({ ok: true, value: "north" });
    await north.listener.close({ redirect: east.url });
    await until(() => peer.state === "up" && peer.capabilities.includes("who"));
    expect([peer.node, peer.url]).toEqual(["east", east.url]);
    expect(await client.call("who", null)).toEqual({ ok: true, value: "east" });
    expect([ref.node, await ref.call("who", null)]).toEqual(["east", { ok: true, value: "east" }]);
    expect(east.listener.peers).toEqual(["client"]);
  });

  test("sends nobody to an address that the link was not given: not one byte goes there", async () => {
    const connections: string[] = [];
    const rogue = createServer((socket) => {
      connections.push(String(socket.remotePort));
      socket.destroy();
    });
    await new Promise<void>((resolve) => rogue.listen(0, "127.0.0.1", resolve));
    const { port } = rogue.address() as { port: number };
    await using north = await serve("north");
    await using east = await serve("east");
    await using client = await createTroupe({ node: "client" });
    const peer = await client.connect(north.url, { auth, redirects: [east.url] });
    await north.listener.close({ redirect: `ws://127.0.0.1:${port}/` });
    await until(() => peer.state === "connecting");
    await using again = await serve("north", { port: north.port });
    await until(() => peer.state === "up");
    expect([peer.node, peer.url, again.listener.peers]).toEqual(["north", north.url, ["client"]]);
    expect([connections, east.listener.peers]).toEqual([[], []]);
    await new Promise((resolve) => rogue.close(resolve));
  });

  test.each([
    ["where nobody is", undefined],
    ["where it is not let in", "another secret for this test"],
  ])("does not lose a link that it sends on to an address %s: that comes home", async (_, token) => {
    await using north = await serve("north");
    const east = await serve("east", token === undefined ? {} : { token });
    if (token === undefined) await east.troupe.close();
    await using client = await createTroupe({ node: "client" });
    const peer = await client.connect(north.url, { auth, redirects: [east.url] });
    await north.listener.close({ redirect: east.url });
    await until(() => peer.state === "connecting");
    await using _again = await serve("north", { port: north.port });
    await until(() => peer.state === "up");
    expect([peer.node, peer.url]).toEqual(["north", north.url]);
    await east.troupe.close();
  });

  test("sends a link back by its own way, however its address is written", async () => {
    await using north = await serve("north");
    await using client = await createTroupe({ node: "client" });
    const east = await serve("east");
    const peer = await client.connect(north.url.slice(0, -1), { auth, redirects: [east.url.slice(0, -1)] });
    await north.listener.close({ redirect: east.url });
    await until(() => peer.node === "east" && peer.state === "up");
    await using _again = await serve("north", { port: north.port });
    await east.listener.close({ redirect: north.url });
    await until(() => peer.node === "north" && peer.state === "up");
    await east.troupe.close();
  });

  test.each([
    ["a redirect to what is no address", (listener: Listener) => listener.close({ redirect: "east:7700" })],
    ["a redirect that carries a secret", (listener: Listener) => listener.close({ redirect: "ws://a:b@east/" })],
    [
      "a redirect too long to be said",
      (listener: Listener) => listener.close({ redirect: `ws://e/${"x".repeat(512)}` }),
    ],
    [
      "redirects that are no addresses",
      (_: Listener, troupe: Troupe) => troupe.connect("ws://a/", { redirects: ["http://b/"] }),
    ],
    [
      "too many redirects",
      (_: Listener, troupe: Troupe) =>
        troupe.connect("ws://a/", { redirects: Array.from({ length: 65 }, (_each, at) => `ws://b${at}/`) }),
    ],
    [
      "redirects without TLS of an address with it",
      (_: Listener, troupe: Troupe) => troupe.connect("wss://a/", { redirects: ["wss://b/", "ws://b/"] }),
    ],
  ])("%s are refused before anything is sent", async (_, use) => {
    await using north = await serve("north");
    const misuse = use(north.listener, north.troupe);
    await expect(misuse).rejects.toMatchObject({ code: "usage/invalid-options" });
  });
});

const seed = 5;

/** A dialer, and places that let everybody in, say where to go, and close in good order. */
async function scene(where: { readonly [place: string]: string }, redirects: readonly string[]) {
  const clock = new FakeClock(0);
  const [random, ids] = [seededRandom(seed), seededIds(seed)];
  const net = new MemoryNetwork({ clock, random, latencyMs: 0 });
  const dials: string[] = [];
  const saying = new Map(Object.entries(where));
  const greet = (place: string, pipe: Pipe): void =>
    pipe.listen({
      frame(text) {
        const reading = jsonCodec.read(text);
        if (reading.kind !== "frame" || reading.frame.t !== "H") return;
        dials.push(place);
        const sess = { id: reading.frame.sess?.id ?? "", resumed: false, recv: 0, ttl: 60_000 };
        const common = { v: 1, node: place, inc: "1", lim: ownLimits, grant: [], hb: 5_000 } as const;
        const words: (Welcome | SessionFrame)[] = [{ t: "W", ...common, sess }];
        const redirect = saying.get(place);
        if (redirect !== undefined) words.push({ t: "G", code: 4503, retryAfterMs: 20_000, redirect });
        for (const frame of words) pipe.send(jsonCodec.write(frame));
        if (redirect !== undefined) pipe.close(1000, "");
      },
      drained() {},
      closed() {},
    });
  for (const place of ["a", "b", "c"]) net.listen(place, (pipe) => greet(place, pipe));
  const hosting = new TestHost([]);
  const here = new RemoteNode({ node: "here", clock, random, ids, hosting, auth: {}, grants: () => [] });
  const dialer = here.dial({ url: "memory:a", redirects, transport: net, auth: {} });
  return { clock, dialer, dials, saying };
}

describe(`what a hostile peer can do with a redirect (seed ${seed})`, () => {
  test("two nodes that send a link to and fro do so a few times in a row; then it waits as it was told", async () => {
    const { clock, dialer, dials, saying } = await scene({ a: "memory:b", b: "memory:a" }, ["memory:b"]);
    await clock.advance(19_000);
    expect(dials).toEqual(["a", "b", "a", "b", "a", "b"]);
    expect(dials).toHaveLength(redirectsMax + 1);
    saying.clear();
    await clock.advance(60_000);
    expect([dialer.state, dials[redirectsMax + 1]]).toEqual(["up", "b"]);
    void dialer.close();
    await clock.advance(60_000);
    expect(clock.waiting).toBe(0);
  });

  test("an address that was never given is not dialled, and the wait that was named holds", async () => {
    const { clock, dialer, dials, saying } = await scene({ a: "memory:c" }, ["memory:b"]);
    await clock.advance(19_999);
    expect(dials).toEqual(["a"]);
    saying.clear();
    await clock.advance(10_001);
    expect(dials).toEqual(["a", "a"]);
    void dialer.close();
    await clock.advance(60_000);
  });

  test("a redirect to the node's own address does not shorten the wait", async () => {
    const { clock, dialer, dials } = await scene({ a: "memory:a" }, ["memory:b"]);
    await clock.advance(19_999);
    expect(dials).toEqual(["a"]);
    void dialer.close();
    await clock.advance(60_000);
  });

  test("a session that has held makes good for the redirects before it", async () => {
    const { clock, dialer, dials, saying } = await scene({ a: "memory:b", b: "memory:c" }, ["memory:b", "memory:c"]);
    await clock.advance(15_000);
    expect([dials, dialer.url, dialer.state]).toEqual([["a", "b", "c"], "memory:c", "up"]);
    saying.clear();
    void dialer.close();
    await clock.advance(60_000);
    expect(clock.waiting).toBe(0);
  });
});

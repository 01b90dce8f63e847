import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createTroupe, defineAgent } from "troupe";
import { afterAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { z } from "zod";
import type { Codec } from "../../machines/wire/codec.ts";
import { HttpDoor } from "../../src/listen/door.ts";
import { systemIds } from "../../src/ports/chance.ts";
import type { Pipe } from "../../src/ports/transport.ts";
import { jsonCodec } from "../../src/remote/codecs/json.ts";
import { msgpackCodec } from "../../src/remote/codecs/msgpack.ts";
import { RemoteNode } from "../../src/remote/node.ts";
import { acceptWebSockets, webSocketTransport } from "../../src/remote/websocket-transport.ts";
import { seededRandom } from "../../src/testing/seeded.ts";
import { RunningClock } from "../conformance/running-clock.ts";
import { TestHost } from "../conformance/transport-host.ts";
import { everything, testPace } from "../conformance/transport-world.ts";

const { signal } = new AbortController();

/** A door whose nodes speak what they are told to, and the codecs that they agreed on. */
async function doorWith(codecs: readonly Codec[], accept: (pipe: Pipe) => void = () => {}) {
  const door = await HttpDoor.open({ port: 0, authenticated: false });
  const agreed: string[] = [];
  const take = (pipe: Pipe): void => {
    agreed.push(pipe.end.codec.name);
    accept(pipe);
  };
  const { url } = acceptWebSockets(door, take, codecs);
  return { url, agreed, [Symbol.asyncDispose]: () => door[Symbol.asyncDispose]() };
}

const clock = new RunningClock();
afterAll(() => clock[Symbol.dispose]());

function nodeOf(name: string, host: TestHost): RemoteNode {
  const ports = { clock, random: seededRandom(1), ids: systemIds };
  return new RemoteNode({
    node: name,
    ...ports,
    hosting: host,
    auth: { open: true },
    grants: () => everything,
    pace: testPace,
  });
}

describe("the codec of a connection", () => {
  test.each([
    [[msgpackCodec, jsonCodec], [jsonCodec, msgpackCodec], "msgpack"],
    [[jsonCodec, msgpackCodec], [msgpackCodec, jsonCodec], "json"],
    [[msgpackCodec, jsonCodec], [jsonCodec], "json"],
    [[jsonCodec], [msgpackCodec, jsonCodec], "json"],
  ])("is the one that the dialer likes best of those that the listener knows", async (offered, known, expected) => {
    await using door = await doorWith(known);
    const pipe = await webSocketTransport.dial(door.url, { codecs: offered, signal });
    expect(pipe.end.codec.name).toBe(expected);
    expect(door.agreed).toEqual([expected]);
    pipe.terminate();
  });

  test("where they have none in common, the dial ends for good", async () => {
    await using door = await doorWith([jsonCodec]);
    const dial = webSocketTransport.dial(door.url, { codecs: [msgpackCodec], signal });
    await expect(dial).rejects.toMatchObject({ code: 4406, message: expect.stringMatching(/426/) as string });
    expect(door.agreed).toEqual([]);
  });

  test("that turns out to be another one than expected loses nothing that waits, nor what comes after", async () => {
    const host = new TestHost([]);
    host.start("/a");
    const beta = nodeOf("beta", host);
    await using door = await doorWith([jsonCodec], (pipe) => beta.accept(pipe));
    const alpha = nodeOf("alpha", new TestHost([]));
    const link = alpha.dial({
      url: door.url,
      transport: webSocketTransport,
      auth: {},
      codecs: [msgpackCodec, jsonCodec],
    });
    const inputs = [new Uint8Array([1, 2, 3]), [1, 2, 3, 4].map((id) => ({ id })), "\ud800", new Date(5)];
    const early = inputs.map((input) =>
      link.session.requests.call({ path: "/a" }, "echo", { input, options: { timeoutMs: 30_000 } }),
    );
    await link.ready();
    const late = inputs.map((input) =>
      link.session.requests.call({ path: "/a" }, "echo", { input, options: { timeoutMs: 30_000 } }),
    );
    for (const asked of [early, late])
      expect(await Promise.all(asked)).toEqual(inputs.map((value) => ({ ok: true, value })));
    expect(door.agreed).toEqual(["json"]);
    expect(link.session.link.stats).toMatchObject({ unacknowledged: expect.any(Number) as number, resumes: 0 });
    await alpha.close();
    await beta.close();
  });

  test("may change when the session resumes, and nothing is lost or told twice", async () => {
    const host = new TestHost([]);
    host.start("/a");
    const beta = nodeOf("beta", host);
    const pipes: Pipe[] = [];
    const accept = (pipe: Pipe): void => {
      pipes.push(pipe);
      beta.accept(pipe);
    };
    const known: Codec[] = [jsonCodec, msgpackCodec];
    await using door = await doorWith(known, accept);
    const alpha = nodeOf("alpha", new TestHost([]));
    const link = alpha.dial({
      url: door.url,
      transport: webSocketTransport,
      auth: {},
      codecs: [msgpackCodec, jsonCodec],
    });
    await link.ready();
    const blob = new Uint8Array(100).fill(3);
    for (const codecs of [[jsonCodec], [msgpackCodec], [jsonCodec]]) {
      known.splice(0, known.length, ...codecs);
      pipes.at(-1)?.terminate();
      const asked = Array.from({ length: 20 }, () =>
        link.session.requests.call({ path: "/a" }, "echo", { input: blob, options: { timeoutMs: 30_000 } }),
      );
      for (const outcome of await Promise.all(asked)) expect(outcome).toEqual({ ok: true, value: blob });
    }
    expect(door.agreed).toEqual(["msgpack", "json", "msgpack", "json"]);
    expect(host.calls.length).toBe(60);
    expect(link.session.link.stats.resumes).toBe(3);
    await alpha.close();
    await beta.close();
  });
});

const keeper = defineAgent({
  name: "keeper",
  capabilities: {
    turn: {
      input: z.instanceof(Uint8Array),
      output: z.instanceof(Uint8Array),
      run: ({ input }) => input.toReversed(),
    },
  },
});

describe("troupe.connect", () => {
  test('with codec "msgpack" takes bytes there and back', async () => {
    await using server = await createTroupe({ agents: [keeper], node: "server" });
    await server.spawn(keeper);
    const listener = await server.listen({ port: 0 });
    await using client = await createTroupe({ node: "client" });
    await client.connect(listener.url, { codec: "msgpack" });
    const input = new Uint8Array(200_000).map((_, at) => at);
    const outcome = await client.call("turn", input);
    expect(outcome).toMatchObject({ ok: true });
    expect(Buffer.compare((outcome as { value: Uint8Array }).value, input.toReversed())).toBe(0);
  });

  test.each([
    [undefined, "troupe.v1.json"],
    ["json", "troupe.v1.json"],
    ["msgpack", "troupe.v1.msgpack,troupe.v1.json"],
  ] as const)("with codec %s offers %s, and so does join", async (codec, expected) => {
    const offered: unknown[] = [];
    await using server = createServer();
    server.on("upgrade", (request, socket) => {
      offered.push(request.headers["sec-websocket-protocol"]);
      socket.end("HTTP/1.1 426 Upgrade Required\r\n\r\n");
    });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    await using client = await createTroupe();
    const options = codec === undefined ? {} : { codec };
    await expect(client.connect(url, options)).rejects.toThrow(/426/);
    const joined = await client.join({ discovery: [url], ...options });
    expect(joined.missing).toHaveLength(1);
    expect(offered).toEqual([expected, expected]);
  });

  test("troupe.listen takes either, whatever comes first", async () => {
    await using server = await createTroupe({ node: "server" });
    const { url } = await server.listen({ port: 0 });
    for (const [offered, expected] of [
      [["troupe.v1.msgpack", "troupe.v1.json"], "troupe.v1.msgpack"],
      [["troupe.v1.json", "troupe.v1.msgpack"], "troupe.v1.json"],
      [["troupe.v9.json", "troupe.v1.msgpack"], "troupe.v1.msgpack"],
    ] as const) {
      const socket = new WebSocket(url, [...offered]);
      await new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));
      expect(socket.protocol).toBe(expected);
      socket.terminate();
    }
  });

  test("with a codec that there is not is a mistake of the caller", async () => {
    await using client = await createTroupe();
    const options = { codec: "xml" as never };
    await expect(client.connect("ws://127.0.0.1:1/", options)).rejects.toMatchObject({ code: "usage/invalid-options" });
    await expect(client.join({ discovery: [], ...options })).rejects.toThrow(
      /codec is "xml"; it is "json" or "msgpack"/,
    );
  });
});

import { connect, createServer, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import type { Welcome } from "../../machines/wire/frames.ts";
import { systemIds } from "../../src/ports/chance.ts";
import { systemClock } from "../../src/ports/clock.ts";
import { jsonCodec } from "../../src/remote/codecs/json.ts";
import type { Dialer } from "../../src/remote/dialer.ts";
import { RemoteNode } from "../../src/remote/node.ts";
import { ownLimits } from "../../src/remote/peer-session.ts";
import { WebSocketPipe } from "../../src/remote/websocket-pipe.ts";
import { webSocketTransport } from "../../src/remote/websocket-transport.ts";
import { seededRandom } from "troupe/testing";
import { webSocketFrame } from "../campaigns/fuzz-client.ts";
import { TestHost } from "../conformance/transport-host.ts";

const text = '{"t":"x-later"}';
/** What no listener of ours says, and the code that it is answered with. */
const breaches: readonly (readonly [what: string, due: number, bytes: Buffer])[] = [
  ["a frame with a mask", 1002, webSocketFrame(text)],
  ["a reserved bit", 1002, webSocketFrame(text, { masked: false, rsv: 4 })],
  ["a frame of no kind", 1002, webSocketFrame(text, { masked: false, opcode: 5 })],
  ["text that is no UTF-8", 1007, webSocketFrame(Buffer.of(0xff, 0xfe), { masked: false, opcode: 1 })],
  [
    "a frame in twenty pieces",
    1008,
    Buffer.concat(
      Array.from({ length: 20 }, (_, piece) =>
        webSocketFrame("x", { masked: false, opcode: piece === 0 ? 1 : 0, fin: false }),
      ),
    ),
  ],
  ["a frame that promises a terabyte", 1009, webSocketFrame("", { masked: false, promised: 2 ** 40 })],
];

const servers: WebSocketServer[] = [];
const nodes: RemoteNode[] = [];
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.close();
  for (const server of servers.splice(0)) {
    for (const client of server.clients) client.terminate();
    server.close();
  }
});

/** A listener that lets everybody in, says these bytes to the first one, and hears what the connection ends with. */
async function serve(bytes: Buffer) {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => "troupe.v1.json" });
  servers.push(server);
  const sessions: string[] = [];
  const { promise: closed, resolve } = Promise.withResolvers<number>();
  const { promise: again, resolve: came } = Promise.withResolvers<void>();
  server.on("connection", (socket, request) => {
    socket.once("close", resolve);
    socket.once("message", (data: Buffer) => {
      const reading = jsonCodec.read(data.toString("utf8"));
      if (reading.kind !== "frame" || reading.frame.t !== "H") return;
      const id = reading.frame.sess?.id ?? "";
      sessions.push(id);
      const sess = { id, resumed: sessions.indexOf(id) < sessions.length - 1, recv: 0, ttl: 60_000 };
      const names = { t: "W", v: 1, node: "there", inc: "1" } as const;
      const welcome: Welcome = { ...names, sess, lim: ownLimits, grant: [], hb: 5_000 };
      socket.send(jsonCodec.write(welcome) as string, () => {
        if (sessions.length > 1) came();
        else request.socket.write(bytes);
      });
    });
  });
  await new Promise<void>((listening) => server.once("listening", listening));
  const { port } = server.address() as { readonly port: number };
  return { url: `ws://127.0.0.1:${port}/`, sessions, closed, again };
}

describe("a listener whose WebSocket breaks the rules", () => {
  test.each(breaches)("says %s: %i, and the dialer begins another session", async (_, due, bytes) => {
    const { url, sessions, closed, again } = await serve(bytes);
    const node = new RemoteNode({
      node: "here",
      clock: systemClock,
      random: seededRandom(1),
      ids: systemIds,
      hosting: new TestHost([]),
      auth: {},
      grants: () => [],
    });
    nodes.push(node);
    const ends: (readonly [reason: string, code: number])[] = [];
    const ended = (reason: string, code: number): void => void ends.push([reason, code]);
    const link: Dialer = node.dial({ url, transport: webSocketTransport, auth: {}, ended });
    await link.ready();
    expect(await closed).toBe(due);
    await again;
    // Whoever is told 1008 cannot know why, but whoever finds the breach does.
    expect(ends).toEqual([["protocol", due === 1008 ? 4400 : due]]);
    expect(new Set(sessions).size).toBe(2);
  });
});

/** What stands between a dialer and this port; it can say bytes to the listener, as if the dialer did. */
async function between(port: number) {
  const lines: Socket[] = [];
  const proxy = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    lines.push(far);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const)
      from
        .pipe(to)
        // Either end may be gone first.
        .on("error", () => from.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const { port: here } = proxy.address() as { readonly port: number };
  return { url: `ws://127.0.0.1:${here}/`, lines, [Symbol.dispose]: () => void proxy.close() };
}

test("a dialer that is told 1008 resumes, and learns so whether the listener has found a breach", async () => {
  // The types of `ws` do not know `maxFragments`.
  const pieces = { maxFragments: 16 };
  const place = { port: 0, host: "127.0.0.1", handleProtocols: () => "troupe.v1.json" };
  const server = new WebSocketServer({ ...place, ...pieces });
  servers.push(server);
  const shared = { clock: systemClock, random: seededRandom(1), ids: systemIds, grants: () => [] };
  const left: string[] = [];
  const there = new RemoteNode({
    ...shared,
    node: "there",
    hosting: new TestHost([]),
    auth: { open: true },
    left: (_, reason) => left.push(reason),
  });
  const here = new RemoteNode({ ...shared, node: "here", hosting: new TestHost([]), auth: {} });
  nodes.push(here, there);
  server.on("connection", (socket, { socket: net }) =>
    there.accept(new WebSocketPipe(socket, net, { codec: jsonCodec, isDialer: false })),
  );
  await new Promise<void>((resolve) => server.once("listening", resolve));
  using line = await between((server.address() as { readonly port: number }).port);
  const ends: (readonly [reason: string, code: number])[] = [];
  const { promise: over, resolve: ended } = Promise.withResolvers<void>();
  const link = here.dial({
    url: line.url,
    transport: webSocketTransport,
    auth: {},
    ended: (reason, code) => {
      ends.push([reason, code]);
      ended();
    },
  });
  await link.ready();
  const piece = (opcode: number): Buffer => webSocketFrame("x", { opcode, fin: false });
  line.lines[0]?.write(Buffer.concat([piece(1), ...Array.from({ length: 19 }, () => piece(0))]));
  await over;
  await link.ready();
  expect([left, ends]).toEqual([["protocol"], [["restarted", 4404]]]);
});

import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { OutgoingFrames } from "../../src/remote/outgoing-frames.ts";

/** Text and bytes around every length at which a frame begins otherwise, and larger than the room that frames share. */
const sizes = [0, 1, 2, 3, 4, 5, 124, 125, 126, 127, 4_096, 43_000, 65_535, 65_536, 65_537, 200_000];
const frames: readonly (string | Uint8Array)[] = [
  ...sizes.map((size) => "x".repeat(size)),
  ...sizes.map((size) => `${"é".repeat(Math.floor(size / 2))}${"y".repeat(size % 2)}`),
  ...sizes.map((size) => "€".repeat(Math.floor(size / 3))),
  "a\u{1f600}b\u0000",
  ...sizes.map((size) => new Uint8Array(size).map((_, index) => index * 7)),
];

/** Both ends of a WebSocket of `ws`, and the sockets under them. */
async function openPair(): Promise<{ dialer: WebSocket; listener: WebSocket; near: Socket; far: Socket } & Disposable> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
  await once(server, "listening");
  const dialer = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    perMessageDeflate: false,
  });
  let near: Socket | undefined;
  dialer.once("upgrade", ({ socket }) => (near = socket));
  const [[listener, { socket: far }]] = (await Promise.all([once(server, "connection"), once(dialer, "open")])) as [
    [WebSocket, { socket: Socket }],
    unknown,
  ];
  const dispose = (): void => {
    dialer.terminate();
    server.close();
  };
  return { dialer, listener, near: near as Socket, far, [Symbol.dispose]: dispose };
}

function readAll(socket: WebSocket, count: number): Promise<(string | Uint8Array)[]> {
  const { promise, resolve, reject } = Promise.withResolvers<(string | Uint8Array)[]>();
  const read: (string | Uint8Array)[] = [];
  socket.on("message", (data: Buffer, isBinary) => {
    read.push(isBinary ? new Uint8Array(data) : data.toString("utf8"));
    if (read.length === count) resolve(read);
  });
  socket.on("error", reject);
  socket.on("close", () => reject(new Error("it was closed")));
  return promise;
}

describe("frames on their way into a socket", () => {
  test.each([
    ["masked, as a dialer's", true],
    ["bare, as a listener's", false],
  ] as const)("every frame arrives as it was, %s, one by one and all at once", async (_, isDialer) => {
    using pair = await openPair();
    const [socket, reader] = isDialer ? [pair.near, pair.listener] : [pair.far, pair.dialer];
    const outgoing = new OutgoingFrames(socket, isDialer);
    const read = readAll(reader, frames.length * 2);
    for (const frame of frames) {
      outgoing.add(frame);
      outgoing.flush();
    }
    for (const frame of frames) outgoing.add(frame);
    outgoing.flush();
    expect(await read).toEqual([...frames, ...frames]);
  });

  test("sockets whose frames are written at the same time do not mix them", async () => {
    using one = await openPair();
    using other = await openPair();
    const [first, second] = [new OutgoingFrames(one.far, false), new OutgoingFrames(other.far, false)];
    const read = Promise.all([readAll(one.dialer, 3), readAll(other.dialer, 2)]);
    first.add("a");
    second.add("1");
    first.add("b");
    second.add("2");
    second.flush();
    first.add("c");
    first.flush();
    expect(await read).toEqual([
      ["a", "b", "c"],
      ["1", "2"],
    ]);
  });

  test("what a reader has not taken yet is not written over", async () => {
    const server = createServer({ pauseOnConnect: true }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const writer = connect((server.address() as AddressInfo).port, "127.0.0.1");
    const [[reader]] = (await Promise.all([once(server, "connection"), once(writer, "connect")])) as [
      [Socket],
      unknown,
    ];
    const outgoing = new OutgoingFrames(writer, false);
    const parts = Array.from({ length: 400 }, (_, index) => String.fromCodePoint(0x61 + (index % 26)).repeat(40_000));
    for (const part of parts) {
      outgoing.add(part);
      outgoing.flush();
    }
    expect(writer.writableLength).toBeGreaterThan(0);
    let bytes = 0;
    const wrong: number[] = [];
    for await (const chunk of reader) {
      for (const byte of chunk as Buffer) {
        const [frame, place] = [Math.floor(bytes / 40_004), bytes % 40_004];
        if (place > 3 && byte !== 0x61 + (frame % 26)) wrong.push(bytes);
        bytes += 1;
      }
      if (bytes === parts.length * 40_004) break;
    }
    expect(wrong).toEqual([]);
    writer.destroy();
    server.close();
  });

  test("each frame of a dialer has a mask of its own", async () => {
    using pair = await openPair();
    const chunks: Buffer[] = [];
    const arrived = Promise.withResolvers<void>();
    pair.far.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      if (Buffer.concat(chunks).length === 7 * 3_000) arrived.resolve();
    });
    const outgoing = new OutgoingFrames(pair.near, true);
    for (let index = 0; index < 3_000; index += 1) outgoing.add("x");
    outgoing.flush();
    await arrived.promise;
    const bytes = Buffer.concat(chunks);
    const masks = Array.from({ length: 3_000 }, (_, index) => bytes.readUInt32BE(index * 7 + 2));
    // Of 3,000 draws from 2^32, two are alike once in a thousand runs; four hardly ever.
    expect(new Set(masks).size).toBeGreaterThan(2_997);
  });
});

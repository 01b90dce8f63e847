import { setTimeout as pass } from "node:timers/promises";
import { strangersPerAddressMax } from "../../src/remote/limits.ts";
import { RawClient, upgradeRequest, webSocketFrame } from "./fuzz-client.ts";
import { batchOf, tellOf } from "./fuzz-edges.ts";
import { helloOf } from "./fuzz-frames.ts";
import { atOnceMs, type SocketHouse } from "./fuzz-house.ts";

/** How far apart the bytes of a slow client are. */
const dripMs = 10;

const hello = JSON.stringify(helloOf({ node: "slow", inc: "i", codec: "json" }));

/** What a client does once it is connected, and what it must come to. */
interface Case {
  readonly name: string;
  /** An HTTP status, or a close code. */
  readonly due: number;
  /** Whose session is over by then. */
  readonly ends?: string;
  readonly run: (client: RawClient, port: number) => Promise<void>;
}

/** A slow client says each byte when it pleases; that is what is tried here, and nobody waits for a result with it. */
async function drip(client: RawClient, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length && !client.isClosed && client.code === undefined; at += 1) {
    client.say(bytes.subarray(at, at + 1));
    await pass(dripMs);
  }
}

async function upgrade(client: RawClient, port: number): Promise<void> {
  client.say(upgradeRequest(port));
  await client.until(() => client.status === 101, atOnceMs);
}

async function enter(client: RawClient, port: number, node: string): Promise<void> {
  await upgrade(client, port);
  client.say(webSocketFrame(JSON.stringify(helloOf({ node, inc: "i", codec: "json" }))));
  await client.until(() => client.frames.some((frame) => frame.includes('"W"')), atOnceMs);
}

const requests: readonly (readonly [name: string, due: number, text: (port: number) => string])[] = [
  ["another path", 404, (port) => upgradeRequest(port, { path: "/elsewhere" })],
  ["no codec that the node knows", 426, (port) => upgradeRequest(port, { protocol: "troupe.v1.morse" })],
  ["a foreign host", 403, (port) => upgradeRequest(port, { host: "elsewhere.example" })],
  ["no HTTP at all", 400, () => "\u0000\u0001\u0002 hello\r\n\r\n"],
  [
    "headers without end",
    431,
    (port) => upgradeRequest(port).replace("\r\n\r\n", `\r\nx: ${"y".repeat(20_000)}\r\n\r\n`),
  ],
];

const tell = JSON.stringify(batchOf(tellOf(1)));
const breaches: readonly (readonly [name: string, due: number, bytes: Buffer])[] = [
  ["a frame that is too large", 1009, webSocketFrame("x".repeat(1_048_577))],
  ["a frame that promises a terabyte", 1009, webSocketFrame("", { promised: 2 ** 40 })],
  ["a frame without a mask", 1002, webSocketFrame(tell, { masked: false })],
  ["a reserved bit", 1002, webSocketFrame(tell, { rsv: 4 })],
  ["a frame of no kind", 1002, webSocketFrame(tell, { opcode: 5 })],
  ["text that is no UTF-8", 1007, webSocketFrame(Buffer.of(0xff, 0xfe), { opcode: 1 })],
  [
    "a frame in more pieces than a node sends",
    1008,
    Buffer.concat(
      Array.from({ length: 20 }, (_, piece) => webSocketFrame("x", { opcode: piece === 0 ? 1 : 0, fin: false })),
    ),
  ],
];

const promptCases: readonly Case[] = [
  ...requests.map(([name, due, text]) => ({
    name,
    due,
    run: async (client: RawClient, port: number) => client.say(text(port)),
  })),
  ...breaches.map(([name, due, bytes], number) => ({
    name,
    due,
    ends: `breach${number}`,
    async run(client: RawClient, port: number) {
      await enter(client, port, `breach${number}`);
      client.say(bytes);
    },
  })),
  {
    name: "a stranger's frame that is too large",
    due: 4413,
    async run(client, port) {
      await upgrade(client, port);
      client.say(webSocketFrame("x".repeat(4_097)));
    },
  },
  {
    name: "a stranger's frame that is too large long before it is complete",
    due: 4413,
    async run(client, port) {
      await upgrade(client, port);
      client.say(webSocketFrame("x".repeat(20_000), { promised: 1_000_000 }));
    },
  },
  {
    name: "a message, byte by byte, which is taken, and a goodbye",
    due: 1000,
    async run(client, port) {
      await enter(client, port, "patient");
      const from = client.frames.length;
      await drip(client, webSocketFrame(tell));
      const acked = await client.until(
        () => client.frames.slice(from).some((frame) => frame.includes('"a":1')),
        atOnceMs,
      );
      if (acked) client.say(webSocketFrame(Buffer.of(0x03, 0xe8), { opcode: 8 }));
    },
  },
];

const slowCases: readonly Case[] = [
  {
    name: "headers, byte by byte",
    due: 408,
    run: (client, port) => drip(client, Buffer.from(upgradeRequest(port))),
  },
  {
    name: "half of a header, and nothing more",
    due: 408,
    run: async (client) => client.say("GET / HT"),
  },
  { name: "an upgrade, and nothing more", due: 4408, run: upgrade },
  {
    name: "half of a hello, and nothing more",
    due: 4408,
    async run(client, port) {
      await upgrade(client, port);
      client.say(webSocketFrame(hello).subarray(0, hello.length / 2));
    },
  },
  {
    name: "a hello, byte by byte",
    due: 4408,
    async run(client, port) {
      await upgrade(client, port);
      await drip(client, webSocketFrame(hello));
    },
  },
];

/** What breaks HTTP, WebSocket or a limit: each is answered at once. */
export function runPrompt(house: SocketHouse): Promise<string[]> {
  return runCases(house, promptCases, 0);
}

/** The slow and the halting: each is given its time, and no more. */
export function runSlow(house: SocketHouse, givenMs: number): Promise<string[]> {
  return runCases(house, slowCases, givenMs);
}

/** All side by side; gives what came to something else than was due to it. */
async function runCases(house: SocketHouse, cases: readonly Case[], givenMs: number): Promise<string[]> {
  const found = cases.map(async ({ name, due, ends, run }, number) => {
    const client = new RawClient(house.port, `127.0.1.${number + 1}`);
    const startedAt = performance.now();
    const said = run(client, house.port);
    const isAnswered = (): boolean =>
      client.code !== undefined || (client.status !== undefined && client.status !== 101);
    await client.until(() => isAnswered() || client.isClosed, givenMs + atOnceMs * 2);
    const tookMs = Math.round(performance.now() - startedAt);
    const came = client.code ?? client.status;
    client.end();
    await said;
    if (house.node.sessions.some(({ peer }) => peer === ends)) return [`${name}: its session goes on`];
    if (came !== due) return [`${name}: ${due} was due, and ${came ?? "nothing"} came within ${tookMs} ms`];
    return tookMs < givenMs - 1 ? [`${name}: sent away after ${tookMs} ms, not ${givenMs}`] : [];
  });
  return (await Promise.all(found)).flat();
}

/** Handshakes that stop after the upgrade, all at once from one address: a few wait, and the others are sent away. */
export async function floodBySockets(house: SocketHouse, connections = 100): Promise<string[]> {
  const clients = Array.from({ length: connections }, () => new RawClient(house.port, "127.0.2.1"));
  const refused = (): RawClient[] => clients.filter(({ code }) => code === 4429);
  for (const client of clients) client.say(upgradeRequest(house.port));
  const turnedAway = connections - strangersPerAddressMax;
  await clients.at(-1)?.until(() => clients.filter(({ code }) => code !== undefined).length >= turnedAway, atOnceMs);
  const found: string[] = [];
  const counts = { waiting: house.guests.strangers, refused: refused().length };
  if (counts.waiting !== strangersPerAddressMax || counts.refused !== turnedAway)
    found.push(`a flood of ${connections} handshakes came to ${JSON.stringify(counts)}`);
  if (!(await house.isUndisturbed())) found.push("an honest link was disturbed by a flood of handshakes");
  for (const client of clients) client.end();
  return found;
}

import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { attemptsMax, Link, retryFirstMs, retryLongestMs } from "../../src/inspect/link.ts";
import { outletBytesMax } from "../../src/inspect/outlet.ts";
import { Replay, type Message } from "../../src/inspect/replay.ts";
import { systemClock, type Clock, type Timer } from "../../src/ports/clock.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { LineLog, Receiver } from "./receiver.ts";

function message(text: string, type = "@xstate.event", sessionId = "x:1"): Message {
  return { type, sessionId, ended: false, text: JSON.stringify({ type, sessionId, text }) };
}

/** A port of loopback on which nobody listens. */
async function freePort(): Promise<number> {
  const receiver = await Receiver.open();
  const { port } = receiver;
  await receiver[Symbol.asyncDispose]();
  return port;
}

/** Waits for real sockets under a clock that stands still. */
async function untilWaiting(clock: FakeClock): Promise<void> {
  while (clock.waiting === 0) await clock.settle();
}

/** A clock on which every wait is over at the next turn, and remembered. */
class HurriedClock implements Clock {
  readonly waits: number[] = [];

  now(): number {
    return 0;
  }

  after(delayMs: number, fire: () => void): Timer {
    this.waits.push(delayMs);
    const turn = setImmediate(fire);
    return { cancel: () => clearImmediate(turn) };
  }
}

/** The server's answer to a client's key. Source: RFC 6455 §4.2.2. */
function acceptKey(key: string): string {
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}

describe("a link to an inspector elsewhere", () => {
  test("sends what came before the connection, and what comes after, in order", async () => {
    await using receiver = await Receiver.open();
    const replay = new Replay();
    replay.push(message("before"));
    const link = new Link(receiver.url, replay, { clock: new FakeClock(), log: new LineLog() });
    await receiver.inbox.until((got) => got.length === 1);
    replay.push(message("after"));
    await receiver.inbox.until((got) => got.length === 2);
    expect(receiver.inbox.messages.map((got) => (got as unknown as { text: string }).text)).toEqual([
      "before",
      "after",
    ]);
    await link.close();
    // The other end hears of it a little later.
    while (receiver.connections > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  test("sends everything that is queued when it is closed while it still connects", async () => {
    await using receiver = await Receiver.open();
    const replay = new Replay();
    const link = new Link(receiver.url, replay, { clock: new FakeClock(), log: new LineLog() });
    for (let index = 0; index < 500; index += 1) replay.push(message(`message ${index}`));
    await link.close();
    expect(receiver.inbox.messages).toHaveLength(500);
  });

  test("warns once where nobody answers, waits longer each time, and gives up after so many attempts", async () => {
    const clock = new HurriedClock();
    const log = new LineLog();
    const port = await freePort();
    const link = new Link(`ws://user:hunter2@127.0.0.1:${port}/?token=opaque`, new Replay(), { clock, log });
    while (log.of("info").length === 0) await new Promise((resolve) => setImmediate(resolve));
    const { waits } = clock;
    expect(waits).toHaveLength(attemptsMax - 1);
    expect(waits.slice(0, 4)).toEqual([retryFirstMs, retryFirstMs * 2, retryFirstMs * 4, retryFirstMs * 8]);
    expect(Math.max(...waits)).toBe(retryLongestMs);
    expect(log.lines).toEqual([
      {
        level: "warn",
        message: expect.stringMatching(
          `^the inspector at ws://127.0.0.1:${port}/ cannot be reached \\(.*ECONNREFUSED.*\\); the troupe runs on, and tries again$`,
        ),
      },
      { level: "info", message: `gave up on the inspector at ws://127.0.0.1:${port}/ after ${attemptsMax} attempts` },
    ]);
    await link.close();
  });

  test("tells an inspector that comes late, or comes back, all that is known", async () => {
    const clock = new FakeClock();
    const log = new LineLog();
    const replay = new Replay();
    const port = await freePort();
    const link = new Link(`ws://127.0.0.1:${port}`, replay, { clock, log });
    replay.push(message("chart", "@xstate.actor"));
    for (let index = 0; index < 3_000; index += 1) replay.push(message("noise"));
    await untilWaiting(clock);
    for (const _visit of [1, 2]) {
      const receiver = await Receiver.open(port);
      await clock.advance(retryFirstMs);
      await receiver.inbox.until((got) => got.length === 2_001);
      expect(receiver.inbox.messages[0]).toMatchObject({ type: "@xstate.actor", text: "chart" });
      await receiver[Symbol.asyncDispose]();
      await untilWaiting(clock);
    }
    expect(log.lines).toHaveLength(1);
    await link.close();
    expect(clock.waiting).toBe(0);
  });

  test("does not wait longer than it may for an inspector that does not read", async () => {
    // Accepts the connection and the upgrade, then reads nothing and answers nothing.
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.once("data", (data) => {
        const key = /sec-websocket-key: (.*)\r/i.exec(String(data))?.[1] ?? "";
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${acceptKey(key)}\r\n\r\n`,
        );
        socket.pause();
      });
    });
    const sockets: Socket[] = [];
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const clock = new FakeClock();
    const replay = new Replay();
    const { port } = server.address() as AddressInfo;
    const link = new Link(`ws://127.0.0.1:${port}`, replay, { clock, log: new LineLog() });
    await once(server, "connection");
    const large = message("x".repeat(outletBytesMax / 8));
    for (let index = 0; index < 60; index += 1) {
      replay.push(large);
      await clock.settle();
    }
    const closed = link.close();
    await untilWaiting(clock);
    await clock.advance(1_000);
    await closed;
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
});

describe("closing a link", () => {
  test("before anything was reached ends the attempts at once", async () => {
    const clock = new FakeClock();
    const link = new Link(`ws://127.0.0.1:${await freePort()}`, new Replay(), { clock, log: new LineLog() });
    await untilWaiting(clock);
    await link.close();
    expect(clock.waiting).toBe(0);
  });

  test("while the first attempt fails waits for nothing but that", async () => {
    const log = new LineLog();
    const link = new Link(`ws://127.0.0.1:${await freePort()}`, new Replay(), { clock: systemClock, log });
    await link.close();
    expect(log.lines).toEqual([]);
  });
});

import { execFile } from "node:child_process";
import { once } from "node:events";
import { request } from "node:http";
import { networkInterfaces } from "node:os";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { Bridge, bridgeClientsMax, goodbyeMs, relayedBytesMax } from "../../src/inspect/bridge.ts";
import { Replay } from "../../src/inspect/replay.ts";
import { systemClock } from "../../src/ports/clock.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { rootFolder } from "../house/source-files.ts";
import { Inbox } from "./receiver.ts";

const run = promisify(execFile);
const inspectorUrl = "https://stately.ai/inspect";

let replay: Replay;
let bridge: Bridge;

beforeEach(async () => {
  replay = new Replay();
  bridge = await Bridge.open(replay, { port: 0, inspectorUrl, clock: systemClock });
});

afterEach(() => bridge.close());

function event(text: string, sessionId = "x:1"): string {
  return JSON.stringify({ type: "@xstate.event", sessionId, event: { type: text }, _version: "0.7.2" });
}

function push(text: string): void {
  replay.push({ type: "@xstate.event", sessionId: "x:1", ended: false, text: event(text) });
}

/** Connects, and resolves with the inbox of the socket. */
async function join(
  headers: Record<string, string> = {},
  { url }: Bridge = bridge,
): Promise<{ socket: WebSocket; inbox: Inbox }> {
  const socket = new WebSocket(url, { headers });
  const inbox = new Inbox();
  socket.on("message", (data) => inbox.hear(data));
  await once(socket, "open");
  return { socket, inbox };
}

/** The status with which an upgrade is refused. */
async function refusal(headers: Record<string, string>): Promise<number | undefined> {
  const socket = new WebSocket(bridge.url, { headers });
  const [, response] = (await once(socket, "unexpected-response")) as [unknown, { statusCode?: number }];
  socket.on("error", () => undefined);
  socket.terminate();
  return response.statusCode;
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: Record<string, unknown>;
  readonly text: string;
}

async function get(path: string, options: { host?: string; method?: string } = {}): Promise<Answer> {
  const { port } = new URL(bridge.url);
  const asked = request({
    host: "127.0.0.1",
    port,
    path,
    method: options.method ?? "GET",
    headers: options.host === undefined ? {} : { host: options.host },
  }).end();
  const [response] = await once(asked, "response");
  let text = "";
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode, headers: response.headers, text };
}

describe("the page", () => {
  test("shows the inspector in a frame, may talk to nobody else, and is kept by no cache", async () => {
    const page = await get("/");
    expect(page).toMatchObject({
      status: 200,
      headers: { "cache-control": "no-store", "x-content-type-options": "nosniff" },
    });
    expect(page.text).toContain(`data-inspector="${inspectorUrl}"`);
    expect(page.headers["content-security-policy"]).toBe(
      [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        `connect-src ws://127.0.0.1:${new URL(bridge.url).port}`,
        "frame-src https://stately.ai https://*.stately.ai",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
      ].join("; "),
    );
    expect((await get("/bridge.js")).headers["content-type"]).toBe("text/javascript; charset=utf-8");
    expect((await get("/bridge.css")).headers["content-type"]).toBe("text/css; charset=utf-8");
    expect(await get("/", { method: "HEAD" })).toMatchObject({ status: 200, text: "" });
  });

  test("an address of an inspector cannot break out of its attribute", async () => {
    const odd = await Bridge.open(replay, {
      port: 0,
      inspectorUrl: 'https://x.example/?"><script>',
      clock: systemClock,
    });
    const page = await (await fetch(odd.url)).text();
    expect(page).not.toContain('"><script>');
    await odd.close();
  });

  test("other paths, other methods and other names of this machine are refused", async () => {
    expect(await get("/etc/passwd")).toMatchObject({ status: 404 });
    expect(await get("/", { method: "POST" })).toMatchObject({ status: 405, headers: { allow: "GET, HEAD" } });
    expect(await get("/", { host: "evil.example" })).toMatchObject({ status: 403 });
    expect(await get("/", { host: `localhost:${new URL(bridge.url).port}` })).toMatchObject({ status: 200 });
  });
});

describe("who may listen", () => {
  test("our own page and programs may; other sites and other names may not", async () => {
    const { port, origin, host } = new URL(bridge.url);
    for (const allowed of [{}, { origin }, { origin: `http://localhost:${port}` }])
      (await join(allowed)).socket.terminate();
    expect(await refusal({ origin: "https://evil.example" })).toBe(403);
    expect(await refusal({ origin: "null" })).toBe(403);
    expect(await refusal({ origin: `https://${host}` })).toBe(403);
    expect(await refusal({ host: "evil.example" })).toBe(403);
  });

  test("nobody from another machine: only loopback is listened on", async () => {
    const { port } = new URL(bridge.url);
    const outside = Object.values(networkInterfaces()).flatMap((list) =>
      (list ?? []).filter((entry) => !entry.internal && entry.family === "IPv4").map((entry) => entry.address),
    );
    // On a machine with no other address there is nothing to be reached by.
    for (const address of outside) {
      await expect(fetch(`http://${address}:${port}/`)).rejects.toThrow("fetch failed");
    }
    expect(bridge.url).toBe(`http://127.0.0.1:${port}/`);
  });

  test("only so many at once", async () => {
    const clients = await Promise.all(Array.from({ length: bridgeClientsMax }, () => join()));
    expect(await refusal({})).toBe(503);
    const first = clients[0]?.socket;
    first?.close();
    if (first !== undefined) await once(first, "close");
    for (let status: number | undefined = 503; status === 503;) {
      const late = new WebSocket(bridge.url);
      late.on("error", () => undefined);
      status = await Promise.race([
        once(late, "open").then(() => undefined),
        once(late, "unexpected-response").then(() => 503),
      ]);
    }
  });
});

describe("what is relayed", () => {
  test("a page that comes late is told what went before", async () => {
    push("one");
    const { inbox } = await join();
    push("two");
    await inbox.until((got) => got.length === 2);
    expect(inbox.messages.map((got) => got.event?.type)).toEqual(["one", "two"]);
  });

  test("what another process sends, every other client gets, and it does not get it back", async () => {
    const [feeder, viewer] = await Promise.all([join(), join()]);
    feeder.socket.send(event("from afar", "y:1"));
    await viewer.inbox.until((got) => got.length === 1);
    push("from here");
    await Promise.all(
      [feeder, viewer].map(({ inbox }) => inbox.until((got) => got.at(-1)?.event?.type === "from here")),
    );
    expect(feeder.inbox.messages).toHaveLength(1);
    expect(viewer.inbox.messages.map((got) => got.sessionId)).toEqual(["y:1", "x:1"]);
  });

  test("the package's own inspector can feed it, and the package's own receiver can watch it", async () => {
    // In a process of its own, as a user runs them: the test runner resolves the package's socket library otherwise.
    const program = `
      import { createWebSocketInspector, createWebSocketReceiver } from "@statelyai/inspect";
      const url = ${JSON.stringify(bridge.url.replace("http", "ws"))};
      createWebSocketReceiver({ server: url }).subscribe((event) => {
        console.log(JSON.stringify(event));
        process.exit(0);
      });
      createWebSocketInspector({ url }).actor("lamp", { status: "active", context: { on: true } });
    `;
    const { stdout } = await run(process.execPath, ["--input-type=module", "-e", program], { cwd: rootFolder });
    const seen = { type: "@xstate.actor", sessionId: "lamp", snapshot: { context: { on: true } } };
    expect(JSON.parse(stdout)).toMatchObject(seen);
    const { inbox } = await join();
    await inbox.until((got) => got.length === 1);
    expect(inbox.messages[0]).toMatchObject(seen);
  });

  test.each([
    ["no JSON", "hello", 1008],
    ["no event of the protocol", '{"type":"other","sessionId":"x:1"}', 1008],
    ["bytes", Buffer.from(event("x")), 1008],
    ["too much", event("x".repeat(relayedBytesMax)), 1009],
  ])("a client that sends %s is sent away, and the others stay", async (_what, data, code) => {
    const [rude, viewer] = await Promise.all([join(), join()]);
    rude.socket.send(data);
    expect((await once(rude.socket, "close"))[0]).toBe(code);
    push("still here");
    await viewer.inbox.until((got) => got.length === 1);
    expect(viewer.inbox.messages[0]?.event?.type).toBe("still here");
  });

  test("notices go to pages, now and later, and to no program", async () => {
    const { origin } = new URL(bridge.url);
    const [page, program] = await Promise.all([join({ origin }), join()]);
    bridge.notify("actors", "too many actors");
    bridge.notify("events", "too many events");
    await page.inbox.until((got) => got.length === 2);
    const late = await join({ origin });
    await late.inbox.until((got) => got.length === 1);
    expect(late.inbox.messages).toEqual([{ type: "@troupe.notice", text: "too many actors · too many events" }]);
    push("last");
    await program.inbox.until((got) => got.length === 1);
    expect(program.inbox.messages[0]?.type).toBe("@xstate.event");
  });
});

describe("opening and closing", () => {
  test("a port that is taken is named, with the way out", async () => {
    const port = Number(new URL(bridge.url).port);
    await expect(Bridge.open(replay, { port, inspectorUrl, clock: systemClock })).rejects.toMatchObject({
      code: "usage/invalid-options",
      message: expect.stringMatching(
        `^inspect.port: 127.0.0.1:${port} cannot be listened on .*EADDRINUSE.*choose another`,
      ),
    });
  });

  test("closing hands over what is queued and says goodbye", async () => {
    const patient = await Bridge.open(replay, { port: 0, inspectorUrl, clock: new FakeClock() });
    const { socket, inbox } = await join({}, patient);
    for (let index = 0; index < 1_000; index += 1) push(`event ${index}`);
    const closed = once(socket, "close");
    await patient.close();
    expect((await closed)[0]).toBe(1001);
    expect(inbox.messages).toHaveLength(1_000);
  });

  test("closing does not wait for a client that has stopped reading", async () => {
    const clock = new FakeClock();
    const patient = await Bridge.open(replay, { port: 0, inspectorUrl, clock });
    const { socket } = await join({}, patient);
    socket.pause();
    for (let index = 0; index < 200; index += 1) push("x".repeat(100_000));
    let isClosed = false;
    const closed = patient.close().then(() => (isClosed = true));
    await clock.advance(goodbyeMs - 1);
    expect(isClosed).toBe(false);
    await clock.advance(1);
    await closed;
    socket.terminate();
  });
});

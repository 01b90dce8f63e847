import { connect } from "node:net";
import { request, type IncomingHttpHeaders } from "node:http";
import { describe, expect, test } from "vitest";
import { isTroupeError } from "../../src/errors.ts";
import { HttpDoor } from "../../src/listen/door.ts";
import { checkPolicy, findRefusal, isLoopback } from "../../src/listen/policy.ts";
import { checkDialUrl } from "../../src/remote/websocket-transport.ts";

function refusalOf(run: () => unknown): string {
  try {
    run();
    return "";
  } catch (error) {
    if (!isTroupeError(error, "usage/invalid-options")) throw error;
    return error.message;
  }
}

function ask(door: HttpDoor, path: string, headers: IncomingHttpHeaders = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request({ port: door.port, host: "127.0.0.1", path, headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.once("error", reject);
    asked.end();
  });
}

/** The status line of a request to upgrade, sent by hand. */
function askUpgrade(door: HttpDoor, path: string, headers: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(door.port, "127.0.0.1");
    let text = "";
    socket.on("data", (chunk) => (text += chunk.toString("latin1")));
    socket.on("close", () => resolve(text.split("\r\n")[0] ?? ""));
    socket.on("error", reject);
    socket.write(
      [`GET ${path} HTTP/1.1`, "connection: upgrade", "upgrade: websocket", ...headers, "", ""].join("\r\n"),
    );
  });
}

describe("a policy", () => {
  test.each(["127.0.0.1", "127.3.2.1", "::1", "localhost"])("%s is this machine's own address", (host) => {
    expect(isLoopback(host)).toBe(true);
    expect(refusalOf(() => checkPolicy({ host, port: 0, authenticated: false }))).toBe("");
  });

  test.each(["0.0.0.0", "::", "192.168.0.7", "node.example", "127.0.0.1.example"])(
    "%s is refused without authentication, with the way out",
    (host) => {
      const refusal = refusalOf(() => checkPolicy({ host, port: 0, authenticated: false }));
      expect(refusal).toContain(host);
      expect(refusal).toContain("give auth, or listen on 127.0.0.1");
      expect(refusalOf(() => checkPolicy({ host, port: 0, authenticated: true }))).toBe("");
    },
  );

  test.each([-1, 65_536, 1.5])("port %d is none", (port) => {
    expect(refusalOf(() => checkPolicy({ port, authenticated: true }))).toContain(String(port));
  });

  const local = { port: 0, authenticated: false } as const;
  const open = { host: "0.0.0.0", port: 0, authenticated: true } as const;
  test.each([
    ["its own name", { host: "127.0.0.1:80" }, local, undefined],
    ["localhost", { host: "localhost:80" }, local, undefined],
    ["another port", { host: "127.0.0.1:81" }, local, /own address/],
    ["a name that was pointed here", { host: "evil.example:80" }, local, /own address/],
    ["no name at all", {}, local, /own address/],
    ["its own page", { host: "localhost:80", origin: "http://localhost:80" }, local, undefined],
    ["a page of another site", { host: "localhost:80", origin: "http://evil.example" }, local, /page/],
    ["a sandboxed page", { host: "localhost:80", origin: "null" }, local, /page/],
    [
      "a page that is allowed",
      { host: "localhost:80", origin: "https://good.example" },
      { ...local, origins: ["https://good.example"] },
      undefined,
    ],
    [
      "a page of another scheme at its own address",
      { host: "localhost:80", origin: "https://localhost:80" },
      local,
      /page/,
    ],
    [
      "a page at its outer name, where something else ends the TLS",
      { host: "b.example", origin: "https://b.example" },
      { ...open, hosts: ["b.example"] },
      undefined,
    ],
    ["any name off loopback", { host: "node.example" }, open, undefined],
    ["a page off loopback", { host: "node.example", origin: "https://node.example" }, open, /page/],
    ["another name than the listed", { host: "a.example" }, { ...open, hosts: ["b.example"] }, /own address/],
  ])("%s", (_, headers, policy, expected) => {
    const refusal = findRefusal(headers, policy, 80);
    if (expected === undefined) expect(refusal).toBe(undefined);
    else expect(refusal).toMatch(expected);
  });
});

describe("a door", () => {
  test("answers what is mounted on it, and refuses what comes under another name", async () => {
    await using door = await HttpDoor.open({ port: 0, authenticated: false });
    door.serve("/here", (_, response) => void response.writeHead(204).end());
    expect(await ask(door, "/here?x=1")).toBe(204);
    expect(await ask(door, "/there")).toBe(404);
    expect(await ask(door, "/here", { host: "evil.example" })).toBe(403);
    expect(await ask(door, "/here", { origin: "http://evil.example" })).toBe(403);
    expect(door.address("http")).toBe(`http://127.0.0.1:${door.port}/`);
  });

  test("upgrades only where something is mounted, and only for whom the policy lets in", async () => {
    await using door = await HttpDoor.open({ port: 0, authenticated: false });
    door.upgrade("/up", (_, socket) => void socket.end("HTTP/1.1 101 Switching Protocols\r\n\r\n"));
    const host = `host: 127.0.0.1:${door.port}`;
    expect(await askUpgrade(door, "/up", [host])).toContain("101");
    expect(await askUpgrade(door, "/other", [host])).toContain("404");
    expect(await askUpgrade(door, "/up", ["host: evil.example"])).toContain("403");
    expect(await askUpgrade(door, "/up", [host, "origin: http://evil.example"])).toContain("403");
  });

  test("an address that is taken is a usage error that names it", async () => {
    await using door = await HttpDoor.open({ port: 0, authenticated: false });
    await expect(HttpDoor.open({ port: door.port, authenticated: false })).rejects.toThrow(
      new RegExp(`127.0.0.1:${door.port} cannot be listened on`),
    );
  });

  test("closing drops connections that were upgraded", async () => {
    const door = await HttpDoor.open({ port: 0, authenticated: false });
    const { promise, resolve } = Promise.withResolvers<void>();
    door.upgrade("/up", (_, socket) => void socket.write("HTTP/1.1 101 Switching Protocols\r\n\r\n", () => resolve()));
    const held = askUpgrade(door, "/up", [`host: 127.0.0.1:${door.port}`]);
    await promise;
    await door[Symbol.asyncDispose]();
    expect(await held).toContain("101");
  });
});

describe("an address to dial", () => {
  test.each(["ws://u:secret@host/", "ws://host/?token=secret", "ws://host/#secret"])(
    "%s is refused, without its secret",
    (url) => {
      const refusal = refusalOf(() => checkDialUrl(url));
      expect(refusal).toMatch(/secrets belong into auth/);
      expect(refusal).not.toContain("secret@");
      expect(refusal).not.toContain("token");
    },
  );

  test("is a WebSocket address", () => {
    expect(refusalOf(() => checkDialUrl("http://host/"))).toMatch(/ws:\/\/host:port/);
    expect(refusalOf(() => checkDialUrl("host"))).toMatch(/ws:\/\/host:port/);
    expect(refusalOf(() => checkDialUrl("wss://host:7700/"))).toBe("");
  });
});

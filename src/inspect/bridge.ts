import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { WebSocketServer, type RawData, type WebSocket } from "ws";
import { TroupeError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import { failureText } from "./failure-text.ts";
import { readMessage } from "./message.ts";
import { Outlet } from "./outlet.ts";
import { contentPolicy, pageScript, pageStyle, renderPage } from "./page.ts";
import type { Replay } from "./replay.ts";

/** Pages and other processes connected at once; a further one is refused with status 503. */
export const bridgeClientsMax = 32;
/** Largest message from another process; a larger one ends its connection (WebSocket status 1009). */
export const relayedBytesMax = 1_048_576;
/** Longest wait, when the bridge closes, for clients to take what is queued and say goodbye. */
export const goodbyeMs = 1_000;

/** Never anything else: the bridge knows no users, so it must not be reached from other machines. */
const loopback = "127.0.0.1";

/** The bare socket of a request to upgrade. */
type Duplex = Parameters<WebSocketServer["handleUpgrade"]>[1];

interface Client {
  readonly socket: WebSocket;
  readonly outlet: Outlet;
  readonly isPage: boolean;
}

/**
 * The inspector's server on this machine's loopback address: it serves the page, and speaks the protocol of
 * `@statelyai/inspect`'s own server: what one client sends, every other client gets, late ones from the replay.
 * Source: docs/decisions/0011 (why not that server).
 */
export class Bridge {
  readonly url: string;
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: relayedBytesMax, perMessageDeflate: false });
  readonly #replay: Replay;
  readonly #clock: Clock;
  readonly #inspectorUrl: string;
  readonly #hosts: ReadonlySet<string>;
  readonly #clients = new Set<Client>();
  readonly #notices = new Map<string, string>();
  #closing = false;

  private constructor(server: Server, replay: Replay, options: { clock: Clock; inspectorUrl: string }) {
    const { port } = server.address() as { readonly port: number };
    this.url = `http://${loopback}:${port}/`;
    this.#hosts = new Set([`${loopback}:${port}`, `localhost:${port}`]);
    this.#server = server;
    this.#replay = replay;
    this.#clock = options.clock;
    this.#inspectorUrl = options.inspectorUrl;
    server.on("request", (request: IncomingMessage, response: ServerResponse) => this.#serve(request, response));
    server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#upgrade(request, socket, head),
    );
  }

  /** Errors: throws `usage/invalid-options` when the port cannot be listened on. */
  static async open(
    replay: Replay,
    options: { readonly port: number; readonly clock: Clock; readonly inspectorUrl: string },
  ): Promise<Bridge> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once("listening", resolve);
      server.once("error", (error) => {
        const message = `inspect.port is ${options.port}, which cannot be listened on (${failureText(error)}); choose another, or leave it out for any free one`;
        reject(new TroupeError("usage/invalid-options", message, { cause: error }));
      });
      server.listen(options.port, loopback);
    });
    return new Bridge(server, replay, options);
  }

  /** Shows a line on every page, now and later, in the place of an earlier one about the same subject. */
  notify(subject: string, text: string): void {
    this.#notices.set(subject, text);
    for (const client of this.#clients) if (client.isPage) this.#tell(client.socket);
  }

  #tell(socket: WebSocket): void {
    socket.send(JSON.stringify({ type: "@troupe.notice", text: [...this.#notices.values()].join(" · ") }));
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const { host = "" } = request.headers;
    if (!this.#hosts.has(host)) return answer(response, 403, "This page answers to its own address only.\n");
    if (request.method !== "GET" && request.method !== "HEAD")
      return answer(response, 405, "Only GET and HEAD.\n", { allow: "GET, HEAD" });
    const page = this.#pages(host).get(request.url ?? "");
    if (page === undefined) return answer(response, 404, "Nothing is here; the page is at /.\n");
    answer(response, 200, page.text, page.headers);
  }

  #pages(host: string): ReadonlyMap<string, { readonly text: string; readonly headers: Record<string, string> }> {
    const html = {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": contentPolicy(this.#inspectorUrl, `http://${host}`),
    };
    return new Map([
      ["/", { text: renderPage(this.#inspectorUrl), headers: html }],
      ["/bridge.js", { text: pageScript, headers: { "content-type": "text/javascript; charset=utf-8" } }],
      ["/bridge.css", { text: pageStyle, headers: { "content-type": "text/css; charset=utf-8" } }],
    ]);
  }

  /** A browser names the site that asks; only our own page may. A program names none. */
  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Until the upgrade nobody else hears an error of this socket, which would end the process.
    const drop = (): void => void socket.destroy();
    socket.on("error", drop);
    const { host = "", origin } = request.headers;
    if (!this.#hosts.has(host)) return refuse(socket, "403 Forbidden");
    if (origin !== undefined && !this.#hosts.has(origin.replace(/^http:\/\//, "")))
      return refuse(socket, "403 Forbidden");
    if (this.#closing || this.#clients.size >= bridgeClientsMax) return refuse(socket, "503 Service Unavailable");
    socket.off("error", drop);
    this.#sockets.handleUpgrade(request, socket, head, (client) => this.#join(client, origin !== undefined));
  }

  #join(socket: WebSocket, isPage: boolean): void {
    const client = { socket, isPage, outlet: new Outlet(this.#replay, socket) };
    this.#clients.add(client);
    socket.on("close", () => {
      client.outlet.end();
      this.#clients.delete(client);
    });
    // The socket closes itself after an error; what it was does not matter to the others.
    socket.on("error", () => socket.terminate());
    socket.on("message", (data, isBinary) => this.#relay(socket, data, isBinary));
    if (isPage && this.#notices.size > 0) this.#tell(socket);
  }

  #relay(socket: WebSocket, data: RawData, isBinary: boolean): void {
    const message = isBinary ? undefined : readMessage((data as Buffer).toString("utf8"));
    if (message === undefined) socket.close(1008, "not an inspection event");
    else this.#replay.push({ ...message, from: socket });
  }

  /** Lets clients take what is queued, within `goodbyeMs`, and leaves nothing open. */
  async close(): Promise<void> {
    this.#closing = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const limit = this.#clock.after(goodbyeMs, () => {
      for (const { socket } of this.#clients) socket.terminate();
    });
    await Promise.all([...this.#clients].map(sayGoodbye));
    limit.cancel();
    this.#server.closeAllConnections();
    await closed;
  }
}

async function sayGoodbye({ socket, outlet }: Client): Promise<void> {
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  await outlet.drain();
  socket.close(1001, "the troupe has closed");
  if (socket.readyState !== socket.CLOSED) await closed;
}

function answer(response: ServerResponse, status: number, text: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    ...headers,
  });
  response.end(text);
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}

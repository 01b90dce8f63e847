import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { WebSocketServer, type RawData, type WebSocket } from "ws";
import { isTroupeError, TroupeError } from "../errors.ts";
import { HttpDoor, refuseUpgrade } from "../listen/door.ts";
import type { Clock } from "../ports/clock.ts";
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
  readonly #door: HttpDoor;
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: relayedBytesMax, perMessageDeflate: false });
  readonly #replay: Replay;
  readonly #clock: Clock;
  readonly #clients = new Set<Client>();
  readonly #notices = new Map<string, string>();
  #closing = false;

  private constructor(door: HttpDoor, replay: Replay, { clock, inspectorUrl }: { clock: Clock; inspectorUrl: string }) {
    this.url = door.address("http");
    this.#door = door;
    this.#replay = replay;
    this.#clock = clock;
    const files = {
      "/": { type: "text/html", text: renderPage(inspectorUrl) },
      "/bridge.js": { type: "text/javascript", text: pageScript },
      "/bridge.css": { type: "text/css", text: pageStyle },
    };
    for (const [path, { type, text }] of Object.entries(files))
      door.serve(path, ({ method, headers }, response) => {
        if (method !== "GET" && method !== "HEAD")
          return answer(response, 405, "Only GET and HEAD.\n", { allow: "GET, HEAD" });
        answer(response, 200, text, {
          "content-type": `${type}; charset=utf-8`,
          "content-security-policy": contentPolicy(inspectorUrl, `http://${headers.host ?? ""}`),
        });
      });
    door.upgrade("/", (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** Errors: throws `usage/invalid-options` when the port cannot be listened on. */
  static async open(
    replay: Replay,
    options: { readonly port: number; readonly clock: Clock; readonly inspectorUrl: string },
  ): Promise<Bridge> {
    try {
      // The bridge knows no users, so it must not be reached from other machines: without them a door is on loopback.
      return new Bridge(await HttpDoor.open({ port: options.port, authenticated: false }), replay, options);
    } catch (problem) {
      if (!isTroupeError(problem)) throw problem;
      throw new TroupeError("usage/invalid-options", `inspect.port: ${problem.message}`, { cause: problem });
    }
  }

  /** Shows a line on every page, now and later, in the place of an earlier one about the same subject. */
  notify(subject: string, text: string): void {
    this.#notices.set(subject, text);
    for (const client of this.#clients) if (client.isPage) this.#tell(client.socket);
  }

  #tell(socket: WebSocket): void {
    socket.send(JSON.stringify({ type: "@troupe.notice", text: [...this.#notices.values()].join(" · ") }));
  }

  /** A browser names the page that asks, which the door lets through where it is our own. A program names none. */
  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    if (this.#closing || this.#clients.size >= bridgeClientsMax)
      return refuseUpgrade(socket, "503 Service Unavailable");
    const isPage = request.headers.origin !== undefined;
    this.#sockets.handleUpgrade(request, socket, head, (client) => this.#join(client, isPage));
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
    const limit = this.#clock.after(goodbyeMs, () => {
      for (const { socket } of this.#clients) socket.terminate();
    });
    await Promise.all([...this.#clients].map(sayGoodbye));
    limit.cancel();
    await this.#door[Symbol.asyncDispose]();
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

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocketServer, type RawData, type WebSocket } from "ws";
import type { LogLevel } from "../../src/ports/log.ts";

/** One message of the inspector's protocol as a receiver reads it. */
export interface Received {
  readonly type: string;
  readonly sessionId: string;
  readonly rootId?: string;
  readonly parentId?: string;
  readonly sourceId?: string;
  readonly name?: string;
  readonly definition?: string;
  readonly snapshot?: { readonly status?: string; readonly value?: unknown; readonly context?: unknown };
  readonly event?: { readonly type: string };
  readonly _version: string;
}

/** What came over a socket, and a way to wait for what is to come. */
export class Inbox {
  readonly messages: Received[] = [];
  readonly #waiting = new Set<() => void>();

  hear(data: RawData): void {
    this.messages.push(JSON.parse((data as Buffer).toString("utf8")) as Received);
    for (const look of this.#waiting) look();
  }

  /** Resolves when `isThere` holds; the test's own time limit ends the wait. */
  async until(isThere: (messages: readonly Received[]) => boolean): Promise<void> {
    if (isThere(this.messages)) return;
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (!isThere(this.messages)) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
    });
  }

  ofType(type: "actor" | "event" | "snapshot"): Received[] {
    return this.messages.filter((message) => message.type === `@xstate.${type}`);
  }

  /** The active states that were shown of an actor, in order. */
  states(sessionId: string | null | undefined): unknown[] {
    return this.ofType("snapshot").flatMap((message) =>
      message.sessionId === sessionId ? [message.snapshot?.value] : [],
    );
  }
}

/** An inspector's end of the wire: a WebSocket server on loopback that remembers all it is told. */
export class Receiver implements AsyncDisposable {
  readonly inbox = new Inbox();
  readonly port: number;
  readonly #server: WebSocketServer;
  readonly #sockets = new Set<WebSocket>();

  private constructor(server: WebSocketServer) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("message", (data) => this.inbox.hear(data));
    });
  }

  static async open(port = 0): Promise<Receiver> {
    const server = new WebSocketServer({ host: "127.0.0.1", port });
    await once(server, "listening");
    return new Receiver(server);
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  /** Connections that are open now. */
  get connections(): number {
    return this.#sockets.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** A log that keeps its lines. */
export class LineLog {
  readonly lines: { readonly level: LogLevel; readonly message: string }[] = [];

  write(level: LogLevel, message: string): void {
    this.lines.push({ level, message });
  }

  of(level: LogLevel): string[] {
    return this.lines.flatMap((line) => (line.level === level ? [line.message] : []));
  }
}

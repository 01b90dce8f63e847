import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { TroupeError } from "../errors.ts";
import { checkPolicy, findRefusal, loopbackHost, type ListenPolicy } from "./policy.ts";
import { tlsOptions } from "./tls.ts";

/** Connections open at once at one door; a further one is dropped. */
export const connectionsMax = 16_384;
/** How long a client may take to send the headers of a request. */
export const headersTimeoutMs = 5_000;
/** How long a client may take to send a whole request. */
export const requestTimeoutMs = 30_000;
/** How long a client may take over the handshake of TLS. */
export const tlsTimeoutMs = 5_000;
/** Bytes of all headers of one request; more are answered with status 431. */
export const headersBytesMax = 16_384;

/** What may be set otherwise than Troupe proposes. */
export interface DoorPace {
  readonly headersTimeoutMs?: number;
  /** How often it is looked who takes too long. */
  readonly checkMs?: number;
}

export type ServeRequest = (request: IncomingMessage, response: ServerResponse) => void;
export type ServeUpgrade = (request: IncomingMessage, socket: Socket, head: Buffer) => void;

/** One listening address with its policy. Rooms mount on it; none of them opens a port of its own. */
export class HttpDoor implements AsyncDisposable {
  readonly port: number;
  readonly host: string;
  readonly #server: Server;
  readonly #policy: ListenPolicy;
  readonly #requests = new Map<string, ServeRequest>();
  readonly #upgrades = new Map<string, ServeUpgrade>();
  readonly #upgraded = new Set<Socket>();

  private constructor(server: Server, policy: ListenPolicy) {
    const address = server.address() as { readonly port: number };
    this.port = address.port;
    this.host = policy.host ?? loopbackHost;
    this.#server = server;
    this.#policy = policy;
    server.on("request", (request: IncomingMessage, response: ServerResponse) => this.#serve(request, response));
    server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) =>
      this.#upgrade(request, socket, head),
    );
  }

  /** Errors: throws `usage/invalid-options` for a policy that would stand open, or an address that cannot be had. */
  static async open(policy: ListenPolicy, pace: DoorPace = {}): Promise<HttpDoor> {
    checkPolicy(policy);
    const { host = loopbackHost, port } = policy;
    const server = makeServer(policy, pace);
    server.maxConnections = connectionsMax;
    await new Promise<void>((resolve, reject) => {
      server.once("listening", resolve);
      server.once("error", (error) => {
        const message = `${host}:${port} cannot be listened on (${error.message}); choose another port, or 0 for any free one`;
        reject(new TroupeError("usage/invalid-options", message, { cause: error }));
      });
      server.listen(port, host);
    });
    return new HttpDoor(server, policy);
  }

  /** The address to reach it at, with this scheme. */
  address(scheme: "http" | "ws"): string {
    const host = this.host.includes(":") ? `[${this.host}]` : this.host;
    return `${scheme}${this.#policy.tls === undefined ? "" : "s"}://${host}:${this.port}/`;
  }

  /** Answers requests for exactly this path. */
  serve(path: string, serve: ServeRequest): void {
    this.#requests.set(path, serve);
  }

  /** Takes connections that ask at exactly this path to become something else. */
  upgrade(path: string, serve: ServeUpgrade): void {
    this.#upgrades.set(path, serve);
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const stranger = this.#findStranger(request.socket);
    if (stranger !== undefined) return answer(response, 401, stranger);
    const refusal = findRefusal(request.headers, this.#policy, this.port);
    if (refusal !== undefined) return answer(response, 403, refusal);
    const serve = this.#requests.get(pathOf(request));
    if (serve === undefined) return answer(response, 404, "nothing is here");
    serve(request, response);
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    // An error of the bare socket, which nobody else hears, would end the process.
    socket.on("error", () => socket.destroy());
    const stranger = this.#findStranger(socket);
    if (stranger !== undefined) return refuseUpgrade(socket, "401 Unauthorized", stranger);
    const refusal = findRefusal(request.headers, this.#policy, this.port);
    if (refusal !== undefined) return refuseUpgrade(socket, "403 Forbidden");
    const serve = this.#upgrades.get(pathOf(request));
    if (serve === undefined) return refuseUpgrade(socket, "404 Not Found");
    this.#upgraded.add(socket);
    socket.once("close", () => this.#upgraded.delete(socket));
    serve(request, socket, head);
  }

  /**
   * Why a client's certificate is not taken, or undefined. It is judged here and not in the handshake of TLS, where a
   * client that is refused sees a broken connection and never why.
   */
  #findStranger(socket: Socket): string | undefined {
    if (this.#policy.tls?.ca === undefined) return undefined;
    const { authorized, authorizationError } = socket as TLSSocket;
    if (authorized) return undefined;
    // As Node.js says it: a code, or an error with one.
    const said = authorizationError as unknown as string | { readonly code?: string } | null;
    const code = (typeof said === "string" ? said : said?.code) ?? "";
    // What an absent certificate is called by OpenSSL.
    if (code === "UNABLE_TO_GET_ISSUER_CERT" && Object.keys((socket as TLSSocket).getPeerCertificate()).length === 0)
      return "a certificate is asked for, and none came";
    return `the certificate is not accepted: ${code}`;
  }

  /** Stops listening and drops every connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    for (const socket of this.#upgraded) socket.destroy();
    await closed;
  }
}

function makeServer({ tls }: ListenPolicy, pace: DoorPace): Server {
  const options = {
    maxHeaderSize: headersBytesMax,
    headersTimeout: pace.headersTimeoutMs ?? headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: pace.checkMs ?? 1_000,
  };
  if (tls === undefined) return createServer(options);
  const secure = {
    ...tlsOptions(tls),
    requestCert: tls.ca !== undefined,
    rejectUnauthorized: false,
    handshakeTimeout: tlsTimeoutMs,
  };
  return createSecureServer({ ...options, ...secure });
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? "").split("?")[0] ?? "";
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  response.end(`${text}\n`);
}

/** Answers a request to upgrade with a status and a reason in ASCII, and hangs up. */
export function refuseUpgrade(socket: Socket, status: string, reason = ""): void {
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: ${reason.length}\r\n\r\n${reason}`);
}

import type { Socket } from "node:net";
import { WebSocket, WebSocketServer, type ClientOptions } from "ws";
import { frameBytesMax } from "../../machines/wire/limits.ts";
import type { Codec } from "../../machines/wire/codec.ts";
import { TroupeError } from "../errors.ts";
import { refuseUpgrade, type HttpDoor } from "../listen/door.ts";
import { tlsOptions, type TlsIdentity } from "../listen/tls.ts";
import type { Listening, Pipe, Transport } from "../ports/transport.ts";
import { jsonCodec } from "./codecs/json.ts";
import { explainDial, explainStatus } from "./dial-problem.ts";
import { WebSocketPipe } from "./websocket-pipe.ts";

/** How long the other side may take to accept a connection; then the dial has failed. */
export const dialTimeoutMs = 5_000;
/** Pieces of one frame; our own nodes never send more than one. */
const fragmentsMax = 16;

/** Pieces of the network that one frame may be put together from. */
const chunksMax = 2_048;

const protocolPrefix = "troupe.v1.";

const socketOptions = {
  maxPayload: frameBytesMax,
  perMessageDeflate: false,
  maxFragments: fragmentsMax,
  maxBufferedChunks: chunksMax,
} as const;

/** Dials nodes by WebSocket. */
export const webSocketTransport: Transport = webSocketTransportWith({});

/** Dials nodes by WebSocket; over TLS it shows this certificate, and takes those of these authorities. */
export function webSocketTransportWith(tls: TlsIdentity): Transport {
  const options = { ...socketOptions, ...tlsOptions(tls), handshakeTimeout: dialTimeoutMs };
  return { dial: (url, { codecs, signal }) => dial(url, { codecs, signal, options }) };
}

async function dial(
  url: string,
  { codecs, signal, options }: Readonly<{ codecs: readonly Codec[]; signal: AbortSignal; options: ClientOptions }>,
): Promise<Pipe> {
  checkDialUrl(url);
  signal.throwIfAborted();
  const offered = codecs.map(({ name }) => protocolPrefix + name);
  const socket = new WebSocket(url, offered, options);
  const abandon = (): void => socket.terminate();
  signal.addEventListener("abort", abandon, { once: true });
  try {
    return await new Promise<Pipe>((resolve, reject) => {
      let pipe: Pipe | undefined;
      // The pipe hears from the first byte on: frames may come together with the answer to the upgrade.
      socket.once("upgrade", (response) => {
        const codec = codecs[offered.indexOf(response.headers["sec-websocket-protocol"] ?? "")];
        // An answer that was not offered is an error of the socket, which follows.
        if (codec !== undefined) pipe = new WebSocketPipe(socket, response.socket, { codec, isDialer: true });
      });
      socket.once("open", () => (pipe === undefined ? reject(new Error("no upgrade")) : resolve(pipe)));
      socket.once("unexpected-response", (request, response) => {
        void explainStatus(response).then((problem) => {
          reject(problem);
          request.destroy();
        });
      });
      socket.on("error", (problem: Error) => reject(explainDial(url, problem)));
      socket.once("close", (code) => reject(new Error(`the connection was closed (${code})`)));
    });
  } finally {
    signal.removeEventListener("abort", abandon);
  }
}

/** Throws `usage/invalid-options` for an address that nodes cannot be dialled at, or that carries a secret. */
export function checkDialUrl(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "ws:" && url.protocol !== "wss:"))
    throw new TroupeError(
      "usage/invalid-options",
      "the address of a node looks like ws://host:port/ or wss://host:port/",
    );
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "")
    throw new TroupeError(
      "usage/invalid-options",
      `the address of node ${url.host} carries a user, a password or a query; secrets belong into auth, where no log sees them`,
    );
}

/** The first of those that are offered, which is the one the dialer likes best. */
function chooseCodec(codecs: readonly Codec[], offered: Iterable<string>): Codec | undefined {
  for (const protocol of offered) {
    const codec = codecs.find(({ name }) => protocol === protocolPrefix + name);
    if (codec !== undefined) return codec;
  }
  return undefined;
}

/** Accepts nodes at `/` of a door, each with the codec that it likes best of these. */
export function acceptWebSockets(
  door: HttpDoor,
  accept: (pipe: Pipe) => void,
  codecs: readonly Codec[] = [jsonCodec],
): Listening {
  const server = new WebSocketServer({
    ...socketOptions,
    noServer: true,
    clientTracking: false,
    handleProtocols: (offered) => {
      const codec = chooseCodec(codecs, offered);
      return codec === undefined ? false : protocolPrefix + codec.name;
    },
  });
  door.upgrade("/", (request, socket: Socket, head) => {
    const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
    const codec = chooseCodec(codecs, offered);
    if (codec === undefined) return refuseUpgrade(socket, "426 Upgrade Required");
    server.handleUpgrade(request, socket, head, (webSocket) =>
      accept(new WebSocketPipe(webSocket, socket, { codec, isDialer: false })),
    );
  });
  return { url: door.address("ws"), [Symbol.asyncDispose]: () => door[Symbol.asyncDispose]() };
}

import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { RawData, WebSocket } from "ws";
import type { Codec, WireData } from "../../machines/wire/codec.ts";
import type { Pipe, PipeEnd, PipeListener } from "../ports/transport.ts";
import { OutgoingFrames } from "./outgoing-frames.ts";

/** Bytes waiting in a socket before the pipe says that it is full. */
export const pipeBufferBytesMax = 1_048_576;
/** The connection ended without a goodbye of the other end. Source: RFC 6455 §7.4.1. */
const abnormalClosure = 1006;
/** What `ws` calls an error of the other end's frames begins so. Source: github.com/websockets/ws/blob/master/doc/ws.md#error-codes. */
const breachPrefix = "WS_ERR_";
/**
 * What such frames count as, where it is not 1002: the code that `ws` answers them with (RFC 6455 §7.4.1). It answers a frame
 * in too many pieces with 1008, which others say for any reason, so that here it is told as what it is.
 */
const breachCodes: ReadonlyMap<string, number> = new Map([
  ["WS_ERR_INVALID_UTF8", 1007],
  ["WS_ERR_TOO_MANY_BUFFERED_PARTS", 4400],
  ["WS_ERR_UNSUPPORTED_MESSAGE_LENGTH", 1009],
  ["WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH", 1009],
]);

/** The close code that an error of the socket stands for: a breach of the other end, or an end without a word. */
function codeOf({ code = "" }: { readonly code?: string }): number {
  return code.startsWith(breachPrefix) ? (breachCodes.get(code) ?? 1002) : abnormalClosure;
}
/** How long the other end may take to answer a goodbye; then the connection is dropped. */
export const goodbyeTimeoutMs = 1_000;

/** What the socket itself says of the other end: certificate and channel, where it is TLS. */
export function describeEnd(socket: Socket, codec: Codec): PipeEnd {
  const address = socket.remoteAddress ?? "";
  const tls = socket as Partial<TLSSocket>;
  if (tls.exportKeyingMaterial === undefined) return { codec, address, binding: "", certified: [] };
  const binding = tls.exportKeyingMaterial(32, "EXPORTER-Channel-Binding", Buffer.alloc(0)).toString("hex");
  const names = tls.authorized === true ? (tls.getPeerCertificate?.().subjectaltname ?? "") : "";
  const certified = names.split(", ").flatMap((name) => (name.startsWith("DNS:") ? [name.slice(4)] : []));
  return { codec, address, binding, certified };
}

/** A WebSocket as a pipe. */
export class WebSocketPipe implements Pipe {
  readonly end: PipeEnd;
  readonly #socket: WebSocket;
  readonly #net: Socket;
  #listener: PipeListener | undefined;
  #early: (() => void)[] = [];
  readonly #out: OutgoingFrames;
  #corked = false;
  #full = false;
  #hasLeft = false;
  #frameBytesMax = Number.POSITIVE_INFINITY;
  #unwatch: (() => void) | undefined;
  #closed: { readonly code: number; readonly reason: string } | undefined;

  constructor(
    socket: WebSocket,
    net: Socket,
    { codec, isDialer }: { readonly codec: Codec; readonly isDialer: boolean },
  ) {
    this.#socket = socket;
    this.#net = net;
    this.#out = new OutgoingFrames(net, isDialer);
    this.end = describeEnd(net, codec);
    net.setNoDelay(true);
    socket.on("message", (data, isBinary) => this.#take(data, isBinary));
    socket.on("close", (code, reason) => this.#leave(code, reason.toString("utf8")));
    socket.on("error", (problem: Error & { readonly code?: string }) => {
      this.#leave(codeOf(problem), "");
      // `ws` has said goodbye. To end now, with something unread, would reset the connection, and the goodbye with it.
      this.#endSoon();
    });
    net.on("drain", () => this.#relieve());
  }

  listen(listener: PipeListener): void {
    this.#listener = listener;
    const early = this.#early;
    this.#early = [];
    for (const tell of early) tell();
  }

  send(frame: WireData): boolean {
    if (this.#socket.readyState !== this.#socket.OPEN) return true;
    this.#out.add(frame);
    if (!this.#corked) this.#out.flush();
    if (this.#net.writableLength >= pipeBufferBytesMax) this.#full = true;
    return !this.#full;
  }

  cork(write: () => void): void {
    this.#corked = true;
    try {
      write();
    } finally {
      this.#corked = false;
      this.#out.flush();
    }
  }

  received(): number {
    return this.#net.bytesRead;
  }

  /** A stranger's frame is stopped by its bytes, before it is complete. */
  limitFrames(bytes: number): void {
    this.#frameBytesMax = bytes;
    this.#unwatch?.();
    const upTo = this.#net.bytesRead + bytes * 4;
    if (bytes >= pipeBufferBytesMax) return;
    const watch = (): void => {
      if (this.#net.bytesRead > upTo) this.close(4413, "too much was sent before the handshake was over");
    };
    this.#net.on("data", watch);
    this.#unwatch = () => void this.#net.off("data", watch);
  }

  close(code: number, reason: string): void {
    if (this.#closed !== undefined) return;
    this.#closed = { code, reason };
    this.#out.flush();
    this.#unwatch?.();
    this.#endSoon();
    this.#socket.close(code, reason);
  }

  /** Told once: an error may come before the close. */
  #leave(code: number, reason: string): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.#unwatch?.();
    const said = this.#closed ?? { code, reason };
    this.#tell(() => this.#listener?.closed(said.code, said.reason));
  }

  #endSoon(): void {
    const limit = setTimeout(() => this.#socket.terminate(), goodbyeTimeoutMs);
    this.#socket.once("close", () => clearTimeout(limit));
  }

  terminate(): void {
    this.#socket.terminate();
  }

  #take(data: RawData, isBinary: boolean): void {
    if (this.#closed !== undefined) return;
    const bytes = data as Buffer;
    if (bytes.length > this.#frameBytesMax) return this.close(4413, "the frame is too large");
    const frame = isBinary ? bytes : bytes.toString("utf8");
    this.#tell(() => this.#listener?.frame(frame));
  }

  #relieve(): void {
    if (!this.#full) return;
    this.#full = false;
    this.#tell(() => this.#listener?.drained());
  }

  #tell(tell: () => void): void {
    if (this.#listener === undefined) this.#early.push(tell);
    else tell();
  }
}

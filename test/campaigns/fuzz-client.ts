import { connect, type Socket } from "node:net";
import type { WireData } from "../../machines/wire/codec.ts";

interface FrameShape {
  readonly opcode?: number;
  readonly fin?: boolean;
  readonly rsv?: number;
  readonly masked?: boolean;
  /** What the frame says of its length, where that is not the truth. */
  readonly promised?: number;
}

/** The bytes of a client's WebSocket frame, masked with zeros, so that the payload is as it was. Source: RFC 6455 §5.2. */
export function webSocketFrame(data: WireData, shape: FrameShape = {}): Buffer {
  const payload = typeof data === "string" ? Buffer.from(data) : Buffer.from(data);
  const { opcode = typeof data === "string" ? 1 : 2, fin = true, rsv = 0, masked = true } = shape;
  const isShort = payload.length < 126 && shape.promised === undefined;
  const head = Buffer.alloc(isShort ? 2 : 10);
  head[0] = (fin ? 0x80 : 0) + rsv * 16 + opcode;
  head[1] = (masked ? 0x80 : 0) + (isShort ? payload.length : 127);
  if (!isShort) head.writeBigUInt64BE(BigInt(shape.promised ?? payload.length), 2);
  return Buffer.concat([head, Buffer.alloc(masked ? 4 : 0), payload]);
}

/** The request that makes a connection a WebSocket. */
export function upgradeRequest(
  port: number,
  more: { readonly protocol?: string; readonly path?: string; readonly host?: string } = {},
): string {
  const { protocol = "troupe.v1.json", path = "/", host = `127.0.0.1:${port}` } = more;
  return [
    `GET ${path} HTTP/1.1`,
    `host: ${host}`,
    "connection: upgrade",
    "upgrade: websocket",
    "sec-websocket-version: 13",
    "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==",
    `sec-websocket-protocol: ${protocol}`,
    "",
    "",
  ].join("\r\n");
}

/** A client that says bytes, whatever they mean, and reads what a door or a node answers. */
export class RawClient {
  readonly #socket: Socket;
  #bytes: Buffer = Buffer.alloc(0);
  #upgraded = false;
  /** The status that HTTP was answered with, or the code that the WebSocket was closed with. */
  status: number | undefined;
  code: number | undefined;
  isClosed = false;
  readonly frames: Buffer[] = [];
  readonly #waiting = new Set<() => void>();

  /** `address`: one of this machine's own, so that each client may have one to itself. */
  constructor(port: number, address: string) {
    this.#socket = connect({ port, host: "127.0.0.1", localAddress: address, noDelay: true });
    this.#socket.on("data", (chunk) => this.#take(chunk));
    // A reset is an end as any other; what came before it counts.
    this.#socket.on("error", () => {});
    this.#socket.on("close", () => {
      this.isClosed = true;
      this.#change();
    });
  }

  say(bytes: Uint8Array | string): void {
    if (!this.isClosed && this.#socket.writable) this.#socket.write(bytes);
  }

  end(): void {
    this.#socket.destroy();
  }

  /** Whether it comes to be so in time. */
  async until(isSo: () => boolean, limitMs: number): Promise<boolean> {
    const ends = performance.now() + limitMs;
    while (!isSo()) {
      const left = ends - performance.now();
      if (left <= 0) return false;
      await new Promise<void>((resolve) => {
        const limit = setTimeout(resolve, left);
        this.#waiting.add(() => {
          clearTimeout(limit);
          resolve();
        });
      });
    }
    return true;
  }

  #change(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const look of waiting) look();
  }

  #take(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    const headEnd = this.#bytes.indexOf("\r\n\r\n");
    if (!this.#upgraded && headEnd >= 0) {
      this.status = Number(this.#bytes.toString("latin1", 9, 12));
      this.#bytes = this.#bytes.subarray(headEnd + 4);
      this.#upgraded = this.status === 101;
    }
    while (this.#upgraded && this.#takeFrame());
    this.#change();
  }

  #takeFrame(): boolean {
    const short = (this.#bytes[1] ?? 0) % 128;
    const headBytes = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (this.#bytes.length < headBytes) return false;
    const length =
      headBytes === 2 ? short : headBytes === 4 ? this.#bytes.readUInt16BE(2) : Number(this.#bytes.readBigUInt64BE(2));
    if (this.#bytes.length < headBytes + length) return false;
    const payload = this.#bytes.subarray(headBytes, headBytes + length);
    if ((this.#bytes[0] as number) % 16 !== 8) this.frames.push(payload);
    else {
      this.code = payload.length < 2 ? 1005 : payload.readUInt16BE(0);
      // The answer to a goodbye, so that the other side need not wait for it.
      this.say(webSocketFrame(payload, { opcode: 8 }));
    }
    this.#bytes = this.#bytes.subarray(headBytes + length);
    return true;
  }
}

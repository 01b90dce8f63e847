import type { Codec, WireData } from "../../machines/wire/codec.ts";
import { jsonCodec } from "../../src/remote/codecs/json.ts";
import type { Pipe, PipeEnd, PipeListener } from "../../src/ports/transport.ts";

/** The end of a connection that a hostile client holds. */
export class HostilePipe implements Pipe {
  readonly end: PipeEnd;
  readonly #hear: (data: WireData) => void;
  #listener: PipeListener | undefined;
  code: number | undefined;
  #frameBytesMax = Number.POSITIVE_INFINITY;

  constructor(address: string, codec: Codec = jsonCodec, hear: (data: WireData) => void = () => {}) {
    this.end = { codec, address, binding: "", certified: [] };
    this.#hear = hear;
  }

  listen(listener: PipeListener): void {
    this.#listener = listener;
  }
  send(frame: WireData): boolean {
    if (this.code === undefined) this.#hear(frame);
    return true;
  }
  cork(write: () => void): void {
    write();
  }
  received(): number {
    return 0;
  }
  limitFrames(bytes: number): void {
    this.#frameBytesMax = bytes;
  }
  close(code: number): void {
    if (this.code !== undefined) return;
    this.code = code;
    this.#listener?.closed(code, "");
  }
  terminate(): void {
    this.close(1006);
  }
  /** As a pipe of the product: a frame is measured in bytes, and a larger one than was allowed is not handed on. */
  take(data: WireData): void {
    if (this.code !== undefined) return;
    const bytes = typeof data === "string" ? Buffer.byteLength(data) : data.length;
    if (bytes > this.#frameBytesMax) this.close(4413);
    else this.#listener?.frame(data);
  }
}

import type { Json } from "../../machines/failure.ts";
import type { HostValues } from "../../machines/wire/values.ts";

/** Bytes on their way: no message knows yet which codec it will travel by, nor pays for another one. */
class TravellingBytes extends Uint8Array {
  toJSON(): Json {
    return { $: "bytes", v: Buffer.from(this.buffer, this.byteOffset, this.byteLength).toString("base64") };
  }
}

/** Bytes and dates of this platform, for `packValue` and `unpackValue`. */
export const hostValues: HostValues = {
  packBytes: ({ buffer, byteOffset, byteLength }) =>
    new TravellingBytes(buffer as ArrayBuffer, byteOffset, byteLength) as unknown as Json,
  decodeBytes(text) {
    const bytes = new Uint8Array(Buffer.from(text, "base64"));
    return Buffer.from(bytes).toString("base64") === text ? bytes : undefined;
  },
  dateOf: (epochMs) => new Date(epochMs),
  epochMsOf: (value) => (value instanceof Date ? value.getTime() : undefined),
};

import type { HostValues } from "../../machines/wire/values.ts";

/** Bytes and dates of this platform, for `packValue` and `unpackValue`. */
export const hostValues: HostValues = {
  encodeBytes: (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64"),
  decodeBytes(text) {
    const bytes = new Uint8Array(Buffer.from(text, "base64"));
    return Buffer.from(bytes).toString("base64") === text ? bytes : undefined;
  },
  dateOf: (epochMs) => new Date(epochMs),
  epochMsOf: (value) => (value instanceof Date ? value.getTime() : undefined),
};

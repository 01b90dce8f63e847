import type { ContentFault } from "./depth.ts";
import { depthMax } from "./limits.ts";

/** Why the bytes of a frame are refused before anything is made of them. */
export type MsgpackFault = ContentFault | "is not MessagePack" | "has a key that is not text" | "has a type of its own";

const cut: MsgpackFault = "is not MessagePack";

/** `__proto__` in UTF-8. */
const forbiddenKey = [0x5f, 0x5f, 0x70, 0x72, 0x6f, 0x74, 0x6f, 0x5f, 0x5f];
/** The extension by which msgpackr writes a record: its number, the names of its fields, and the values of the first. */
const recordExtension = 0x72;
/** Numbers that records may have; they take the place of the integers from 64 to 127. */
const recordNumbers = 64;

/** Where a scan is, and what it has seen. */
class Scan {
  readonly #bytes: Uint8Array;
  #at = 0;
  /** Fields of each record by its number; -1 where none has it. */
  readonly #fields = new Int32Array(recordNumbers).fill(-1);

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  whole(levels: number): MsgpackFault | undefined {
    const fault = this.#value(levels);
    return fault === undefined && this.#at !== this.#bytes.length ? cut : fault;
  }

  #value(levels: number): MsgpackFault | undefined {
    const token = this.#bytes[this.#at];
    if (token === undefined) return cut;
    this.#at += 1;
    if (token < 0x40 || token >= 0xe0) return undefined;
    if (token < 0x80) return this.#record(this.#fields[token - 0x40] ?? -1, levels);
    if (token < 0x90) return this.#map(token - 0x80, levels);
    if (token < 0xa0) return this.#list(token - 0x90, levels);
    if (token < 0xc0) return this.#skip(token - 0xa0);
    return this.#longer(token, levels);
  }

  /** A value whose size, or the value itself, is in the bytes that follow. */
  #longer(token: number, levels: number): MsgpackFault | undefined {
    switch (token) {
      case 0xc0:
      case 0xc2:
      case 0xc3:
        return undefined;
      case 0xcc:
      case 0xd0:
        return this.#skip(1);
      case 0xcd:
      case 0xd1:
        return this.#skip(2);
      case 0xca:
      case 0xce:
      case 0xd2:
        return this.#skip(4);
      case 0xcb:
      case 0xcf:
      case 0xd3:
        return this.#skip(8);
      case 0xc4:
      case 0xd9:
        return this.#skip(this.#size(1));
      case 0xc5:
      case 0xda:
        return this.#skip(this.#size(2));
      case 0xc6:
      case 0xdb:
        return this.#skip(this.#size(4));
      case 0xdc:
        return this.#list(this.#size(2), levels);
      case 0xdd:
        return this.#list(this.#size(4), levels);
      case 0xde:
        return this.#map(this.#size(2), levels);
      case 0xdf:
        return this.#map(this.#size(4), levels);
      case 0xd4:
        return this.#newRecord(levels);
      default:
        return "has a type of its own";
    }
  }

  /** A number of so many bytes; more than any frame has where they are not all there. */
  #size(bytes: number): number {
    let size = 0;
    for (let index = 0; index < bytes; index += 1)
      size = size * 256 + (this.#bytes[this.#at + index] ?? Number.POSITIVE_INFINITY);
    this.#at += bytes;
    return size;
  }

  #skip(bytes: number): MsgpackFault | undefined {
    this.#at += bytes;
    return this.#at > this.#bytes.length ? cut : undefined;
  }

  #list(items: number, levels: number): MsgpackFault | undefined {
    if (levels === 0) return "too deep";
    // Each item takes a byte at least, so what is promised and not there ends the scan.
    for (let index = 0; index < items; index += 1) {
      const fault = this.#value(levels - 1);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  #map(entries: number, levels: number): MsgpackFault | undefined {
    if (levels === 0) return "too deep";
    for (let index = 0; index < entries; index += 1) {
      const fault = this.#key() ?? this.#value(levels - 1);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  /** Where no record has the number, it is the integer that it always was. */
  #record(fields: number, levels: number): MsgpackFault | undefined {
    return fields === -1 ? undefined : this.#list(fields, levels);
  }

  #newRecord(levels: number): MsgpackFault | undefined {
    const type = this.#bytes[this.#at];
    const number = this.#bytes[this.#at + 1];
    const token = this.#bytes[this.#at + 2];
    if (type !== undefined && type !== recordExtension) return "has a type of its own";
    if (token === undefined || number === undefined) return cut;
    this.#at += 3;
    let fields = token - 0x90;
    if (token === 0xdc) fields = this.#size(2);
    else if (token < 0x90 || token > 0x9f) return "has a type of its own";
    for (let index = 0; index < fields; index += 1) {
      const fault = this.#key();
      if (fault !== undefined) return fault;
    }
    this.#fields[number % recordNumbers] = fields;
    return this.#list(fields, levels);
  }

  #key(): MsgpackFault | undefined {
    const token = this.#bytes[this.#at];
    if (token === undefined) return cut;
    this.#at += 1;
    let length = token - 0xa0;
    if (token === 0xd9) length = this.#size(1);
    else if (token === 0xda) length = this.#size(2);
    else if (token === 0xdb) length = this.#size(4);
    else if (token < 0xa0 || token > 0xbf) return "has a key that is not text";
    const from = this.#at;
    const isForbidden =
      length === forbiddenKey.length && forbiddenKey.every((byte, index) => this.#bytes[from + index] === byte);
    return isForbidden ? "has a __proto__ key" : this.#skip(length);
  }
}

/**
 * Looks through the bytes of a frame without decoding them: they must be one value of the types that JSON has, bytes,
 * and records of such, must nest at most `levels` deep, and must have no key `__proto__`. Its work is in proportion to
 * the bytes, whatever sizes they promise.
 */
export function findMsgpackFault(bytes: Uint8Array, levels: number = depthMax): MsgpackFault | undefined {
  return new Scan(bytes).whole(levels);
}

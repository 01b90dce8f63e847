/** The bytes are no frame. One for all: a stack for each would take longer than the reading. */
const notTaken = new Error("the bytes are no frame that is taken");

/** A second reading of the binary codec, as docs/protocol.md describes it, so that the first one is not its own judge. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;
  readonly #records = new Map<number, readonly string[]>();

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  whole(levels: number): unknown {
    const value = this.#value(levels);
    if (this.#at !== this.#bytes.length) throw notTaken;
    return value;
  }

  #take(length: number): Buffer {
    const from = this.#at;
    if (!(from + length <= this.#bytes.length)) throw notTaken;
    this.#at += length;
    return this.#bytes.subarray(from, this.#at);
  }

  #count(bytes: number): number {
    return this.#take(bytes).readUIntBE(0, bytes);
  }

  #value(levels: number): unknown {
    const token = this.#count(1);
    if (token >= 0x40 && token < 0x80) {
      const names = this.#records.get(token % 64);
      return names === undefined ? token : this.#fields(names, levels);
    }
    if (token < 0x40) return token;
    if (token < 0x90) return this.#map(token - 0x80, levels);
    if (token < 0xa0) return this.#list(token - 0x90, levels);
    if (token < 0xc0) return this.#take(token - 0xa0).toString("utf8");
    if (token >= 0xe0) return token - 0x100;
    return this.#scalar(token) ?? this.#compound(token, levels);
  }

  /** A boolean, a number or bytes; undefined where it is something else. */
  #scalar(token: number): boolean | number | Buffer | undefined {
    switch (token) {
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
        return this.#take(this.#count(1));
      case 0xc5:
        return this.#take(this.#count(2));
      case 0xc6:
        return this.#take(this.#count(4));
      case 0xca:
        return this.#take(4).readFloatBE();
      case 0xcb:
        return this.#take(8).readDoubleBE();
      case 0xcc:
        return this.#count(1);
      case 0xcd:
        return this.#count(2);
      case 0xce:
        return this.#count(4);
      case 0xcf:
        return Number(this.#take(8).readBigUInt64BE());
      case 0xd0:
        return this.#take(1).readInt8();
      case 0xd1:
        return this.#take(2).readInt16BE();
      case 0xd2:
        return this.#take(4).readInt32BE();
      case 0xd3:
        return Number(this.#take(8).readBigInt64BE());
      default:
        return undefined;
    }
  }

  #compound(token: number, levels: number): unknown {
    switch (token) {
      case 0xc0:
        return null;
      case 0xd4:
        return this.#record(levels);
      case 0xd9:
        return this.#take(this.#count(1)).toString("utf8");
      case 0xda:
        return this.#take(this.#count(2)).toString("utf8");
      case 0xdb:
        return this.#take(this.#count(4)).toString("utf8");
      case 0xdc:
        return this.#list(this.#count(2), levels);
      case 0xdd:
        return this.#list(this.#count(4), levels);
      case 0xde:
        return this.#map(this.#count(2), levels);
      case 0xdf:
        return this.#map(this.#count(4), levels);
      default:
        throw notTaken;
    }
  }

  #list(length: number, levels: number): unknown[] {
    if (levels === 0) throw notTaken;
    const items: unknown[] = [];
    while (items.length < length) items.push(this.#value(levels - 1));
    return items;
  }

  #map(length: number, levels: number): object {
    if (levels === 0) throw notTaken;
    const map: Record<string, unknown> = {};
    for (let entry = 0; entry < length; entry += 1) map[this.#key()] = this.#value(levels - 1);
    return map;
  }

  #key(): string {
    const key = this.#value(0);
    if (typeof key !== "string" || key === "__proto__") throw notTaken;
    return key;
  }

  #record(levels: number): object {
    const [type, number] = [this.#count(1), this.#count(1)];
    const names = type === 0x72 ? this.#value(1) : undefined;
    if (!Array.isArray(names) || names.some((name) => typeof name !== "string" || name === "__proto__")) throw notTaken;
    this.#records.set(number % 64, names as string[]);
    return this.#fields(names as string[], levels);
  }

  #fields(names: readonly string[], levels: number): object {
    if (levels === 0) throw notTaken;
    return Object.fromEntries(names.map((name) => [name, this.#value(levels - 1)]));
  }
}

/** The value of a binary frame that nests at most so deep; undefined, which none has, where it is not to be taken. */
export function readBytes(bytes: Uint8Array, levels: number): unknown {
  try {
    return new Reader(bytes).whole(levels);
  } catch (error) {
    if (error === notTaken) return undefined;
    throw error;
  }
}

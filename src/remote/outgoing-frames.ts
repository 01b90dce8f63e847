import { randomFillSync } from "node:crypto";
import type { Socket } from "node:net";
import type { WireData } from "../../machines/wire/codec.ts";

/** Bytes of the room in which all frames are written before a socket takes them; a frame that may not fit has its own. */
const roomBytes = 131_072;
/** The longest beginning of a frame: two bytes, its length, and the mask. Source: RFC 6455 §5.2. */
const headBytesMax = 14;
/** The most bytes that one character of text takes. */
const characterBytesMax = 3;
/** Masks drawn at once: asking the system for each would cost more than the frame. */
const masksBytes = 8_192;

const masks = new Int32Array(masksBytes / 4);
let masksUsed = masks.length;

/** Nobody can foretell the next mask, as the RFC demands. */
function nextMask(): number {
  if (masksUsed === masks.length) {
    randomFillSync(masks);
    masksUsed = 0;
  }
  masksUsed += 1;
  return masks[masksUsed - 1] as number;
}

/** One room serves all sockets, one after the other: what was written last is still in the processor's cache. */
let room = Buffer.allocUnsafeSlow(roomBytes);
/** Somebody has frames in it that did not go yet. */
let isTaken = false;

/** Bytes of the length after the first two bytes. */
function lengthBytes(bytes: number): number {
  if (bytes < 126) return 0;
  return bytes < 65_536 ? 2 : 8;
}

/**
 * Writes the frames of one WebSocket. What `ws` does for each frame (a count, a copy and a buffer of its own) is done
 * here for all frames of a turn at once, in one write to the socket. `ws` still reads, opens and closes; it sends nothing
 * in between that would not be a whole frame, since nothing is compressed.
 */
export class OutgoingFrames {
  readonly #socket: Socket;
  readonly #isMasked: boolean;
  /** What is given to TLS is taken later, even where the system would take it at once. */
  readonly #isEncrypted: boolean;
  #used = 0;

  /** A dialer's frames are masked. */
  constructor(socket: Socket, isMasked: boolean) {
    this.#socket = socket;
    this.#isMasked = isMasked;
    this.#isEncrypted = "encrypted" in socket;
  }

  /** Text where it is a string, binary where it is not. It goes out with `flush`, or before. */
  add(frame: WireData): void {
    const bytesMax = headBytesMax + (typeof frame === "string" ? frame.length * characterBytesMax : frame.length);
    if (bytesMax > roomBytes || (isTaken && this.#used === 0)) return this.#send(frame);
    if (this.#used + bytesMax > roomBytes) this.flush();
    this.#used = this.#write(frame, room, this.#used);
    isTaken = true;
  }

  flush(): void {
    if (this.#used === 0) return;
    const frames = room.subarray(0, this.#used);
    this.#used = 0;
    isTaken = false;
    // A socket with something to wait for keeps what it is given.
    const isKept = this.#isEncrypted || this.#socket.writableLength > 0;
    this.#socket.write(isKept ? Buffer.from(frames) : frames);
    if (!isKept && this.#socket.writableLength > 0) room = Buffer.allocUnsafeSlow(roomBytes);
  }

  /** One frame in a buffer of its own. */
  #send(frame: WireData): void {
    this.flush();
    const own = Buffer.allocUnsafeSlow(headBytesMax + Buffer.byteLength(frame));
    this.#socket.write(own.subarray(0, this.#write(frame, own, 0)));
  }

  /** Writes one frame; returns where the next one goes. */
  #write(frame: WireData, target: Buffer, from: number): number {
    const maskBytes = this.#isMasked ? 4 : 0;
    // Most text takes as many bytes as it has characters; where it takes more, its beginning may be longer too.
    let at = from + 2 + lengthBytes(frame.length) + maskBytes;
    const bytes = typeof frame === "string" ? target.write(frame, at) : place(frame, target, at);
    if (lengthBytes(bytes) !== lengthBytes(frame.length)) {
      const to = from + 2 + lengthBytes(bytes) + maskBytes;
      target.copyWithin(to, at, at + bytes);
      at = to;
    }
    target[from] = 0x80 | (typeof frame === "string" ? 1 : 2);
    this.#writeLength(target, from + 1, bytes);
    if (this.#isMasked) {
      target.writeInt32LE(nextMask(), at - 4);
      applyMask(target, at, at + bytes);
    }
    return at + bytes;
  }

  #writeLength(target: Buffer, at: number, bytes: number): void {
    const first = this.#isMasked ? 0x80 : 0;
    switch (lengthBytes(bytes)) {
      case 0:
        target[at] = first | bytes;
        return;
      case 2:
        target[at] = first | 126;
        target.writeUInt16BE(bytes, at + 1);
        return;
      default:
        target[at] = first | 127;
        target.writeBigUInt64BE(BigInt(bytes), at + 1);
    }
  }
}

function place(frame: Uint8Array, target: Buffer, at: number): number {
  target.set(frame, at);
  return frame.length;
}

const turned = new Uint8Array(4);
const turnedWord = new Int32Array(turned.buffer);

/** Applies the mask that stands before `at`, to four bytes at a time where they lie as the processor likes them. */
function applyMask(target: Buffer, at: number, end: number): void {
  const maskAt = (index: number): number => target[at - 4 + ((index - at) & 3)] as number;
  const first = Math.min(end, at + (-(target.byteOffset + at) & 3));
  for (let index = at; index < first; index += 1) target[index] = (target[index] as number) ^ maskAt(index);
  for (let index = 0; index < 4; index += 1) turned[index] = maskAt(first + index);
  const count = (end - first) >> 2;
  // Where there is not a whole word, its place may be one that no word can have.
  if (count > 0) applyWord(new Int32Array(target.buffer, target.byteOffset + first, count));
  for (let index = first + count * 4; index < end; index += 1)
    target[index] = (target[index] as number) ^ maskAt(index);
}

function applyWord(words: Int32Array): void {
  const word = turnedWord[0] as number;
  for (let index = 0; index < words.length; index += 1) words[index] = (words[index] as number) ^ word;
}

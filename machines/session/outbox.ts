import type { Pack, Packed } from "../wire/codec.ts";
import type { Draft } from "../wire/envelope.ts";
import { batchBytesMax, batchEnvelopesMax, loneEnvelopeBytesMin } from "../wire/limits.ts";

interface Kept {
  readonly draft: Draft;
  readonly packed: Packed;
}

/**
 * What one side has to send, in order: first what was sent on the present connection, then what was not. It is a
 * private buffer of the session and mutates; only acknowledgements take messages out.
 */
export class Outbox {
  #items: (Kept | undefined)[] = [];
  /** Index of the oldest message kept. */
  #head = 0;
  /** Messages at the head that went out on the present connection. */
  #sent = 0;
  #sentBytes = 0;
  /** The highest number that was given, and the highest that ever went out. */
  last = 0;
  lastSent = 0;
  bytes = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  /** Messages that did not go out on the present connection. */
  get waiting(): number {
    return this.size - this.#sent;
  }

  get waitingBytes(): number {
    return this.bytes - this.#sentBytes;
  }

  push(draft: Draft, pack: Pack): void {
    this.last += 1;
    const packed = pack(draft, this.last);
    this.#items.push({ draft, packed });
    this.bytes += packed.bytes;
  }

  /** Forgets what the peer has, up to `seq`. */
  prune(seq: number): void {
    const count = Math.min(this.size, seq - (this.last - this.size));
    for (let index = 0; index < count; index += 1) {
      const { bytes } = (this.#items[this.#head] as Kept).packed;
      this.#items[this.#head] = undefined;
      this.#head += 1;
      this.bytes -= bytes;
      if (this.#sent > 0) {
        this.#sent -= 1;
        this.#sentBytes -= bytes;
      }
    }
    // Copying what is left only when more than half is gone keeps each message's share constant.
    if (this.#head > 256 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
  }

  /** The next connection has another codec: everything kept is encoded anew. */
  repack(pack: Pack): void {
    const first = this.last - this.size + 1;
    const drafts = this.unsettled();
    this.#items = drafts.map((draft, index) => ({ draft, packed: pack(draft, first + index) }));
    this.#head = 0;
    this.bytes = this.#items.reduce((sum, item) => sum + (item as Kept).packed.bytes, 0);
    this.rewind();
  }

  /** On a new connection everything kept is to be sent again. */
  rewind(): void {
    this.#sent = 0;
    this.#sentBytes = 0;
  }

  /** The next frame's messages, as far as the credit (`limit`, a number) and the window allow. */
  nextBatch(limit: number, windowBytes: number): readonly Packed[] {
    const batch: Packed[] = [];
    let bytes = 0;
    while (batch.length < batchEnvelopesMax && this.waiting > 0) {
      const seq = this.last - this.waiting + 1;
      const { packed } = this.#items[this.#head + this.#sent] as Kept;
      // A message larger than the window must be able to go when nothing else is out.
      const isOver = this.#sentBytes > 0 && this.#sentBytes + packed.bytes > windowBytes;
      if (seq > limit || isOver) break;
      const isLone = packed.bytes >= loneEnvelopeBytesMin;
      if (batch.length > 0 && (isLone || bytes + packed.bytes > batchBytesMax)) break;
      batch.push(packed);
      bytes += packed.bytes;
      this.#sent += 1;
      this.#sentBytes += packed.bytes;
      this.lastSent = Math.max(this.lastSent, seq);
      if (isLone) break;
    }
    return batch;
  }

  /** What was never acknowledged, oldest first. */
  unsettled(): readonly Draft[] {
    return this.#items.slice(this.#head).map((item) => (item as Kept).draft);
  }

  clear(): void {
    this.prune(this.last);
  }
}

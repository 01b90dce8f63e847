import type { Pack, Packed } from "../wire/codec.ts";
import type { Draft } from "../wire/envelope.ts";
import { batchBytesMax, batchEnvelopesMax, loneEnvelopeBytesMin } from "../wire/limits.ts";
import { ttlSlackMs } from "./limits.ts";

interface Kept {
  readonly draft: Draft;
  packed: Packed;
  /** When the time that its `ttl` names is over. */
  readonly due: number | undefined;
}

/** What may go now. */
interface Room {
  /** The highest number that the peer takes. */
  readonly limit: number;
  readonly windowBytes: number;
  readonly now: number;
  readonly pack: Pack;
}

/** Whether a message has waited so long that it would say too much of the time it has left. */
function isStale({ draft: { ttl = 0 }, due }: Kept, now: number): boolean {
  return due !== undefined && due - now < ttl - ttlSlackMs;
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

  /** `due`: when the time that its `ttl` names is over. */
  push(draft: Draft, pack: Pack, due?: number): void {
    this.last += 1;
    const packed = pack(draft, this.last);
    this.#items.push({ draft, packed, due });
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
  repack(pack: Pack, now: number): void {
    const first = this.last - this.size + 1;
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
    this.rewind();
    for (const [index, item] of this.#items.entries()) this.#encode(item as Kept, first + index, { pack, now });
  }

  /** Encodes a message as it is to be said now: with the time that it has left. */
  #encode(kept: Kept, seq: number, { pack, now }: Pick<Room, "pack" | "now">): void {
    const { draft, due } = kept;
    const aged =
      due !== undefined && isStale(kept, now) ? { ...draft, ttl: Math.max(0, Math.round(due - now)) } : draft;
    this.bytes -= kept.packed.bytes;
    kept.packed = pack(aged, seq);
    this.bytes += kept.packed.bytes;
  }

  /** On a new connection everything kept is to be sent again. */
  rewind(): void {
    this.#sent = 0;
    this.#sentBytes = 0;
  }

  /** The next frame's messages, as far as the credit and the window allow. */
  nextBatch(room: Room): readonly Packed[] {
    const batch: Packed[] = [];
    let bytes = 0;
    while (batch.length < batchEnvelopesMax && this.waiting > 0) {
      const seq = this.last - this.waiting + 1;
      if (seq > room.limit) break;
      const kept = this.#items[this.#head + this.#sent] as Kept;
      const { packed } = kept;
      // A message larger than the window must be able to go when nothing else is out.
      const isOver = this.#sentBytes > 0 && this.#sentBytes + packed.bytes > room.windowBytes;
      if (isOver) break;
      const isLone = packed.bytes >= loneEnvelopeBytesMin;
      if (batch.length > 0 && (isLone || bytes + packed.bytes > batchBytesMax)) break;
      if (isStale(kept, room.now)) this.#encode(kept, seq, room);
      batch.push(kept.packed);
      bytes += kept.packed.bytes;
      this.#sent += 1;
      this.#sentBytes += kept.packed.bytes;
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

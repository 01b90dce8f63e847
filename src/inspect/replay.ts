/** Newest messages that are kept in full for readers that are behind; of older ones only what `Replay` says. */
export const replayMessagesMax = 2_000;
/** Bytes of the newest messages kept in full; beyond it the oldest leave first. */
export const replayBytesMax = 8_388_608;
/** Older messages kept: the chart and the last state of each live actor; beyond it those of later actors are not. */
export const standingMessagesMax = 2_000;
/** Bytes of those older messages; beyond it those of later actors are not kept. */
export const standingBytesMax = 16_777_216;

/** One message of the inspector's protocol, ready to be sent. */
export interface Message {
  /** "@xstate.actor", "@xstate.snapshot" or "@xstate.event". */
  readonly type: string;
  readonly sessionId: string;
  /** The snapshot of an actor that has ended. */
  readonly ended: boolean;
  readonly text: string;
  /** Who sent it, where it came from another process; that one does not get it back. */
  readonly from?: object;
}

/** A message with its place in the order of all messages, from 1. */
export interface Numbered extends Message {
  readonly at: number;
  readonly bytes: number;
}

/**
 * What a reader must be told, however late it comes and however slow it is: the newest messages in full, and of
 * everything older the chart and the last state of each actor that lives. Readers hold a place in it and take what
 * follows, so that a slow reader costs no memory of its own.
 */
export class Replay {
  readonly #recent: Numbered[] = [];
  #recentBytes = 0;
  /** By actor, in two records so that the order of arrival stays: charts, and last states. */
  readonly #standing = new Map<string, Numbered>();
  #standingBytes = 0;
  #last = 0;
  readonly #readers = new Set<() => void>();

  /** The place of the newest message. */
  get last(): number {
    return this.#last;
  }

  push(message: Message): void {
    const numbered = { ...message, at: (this.#last += 1), bytes: Buffer.byteLength(message.text) };
    this.#recent.push(numbered);
    this.#recentBytes += numbered.bytes;
    while (this.#recent.length > replayMessagesMax || this.#recentBytes > replayBytesMax) {
      const oldest = this.#recent.shift();
      if (oldest === undefined) break;
      this.#recentBytes -= oldest.bytes;
      this.#settle(oldest);
    }
    for (const wake of this.#readers) wake();
  }

  /** Calls `wake` at every new message; the returned function takes it away again. */
  follow(wake: () => void): () => void {
    this.#readers.add(wake);
    return () => void this.#readers.delete(wake);
  }

  /** The messages after a place, in order, at most so many. */
  read(after: number, most: number): readonly Numbered[] {
    const first = this.#recent[0]?.at ?? this.#last + 1;
    if (after >= first - 1) return this.#recent.slice(after + 1 - first, after + 1 - first + most);
    const standing = [...this.#standing.values()].filter((message) => message.at > after).slice(0, most);
    return standing.length === most ? standing : [...standing, ...this.#recent.slice(0, most - standing.length)];
  }

  /** A message that is no longer among the newest: its chart or state stands until a newer one or its actor's end. */
  #settle(message: Numbered): void {
    const chart = `chart ${message.sessionId}`;
    const state = `state ${message.sessionId}`;
    if (message.type === "@xstate.actor") return this.#stand(chart, message);
    if (message.type !== "@xstate.snapshot" || !this.#standing.has(chart)) return;
    this.#forget(state);
    if (message.ended) this.#forget(chart);
    else this.#stand(state, message);
  }

  #stand(key: string, message: Numbered): void {
    this.#forget(key);
    if (this.#standing.size >= standingMessagesMax || this.#standingBytes + message.bytes > standingBytesMax) return;
    this.#standing.set(key, message);
    this.#standingBytes += message.bytes;
  }

  #forget(key: string): void {
    this.#standingBytes -= this.#standing.get(key)?.bytes ?? 0;
    this.#standing.delete(key);
  }
}

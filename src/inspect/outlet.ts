import type { WebSocket } from "ws";
import type { Replay } from "./replay.ts";

/** Bytes on the way to one reader; beyond it the reader waits at its place in the replay. */
export const outletBytesMax = 1_048_576;
/** Messages taken from the replay at once. */
const batchMessagesMax = 64;

/** Feeds one open socket from a replay, at the pace of the socket. */
export class Outlet {
  readonly #replay: Replay;
  readonly #socket: WebSocket;
  readonly #unfollow: () => void;
  #at = 0;
  #caughtUp: (() => void) | undefined;

  constructor(replay: Replay, socket: WebSocket) {
    this.#replay = replay;
    this.#socket = socket;
    this.#unfollow = replay.follow(() => this.#pump());
    this.#pump();
  }

  /** Resolves when everything there is has been handed to the socket, or the outlet has ended. */
  async drain(): Promise<void> {
    if (this.#isBehind()) await new Promise<void>((resolve) => (this.#caughtUp = resolve));
  }

  /** Sends nothing more. */
  end(): void {
    this.#unfollow();
    this.#caughtUp?.();
  }

  #isBehind(): boolean {
    return this.#socket.readyState === this.#socket.OPEN && this.#at < this.#replay.last;
  }

  #pump(): void {
    const socket = this.#socket;
    while (this.#isBehind() && socket.bufferedAmount < outletBytesMax) {
      const batch = this.#replay.read(this.#at, batchMessagesMax);
      if (batch.length === 0) this.#at = this.#replay.last;
      for (const message of batch) {
        this.#at = message.at;
        if (message.from === socket) continue;
        socket.send(message.text, this.#sent);
        if (socket.bufferedAmount >= outletBytesMax) break;
      }
    }
    if (!this.#isBehind()) this.#caughtUp?.();
  }

  /** An error of one message is the end of the socket, which its owner hears of. */
  readonly #sent = (): void => {
    if (this.#isBehind()) this.#pump();
  };
}

import { WebSocket } from "ws";
import { Outlet } from "./outlet.ts";
import type { Replay } from "./replay.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";

/** Longest wait for the other side to accept a connection, in milliseconds; then the attempt has failed. */
export const connectTimeoutMs = 5_000;
/** Wait before the second attempt; it doubles with each failure. */
export const retryFirstMs = 500;
/** Longest wait between two attempts. */
export const retryLongestMs = 30_000;
/** Failed attempts in a row, about half an hour; then the link gives up and says so. */
export const attemptsMax = 64;
/** Longest flush of what is queued when the troupe closes; then the rest is lost. */
export const flushMs = 1_000;
/** Largest message from the other side. It has nothing to say to us, but may relay others to us. */
const receivedBytesMax = 4_194_304;

/**
 * Sends a replay to an inspector's WebSocket that runs elsewhere. Where it cannot be reached the troupe runs on: the
 * link warns once, tries again, and tells whoever answers at last all that the replay holds.
 */
export class Link {
  /** Where it sends to, as it was given. */
  readonly url: string;
  readonly #replay: Replay;
  readonly #clock: Clock;
  readonly #log: Log;
  #socket: WebSocket | undefined;
  #outlet: Outlet | undefined;
  #retry: Timer | undefined;
  #failures = 0;
  #warned = false;
  #closing = false;

  constructor(url: string, replay: Replay, ports: { readonly clock: Clock; readonly log: Log }) {
    this.url = url;
    this.#replay = replay;
    this.#clock = ports.clock;
    this.#log = ports.log;
    this.#connect();
  }

  #connect(): void {
    this.#retry = undefined;
    const socket = new WebSocket(this.url, {
      handshakeTimeout: connectTimeoutMs,
      maxPayload: receivedBytesMax,
      perMessageDeflate: false,
    });
    this.#socket = socket;
    let problem = "the connection was closed";
    socket.on("open", () => {
      this.#failures = 0;
      this.#outlet = new Outlet(this.#replay, socket);
    });
    socket.on("error", (error) => (problem = failureText(error)));
    socket.on("close", () => this.#lost(problem));
  }

  #lost(problem: string): void {
    this.#outlet?.end();
    this.#outlet = undefined;
    this.#socket = undefined;
    if (this.#closing) return;
    this.#failures += 1;
    const where = showAddress(this.url);
    if (!this.#warned) {
      this.#warned = true;
      const message = `the inspector at ${where} cannot be reached (${problem}); the troupe runs on, and tries again`;
      this.#log.write("warn", message, { url: where, problem });
    }
    if (this.#failures >= attemptsMax) {
      this.#log.write("info", `gave up on the inspector at ${where} after ${attemptsMax} attempts`, { url: where });
      return;
    }
    const waitMs = Math.min(retryLongestMs, retryFirstMs * 2 ** (this.#failures - 1));
    this.#retry = this.#clock.after(waitMs, () => this.#connect());
  }

  /** Sends what is queued, within `flushMs`, and leaves nothing open. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#retry?.cancel();
    const socket = this.#socket;
    if (socket === undefined) return;
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    const limit = this.#clock.after(flushMs, () => socket.terminate());
    if (socket.readyState === socket.CONNECTING) await Promise.race([closed, opened(socket)]);
    await this.#outlet?.drain();
    // The answer to our close frame says that all before it has arrived.
    socket.close(1000);
    await closed;
    limit.cancel();
  }
}

/** What went wrong, in words: Node gives several addresses tried as one error without a message of its own. */
function failureText(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return error.message === "" ? (code ?? error.name) : error.message;
}

function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => socket.once("open", () => resolve()));
}

/** An address without what may be secret in it: user, password, query. */
function showAddress(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

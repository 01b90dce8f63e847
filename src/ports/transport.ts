import type { Codec, WireData } from "../../machines/wire/codec.ts";

/** What is known of the other end of a connection before it has said a word. */
export interface PipeEnd {
  /** The codec that the two ends agreed on. */
  readonly codec: Codec;
  /** Where it comes from, for limits per address. */
  readonly address: string;
  /** Keying material of the channel in hex, or "" where the channel has none. */
  readonly binding: string;
  /** Names in the other end's certificate, where it was checked. */
  readonly certified: readonly string[];
}

/** Who hears what happens on a pipe. Everything is told in order, and nothing after `closed`. */
export interface PipeListener {
  frame(data: WireData): void;
  /** The pipe's own buffer, which was full, is empty again. */
  drained(): void;
  /** Told exactly once, also where this side closed. 1006 where the other end said nothing. */
  closed(code: number, reason: string): void;
}

/**
 * One connection. It carries whole frames in order, and may end at any time; everything that must survive that is
 * the session's.
 */
export interface Pipe {
  readonly end: PipeEnd;
  /** Who is told from now on; a later listener takes the place of the earlier. What came before waits for the first. */
  listen(listener: PipeListener): void;
  /** False: taken, but the buffer is full until `drained`. */
  send(frame: WireData): boolean;
  /** Frames sent inside of `write` travel together, as far as the pipe can. */
  cork(write: () => void): void;
  /** Bytes that have come in so far, of incomplete frames too. */
  received(): number;
  /** Larger frames than this are refused from now on. */
  limitFrames(bytes: number): void;
  /** Ends in good order: what was sent before arrives first. */
  close(code: number, reason: string): void;
  /** Ends at once. */
  terminate(): void;
}

/** A place where other nodes can dial this one. */
export interface Listening extends AsyncDisposable {
  readonly url: string;
}

/** Why dialling again would come to nothing: what the two sides are set to does not fit together. */
export class DialRefusal extends Error {
  /** A close code of the protocol. */
  readonly code: number;

  constructor(code: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A way to dial other nodes. `codecs`: those that this side takes, the best first. Rejects where nobody answers, with a `DialRefusal` where nobody ever will. */
export interface Transport {
  dial(url: string, options: { readonly codecs: readonly Codec[]; readonly signal: AbortSignal }): Promise<Pipe>;
}

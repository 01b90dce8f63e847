import type { Failure, Outcome } from "../../machines/failure.ts";

/** Whom a message is for: an actor by its path, one incarnation of it where `incarnation` is given, or whoever has a capability. */
export interface Address {
  /** "/reviewer/1", or "cap:code.review". */
  readonly path: string;
  readonly incarnation?: number;
}

/** The headers of a message that has none. */
export const noHeaders: { readonly [name: string]: string } = Object.freeze({});

/** What came with a message from a peer. */
export interface Incoming {
  readonly peer: string;
  readonly to: Address;
  readonly capability: string;
  readonly input: unknown;
  /** The sender's id of this message, the same at every retry. */
  readonly id: string;
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
  /** How often it may still be passed on. */
  readonly hops: number;
  readonly headers: { readonly [name: string]: string };
}

export interface IncomingCall extends Incoming {
  /** Milliseconds that the caller still waits. */
  readonly ttlMs: number;
  /** Whether the caller takes what `emit` tells. */
  readonly isFollowed: boolean;
  /** Calls each of these once when the caller gives up, or its session ends; a signal for each call would be dear. */
  onCancel(cancel: () => void): void;
  /** Tells the caller something on the way; resolves when the caller has taken enough of what came before. */
  emit(item: unknown): Promise<void>;
}

/** How an incarnation ended, as its monitors on other nodes hear it. */
export interface RemoteDown {
  /** `noproc`: there was none. `noconnection`: its fate is not known. `refused`: it may not be watched. */
  readonly reason: "stopped" | "crashed" | "noproc" | "noconnection" | "refused";
  readonly incarnation?: number;
  readonly failure?: Failure;
}

/** What was asked of a node by `spawn`. */
export interface IncomingSpawn {
  readonly peer: string;
  /** A name that this node exposes: "worker@1". */
  readonly name: string;
  readonly input: unknown;
}

/** What a node lets its peers reach. The floor above provides it; nothing of it may throw for what a peer sends. */
export interface Hosting {
  call(call: IncomingCall): Promise<Outcome<unknown>>;
  /** A failure goes back to the sender, where it becomes a dead letter. */
  tell(message: Incoming): Failure | undefined;
  /** Calls `down` at most once; the returned function stops watching. */
  monitor(target: Address, down: (down: RemoteDown) => void): () => void;
  spawn(request: IncomingSpawn): Promise<Outcome<Required<Address>>>;
  stop(target: Address): void;
}

/** `#` parts the path from the incarnation. */
export function writeAddress({ path, incarnation }: Address): string {
  return incarnation === undefined ? path : `${path}#${incarnation}`;
}

export function readAddress(text: string): Address {
  const at = text.lastIndexOf("#");
  const incarnation = at === -1 ? Number.NaN : Number(text.slice(at + 1));
  return Number.isSafeInteger(incarnation) ? { path: text.slice(0, at), incarnation } : { path: text };
}

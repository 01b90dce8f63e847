import type { Signer } from "../../ports/signer.ts";

/** A replica's place in its council. */
export interface ReplicaSeat {
  /** Position in the electorate. */
  readonly self: number;
  readonly members: number;
  readonly signer: Signer;
}

/** Where a replica's messages go, whatever carries them: this process, or links to others. */
export interface ReplicaPort {
  /** Sends to one member and never waits; what cannot be sent is lost, and the protocol says it again. */
  send(to: number, message: unknown): void;
  /**
   * Gives every message for this member to `hear`, with the sender's place. Whoever carries messages may lie about it, so
   * it says only whom to answer, whose messages are too many, and who brings no ballot; what counts is signed.
   */
  receive(hear: (from: number, message: unknown) => void): void;
}

/** A council whose members are all in this process: messages are handed over as they are, in order. */
export function joinLocally(count: number): readonly ReplicaPort[] {
  const hearers: (((from: number, message: unknown) => void) | undefined)[] = Array.from({ length: count });
  return hearers.map((_, self) => ({
    send: (to, message) => hearers[to]?.(self, message),
    receive: (hear) => {
      hearers[self] = hear;
    },
  }));
}

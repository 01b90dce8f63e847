/** One side of a measured pair: what is asked travels to the other process and comes back. */
export interface Client {
  /** Sends a text that comes back; `answered` is called when it has. */
  readonly call: (payload: string, answered: () => void) => void;
  /** Sends a text that nothing answers; false when it was not taken and must be sent again. */
  readonly tell?: (payload: string) => boolean;
  /** How many of those the other side has had. */
  readonly told?: () => Promise<number>;
  readonly close: () => void | Promise<void>;
}

/** A way of talking between two processes on loopback. */
export interface Peer {
  /** Begins to listen; resolves with its port, or with 0 where the way needs none. */
  serve(): Promise<number>;
  connect(port: number): Promise<Client>;
}

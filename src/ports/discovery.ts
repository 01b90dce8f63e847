/**
 * Finds the addresses of other nodes: a list in a file, a name service, a message bus. What it finds is not trusted for
 * it: every node still proves who it is.
 */
export interface Discovery {
  /** All addresses there are now. Rejects where it cannot say; the list before then stays good. */
  list(options: { readonly signal: AbortSignal }): Promise<readonly string[]>;
  /** Calls `changed` whenever the list may have changed; the returned function ends that. Left out: it is only asked. */
  watch?(changed: () => void): () => void;
}

/** The signals that ask a command to stop. */
const signals = ["SIGINT", "SIGTERM"] as const;

export interface Interrupt {
  readonly signal: AbortSignal;
  close(): void;
}

/** Turns the first Ctrl-C into an abort, so that the command stops cleanly; the second one ends the process at once. */
export function listenForInterrupt(): Interrupt {
  const controller = new AbortController();
  const hear = (): void => {
    // A person who insists is obeyed, whatever still runs.
    // oxlint-disable-next-line unicorn/no-process-exit
    if (controller.signal.aborted) process.exit(130);
    controller.abort(new Error("interrupted"));
  };
  for (const signal of signals) process.on(signal, hear);
  return {
    signal: controller.signal,
    close() {
      for (const signal of signals) process.off(signal, hear);
    },
  };
}

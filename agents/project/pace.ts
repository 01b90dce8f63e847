import { setImmediate as nextTurn } from "node:timers/promises";
import { sliceMs } from "./limits.ts";

/** Lets a long computation share the event loop: `breathe` yields after each slice of work and ends at once on abort. */
export interface Pace {
  readonly signal: AbortSignal;
  breathe(): Promise<void>;
}

export function createPace(signal: AbortSignal): Pace {
  let sliceEnd = performance.now() + sliceMs;
  return {
    signal,
    async breathe() {
      signal.throwIfAborted();
      if (performance.now() < sliceEnd) return;
      await nextTurn();
      signal.throwIfAborted();
      sliceEnd = performance.now() + sliceMs;
    },
  };
}

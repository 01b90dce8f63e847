import type { GoAway, WireError } from "./frames.ts";
import { ttlMaxMs } from "./limits.ts";

/** What a parting frame says; its wait may be any number that was computed. */
interface Parting<Frame extends GoAway | WireError> {
  readonly what: Omit<Frame, "t" | "retryAfterMs">;
  readonly retryAfterMs?: number | undefined;
}

/** A wait as a frame may say it: whole milliseconds, never sooner than it was meant, and an hour at most. */
function waitOf(ms: number | undefined): { readonly retryAfterMs?: number } {
  return ms === undefined ? {} : { retryAfterMs: Math.min(ttlMaxMs, Math.max(0, Math.ceil(ms))) };
}

/** Every error frame that this side sends: what it says of time, the other side takes. */
export function errorFrame({ what, retryAfterMs }: Parting<WireError>): WireError {
  return { t: "E", ...what, ...waitOf(retryAfterMs) };
}

/** Every go-away that this side sends, likewise. */
export function goAwayFrame({ what, retryAfterMs }: Parting<GoAway>): GoAway {
  return { t: "G", ...what, ...waitOf(retryAfterMs) };
}

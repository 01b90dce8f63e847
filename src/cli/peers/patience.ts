import { callTimeoutMaxMs } from "../../dispatch/options.ts";
import { TroupeError } from "../../errors.ts";
import type { ParsedArguments } from "../command.ts";

/** How long a command that knows its result waits until the other node has heard its last word. */
export const farewellMs = 1_000;

/** Reads `--timeout`. Errors: throws `usage/bad-argument`. */
export function readTimeout(values: ParsedArguments["values"], standardMs: number): number {
  const given = values["timeout"] as string | undefined;
  if (given === undefined) return standardMs;
  const timeoutMs = Number(given);
  if (!(timeoutMs >= 1 && timeoutMs <= callTimeoutMaxMs))
    throw new TroupeError(
      "usage/bad-argument",
      `--timeout ${given}: give a number of milliseconds, from 1 to ${callTimeoutMaxMs}`,
    );
  return timeoutMs;
}

import type { Rate } from "../../../machines/session/meter.ts";
import { checkWhole } from "../options.ts";
import type { ListenOptions } from "./doors.ts";

/** Fewest messages a second that a door may take of a peer; with fewer, its acknowledgements alone could be too many. */
export const messagesPerSecondMin = 100;
/** Fewest bytes a second that a door may take of a peer. */
export const bytesPerSecondMin = 65_536;

/** What was given of a rate. Errors: throws `usage/invalid-options`. */
export function readRate({ messagesPerSecond, bytesPerSecond }: ListenOptions["rate"] = {}): Partial<Rate> {
  const high = Number.MAX_SAFE_INTEGER;
  checkWhole("rate.messagesPerSecond", messagesPerSecond, { low: messagesPerSecondMin, high });
  checkWhole("rate.bytesPerSecond", bytesPerSecond, { low: bytesPerSecondMin, high });
  return {
    ...(messagesPerSecond === undefined ? {} : { messagesPerSecond }),
    ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
  };
}

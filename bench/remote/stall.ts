import type { Arm } from "../measuring/arm.ts";
import { wallMs } from "../measuring/clocks.ts";
import { endOther, startOther } from "./other-process.ts";
import { peers } from "./peers/table.ts";
import { stallMs } from "./scales.ts";

const mebibyte = 1_048_576;
/** Most tells in one turn of the event loop. */
const tellsPerTurn = 1_000;
const payload = "x".repeat(1_000);

/** A peer that is stopped while it is told as much as is taken: what the sender's memory comes to. */
export const stallPeer: Arm = async () => {
  const other = await startOther("troupe");
  const client = await (await peers.troupe()).connect(other.port);
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  other.child.kill("SIGSTOP");
  let [most, taken] = [0, 0];
  const end = wallMs() + stallMs;
  while (wallMs() < end) {
    // As whoever minds an answer: what was not taken is tried again later.
    for (let each = 0; each < tellsPerTurn && client.tell?.(payload) === true; each += 1) taken += 1;
    most = Math.max(most, process.memoryUsage().rss);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await endOther(other);
  return {
    rss: { value: most / mebibyte },
    grown: { value: (most - before) / mebibyte },
    taken: { value: taken },
  };
};

import type { Arm } from "../measuring/arm.ts";
import { wallMs } from "../measuring/clocks.ts";
import { endOther, startOther } from "./other-process.ts";
import { peers } from "./peers/table.ts";
import { stallMs } from "./scales.ts";

const mebibyte = 1_048_576;
/** Tells in one turn of the event loop, taken or not. */
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
    for (let each = 0; each < tellsPerTurn; each += 1) if (client.tell?.(payload) === true) taken += 1;
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

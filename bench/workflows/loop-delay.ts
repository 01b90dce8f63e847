import { monitorEventLoopDelay } from "node:perf_hooks";
import { join } from "node:path";
import { systemClock } from "../../src/ports/clock.ts";
import { SqliteStore } from "../../src/store/sqlite/store.ts";
import type { Arm } from "../measuring/arm.ts";
import { wallMs } from "../measuring/clocks.ts";
import { withFolder } from "./folder.ts";
import { writersCount } from "./scales.ts";

/** Wall time before anything is measured, in milliseconds. */
const warmMs = 500;
/** A fact of a run as it is on average: 300 characters. */
const body = JSON.stringify("x".repeat(298));

/** A thousand writers, each of which waits for its write to be durable before the next: how long others wait. */
export const delayWriters: Arm = ({ quick }) =>
  withFolder(async (folder) => {
    await using store = await SqliteStore.open(join(folder, "troupe.db"), { clock: systemClock });
    let writes = 0;
    const writeFor = async (ms: number): Promise<void> => {
      const end = wallMs() + ms;
      const write = async (writer: number): Promise<void> => {
        while (wallMs() < end) {
          writes += 1;
          const fact = { run: `r${writer}`, seq: writes, namespace: "", variant: "", at: 0, type: "t" };
          const result = await store.commit({ facts: [{ ...fact, message: null, mark: 0, body }] });
          if (!result.ok) throw new Error(result.refused);
        }
      };
      await Promise.all(Array.from({ length: writersCount }, (_, writer) => write(writer)));
    };
    await writeFor(warmMs);
    const delay = monitorEventLoopDelay({ resolution: 1 });
    const from = wallMs();
    const before = writes;
    delay.enable();
    await writeFor(quick ? 700 : 3_000);
    delay.disable();
    const rate = ((writes - before) * 1_000) / (wallMs() - from);
    // The resolution of 1 ms is part of every figure.
    return {
      p50: { value: delay.percentile(50) / 1e6 },
      p99: { value: delay.percentile(99) / 1e6 },
      writes: { value: rate },
    };
  });

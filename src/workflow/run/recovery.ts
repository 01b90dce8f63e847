import type { Engine } from "../engine.ts";
import { residentRunsMax } from "./residents.ts";

/** Runs that are read from the store at once; between two pages the event loop breathes. */
const pageRunsMax = 200;

/**
 * Brings every unfinished run back: those that have work open, or wait for their turn, go on at once. Runs beyond the
 * limit of residents stay in the store; their timers and events bring them in when they come.
 */
export async function recoverRuns(engine: Engine): Promise<number> {
  let recovered = 0;
  let after = "";
  for (;;) {
    if (engine.isClosing) return recovered;
    const rows = await engine.store.listRuns({ status: ["running", "paused"], after, limit: pageRunsMax });
    const last = rows.at(-1);
    if (last === undefined) return recovered;
    after = last.id;
    const ids = rows.map(({ id }) => id).filter((id) => engine.residents.get(id) === undefined);
    for (const stored of await engine.store.loadRuns(ids)) {
      const isWaiting = stored.tasks.length === 0 && stored.run.seq > 0;
      if (isWaiting && engine.residents.size >= residentRunsMax && stored.facts[0]?.type !== "queued") continue;
      try {
        if ((await engine.residents.adopt(stored)) !== undefined) recovered += 1;
      } catch (thrown) {
        engine.report(`run ${stored.run.id} could not be brought back`, thrown);
      }
    }
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

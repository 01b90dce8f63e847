import fc from "fast-check";
import { expect, test } from "vitest";
import type { PeerSession } from "../../src/remote/peer-session.ts";
import { memoryWorld } from "./memory-world.ts";
import { actor, delivered, pairOf, patient, tellAll } from "./transport-contract.ts";
import { judgeHistory } from "./transport-history.ts";
import { tellThrough, type TestNode, type World } from "./transport-world.ts";

const faults = ["cut", "cut after", "cut dialers", "swallow", "delay", "stall", "flow"] as const;
const works = ["tell", "tell back", "call", "call back", "wait", "watch", "die"] as const;

/** What may happen next, and how long after the last thing. */
const act = fc.record({
  what: fc.constantFrom(...faults, ...works),
  size: fc.integer({ min: 1, max: 40 }),
  afterMs: fc.integer({ min: 0, max: 400 }),
});

function harm(world: World, what: string, size: number): void {
  if (what === "cut") world.cut();
  else if (what === "cut after") world.cutAfter(size);
  else if (what === "cut dialers") world.cutDialers();
  else if (what === "swallow") world.swallow();
  else if (what === "delay") world.delay(size * 3);
  else world.stall(what === "stall");
}

/** Calls and monitors of one session: the witness of the world hears what becomes of each. */
function ask(session: PeerSession, { host }: TestNode, what: string, size: number): void {
  const { requests } = session;
  const path = `/mortal/${size % 3}`;
  if (what === "die") return host.kill(path);
  if (what === "watch") {
    if (!host.actors.has(path)) host.start(path);
    const gone = new AbortController();
    void requests.monitor({ path }, gone.signal).catch(() => {});
    if (size % 5 === 0) gone.abort();
    return;
  }
  // Some calls end by their deadline, on their way or at the handler.
  const options = what === "wait" ? { timeoutMs: size * 20 } : patient;
  for (let count = 0; count < size; count += 1)
    void requests.call(actor, what === "wait" ? "wait" : "echo", { input: count, options });
}

test("whatever happens to the connections, all that was told arrives once and in order, and all that was asked ends once", async () => {
  const schedules = fc.array(act, { minLength: 1, maxLength: 25 });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1 }), schedules, async (seed, acts) => {
      await tellThrough(memoryWorld({ seed }), async (world) => {
        const { alpha, beta, link } = await pairOf(world, { pace: { ttlMs: 120_000 } });
        const [back] = beta.remote.sessions;
        if (back === undefined) throw new Error("the listener has no session");
        const sent = { there: 0, back: 0 };
        for (const { what, size, afterMs } of acts) {
          if (what === "tell") tellAll(link.session, "there", [sent.there, (sent.there += size)]);
          else if (what === "tell back") tellAll(back, "back", [sent.back, (sent.back += size)]);
          else if (what === "call back") ask(back, alpha, "call", size);
          else if (what === "call" || what === "wait" || what === "watch" || what === "die")
            ask(link.session, beta, what, size);
          else harm(world, what, size);
          await world.pass(afterMs);
        }
        world.stall(false);
        await world.until(
          "all is there",
          () => delivered(world, "there") === sent.there && delivered(world, "back") === sent.back,
        );
        expect(judgeHistory(world.history, "arrived")).toEqual([]);
      });
    }),
    { numRuns: 60, seed: 20_261 },
  );
});

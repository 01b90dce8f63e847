import fc from "fast-check";
import { expect, test } from "vitest";
import { memoryWorld } from "./memory-world.ts";
import { delivered, pairOf, tellAll } from "./transport-contract.ts";
import { judgeHistory } from "./transport-host.ts";

/** What may happen next, and how long after the last thing. */
const act = fc.record({
  what: fc.constantFrom("tell", "tell back", "cut", "cut after", "cut dialers", "swallow", "stall", "flow"),
  size: fc.integer({ min: 1, max: 40 }),
  afterMs: fc.integer({ min: 0, max: 400 }),
});

test("whatever happens to the connections, what was told arrives once and in order", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1 }), fc.array(act, { minLength: 1, maxLength: 25 }), async (seed, acts) => {
      await using world = memoryWorld({ seed });
      const pair = await pairOf(world, { pace: { ttlMs: 120_000 } });
      const [back] = pair.beta.remote.sessions;
      if (back === undefined) throw new Error("the listener has no session");
      const sent = { there: 0, back: 0 };
      for (const { what, size, afterMs } of acts) {
        if (what === "tell") tellAll(world, pair.link.session, "there", [sent.there, (sent.there += size)]);
        else if (what === "tell back") tellAll(world, back, "back", [sent.back, (sent.back += size)]);
        else if (what === "cut") world.cut();
        else if (what === "cut after") world.cutAfter(size);
        else if (what === "cut dialers") world.cutDialers();
        else if (what === "swallow") world.swallow();
        else world.stall(what === "stall");
        await world.pass(afterMs);
      }
      world.stall(false);
      await world.until(
        "all is there",
        () => delivered(world, "there") === sent.there && delivered(world, "back") === sent.back,
      );
      expect(judgeHistory(world.history, true)).toEqual([]);
    }),
    { numRuns: 60, seed: 20_261 },
  );
});

import { isTroupeError } from "troupe";
import { describe, expect, test } from "vitest";
import { pass, play, puppet, script } from "./scene.ts";

const empty = { name: "empty", children: [] };

describe("a start that fails", () => {
  test("is heard by the spawner, and nothing of that spawn stays", async () => {
    const transcript = await play(empty, async ({ troupe, clock }) => {
      const third = puppet(clock, {
        name: "third",
        start: async (turn) => {
          if (turn === 3) throw new Error("no luck");
        },
      });
      const spawned = troupe.spawn(third, { count: 3, restart: "permanent" });
      await expect(spawned).rejects.toSatisfy((error) => isTroupeError(error, "agent/start-failed"));
      await expect(spawned).rejects.toThrow(/\/third\/3 could not start: Error: no luck/);
      expect(troupe.agents.list()).toEqual([]);
    });
    expect(transcript).toBe(
      script(`
        t=0 start /empty
        t=0 start /third
        t=0 start /third/1#1
        t=0 start /third/2#2
        t=0 cannot start /third/3#3 "Error: no luck"
        t=0 stop /third/1#1
        t=0 stop /third/2#2
      `),
    );
  });

  test("in a declared tree stops what had started, in reverse, and the whole tree is refused", async () => {
    const transcript = await play(empty, async ({ troupe, clock }) => {
      const agent = puppet(clock);
      const broken = puppet(clock, { name: "broken", start: () => Promise.reject(new Error("no luck")) });
      const tree = {
        name: "top",
        children: [
          { agent, name: "a" },
          { name: "inner", children: [{ agent, name: "b" }, { agent: broken }, { agent, name: "c" }] },
          { agent, name: "d" },
        ],
      };
      await expect(troupe.supervise(tree)).rejects.toSatisfy((error) => isTroupeError(error, "agent/start-failed"));
      expect(troupe.actors().map((actor) => actor.id)).toEqual(["/", "/empty"]);
      expect(troupe.metrics().residentActors).toBe(0);
    });
    expect(transcript).toBe(
      script(`
        t=0 start /empty
        t=0 start /top
        t=0 start /top/a#1
        t=0 start /top/inner
        t=0 start /top/inner/b#2
        t=0 cannot start /top/inner/broken#3 "Error: no luck"
        t=0 stop /top/inner/b#2
        t=0 stop /top/a#1
      `),
    );
  });

  test("of a restart is heard by monitors, and counts as one more crash", async () => {
    const transcript = await play(
      (clock) => {
        const late = puppet(clock, {
          start: async (turn, signal) => {
            await pass(clock, turn === 1 ? 0 : 10, signal);
            if (turn === 2) throw new Error("no luck");
          },
        });
        return { name: "council", intensity: { restarts: 2 }, children: [{ agent: late, name: "a" }] };
      },
      async ({ tell, watch, notices, pass: wait }) => {
        await wait(0);
        watch("a");
        await tell("a", "crash");
        await wait(5);
        watch("a");
        await wait(100);
        expect(notices.map((down) => [down.incarnation, down.reason, down.failure?.code])).toEqual([
          [1, "crashed", "agent/crashed"],
          [2, "crashed", "agent/start-failed"],
        ]);
        await tell("a", "answer");
      },
    );
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/a#1
        t=0 call 1 fails agent/crashed
        t=0 crash /council/a#1 "Error: boom"
        t=10 cannot start /council/a#2 "Error: no luck"
        t=20 start /council/a#3
        t=105 call 2 ok
      `),
    );
  });

  test("of every restart ends in an escalation", async () => {
    const transcript = await play(
      (clock) => {
        const once = puppet(clock, {
          start: (turn) => (turn === 1 ? undefined : Promise.reject(new Error("no luck"))),
        });
        return { name: "council", intensity: { restarts: 3 }, children: [{ agent: once, name: "a" }] };
      },
      async ({ tell }) => {
        await tell("a", "crash");
      },
    );
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/a#1
        t=0 call 1 fails agent/crashed
        t=0 crash /council/a#1 "Error: boom"
        t=0 cannot start /council/a#2 "Error: no luck"
        t=0 cannot start /council/a#3 "Error: no luck"
        t=0 cannot start /council/a#4 "Error: no luck"
        t=0 give up /council
      `),
    );
  });

  test("takes too long: the hook is told to give up, and the start has failed", async () => {
    let reason: unknown;
    const transcript = await play(empty, async ({ troupe, clock }) => {
      const slow = puppet(clock, {
        name: "slow",
        startTimeoutMs: 50,
        start: (_turn, signal) =>
          new Promise((_, reject) => {
            signal.addEventListener("abort", () => {
              reason = signal.reason;
              reject(new Error("gave up"));
            });
          }),
      });
      const spawned = troupe.spawn(slow);
      spawned.catch(() => undefined);
      await clock.advance(50);
      await expect(spawned).rejects.toThrow("start took longer than 50 ms");
    });
    expect(String(reason)).toBe("Error: start took longer than 50 ms");
    expect(transcript).toContain(`t=50 cannot start /slow/1#1 "Error: start took longer than 50 ms"`);
  });

  test("a start hook that throws at once, and one that returns something else than a promise", async () => {
    await play(empty, async ({ troupe, clock }) => {
      const throws = puppet(clock, {
        name: "throws",
        start: () => {
          throw new TypeError("at once");
        },
      });
      await expect(troupe.spawn(throws)).rejects.toThrow("TypeError: at once");
      const returns = puppet(clock, { name: "returns", start: () => 7 });
      const [ref] = await troupe.spawn(returns);
      expect(ref?.state).toBe("idle");
    });
  });
});

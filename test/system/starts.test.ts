import { isTroupeError } from "troupe";
import type { FakeClock } from "troupe/testing";
import { describe, expect, test } from "vitest";
import { children, pass, play, puppet, script } from "./scene.ts";

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

describe("a start that is overtaken", () => {
  const slowly = (clock: FakeClock, ms: number, hooks: { name?: string } = {}) =>
    puppet(clock, { ...hooks, start: () => pass(clock, ms) });

  test("an agent killed while it starts has failed to start, once", async () => {
    const transcript = await play(
      (clock) => ({
        name: "council",
        intensity: { restarts: 5 },
        children: [{ agent: puppet(clock, { start: (turn) => pass(clock, turn === 1 ? 0 : 50) }), name: "a" }],
      }),
      async ({ tell, agent, pass: wait }) => {
        await wait(0);
        await tell("a", "crash");
        await wait(10);
        agent("a").kill("enough");
        await wait(200);
        await tell("a", "answer");
      },
    );
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/a#1
        t=0 call 1 fails agent/crashed
        t=0 crash /council/a#1 "Error: boom"
        t=10 cannot start /council/a#2 "Error: enough"
        t=60 start /council/a#3
        t=210 call 2 ok
      `),
    );
  });

  test("a group restart while a member starts: the late end of the first start hook does not touch the second", async () => {
    const transcript = await play(
      (clock) => ({
        name: "council",
        strategy: "one-for-all",
        intensity: { restarts: 5 },
        children: [
          { agent: puppet(clock, { name: "quick" }), name: "a" },
          { agent: puppet(clock, { start: (turn) => pass(clock, turn === 1 ? 0 : 50) }), name: "b" },
          { agent: puppet(clock, { name: "other" }), name: "c" },
        ],
      }),
      async ({ tell, pass: wait, troupe }) => {
        await wait(0);
        await tell("a", "crash");
        await wait(10);
        // The group restart is under way: a is up, b starts, c has not been started.
        await tell("a", "crash");
        await wait(300);
        expect(troupe.agents.list().map((info) => `${info.id} ${info.state}`)).toEqual([
          "/council/a idle",
          "/council/b idle",
          "/council/c idle",
        ]);
      },
    );
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/a#1
        t=0 start /council/b#2
        t=0 start /council/c#3
        t=0 call 1 fails agent/crashed
        t=0 crash /council/a#1 "Error: boom"
        t=0 stop /council/c#3
        t=0 stop /council/b#2
        t=0 start /council/a#4
        t=10 call 2 fails agent/crashed
        t=10 crash /council/a#4 "Error: boom"
        t=50 start /council/b#5
        t=50 start /council/c#6
        t=50 stop /council/c#6
        t=50 stop /council/b#5
        t=50 start /council/a#7
        t=100 start /council/b#8
        t=100 start /council/c#9
      `),
    );
  });

  test("an agent that is stopped while it starts, and started again at once, is judged by its second start", async () => {
    const transcript = await play(
      (clock) => ({
        name: "top",
        strategy: "one-for-all",
        children: [
          { agent: puppet(clock, { name: "quick" }), name: "x" },
          {
            name: "inner",
            children: [
              {
                agent: puppet(clock, { start: (turn, signal) => pass(clock, turn === 1 ? 0 : 50, signal) }),
                name: "b",
              },
            ],
          },
        ],
      }),
      async ({ tell, pass: wait }) => {
        await wait(0);
        await tell("inner/b", "crash");
        await wait(10);
        await tell("x", "crash");
        await wait(200);
        await tell("inner/b", "answer");
      },
    );
    expect(transcript).toBe(
      script(`
        t=0 start /top
        t=0 start /top/x#1
        t=0 start /top/inner
        t=0 start /top/inner/b#2
        t=0 call 1 fails agent/crashed
        t=0 crash /top/inner/b#2 "Error: boom"
        t=10 call 2 fails agent/crashed
        t=10 crash /top/x#1 "Error: boom"
        t=10 stop /top/inner/b#3
        t=10 stop /top/inner
        t=10 start /top/x#4
        t=10 start /top/inner
        t=60 start /top/inner/b#5
        t=210 call 3 ok
      `),
    );
  });

  test.each(["one-for-all", "one-for-one"] as const)(
    "members that are stopped for good while a tree starts again (%s) hold up nobody else",
    async (strategy) => {
      const transcript = await play(
        (clock) => {
          const slow = (name: string) =>
            puppet(clock, { name, start: (turn, signal) => pass(clock, turn === 1 ? 0 : 50, signal) });
          return {
            name: "top",
            children: [
              {
                name: "inner",
                strategy,
                intensity: { restarts: strategy === "one-for-all" ? 1 : 0 },
                children: ["a", "b", "c", "d"].map((name) => ({ agent: slow(name), name })),
              },
            ],
          };
        },
        async ({ tell, agent, pass: wait, troupe }) => {
          await wait(0);
          await tell("inner/c", "crash");
          await wait(60);
          // a is up again, b starts, c and d have not been started.
          void agent("inner/b").stop();
          void agent("inner/c").stop();
          await wait(500);
          expect(troupe.actors().map((actor) => `${actor.id} ${actor.state}`)).toEqual([
            "/ running",
            "/top running",
            "/top/inner running",
            "/top/inner/a idle",
            "/top/inner/d idle",
          ]);
        },
      );
      expect(transcript).not.toContain("start /top/inner/c#7");
      expect(transcript).not.toContain("cannot start");
    },
  );

  test("a tree that is stopped while it starts leaves nothing running", async () => {
    const transcript = await play(empty, async ({ troupe, clock }) => {
      const tree = {
        name: "top",
        children: [
          { agent: puppet(clock), name: "a" },
          { name: "inner", children: children({ agent: slowly(clock, 100, { name: "slow" }) }, "b c") },
          { agent: puppet(clock, { name: "last" }), name: "d" },
        ],
      };
      const opening = troupe.supervise(tree);
      opening.catch(() => undefined);
      await clock.advance(50);
      expect(troupe.actors().map((actor) => `${actor.id} ${actor.state}`)).toEqual([
        "/ running",
        "/empty running",
        "/top starting",
        "/top/a idle",
        "/top/inner starting",
        "/top/inner/b starting",
        "/top/inner/c stopped",
        "/top/d stopped",
      ]);
      const closed = troupe.close();
      await clock.advance(1_000);
      await closed;
      await expect(opening).rejects.toSatisfy((error) => isTroupeError(error, "agent/start-failed"));
      expect(troupe.metrics().residentActors).toBe(0);
    });
    // The feed closes with the troupe, and hears of the end before that.
    expect(transcript).toContain("t=50 stop /top/inner/b#2\nt=50 stop /top/inner\nt=50 stop /top/a#1\nt=50 stop /top");
    expect(transcript).not.toContain("start /top/inner/c");
    expect(transcript).not.toContain("start /top/d");
  });

  test("a child that crashes while its supervisor still starts waits for its siblings to be up", async () => {
    const transcript = await play(empty, async ({ troupe, clock }) => {
      const quick = puppet(clock, { name: "quick" });
      const opening = troupe.supervise({
        name: "top",
        strategy: "one-for-all",
        children: [
          { agent: quick, name: "a" },
          { agent: slowly(clock, 100), name: "b" },
        ],
      });
      await clock.advance(50);
      const outcome = troupe.call("obey", { order: "crash" });
      await clock.advance(300);
      await opening;
      expect(await outcome).toMatchObject({ ok: false, failure: { code: "agent/crashed" } });
    });
    expect(transcript).toBe(
      script(`
        t=0 start /empty
        t=0 start /top
        t=0 start /top/a#1
        t=50 call 1 fails agent/crashed
        t=50 crash /top/a#1 "Error: boom"
        t=100 start /top/b#2
        t=100 stop /top/b#2
        t=100 start /top/a#3
        t=200 start /top/b#4
      `),
    );
  });

  test("spawning under a closed troupe, or while it closes, is refused and leaves nobody", async () => {
    await play(empty, async ({ troupe, clock }) => {
      const spawning = troupe.spawn(slowly(clock, 100, { name: "slow" }), { count: 2 });
      spawning.catch(() => undefined);
      await clock.advance(10);
      const closed = troupe.close();
      await expect(spawning).rejects.toSatisfy((error) => isTroupeError(error, "agent/start-failed"));
      await expect(troupe.spawn(slowly(clock, 100, { name: "later" }))).rejects.toSatisfy((error) =>
        isTroupeError(error, "usage/closed"),
      );
      await expect(troupe.supervise({ name: "later", children: [] })).rejects.toSatisfy((error) =>
        isTroupeError(error, "usage/closed"),
      );
      await clock.advance(200);
      await closed;
      expect(troupe.metrics().residentActors).toBe(0);
    });
  });
});

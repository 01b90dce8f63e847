import { isTroupeError } from "troupe";
import type { FakeClock } from "troupe/testing";
import { describe, expect, test } from "vitest";
import { children, pass, play, puppet, script } from "./scene.ts";

const empty = { name: "empty", children: [] };

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

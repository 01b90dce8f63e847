import { describe, expect, test } from "vitest";
import { council, play, script } from "./scene.ts";

/** How often a supervisor tries, and how long it waits in between. Source: OTP, restart intensity. */

describe("restart intensity", () => {
  test("by default one restart in five seconds is tolerated; the second one in that time is one too many", async () => {
    const transcript = await play(council("a b"), async ({ tell, pass }) => {
      await tell("a", "crash");
      await pass(5_000);
      await tell("b", "crash");
    });
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/a#1
        t=0 start /council/b#2
        t=0 call 1 fails agent/crashed
        t=0 crash /council/a#1 "Error: boom"
        t=0 start /council/a#3
        t=5000 call 2 fails agent/crashed
        t=5000 crash /council/b#2 "Error: boom"
        t=5000 give up /council
        t=5000 stop /council/a#3
      `),
    );
  });

  test("the window slides: a millisecond after the five seconds the first restart no longer counts", async () => {
    const transcript = await play(council("a b"), async ({ tell, pass }) => {
      await tell("a", "crash");
      await pass(5_001);
      await tell("b", "crash");
      await pass(5_001);
      await tell("b", "crash");
    });
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/a#1
        t=0 start /council/b#2
        t=0 call 1 fails agent/crashed
        t=0 crash /council/a#1 "Error: boom"
        t=0 start /council/a#3
        t=5001 call 2 fails agent/crashed
        t=5001 crash /council/b#2 "Error: boom"
        t=5001 start /council/b#4
        t=10002 call 3 fails agent/crashed
        t=10002 crash /council/b#4 "Error: boom"
        t=10002 start /council/b#5
      `),
    );
  });

  test("counted per child, the restarts of one are nothing to another", async () => {
    const transcript = await play(council("a b", { intensity: { per: "child" } }), async ({ tell }) => {
      await tell("a", "crash");
      await tell("b", "crash");
      await tell("b", "crash");
    });
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/a#1
        t=0 start /council/b#2
        t=0 call 1 fails agent/crashed
        t=0 crash /council/a#1 "Error: boom"
        t=0 start /council/a#3
        t=0 call 2 fails agent/crashed
        t=0 crash /council/b#2 "Error: boom"
        t=0 start /council/b#4
        t=0 call 3 fails agent/crashed
        t=0 crash /council/b#4 "Error: boom"
        t=0 give up /council
        t=0 stop /council/a#3
      `),
    );
  });

  test("an intensity of 0 tolerates none", async () => {
    const transcript = await play(council("a b", { intensity: { restarts: 0 } }), async ({ tell }) => {
      await tell("b", "crash");
    });
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/a#1
        t=0 start /council/b#2
        t=0 call 1 fails agent/crashed
        t=0 crash /council/b#2 "Error: boom"
        t=0 give up /council
        t=0 stop /council/a#1
      `),
    );
  });

  test("a group that restarts counts as one restart", async () => {
    const transcript = await play(
      council("a b c", { strategy: "one-for-all", intensity: { restarts: 1, withinMs: 1_000 } }),
      async ({ tell }) => {
        await tell("a", "crash");
      },
    );
    expect(transcript).not.toContain("give up");
    expect(transcript).toContain("start /council/c#6");
  });
});

describe("backoff", () => {
  test("waits double up to the most, and begin anew after a success", async () => {
    const transcript = await play(
      council("a", { intensity: { restarts: 9 }, backoff: { firstMs: 100, maxMs: 300 } }),
      async ({ tell, pass }) => {
        for (const order of ["crash", "crash", "crash", "answer", "crash"]) {
          void tell("a", order);
          await pass(400);
        }
      },
    );
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/a#1
        t=0 call 1 fails agent/crashed
        t=0 crash /council/a#1 "Error: boom"
        t=0 back off /council/a for 100 ms
        t=100 start /council/a#2
        t=400 call 2 fails agent/crashed
        t=400 crash /council/a#2 "Error: boom"
        t=400 back off /council/a for 200 ms
        t=600 start /council/a#3
        t=800 call 3 fails agent/crashed
        t=800 crash /council/a#3 "Error: boom"
        t=800 back off /council/a for 300 ms
        t=1100 start /council/a#4
        t=1200 call 4 ok
        t=1600 call 5 fails agent/crashed
        t=1600 crash /council/a#4 "Error: boom"
        t=1600 back off /council/a for 100 ms
        t=1700 start /council/a#5
      `),
    );
  });

  test("jitter takes a share of each wait away, by chance", async () => {
    const waits = (transcript: string): number[] =>
      [...transcript.matchAll(/back off \S+ for ([\d.]+) ms/g)].map((match) => Number(match[1]));
    const crashes = async (jitter: number): Promise<number[]> =>
      waits(
        await play(
          council("a", { intensity: { restarts: 9 }, backoff: { firstMs: 100, rate: 1, jitter } }),
          async ({ tell, pass }) => {
            for (let turn = 0; turn < 6; turn += 1) {
              void tell("a", "crash");
              await pass(200);
            }
          },
        ),
      );
    expect(await crashes(0)).toEqual([100, 100, 100, 100, 100, 100]);
    const jittered = await crashes(0.5);
    expect(new Set(jittered).size).toBe(6);
    expect(Math.min(...jittered)).toBeGreaterThanOrEqual(50);
    expect(Math.max(...jittered)).toBeLessThanOrEqual(100);
  });

  test("a call to an agent that waits for its restart waits with it", async () => {
    const transcript = await play(council("a", { backoff: { firstMs: 100 } }), async ({ tell, pass }) => {
      await tell("a", "crash");
      void tell("a", "answer");
      await pass(200);
    });
    expect(transcript).toContain("t=100 start /council/a#2\nt=100 call 2 ok");
  });

  test("an agent that is stopped while it waits for its restart does not come back", async () => {
    const transcript = await play(
      council("a b", { backoff: { firstMs: 100 } }),
      async ({ tell, agent, pass, clock, troupe }) => {
        await tell("a", "crash");
        const waiting = tell("a", "answer");
        await agent("a").stop();
        expect(await waiting).toMatchObject({ ok: false, failure: { code: "agent/stopped" } });
        await pass(250);
        expect(clock.waiting).toBe(0);
        expect(troupe.actors().map((actor) => `${actor.id} ${actor.state}`)).toEqual([
          "/ running",
          "/council running",
          "/council/b idle",
        ]);
      },
    );
    expect(transcript).not.toContain("#3");
  });

  test("a group whose first failed member is stopped while it backs off goes on without a restart", async () => {
    const transcript = await play(
      council("a b", { strategy: "one-for-all", intensity: { restarts: 5 }, backoff: { firstMs: 100 } }),
      async ({ tell, agent, pass }) => {
        await tell("a", "crash");
        await agent("a").stop();
        await pass(200);
        await tell("b", "crash");
        await pass(200);
        await tell("b", "answer");
      },
    );
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/a#1
        t=0 start /council/b#2
        t=0 call 1 fails agent/crashed
        t=0 crash /council/a#1 "Error: boom"
        t=0 back off /council/a for 100 ms
        t=200 call 2 fails agent/crashed
        t=200 crash /council/b#2 "Error: boom"
        t=200 back off /council/b for 100 ms
        t=300 start /council/b#3
        t=400 call 3 ok
      `),
    );
  });
});

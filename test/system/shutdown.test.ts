import { describe, expect, test } from "vitest";
import { children, council, pass, play, puppet, script } from "./scene.ts";

describe("shutdown", () => {
  test("what is in hand may finish within the shutdown time, what waits is answered at once", async () => {
    const transcript = await play(council("a"), async ({ tell, agent, pass: wait }) => {
      void tell("a", "wait 100");
      void tell("a", "answer");
      await wait(10);
      void agent("a").stop();
      await wait(500);
    });
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/a#1
        t=10 call 2 fails agent/stopped
        t=100 call 1 ok
        t=100 stop /council/a#1
      `),
    );
  });

  test("a handler that does not obey is abandoned when the time is over, each child within its own", async () => {
    const transcript = await play(
      (clock) => {
        const agent = puppet(clock);
        return {
          name: "council",
          children: [
            { agent, name: "a", shutdownMs: 200 },
            { agent, name: "b", shutdownMs: 50 },
            { agent, name: "c", shutdownMs: 0 },
          ],
        };
      },
      async ({ tell, pass: wait, troupe }) => {
        for (const name of ["a", "b", "c"]) void tell(name, "ignore 10000");
        await wait(10);
        void troupe.close();
        await wait(1_000);
      },
      { toTheEnd: true },
    );
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/a#1
        t=0 start /council/b#2
        t=0 start /council/c#3
        t=10 call 3 fails agent/crashed
        t=10 stop /council/c#3
        t=60 call 2 fails agent/crashed
        t=60 stop /council/b#2
        t=260 call 1 fails agent/crashed
        t=260 stop /council/a#1
        t=260 stop /council
        t=260 stop /
      `),
    );
  });

  test("the stop hook runs once, after what is in hand, whoever asks for the end and however often", async () => {
    const stops: number[] = [];
    const transcript = await play(
      (clock) => {
        const tidy = puppet(clock, {
          stop: async (signal) => {
            stops.push(clock.now());
            await pass(clock, 30, signal);
          },
        });
        return { name: "council", children: children({ agent: tidy, restart: "temporary" }, "a b") };
      },
      async ({ tell, agent, pass: wait, clock }) => {
        const from = clock.now();
        void tell("a", "wait 100");
        await wait(0);
        void agent("a").stop();
        await wait(10);
        void agent("a").stop();
        await wait(200);
        // It leaves of its own will, and is told to stop as well while it does.
        void tell("b", "exit");
        await wait(10);
        const stopped = agent("b").stop();
        await wait(100);
        await stopped;
        expect(stops.map((at) => at - from)).toEqual([100, 210]);
      },
    );
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/a#1
        t=0 start /council/b#2
        t=100 call 1 ok
        t=130 stop /council/a#1
        t=210 call 2 ok
        t=240 stop /council/b#2
      `),
    );
  });

  test("a stop hook that ends late says nothing to the incarnation that runs by then", async () => {
    const transcript = await play(
      (clock) => {
        const slow = puppet(clock, { stop: () => pass(clock, 300, new AbortController().signal) });
        return { name: "council", children: children({ agent: slow, restart: "permanent" }, "a") };
      },
      async ({ tell, agent, pass: wait }) => {
        void tell("a", "exit");
        await wait(50);
        agent("a").kill();
        await wait(1_000);
        expect(agent("a").state).toBe("idle");
      },
    );
    expect(transcript).toContain("start /council/a#2");
    expect(transcript).not.toContain("a#3");
  });

  test("a pause holds over a crash, until it is taken back", async () => {
    await play(
      (clock) => ({ name: "council", children: children({ agent: puppet(clock), restart: "permanent" }, "a") }),
      async ({ agent, pass: wait }) => {
        agent("a").pause();
        agent("a").kill();
        await wait(10);
        expect(agent("a").state).toBe("paused");
        agent("a").resume();
        expect(agent("a").state).toBe("idle");
      },
    );
  });

  test("a stop hook that hangs or fails is cut off at the shutdown time, and the agent ends all the same", async () => {
    const log: string[] = [];
    const transcript = await play(
      (clock) => {
        const stuck = puppet(clock, { name: "stuck", stop: () => new Promise(() => {}) });
        const fails = puppet(clock, { name: "fails", stop: () => Promise.reject(new Error("no way")) });
        return {
          name: "council",
          children: [
            { agent: stuck, name: "a", shutdownMs: 40 },
            { agent: fails, name: "b", shutdownMs: 40 },
          ],
        };
      },
      async ({ agent, pass: wait }) => {
        void agent("a").stop();
        void agent("b").stop();
        await wait(100);
      },
      { log: { write: (level, message) => log.push(`${level}: ${message}`) } },
    );
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/a#1
        t=0 start /council/b#2
        t=0 stop /council/b#2
        t=40 stop /council/a#1
      `),
    );
    expect(log).toEqual([
      "warn: stop hook of agent /council/b failed: Error: no way",
      "warn: stop hook of agent /council/a failed: Error: the shutdown time is over",
    ]);
  });

  test("an agent that is told to stop takes nothing more, and crashing on the way out brings nobody back", async () => {
    const transcript = await play(council("a"), async ({ tell, agent, pass: wait }) => {
      void tell("a", "doom 50");
      await wait(0);
      const stopped = agent("a").stop();
      await wait(10);
      expect(agent("a").state).toBe("draining");
      expect(agent("a").tell("obey", { order: "answer" })).toBe("stopped");
      await wait(40);
      await stopped;
      await wait(100);
    });
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/a#1
        t=50 call 1 fails agent/crashed
        t=50 crash /council/a#1 "Error: doom"
      `),
    );
  });

  test("leaving while it is told to stop brings nobody back either", async () => {
    const transcript = await play(council("a"), async ({ tell, agent, pass: wait }) => {
      void tell("a", "wait 50");
      await wait(0);
      const stopped = agent("a").stop();
      void tell("a", "exit");
      await wait(60);
      await stopped;
    });
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/a#1
        t=0 call 2 fails agent/stopped
        t=50 call 1 ok
        t=50 stop /council/a#1
      `),
    );
  });
});

import { describe, expect, test } from "vitest";
import { selfish } from "./selfish.ts";
import { children, council, play, puppet, script } from "./scene.ts";

describe("an end that meets a restart", () => {
  test("a member stopped for good while its group restarts is left out of it", async () => {
    const transcript = await play(
      council("a b c", { strategy: "one-for-all", intensity: { restarts: 5 } }),
      async ({ tell, agent, pass: wait, troupe }) => {
        void tell("b", "ignore 50");
        await tell("a", "crash");
        await wait(10);
        const stopped = agent("b").stop();
        await wait(100);
        await stopped;
        expect(troupe.actors().map((actor) => `${actor.id} ${actor.state}`)).toEqual([
          "/ running",
          "/council running",
          "/council/a idle",
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
        t=0 call 2 fails agent/crashed
        t=0 crash /council/a#1 "Error: boom"
        t=0 stop /council/c#3
        t=50 call 1 ok
        t=50 stop /council/b#2
        t=50 start /council/a#4
        t=50 start /council/c#5
      `),
    );
  });

  test("a supervisor stopped while its group restarts starts nobody more", async () => {
    const transcript = await play(
      council("a b c", { strategy: "one-for-all" }),
      async ({ tell, pass: wait, troupe }) => {
        void tell("b", "ignore 50");
        await tell("a", "crash");
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
        t=0 call 2 fails agent/crashed
        t=0 crash /council/a#1 "Error: boom"
        t=0 stop /council/c#3
        t=50 call 1 ok
        t=50 stop /council/b#2
        t=50 stop /council
        t=50 stop /
      `),
    );
  });

  test("a tree stopped while one of its subtrees gives up slowly is gone, and is not started again", async () => {
    const transcript = await play(
      (clock) => ({
        name: "top",
        intensity: { restarts: 5 },
        children: [{ name: "inner", intensity: { restarts: 0 }, children: children({ agent: puppet(clock) }, "a b") }],
      }),
      async ({ tell, pass: wait, troupe }) => {
        void tell("inner/b", "ignore 50");
        await tell("inner/a", "crash");
        await wait(10);
        void troupe.close();
        await wait(1_000);
      },
      { toTheEnd: true },
    );
    expect(transcript).toBe(
      script(`
        t=0 start /top
        t=0 start /top/inner
        t=0 start /top/inner/a#1
        t=0 start /top/inner/b#2
        t=0 call 2 fails agent/crashed
        t=0 crash /top/inner/a#1 "Error: boom"
        t=0 give up /top/inner
        t=50 call 1 ok
        t=50 stop /top/inner/b#2
        t=50 stop /top
        t=50 stop /
      `),
    );
  });

  test("a permanent tree that gives up too often takes the whole troupe down, and nothing can be spawned any more", async () => {
    const transcript = await play(
      (clock) => ({
        name: "top",
        restart: "permanent",
        intensity: { restarts: 0 },
        children: children({ agent: puppet(clock) }, "a"),
      }),
      async ({ tell, clock, troupe }) => {
        await tell("a", "crash");
        await tell("a", "crash");
        await clock.settle();
        const again = troupe.spawn(puppet(clock, { name: "again" }));
        await expect(again).rejects.toThrow("this troupe gave up");
      },
    );
    expect(transcript.split("\n").slice(-3)).toEqual([
      `t=0 crash /top/a#2 "Error: boom"`,
      "t=0 give up /top",
      "t=0 give up /",
    ]);
  });
});

describe("handlers that act on their own agent", () => {
  test.each([
    ["stop", "t=0 call 1 ok", "t=0 stop /council/self#1"],
    ["kill", "t=0 call 1 fails agent/crashed", `t=0 crash /council/self#1 "Error: killed"`],
    ["kill and throw", "t=0 call 1 fails agent/crashed", `t=0 crash /council/self#1 "Error: killed"`],
    ["exit twice", "t=0 call 1 ok", "t=0 stop /council/self#1"],
    ["kill, later", "t=0 call 1 fails agent/crashed", `t=0 crash /council/self#1 "Error: killed"`],
  ] as const)("%s", async (deed, outcome, end) => {
    const transcript = await play(
      (clock) => ({ name: "council", children: [{ agent: selfish(clock), name: "self", restart: "temporary" }] }),
      async ({ agent, troupe, pass: wait }) => {
        const self = agent("self");
        void self.call("act", { deed, self: () => self });
        await wait(0);
        expect(troupe.actors().map((actor) => actor.id)).toEqual(["/", "/council"]);
      },
    );
    expect(transcript).toBe(["t=0 start /council", "t=0 start /council/self#1", outcome, end].join("\n"));
  });

  test("what a killed handler throws after its end is nobody's, and its call is run again", async () => {
    const transcript = await play(
      (clock) => ({ name: "council", children: [{ agent: selfish(clock), name: "self" }] }),
      async ({ agent, pass: wait }) => {
        const self = agent("self");
        expect(await self.call("killOnce", { self: () => self })).toEqual({
          ok: true,
          value: "second time",
        });
        await wait(10);
      },
    );
    expect(transcript.split("\n").slice(2)).toEqual([
      `t=0 crash /council/self#1 "Error: killed"`,
      "t=0 start /council/self#2",
      "t=0 call 1 ok",
    ]);
  });

  test("a handler that waits for its own stop waits until the shutdown time is over", async () => {
    const transcript = await play(
      (at) => ({ name: "council", children: [{ agent: selfish(at), name: "self", shutdownMs: 70 }] }),
      async ({ agent, pass: wait }) => {
        const self = agent("self");
        void self.call("act", { deed: "await stop", self: () => self });
        await wait(200);
      },
    );
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/self#1
        t=70 call 1 fails agent/crashed
        t=70 stop /council/self#1
      `),
    );
  });

  test("a handler that calls its own agent waits for itself, until the deadline, and no longer", async () => {
    const transcript = await play(
      (at) => ({ name: "council", children: [{ agent: selfish(at), name: "self" }] }),
      async ({ agent, pass: wait, clock: at }) => {
        const self = agent("self");
        const outcome = self.call("act", { deed: "call itself", self: () => self }, { timeoutMs: 100 });
        await wait(150);
        expect(await outcome).toMatchObject({ ok: false, failure: { code: "call/timeout" } });
        expect(await self.call("act", { deed: "nothing", self: () => self })).toMatchObject({ ok: true });
        await wait(300);
        expect(at.waiting).toBe(0);
      },
    );
    expect(transcript).toContain("t=100 call 1 fails call/timeout");
  });

  test("a handler that spawns a sibling under load gets it", async () => {
    const transcript = await play(
      (at) => ({ name: "council", children: [{ agent: selfish(at), name: "self" }] }),
      async ({ agent, troupe, clock: at }) => {
        const self = agent("self");
        const child = puppet(at, { name: "child" });
        const spawn = async (): Promise<void> => void (await troupe.spawn(child));
        await self.call("act", { deed: "spawn", self: () => self, spawn });
      },
    );
    expect(transcript).toContain("start /child/1#2\nt=0 call 1 ok");
  });
});

import { describe, expect, test } from "vitest";
import { children, council, play, puppet, script } from "./scene.ts";

/** What follows when a supervisor gives up. Source: OTP, restart intensity. */

describe("escalation", () => {
  const nested =
    (restart: "permanent" | "transient" | "temporary", intensity = {}) =>
    (clock: Parameters<typeof puppet>[0]) => {
      const agent = puppet(clock);
      return {
        name: "top",
        intensity,
        children: [
          { agent, name: "a" },
          { name: "inner", restart, intensity: { restarts: 0 }, children: children({ agent }, "b c") },
          { agent, name: "d" },
        ],
      };
    };

  test("a supervisor that gives up has crashed: the one above starts it again with all its children", async () => {
    const transcript = await play(nested("permanent"), async ({ tell }) => {
      await tell("inner/b", "crash");
      await tell("inner/b", "answer");
    });
    expect(transcript).toBe(
      script(`
        t=0 start /top
        t=0 start /top/a#1
        t=0 start /top/inner
        t=0 start /top/inner/b#2
        t=0 start /top/inner/c#3
        t=0 start /top/d#4
        t=0 call 1 fails agent/crashed
        t=0 crash /top/inner/b#2 "Error: boom"
        t=0 give up /top/inner
        t=0 stop /top/inner/c#3
        t=0 start /top/inner
        t=0 start /top/inner/b#5
        t=0 start /top/inner/c#6
        t=0 call 2 ok
      `),
    );
  });

  test("a temporary supervisor that gives up is let go, and its siblings stay", async () => {
    const transcript = await play(nested("temporary"), async ({ tell, agent, troupe }) => {
      await tell("inner/b", "crash");
      expect(await agent("inner/c").call("obey", { order: "answer" })).toMatchObject({
        ok: false,
        failure: { code: "agent/stopped" },
      });
      expect(troupe.actors().map((actor) => actor.id)).toEqual(["/", "/top", "/top/a", "/top/d"]);
    });
    expect(transcript).toBe(
      script(`
        t=0 start /top
        t=0 start /top/a#1
        t=0 start /top/inner
        t=0 start /top/inner/b#2
        t=0 start /top/inner/c#3
        t=0 start /top/d#4
        t=0 call 1 fails agent/crashed
        t=0 crash /top/inner/b#2 "Error: boom"
        t=0 give up /top/inner
        t=0 stop /top/inner/c#3
        t=0 call 2 fails agent/stopped
      `),
    );
  });

  test("the one above counts as well: when it has had enough, it gives up too, and so on to the top", async () => {
    const transcript = await play(nested("permanent"), async ({ tell, pass, troupe }) => {
      await tell("inner/b", "crash");
      await pass(0);
      await tell("inner/c", "crash");
      await pass(0);
      expect(troupe.actors().map((actor) => actor.id)).toEqual(["/"]);
    });
    expect(transcript).toBe(
      script(`
        t=0 start /top
        t=0 start /top/a#1
        t=0 start /top/inner
        t=0 start /top/inner/b#2
        t=0 start /top/inner/c#3
        t=0 start /top/d#4
        t=0 call 1 fails agent/crashed
        t=0 crash /top/inner/b#2 "Error: boom"
        t=0 give up /top/inner
        t=0 stop /top/inner/c#3
        t=0 start /top/inner
        t=0 start /top/inner/b#5
        t=0 start /top/inner/c#6
        t=0 call 2 fails agent/crashed
        t=0 crash /top/inner/c#6 "Error: boom"
        t=0 give up /top/inner
        t=0 stop /top/inner/b#5
        t=0 give up /top
        t=0 stop /top/d#4
        t=0 stop /top/a#1
      `),
    );
  });

  test.each(["child", "supervisor"] as const)("a supervisor that starts again counts anew, per %s", async (per) => {
    const transcript = await play(
      (clock) => ({
        name: "top",
        intensity: { restarts: 9 },
        children: [
          { name: "inner", intensity: { restarts: 1, per }, children: children({ agent: puppet(clock) }, "a") },
        ],
      }),
      async ({ tell, pass }) => {
        for (let turn = 0; turn < 4; turn += 1) {
          await tell("inner/a", "crash");
          await pass(0);
        }
      },
    );
    expect(transcript.match(/give up/g)).toHaveLength(2);
  });

  test.each(["child", "supervisor"] as const)(
    "a supervisor that gives up again and again is counted by the one above, per %s, and is not started for ever",
    async (per) => {
      const transcript = await play(
        (clock) => ({
          name: "top",
          intensity: { restarts: 2, per },
          children: [{ name: "inner", intensity: { restarts: 0 }, children: children({ agent: puppet(clock) }, "a") }],
        }),
        async ({ tell, pass }) => {
          for (let turn = 0; turn < 5; turn += 1) {
            await tell("inner/a", "crash");
            await pass(0);
          }
        },
      );
      expect(transcript.match(/give up \/top\/inner$/gm)).toHaveLength(3);
      expect(transcript.match(/give up \/top$/gm)).toHaveLength(1);
    },
  );

  test("an escalation waits for children that stop slowly, and none of them is started meanwhile", async () => {
    const transcript = await play(
      council("a b c", { intensity: { restarts: 1 }, backoff: { firstMs: 20 } }),
      async ({ tell, pass }) => {
        void tell("c", "ignore 50");
        await tell("a", "crash");
        await tell("b", "crash");
        await pass(1_000);
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
        t=0 back off /council/a for 20 ms
        t=0 call 3 fails agent/crashed
        t=0 crash /council/b#2 "Error: boom"
        t=0 give up /council
        t=50 call 1 ok
        t=50 stop /council/c#3
      `),
    );
  });

  test("a backoff of the life before does not start anything in the next life", async () => {
    const transcript = await play(
      (clock) => ({
        name: "top",
        children: [
          {
            name: "inner",
            intensity: { restarts: 1 },
            backoff: { firstMs: 100 },
            children: children({ agent: puppet(clock) }, "a b"),
          },
        ],
      }),
      async ({ tell, pass, troupe }) => {
        await tell("inner/a", "crash");
        await tell("inner/b", "crash");
        await pass(1_000);
        expect(troupe.actors().map((actor) => actor.state)).toEqual(["running", "running", "running", "idle", "idle"]);
      },
    );
    expect(transcript).toBe(
      script(`
        t=0 start /top
        t=0 start /top/inner
        t=0 start /top/inner/a#1
        t=0 start /top/inner/b#2
        t=0 call 1 fails agent/crashed
        t=0 crash /top/inner/a#1 "Error: boom"
        t=0 back off /top/inner/a for 100 ms
        t=0 call 2 fails agent/crashed
        t=0 crash /top/inner/b#2 "Error: boom"
        t=0 give up /top/inner
        t=0 start /top/inner
        t=0 start /top/inner/a#3
        t=0 start /top/inner/b#4
      `),
    );
  });
});

import { describe, expect, test } from "vitest";
import { children, council, play, puppet, script } from "./scene.ts";

/** OTP's contract of order and strategies, clause by clause. Source: Erlang/OTP `supervisor`, and the list. */

describe("order", () => {
  test("children start from left to right and stop in reverse", async () => {
    const transcript = await play(council("a b c"), async () => {}, { toTheEnd: true });
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/a#1
        t=0 start /council/b#2
        t=0 start /council/c#3
        t=0 stop /council/c#3
        t=0 stop /council/b#2
        t=0 stop /council/a#1
        t=0 stop /council
        t=0 stop /
      `),
    );
  });

  test("the next child starts only when the one before it is ready", async () => {
    const transcript = await play(
      (clock) => {
        const slow = puppet(clock, {
          start: () => new Promise((resolve) => clock.after(100, () => resolve(undefined))),
        });
        return { name: "council", children: children({ agent: slow }, "a b") };
      },
      async ({ pass }) => pass(300),
    );
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=100 start /council/a#1
        t=200 start /council/b#2
      `),
    );
  });

  test("supervisors nest: a subtree starts and stops as one child, in its place", async () => {
    const transcript = await play(
      (clock) => {
        const agent = puppet(clock);
        return {
          name: "top",
          children: [
            { agent, name: "a" },
            { name: "inner", children: children({ agent }, "b c") },
            { agent, name: "d" },
          ],
        };
      },
      async () => {},
      { toTheEnd: true },
    );
    expect(transcript).toBe(
      script(`
        t=0 start /top
        t=0 start /top/a#1
        t=0 start /top/inner
        t=0 start /top/inner/b#2
        t=0 start /top/inner/c#3
        t=0 start /top/d#4
        t=0 stop /top/d#4
        t=0 stop /top/inner/c#3
        t=0 stop /top/inner/b#2
        t=0 stop /top/inner
        t=0 stop /top/a#1
        t=0 stop /top
        t=0 stop /
      `),
    );
  });
});

describe("strategies", () => {
  test("one-for-one: only the child that crashed comes back", async () => {
    const transcript = await play(council("a b c", { strategy: "one-for-one" }), async ({ tell }) => {
      await tell("b", "crash");
    });
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/a#1
        t=0 start /council/b#2
        t=0 start /council/c#3
        t=0 call 1 fails agent/crashed
        t=0 crash /council/b#2 "Error: boom"
        t=0 start /council/b#4
      `),
    );
  });

  test("one-for-all: the others stop in reverse order, then all start from left to right", async () => {
    const transcript = await play(council("a b c", { strategy: "one-for-all" }), async ({ tell }) => {
      await tell("b", "crash");
    });
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/a#1
        t=0 start /council/b#2
        t=0 start /council/c#3
        t=0 call 1 fails agent/crashed
        t=0 crash /council/b#2 "Error: boom"
        t=0 stop /council/c#3
        t=0 stop /council/a#1
        t=0 start /council/a#4
        t=0 start /council/b#5
        t=0 start /council/c#6
      `),
    );
  });

  test("rest-for-one: those that were started after it stop and come back with it; those before it stay", async () => {
    const transcript = await play(council("a b c d", { strategy: "rest-for-one" }), async ({ tell }) => {
      await tell("b", "crash");
    });
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/a#1
        t=0 start /council/b#2
        t=0 start /council/c#3
        t=0 start /council/d#4
        t=0 call 1 fails agent/crashed
        t=0 crash /council/b#2 "Error: boom"
        t=0 stop /council/d#4
        t=0 stop /council/c#3
        t=0 start /council/b#5
        t=0 start /council/c#6
        t=0 start /council/d#7
      `),
    );
  });

  test.each(["one-for-all", "rest-for-one"] as const)(
    "%s: a temporary sibling that has to stop is not started again",
    async (strategy) => {
      const transcript = await play(
        (clock) => {
          const agent = puppet(clock);
          return {
            name: "council",
            strategy,
            children: [
              { agent, name: "a" },
              { agent, name: "b", restart: "temporary" },
              { agent, name: "c" },
            ],
          };
        },
        async ({ tell, troupe, pass }) => {
          await tell("a", "crash");
          await pass(0);
          expect(troupe.agents.list().map((info) => info.id)).toEqual(["/council/a", "/council/c"]);
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
          t=0 start /council/c#5
        `),
      );
    },
  );

  test("one-for-all: a child that crashes while the group is on its way comes back once, with the group", async () => {
    const transcript = await play(
      council("a b c", { strategy: "one-for-all", intensity: { restarts: 1, withinMs: 1_000 } }),
      async ({ tell, pass }) => {
        void tell("c", "ignore 50");
        void tell("b", "doom 20");
        await pass(10);
        void tell("a", "crash");
        await pass(100);
      },
    );
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/a#1
        t=0 start /council/b#2
        t=0 start /council/c#3
        t=10 call 3 fails agent/crashed
        t=10 crash /council/a#1 "Error: boom"
        t=20 call 2 fails agent/crashed
        t=20 crash /council/b#2 "Error: doom"
        t=50 call 1 ok
        t=50 stop /council/c#3
        t=50 start /council/a#4
        t=50 start /council/b#5
        t=50 start /council/c#6
      `),
    );
  });

  test("rest-for-one: a child before the group that crashes meanwhile is not forgotten", async () => {
    const transcript = await play(
      council("a b c", { strategy: "rest-for-one", intensity: { restarts: 5, withinMs: 1_000 } }),
      async ({ tell, pass }) => {
        void tell("c", "ignore 50");
        void tell("a", "doom 20");
        await pass(10);
        void tell("b", "crash");
        await pass(100);
      },
    );
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/a#1
        t=0 start /council/b#2
        t=0 start /council/c#3
        t=10 call 3 fails agent/crashed
        t=10 crash /council/b#2 "Error: boom"
        t=20 call 2 fails agent/crashed
        t=20 crash /council/a#1 "Error: doom"
        t=50 call 1 ok
        t=50 stop /council/c#3
        t=50 start /council/b#4
        t=50 start /council/c#5
        t=50 stop /council/c#5
        t=50 stop /council/b#4
        t=50 start /council/a#6
        t=50 start /council/b#7
        t=50 start /council/c#8
      `),
    );
  });
});

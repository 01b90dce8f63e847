import { describe, expect, test } from "vitest";
import { council, play, puppet, script } from "./scene.ts";

/** OTP's contract of restart types and significant children. Source: Erlang/OTP `supervisor`, and the list. */

describe("restart types", () => {
  const cases = [
    ["permanent", "crash", true],
    ["permanent", "exit", true],
    ["transient", "crash", true],
    ["transient", "exit", false],
    ["temporary", "crash", false],
    ["temporary", "exit", false],
  ] as const;

  test.each(cases)("a %s child that ends by a %s: comes back is %s", async (restart, how, comesBack) => {
    const transcript = await play(council("a", {}, { restart }), async ({ tell, agent, troupe }) => {
      await tell("a", how);
      expect(troupe.actors().map((actor) => actor.id)).toEqual(["/", "/council", ...(comesBack ? ["/council/a"] : [])]);
      const later = await agent("a").call("obey", { order: "answer" });
      expect(later).toMatchObject(comesBack ? { ok: true } : { ok: false, failure: { code: "agent/stopped" } });
    });
    const end =
      how === "crash"
        ? ["t=0 call 1 fails agent/crashed", `t=0 crash /council/a#1 "Error: boom"`]
        : ["t=0 call 1 ok", "t=0 stop /council/a#1"];
    expect(transcript).toBe(
      [
        "t=0 start /council",
        "t=0 start /council/a#1",
        ...end,
        ...(comesBack ? ["t=0 start /council/a#2", "t=0 call 2 ok"] : ["t=0 call 2 fails agent/stopped"]),
      ].join("\n"),
    );
  });

  test("a spawned agent stays down after a crash unless a restart was declared", async () => {
    const transcript = await play({ name: "empty", children: [] }, async ({ troupe, clock }) => {
      const [plain] = await troupe.spawn(puppet(clock, { name: "plain" }));
      const [hardy] = await troupe.spawn(puppet(clock, { name: "hardy" }), { restart: "permanent" });
      await plain?.call("obey", { order: "crash" });
      await hardy?.call("obey", { order: "crash" });
    });
    expect(transcript).toBe(
      script(`
        t=0 start /empty
        t=0 start /plain
        t=0 start /plain/1#1
        t=0 start /hardy
        t=0 start /hardy/1#2
        t=0 call 1 fails agent/crashed
        t=0 crash /plain/1#1 "Error: boom"
        t=0 call 2 fails agent/crashed
        t=0 crash /hardy/1#2 "Error: boom"
        t=0 start /hardy/1#3
      `),
    );
  });

  test("a child that its supervisor stops on request does not come back, whatever its type", async () => {
    const transcript = await play(council("a b"), async ({ agent }) => {
      await agent("a").stop();
      await agent("a").stop();
      expect(agent("a").tell("obey", { order: "answer" })).toBe("stopped");
    });
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/a#1
        t=0 start /council/b#2
        t=0 stop /council/a#1
      `),
    );
  });
});

describe("significant children", () => {
  const stage =
    (autoShutdown: "never" | "any-significant" | "all-significant") => (clock: Parameters<typeof puppet>[0]) => {
      const agent = puppet(clock);
      return {
        name: "council",
        autoShutdown,
        children: [
          { agent, name: "a" },
          { agent, name: "b", restart: "transient" as const, significant: true },
          { agent, name: "c", restart: "temporary" as const, significant: true },
          { agent, name: "d", restart: "temporary" as const },
        ],
      };
    };

  test("any-significant: the first that ends by itself takes the supervisor down with it", async () => {
    const transcript = await play(stage("any-significant"), async ({ tell }) => {
      await tell("d", "exit");
      await tell("c", "crash");
    });
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/a#1
        t=0 start /council/b#2
        t=0 start /council/c#3
        t=0 start /council/d#4
        t=0 call 1 ok
        t=0 stop /council/d#4
        t=0 call 2 fails agent/crashed
        t=0 crash /council/c#3 "Error: boom"
        t=0 stop /council/b#2
        t=0 stop /council/a#1
        t=0 stop /council
      `),
    );
  });

  test("all-significant: the last of them does; a crash of a transient one counts as a restart, not as an end", async () => {
    const transcript = await play(stage("all-significant"), async ({ tell }) => {
      await tell("b", "crash");
      await tell("c", "exit");
      await tell("b", "exit");
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
        t=0 start /council/b#5
        t=0 call 2 ok
        t=0 stop /council/c#3
        t=0 call 3 ok
        t=0 stop /council/b#5
        t=0 stop /council/d#4
        t=0 stop /council/a#1
        t=0 stop /council
      `),
    );
  });

  test.each(["never", "any-significant"] as const)("%s: one stopped on request takes nobody along", async (auto) => {
    const transcript = await play(stage(auto), async ({ agent, tell }) => {
      await agent("b").stop();
      if (auto === "never") await tell("c", "exit");
    });
    expect(transcript).toBe(
      [
        "t=0 start /council",
        "t=0 start /council/a#1",
        "t=0 start /council/b#2",
        "t=0 start /council/c#3",
        "t=0 start /council/d#4",
        "t=0 stop /council/b#2",
        ...(auto === "never" ? ["t=0 call 1 ok", "t=0 stop /council/c#3"] : []),
      ].join("\n"),
    );
  });

  test("a permanent supervisor that ended itself comes back, and its agents take calls again", async () => {
    const transcript = await play(
      (clock) => {
        const agent = puppet(clock);
        return {
          name: "top",
          children: [
            {
              name: "inner",
              autoShutdown: "any-significant",
              children: [
                { agent, name: "a" },
                { agent, name: "b", restart: "transient", significant: true },
              ],
            },
          ],
        };
      },
      async ({ tell }) => {
        await tell("inner/b", "exit");
        await tell("inner/a", "answer");
      },
    );
    expect(transcript).toBe(
      script(`
        t=0 start /top
        t=0 start /top/inner
        t=0 start /top/inner/a#1
        t=0 start /top/inner/b#2
        t=0 call 1 ok
        t=0 stop /top/inner/b#2
        t=0 stop /top/inner/a#1
        t=0 stop /top/inner
        t=0 start /top/inner
        t=0 start /top/inner/a#3
        t=0 call 2 ok
      `),
    );
  });
});

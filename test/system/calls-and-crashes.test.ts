import { defineAgent } from "troupe";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { council, play, puppet, script } from "./scene.ts";

/** A crash loses no queued call; the call in hand fails as data, or is run again where that does no harm. */
describe("calls and crashes", () => {
  test("queued calls go on after the restart, in their order; the one in hand fails", async () => {
    const transcript = await play(council("a"), async ({ tell, pass, outcomes }) => {
      for (const order of ["doom 10", "answer", "wait 5", "answer"]) void tell("a", order);
      await pass(100);
      expect((await Promise.all(outcomes)).map((outcome) => outcome.ok)).toEqual([false, true, true, true]);
      expect(await outcomes[0]).toMatchObject({
        ok: false,
        failure: {
          code: "agent/crashed",
          retry: "later",
          data: { agent: "/council/a", cause: "Error: doom", stack: expect.stringContaining("doom") },
        },
      });
    });
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/a#1
        t=10 call 1 fails agent/crashed
        t=10 crash /council/a#1 "Error: doom"
        t=10 start /council/a#2
        t=10 call 2 ok
        t=15 call 3 ok
        t=15 call 4 ok
      `),
    );
  });

  test("queued calls of every member go on after a group restart", async () => {
    const transcript = await play(council("a b c", { strategy: "one-for-all" }), async ({ tell, pass }) => {
      void tell("b", "wait 30");
      void tell("b", "answer");
      void tell("c", "ignore 20");
      void tell("c", "answer");
      await tell("a", "crash");
      void tell("a", "answer");
      await pass(100);
    });
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/a#1
        t=0 start /council/b#2
        t=0 start /council/c#3
        t=0 call 5 fails agent/crashed
        t=0 crash /council/a#1 "Error: boom"
        t=20 call 3 ok
        t=20 stop /council/c#3
        t=30 call 1 ok
        t=30 stop /council/b#2
        t=30 start /council/a#4
        t=30 start /council/b#5
        t=30 start /council/c#6
        t=30 call 6 ok
        t=30 call 2 ok
        t=30 call 4 ok
      `),
    );
  });

  test("queued calls of a whole subtree go on after an escalation that the supervisor above mends", async () => {
    const transcript = await play(
      (clock) => {
        const agent = puppet(clock);
        return {
          name: "top",
          children: [
            {
              name: "inner",
              intensity: { restarts: 0 },
              children: [
                { agent, name: "a" },
                { agent, name: "b" },
              ],
            },
          ],
        };
      },
      async ({ tell, pass }) => {
        void tell("inner/b", "wait 10");
        void tell("inner/b", "answer");
        await tell("inner/a", "crash");
        void tell("inner/a", "answer");
        await pass(100);
      },
    );
    expect(transcript.split("\n").slice(-7)).toEqual([
      "t=10 call 1 ok",
      "t=10 stop /top/inner/b#2",
      "t=10 start /top/inner",
      "t=10 start /top/inner/a#3",
      "t=10 start /top/inner/b#4",
      "t=10 call 4 ok",
      "t=10 call 2 ok",
    ]);
  });

  test("an idempotent call in hand is run again after the restart, before what waits behind it", async () => {
    const transcript = await play(council("a"), async ({ tell, pass, agent }) => {
      void tell("a", "wait 30", { twice: true });
      void tell("a", "answer");
      await pass(10);
      agent("a").kill();
      await pass(100);
    });
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/a#1
        t=10 crash /council/a#1 "Error: killed"
        t=10 start /council/a#2
        t=40 call 1 ok
        t=40 call 2 ok
      `),
    );
  });

  test("at most three handlers begin on an idempotent call; the third crash is the call's own", async () => {
    const transcript = await play(council("a", { intensity: { restarts: 9 } }), async ({ tell }) => {
      void tell("a", "crash", { twice: true });
      await tell("a", "answer");
    });
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/a#1
        t=0 crash /council/a#1 "Error: boom"
        t=0 start /council/a#2
        t=0 crash /council/a#2 "Error: boom"
        t=0 start /council/a#3
        t=0 call 1 fails agent/crashed
        t=0 crash /council/a#3 "Error: boom"
        t=0 start /council/a#4
        t=0 call 2 ok
      `),
    );
  });

  test("several idempotent calls in hand at a crash are run again in the order they came in", async () => {
    const order: string[] = [];
    await play(
      (clock) => ({
        name: "council",
        children: [
          {
            agent: puppet(clock, { concurrency: 3, onRun: (told) => order.push(told) }),
            name: "a",
          },
        ],
      }),
      async ({ tell, pass, agent, outcomes }) => {
        for (const order of ["wait 31", "wait 32", "wait 33", "wait 34"]) void tell("a", order, { twice: true });
        await pass(10);
        agent("a").kill();
        await pass(100);
        expect((await Promise.all(outcomes)).every((outcome) => outcome.ok)).toBe(true);
      },
    );
    expect(order).toEqual(["wait 31", "wait 32", "wait 33", "wait 31", "wait 32", "wait 33", "wait 34"]);
  });

  test("of several calls in hand one crashes: the others fail with it, told to abort", async () => {
    const transcript = await play(
      (clock) => ({ name: "council", children: [{ agent: puppet(clock, { concurrency: 3 }), name: "a" }] }),
      async ({ tell, pass, clock }) => {
        void tell("a", "wait 50");
        void tell("a", "ignore 50");
        void tell("a", "doom 10");
        await pass(20);
        // The handler that watches its signal has given up its timer, the other has not.
        expect(clock.waiting).toBe(2);
        await pass(300);
      },
    );
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/a#1
        t=10 call 1 fails agent/crashed
        t=10 call 2 fails agent/crashed
        t=10 call 3 fails agent/crashed
        t=10 crash /council/a#1 "Error: doom"
        t=10 start /council/a#2
      `),
    );
  });

  test("the late result of a handler of an ended incarnation is nobody's", async () => {
    const transcript = await play(council("a"), async ({ tell, pass, agent, outcomes }) => {
      void tell("a", "ignore 50", { twice: true });
      await pass(10);
      agent("a").kill();
      await pass(45);
      // The first handler has answered by now, the second has not.
      expect(await Promise.race([outcomes[0], Promise.resolve("nothing yet")])).toBe("nothing yet");
      await pass(10);
    });
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/a#1
        t=10 crash /council/a#1 "Error: killed"
        t=10 start /council/a#2
        t=60 call 1 ok
      `),
    );
  });

  test.each([
    ["nothing", undefined, "undefined"],
    ["an object without a text", Object.create(null) as unknown, "[Object: null prototype] {}"],
    [
      "an object whose text throws",
      {
        toString: () => {
          throw new Error("no");
        },
      },
      "{ toString: [Function: toString] }",
    ],
    ["a symbol", Symbol("odd"), "Symbol(odd)"],
  ])("a handler may throw %s: it is a crash like any other", async (_name, thrown, cause) => {
    const odd = defineAgent({
      name: "odd",
      capabilities: {
        fail: {
          input: z.null(),
          output: z.null(),
          run() {
            throw thrown;
          },
        },
      },
    });
    const transcript = await play({ name: "council", children: [{ agent: odd, name: "a" }] }, async ({ agent }) => {
      expect(await agent("a").call("fail", null)).toMatchObject({
        ok: false,
        failure: { code: "agent/crashed", data: { cause, stack: "" } },
      });
    });
    expect(transcript).toContain("start /council/a#2");
  });

  test("an agent that leaves while others of its calls are in hand lets them finish, and takes nothing more", async () => {
    const transcript = await play(
      (clock) => ({ name: "council", children: [{ agent: puppet(clock, { concurrency: 2 }), name: "a" }] }),
      async ({ tell, pass }) => {
        void tell("a", "wait 50");
        void tell("a", "exit");
        void tell("a", "answer");
        await pass(100);
      },
    );
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/a#1
        t=0 call 2 ok
        t=50 call 1 ok
        t=50 stop /council/a#1
        t=50 start /council/a#2
        t=50 call 3 ok
      `),
    );
  });

  test("a call whose deadline passes while it waits for a restart is not run any more", async () => {
    const runs: string[] = [];
    await play(
      (clock) => ({
        name: "council",
        backoff: { firstMs: 100 },
        children: [{ agent: puppet(clock, { onRun: (told) => runs.push(told) }), name: "a" }],
      }),
      async ({ tell, pass, agent }) => {
        await tell("a", "crash");
        const outcome = agent("a").call("obey", { order: "answer" }, { timeoutMs: 50 });
        await pass(200);
        expect(await outcome).toMatchObject({ ok: false, failure: { code: "call/timeout" } });
      },
    );
    expect(runs).toEqual(["crash"]);
  });

  test("a temporary agent's crash answers all that it leaves behind, and tells leave dead letters", async () => {
    await play(council("a", {}, { restart: "temporary" }), async ({ tell, agent, pass, outcomes, troupe }) => {
      void tell("a", "wait 20", { twice: true });
      void tell("a", "answer");
      agent("a").tell("obey", { order: "answer" });
      await pass(10);
      agent("a").kill();
      await pass(0);
      expect((await Promise.all(outcomes)).map((outcome) => outcome.ok || outcome.failure.code)).toEqual([
        "agent/crashed",
        "agent/stopped",
      ]);
      expect(troupe.metrics().deadLetters).toEqual({ stopped: 1 });
    });
  });
});

describe("monitors", () => {
  test("each hears exactly once how the incarnation that it watched has ended", async () => {
    await play(council("a", { intensity: { restarts: 9 } }), async ({ tell, watch, notices, pass, agent }) => {
      watch("a");
      watch("a");
      await tell("a", "crash");
      await pass(0);
      watch("a");
      await tell("a", "exit");
      await pass(0);
      watch("a");
      await agent("a").stop();
      await pass(0);
      watch("a");
      await pass(0);
      expect(
        notices.map((down) => `${down.path}#${down.incarnation} ${down.reason} ${down.failure?.code ?? ""}`),
      ).toEqual([
        "/council/a#1 crashed agent/crashed",
        "/council/a#1 crashed agent/crashed",
        "/council/a#2 stopped ",
        "/council/a#3 stopped ",
        "/council/a#3 gone ",
      ]);
    });
  });

  test("one that loses interest hears nothing but its own reason", async () => {
    await play(council("a"), async ({ tell, agent, pass }) => {
      const leave = new AbortController();
      const down = agent("a").monitor({ signal: leave.signal });
      leave.abort(new Error("bored"));
      await expect(down).rejects.toThrow("bored");
      await expect(agent("a").monitor({ signal: leave.signal })).rejects.toThrow("bored");
      await tell("a", "crash");
      await pass(0);
    });
  });

  test("a group restart, an escalation and the end of the troupe are heard as ends in good order", async () => {
    await play(council("a b c", { strategy: "one-for-all" }), async ({ tell, watch, notices, pass, troupe }) => {
      watch("b");
      await tell("a", "crash");
      await pass(0);
      watch("b");
      watch("c");
      await tell("a", "crash");
      await pass(0);
      expect(notices.map((down) => `${down.path}#${down.incarnation} ${down.reason}`)).toEqual([
        "/council/b#2 stopped",
        "/council/c#6 stopped",
        "/council/b#5 stopped",
      ]);
      expect(troupe.actors().map((actor) => actor.id)).toEqual(["/"]);
    });
  });
});

describe("identity", () => {
  test("no path and incarnation is ever given twice, not even to another agent of the same path", async () => {
    const seen: string[] = [];
    const transcript = await play({ name: "empty", children: [] }, async ({ troupe, clock, pass }) => {
      const agent = puppet(clock);
      for (let turn = 0; turn < 3; turn += 1) {
        const same = await troupe.supervise({
          name: "same",
          intensity: { restarts: 9 },
          children: [{ agent, name: "a" }],
        });
        const [ref] = same.agents;
        await ref?.call("obey", { order: "crash" });
        await pass(0);
        seen.push(`${ref?.path}#${ref?.incarnation}`);
        await same.stop();
      }
    });
    const starts = [...transcript.matchAll(/start (\S+#\d+)/g)].map((match) => match[1]);
    expect(starts).toHaveLength(6);
    expect(new Set(starts).size).toBe(6);
    expect(seen).toEqual(["/same/a#2", "/same/a#4", "/same/a#6"]);
  });
});

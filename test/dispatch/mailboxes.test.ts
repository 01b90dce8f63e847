import { defineAgent } from "troupe";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { pass } from "../system/scene.ts";
import { end, openDesk, type Desk } from "./desk.ts";

function tight(desk: Desk, overflow?: "busy" | "drop-oldest" | "drop-newest", capacity = 2) {
  return defineAgent({
    name: "tight",
    mailbox: { capacity, ...(overflow === undefined ? {} : { overflow }) },
    capabilities: {
      work: {
        input: z.string(),
        output: z.string(),
        async run({ input, signal, tell }) {
          if (input === "tell on") return tell("work", "from a handler");
          if (input.startsWith("wait")) await pass(desk.clock, Number(input.slice(5)), signal);
          return input;
        },
      },
    },
  });
}

describe("a full mailbox", () => {
  test.each([
    ["busy", ["in hand", "a", "b", "call/busy", "call/busy"], ["accepted", "accepted", "busy"], { busy: 1 }],
    [
      "drop-newest",
      ["in hand", "a", "b", "call/dropped", "call/dropped"],
      ["accepted", "accepted", "accepted"],
      { overflow: 3 },
    ],
    [
      "drop-oldest",
      ["in hand", "call/dropped", "call/dropped", "c", "d"],
      ["accepted", "accepted", "accepted"],
      { overflow: 3 },
    ],
  ] as const)(
    "%s: every caller hears what became of its call, and nothing throws",
    async (overflow, ends, told, letters) => {
      await using desk = await openDesk();
      const [ref] = await desk.troupe.spawn(tight(desk, overflow));
      const first = ref?.call("work", "wait 50").then(() => "in hand");
      await desk.clock.settle();
      const outcomes = ["a", "b", "c", "d"].map((input) => ref?.call("work", input).then(end));
      expect(await desk.after(100, Promise.all([first, ...outcomes]))).toEqual(ends);
      void ref?.call("work", "wait 50");
      await desk.clock.settle();
      expect(["a", "b", "c"].map((input) => ref?.tell("work", input))).toEqual(told);
      await desk.clock.advance(100);
      expect(desk.troupe.metrics().deadLetters).toEqual(letters);
    },
  );

  test("calls that nobody waits for any more make room", async () => {
    await using desk = await openDesk();
    const [ref] = await desk.troupe.spawn(tight(desk));
    const abort = new AbortController();
    void ref?.call("work", "wait 500", { timeoutMs: 1_000 });
    await desk.clock.settle();
    const early = ref?.call("work", "early", { timeoutMs: 100 });
    const aborted = ref?.call("work", "aborted", { signal: abort.signal });
    expect(end((await ref?.call("work", "too many")) as never)).toBe("call/busy");
    abort.abort();
    const late = ref?.call("work", "late");
    await desk.clock.advance(200);
    const later = ref?.call("work", "later");
    expect(end((await ref?.call("work", "too many")) as never)).toBe("call/busy");
    await desk.clock.advance(500);
    expect((await Promise.all([early, aborted, late, later])).map((outcome) => end(outcome as never))).toEqual([
      "call/timeout",
      "call/cancelled",
      "late",
      "later",
    ]);
  });

  test("an agent that is busy is passed over by retry and another agent, as declared", async () => {
    await using desk = await openDesk({ strategy: "round-robin" });
    const shop = defineAgent({
      name: "shop",
      mailbox: { capacity: 1 },
      capabilities: {
        buy: {
          recovery: { anotherAgent: 1 },
          input: z.number(),
          output: z.string(),
          run: ({ input, agent, signal }) => pass(desk.clock, input, signal).then(() => agent.path),
        },
      },
    });
    const [first] = await desk.troupe.spawn(shop, { count: 2 });
    void first?.call("buy", 50);
    await desk.clock.settle();
    void first?.call("buy", 50);
    expect(end(await desk.after(20, desk.troupe.call("buy", 10)))).toBe("/shop/2");
    expect(desk.story("call.redirected")).toEqual(["call.redirected /shop/1 buy call/busy"]);
  });
});

describe("dead letters", () => {
  test("every message that reaches no handler is counted by its reason, and shows in the stream", async () => {
    const desk = await openDesk();
    const [ref] = await desk.troupe.spawn(tight(desk, "drop-oldest"));
    const { troupe } = desk;
    ref?.tell("work", 7 as never);
    await desk.clock.settle();
    ref?.pause();
    for (const input of ["a", "b", "c"]) ref?.tell("work", input);
    await ref?.stop();
    expect(ref?.tell("work", "d")).toBe("stopped");
    await desk.clock.settle();
    expect(troupe.metrics().deadLetters).toEqual({ "invalid-input": 1, overflow: 1, stopped: 3 });
    expect(desk.story("message.dead")).toEqual([
      "message.dead /tight/1 invalid-input work",
      "message.dead /tight/1 overflow work",
      "message.dead /tight/1 stopped work",
      "message.dead /tight/1 stopped work",
      "message.dead /tight/1 stopped work",
    ]);
    await desk[Symbol.asyncDispose]();
  });

  test("a tell from a handler finds an agent by capability, or leaves a dead letter", async () => {
    const heard: string[] = [];
    await using desk = await openDesk();
    const [ref] = await desk.troupe.spawn(
      defineAgent({
        name: "gossip",
        capabilities: {
          hear: { input: z.string(), output: z.null(), run: ({ input }) => (heard.push(input), null) },
          spread: {
            input: z.string(),
            output: z.array(z.string()),
            run: ({ input, tell }) => [tell("hear", input), tell("nowhere", input)],
          },
        },
      }),
    );
    expect(await ref?.call("spread", "news")).toEqual({ ok: true, value: ["accepted", "stopped"] });
    await desk.clock.settle();
    expect(heard).toEqual(["news"]);
    expect(desk.troupe.metrics().deadLetters).toEqual({ "no-agent": 1 });
  });

  test("a tell that crashes its agent is no dead letter: it was delivered", async () => {
    await using desk = await openDesk();
    const [ref] = await desk.troupe.spawn(
      defineAgent({
        name: "frail",
        capabilities: {
          work: {
            input: z.null(),
            output: z.null(),
            run() {
              throw new Error("boom");
            },
          },
        },
      }),
    );
    expect(ref?.tell("work", null)).toBe("accepted");
    await desk.clock.settle();
    expect(ref?.tell("work", null)).toBe("stopped");
    expect(desk.troupe.metrics().deadLetters).toEqual({ stopped: 1 });
  });
});

describe("stopping an agent with a backlog", () => {
  test("signals wait behind no message: a stop comes before ten thousand queued calls", async () => {
    await using desk = await openDesk();
    const [ref] = await desk.troupe.spawn(tight(desk, "busy", 20_000));
    const outcomes = Array.from({ length: 10_000 }, async () => end((await ref?.call("work", "x")) as never));
    void ref?.stop();
    const ends = await desk.after(0, Promise.all(outcomes));
    expect(new Set(ends)).toEqual(new Set(["agent/stopped"]));
  });

  test("timers and other actors are served while ten thousand messages wait", async () => {
    await using desk = await openDesk();
    const [ref] = await desk.troupe.spawn(tight(desk, "busy", 20_000));
    let served = 0;
    const outcomes = Array.from({ length: 10_000 }, async () => {
      await ref?.call("work", "x");
      served += 1;
    });
    const seen: number[] = [];
    for (let breath = 0; breath < 3; breath += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(served);
    }
    await Promise.all(outcomes);
    expect(Math.max(...seen)).toBeLessThan(10_000);
    expect(served).toBe(10_000);
  });
});

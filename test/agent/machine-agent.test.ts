import { machineAgent, type AgentDefinition } from "troupe";
import { assign, cancel, createMachine, fromPromise, raise, setup } from "xstate";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { children, play, script } from "../system/scene.ts";

const nothing = z.object({});

type CounterEvent = { type: "add" } | { type: "break" } | { type: "finish" } | { type: "work" } | { type: "wait" };

/** A machine that counts, breaks, ends, and works for a while, as it is told. */
const counter = setup({
  types: { context: {} as { count: number }, events: {} as CounterEvent },
  delays: { work: 100 },
  actions: {
    fail: () => {
      throw new Error("broken spring");
    },
  },
}).createMachine({
  id: "counter",
  context: { count: 0 },
  initial: "ready",
  states: {
    ready: {
      on: {
        add: { actions: assign({ count: ({ context }) => context.count + 1 }) },
        break: { actions: "fail" },
        finish: "over",
        work: "working",
        wait: "waiting",
      },
    },
    working: { after: { work: "ready" } },
    waiting: {},
    over: { type: "final" },
  },
});

const counting = machineAgent(counter).define({
  name: "counting",
  capabilities: {
    add: { input: nothing, output: z.number(), event: () => ({ type: "add" }), reply: (at) => at.context.count },
    addTwice: {
      input: nothing,
      output: z.number(),
      event: () => [{ type: "add" }, { type: "add" }],
      reply: (at) => at.context.count,
    },
    fail: { input: nothing, output: z.number(), event: () => ({ type: "break" }), reply: () => 0 },
    failAgain: {
      idempotent: true,
      input: nothing,
      output: z.number(),
      event: () => ({ type: "break" }),
      reply: () => 0,
    },
    finish: { input: nothing, output: z.string(), event: () => ({ type: "finish" }), reply: (at) => at.value },
    work: {
      input: nothing,
      output: z.string(),
      event: () => ({ type: "work" }),
      until: (at) => at.value === "ready",
      reply: (at) => at.value,
    },
    wait: {
      input: nothing,
      output: z.string(),
      event: () => ({ type: "wait" }),
      until: (at) => at.value === "ready",
      reply: (at) => at.value,
    },
    finishTooSoon: {
      input: nothing,
      output: z.string(),
      event: () => ({ type: "finish" }),
      until: (at) => at.value === "ready",
      reply: (at) => at.value,
    },
    lie: { input: nothing, output: z.number(), event: () => ({ type: "add" }), reply: () => "seven" as never },
    doubt: {
      input: nothing,
      output: z.string(),
      event: () => ({ type: "work" }),
      until: (at) => {
        if (at.value === "ready") throw new Error("no idea");
        return false;
      },
      reply: (at) => at.value,
    },
  },
});

const council = (agent: AgentDefinition, options: object = {}) => ({
  name: "council",
  ...options,
  children: children({ agent }, "m"),
});

describe("a machine as an agent", () => {
  test("calls become events, snapshots become answers, and the state lives as long as the incarnation", async () => {
    await play(council(counting), async ({ agent }) => {
      const m = agent("m");
      expect(await m.call("add", {})).toEqual({ ok: true, value: 1 });
      expect(await m.call("addTwice", {})).toEqual({ ok: true, value: 3 });
      expect(await m.call("lie", {})).toMatchObject({ ok: false, failure: { code: "agent/invalid-output" } });
      m.kill();
      expect(await m.call("add", {})).toEqual({ ok: true, value: 1 });
    });
  });

  test("one that breaks under a call has crashed: the call fails, and a fresh machine takes the next", async () => {
    const transcript = await play(council(counting), async ({ agent, pass }) => {
      const outcomes = ["add", "fail", "add"].map((capability) => agent("m").call(capability, {}));
      await pass(0);
      expect(await Promise.all(outcomes)).toMatchObject([
        { ok: true, value: 1 },
        { ok: false, failure: { code: "agent/crashed", data: { cause: "Error: broken spring" } } },
        { ok: true, value: 1 },
      ]);
    });
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/m#1
        t=0 call 1 ok
        t=0 call 2 fails agent/crashed
        t=0 crash /council/m#1 "Error: broken spring"
        t=0 start /council/m#2
        t=0 call 3 ok
      `),
    );
  });

  test("an idempotent call under which each machine breaks is tried three times", async () => {
    const transcript = await play(council(counting, { intensity: { restarts: 9 } }), async ({ agent, pass }) => {
      const outcome = agent("m").call("failAgain", {});
      await pass(0);
      expect(await outcome).toMatchObject({ ok: false, failure: { code: "agent/crashed" } });
    });
    expect(transcript.match(/crash/g)).toHaveLength(4);
    expect(transcript).toContain("start /council/m#4");
  });

  test("one that ends under a call answers it, and leaves in good order; what waits goes to the next machine", async () => {
    const transcript = await play(council(counting), async ({ agent, pass }) => {
      const outcomes = ["finish", "add"].map((capability) => agent("m").call(capability, {}));
      await pass(0);
      expect(await Promise.all(outcomes)).toEqual([
        { ok: true, value: "over" },
        { ok: true, value: 1 },
      ]);
    });
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/m#1
        t=0 call 1 ok
        t=0 stop /council/m#1
        t=0 start /council/m#2
        t=0 call 2 ok
      `),
    );
  });

  test("one that ends before the answer is ready refuses the call: that is no crash", async () => {
    const transcript = await play(council(counting), async ({ agent, pass }) => {
      const outcome = agent("m").call("finishTooSoon", {});
      await pass(0);
      expect(await outcome).toMatchObject({ ok: false, failure: { code: "call/rejected", retry: "never" } });
    });
    expect(transcript.split("\n").slice(2)).toEqual([
      "t=0 call 1 fails call/rejected",
      "t=0 stop /council/m#1",
      "t=0 start /council/m#2",
    ]);
  });

  test("an answer that needs time comes when the machine is there, on the troupe's clock", async () => {
    const transcript = await play(council(counting), async ({ agent, pass, clock }) => {
      void agent("m").call("work", {});
      await pass(300);
      expect(clock.waiting).toBe(0);
    });
    expect(transcript).toContain("t=100 call 1 ok");
  });

  test("a call that waits for the machine ends at its deadline, and nothing of it is left", async () => {
    await play(council(counting), async ({ agent, pass, clock }) => {
      const outcome = agent("m").call("wait", {}, { timeoutMs: 50 });
      await pass(300);
      expect(await outcome).toMatchObject({ ok: false, failure: { code: "call/timeout" } });
      expect(clock.waiting).toBe(0);
      expect(agent("m").state).toBe("idle");
    });
  });

  test("a condition that throws is a crash, not an uncaught error", async () => {
    const transcript = await play(council(counting), async ({ agent, pass }) => {
      void agent("m").call("doubt", {});
      await pass(300);
    });
    expect(transcript).toContain(`t=100 crash /council/m#1 "Error: no idea"`);
  });

  test("delayed events of a machine run on the troupe's clock: a new one of the same id replaces, cancel takes back", async () => {
    const bell = setup({
      types: { context: {} as { rung: number }, events: {} as { type: "set" } | { type: "off" } | { type: "ring" } },
    }).createMachine({
      id: "bell",
      context: { rung: 0 },
      on: {
        set: { actions: raise({ type: "ring" }, { delay: 100, id: "alarm" }) },
        off: { actions: cancel("alarm") },
        ring: { actions: assign({ rung: ({ context }) => context.rung + 1 }) },
      },
    });
    const reply = (at: { readonly context: { readonly rung: number } }): number => at.context.rung;
    const agent = machineAgent(bell).define({
      name: "bell",
      capabilities: {
        set: { input: nothing, output: z.number(), event: () => ({ type: "set" }), reply },
        off: { input: nothing, output: z.number(), event: () => ({ type: "off" }), reply },
      },
    });
    await play(council(agent), async ({ agent: named, pass, clock }) => {
      const m = named("m");
      await m.call("set", {});
      await pass(60);
      await m.call("set", {});
      await pass(60);
      expect(await m.call("off", {})).toEqual({ ok: true, value: 0 });
      await pass(200);
      await m.call("set", {});
      await pass(100);
      expect(await m.call("off", {})).toEqual({ ok: true, value: 1 });
      await pass(300);
      expect(clock.waiting).toBe(0);
    });
  });

  test("the timers and tasks of a machine end with it", async () => {
    const aborted: string[] = [];
    const busy = createMachine({
      id: "busy",
      initial: "waiting",
      invoke: {
        src: fromPromise(
          ({ signal }) =>
            new Promise((_, reject) => {
              signal.addEventListener("abort", () => {
                aborted.push("task");
                reject(new Error("aborted"));
              });
            }),
        ),
      },
      states: { waiting: { after: { 60_000: "late" } }, late: {} },
    });
    const agent = machineAgent(busy).define({
      name: "busy",
      capabilities: {
        poke: { input: nothing, output: z.boolean(), event: () => ({ type: "poke" }), reply: () => true },
      },
    });
    await play(council(agent), async ({ agent: named, clock, pass }) => {
      expect(clock.waiting).toBe(1);
      await named("m").stop();
      await pass(0);
      expect(clock.waiting).toBe(0);
      expect(aborted).toEqual(["task"]);
    });
  });
});

test("what is no XState logic is refused by name", () => {
  const define = (machine: unknown) => () =>
    machineAgent(machine as never).define({
      name: "odd",
      capabilities: {
        poke: { input: nothing, output: nothing, event: () => ({ type: "x" }), reply: () => ({}) },
      },
    });
  for (const machine of [undefined, null, {}, () => ({})])
    expect(define(machine)).toThrow(/machine of agent "odd" must be XState logic/);
});

import { defineAgent, type CallOptions } from "troupe";
import { FakeClock } from "troupe/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { end, openDesk } from "../dispatch/desk.ts";
import { pass } from "../system/scene.ts";

interface Demand {
  readonly min?: number;
  readonly max: number;
  readonly idleMs?: number;
}

/** A pooled specialist. Its clock is that of the desk, which is opened with it. */
async function open(onDemand: Demand, hooks: { startMs?: number; stopMs?: number; fails?: boolean } = {}) {
  const clock = new FakeClock();
  const now = (ms: number, signal?: AbortSignal): Promise<void> => pass(clock, ms, signal);
  const { startMs, stopMs, fails = false } = hooks;
  const specialist = defineAgent({
    name: "specialist",
    onDemand,
    ...(startMs === undefined && !fails
      ? {}
      : {
          start: async () => {
            if (fails) throw new Error("no luck");
            await now(startMs ?? 0);
          },
        }),
    ...(stopMs === undefined ? {} : { stop: () => now(stopMs) }),
    capabilities: {
      work: {
        input: z.number(),
        output: z.string(),
        async run({ input, agent, signal }) {
          if (input < 0) throw new Error("boom");
          await now(input, signal);
          return agent.path;
        },
      },
    },
  });
  const desk = await openDesk({ agents: [specialist] }, clock);
  const work = (ms: number, options: CallOptions = {}): Promise<unknown> =>
    desk.troupe.call("work", ms, options).then(end);
  const live = (): number => desk.troupe.agents.list().length;
  return { desk, work, live, specialist };
}

describe("agents on demand", () => {
  test("a call that finds none free spawns one, up to the most; beyond it calls wait", async () => {
    const { desk, work, live } = await open({ max: 2 });
    expect(live()).toBe(0);
    expect(await desk.after(0, work(0))).toBe("/specialist/1");
    expect(live()).toBe(1);
    const outcomes = [work(50), work(50), work(50)];
    await desk.clock.settle();
    expect(live()).toBe(2);
    expect(new Set(await desk.after(200, Promise.all(outcomes)))).toEqual(new Set(["/specialist/1", "/specialist/2"]));
    expect(desk.story("pool")).toEqual(["pool.grown /specialist/1", "pool.grown /specialist/2"]);
    await desk[Symbol.asyncDispose]();
  });

  test("a call that meets one on its way out has another one started", async () => {
    const { desk, work } = await open({ max: 1, idleMs: 100 }, { stopMs: 400 });
    expect(await desk.after(0, work(0))).toBe("/specialist/1");
    await desk.clock.advance(150);
    expect(await desk.after(0, work(0))).toBe("/specialist/2");
    await desk[Symbol.asyncDispose]();
  });

  test("calls that come while the first ones start are shared among all that come up", async () => {
    const { desk, work } = await open({ max: 3 }, { startMs: 50 });
    const served = (await desk.after(1_000, Promise.all(Array.from({ length: 9 }, () => work(100))))) as string[];
    const shares = ["/specialist/1", "/specialist/2", "/specialist/3"].map(
      (path) => served.filter((each) => each === path).length,
    );
    expect(Math.max(...shares)).toBeLessThanOrEqual(5);
    expect(shares.reduce((sum, share) => sum + share)).toBe(9);
    await desk[Symbol.asyncDispose]();
  });

  test("a definition that is registered later is spawned on demand too", async () => {
    const { desk, work, specialist } = await open({ max: 1 });
    desk.troupe.agents.unregister("specialist");
    expect(await desk.after(0, work(0))).toBe("dispatch/no-agent");
    desk.troupe.agents.register(specialist);
    expect(await desk.after(0, work(0))).toBe("/specialist/1");
    const later = defineAgent({
      name: "later",
      onDemand: { max: 1 },
      capabilities: { later: { input: z.null(), output: z.string(), run: ({ agent }) => agent.path } },
    });
    desk.troupe.agents.register(later);
    expect(end(await desk.after(0, desk.troupe.call("later", null)))).toBe("/later/1");
    await desk[Symbol.asyncDispose]();
  });

  test("after a crash the least is there again a second later, without a call", async () => {
    const { desk, work, live } = await open({ min: 2, max: 3 });
    expect(await desk.after(0, work(-1))).toBe("agent/crashed");
    expect(live()).toBe(1);
    await desk.clock.advance(999);
    expect(live()).toBe(1);
    await desk.clock.advance(1);
    expect(live()).toBe(2);
    await desk[Symbol.asyncDispose]();
  });

  test("the least is there from the start, and idle ones go down to it", async () => {
    const { desk, work, live } = await open({ min: 1, max: 4, idleMs: 1_000 });
    expect(live()).toBe(1);
    await desk.after(100, Promise.all([1, 2, 3, 4].map(() => work(50))));
    expect(live()).toBe(4);
    await desk.clock.advance(900);
    expect(live()).toBe(4);
    await desk.clock.advance(1_200);
    expect(live()).toBe(1);
    expect(desk.story("pool.shrunk")).toHaveLength(3);
    expect(desk.clock.waiting).toBe(0);
    await desk[Symbol.asyncDispose]();
  });

  test("the least is kept also while those that go take their time to stop", async () => {
    const { desk, work, live } = await open({ min: 2, max: 5, idleMs: 100 }, { stopMs: 1_000 });
    await desk.after(100, Promise.all([1, 2, 3, 4, 5].map(() => work(10))));
    for (let turn = 0; turn < 10; turn += 1) {
      await desk.clock.advance(150);
      expect(desk.troupe.agents.list().filter((info) => info.status === "online").length).toBeGreaterThanOrEqual(2);
    }
    await desk.clock.advance(2_000);
    expect(live()).toBe(2);
    await desk[Symbol.asyncDispose]();
  });

  test("an agent that works is not let go, however long it takes", async () => {
    const { desk, work, live } = await open({ max: 1, idleMs: 100 });
    const long = work(5_000);
    await desk.clock.advance(3_000);
    expect(live()).toBe(1);
    expect(await desk.after(2_000, long)).toBe("/specialist/1");
    await desk.clock.advance(300);
    expect(live()).toBe(0);
    await desk[Symbol.asyncDispose]();
  });

  test("calls and tells that come while the first one starts wait for it, and no more are started than allowed", async () => {
    const { desk, work, live } = await open({ max: 2 }, { startMs: 100 });
    const outcomes = [1, 2, 3, 4].map(() => work(10));
    const abandoned = work(10, { timeoutMs: 20 });
    expect(await desk.after(50, abandoned)).toBe("call/timeout");
    expect(live()).toBe(0);
    const ends = await desk.after(300, Promise.all(outcomes));
    expect(live()).toBe(2);
    expect(new Set(ends)).toEqual(new Set(["/specialist/1", "/specialist/2"]));
    expect(desk.story("pool.grown")).toHaveLength(2);
    await desk[Symbol.asyncDispose]();
  });

  test("a tell from a handler starts one as well, and is delivered to it", async () => {
    const heard: string[] = [];
    const clock = new FakeClock();
    const listener = defineAgent({
      name: "listener",
      onDemand: { max: 1 },
      start: () => pass(clock, 50),
      capabilities: { hear: { input: z.string(), output: z.null(), run: ({ input }) => (heard.push(input), null) } },
    });
    const speaker = defineAgent({
      name: "speaker",
      capabilities: { speak: { input: z.string(), output: z.string(), run: ({ input, tell }) => tell("hear", input) } },
    });
    await using desk = await openDesk({ agents: [listener, speaker] }, clock);
    await desk.troupe.spawn(speaker);
    expect(await desk.troupe.call("speak", "hello")).toEqual({ ok: true, value: "accepted" });
    await desk.clock.advance(100);
    expect(heard).toEqual(["hello"]);
    expect(desk.troupe.metrics().deadLetters).toEqual({});
  });

  test("one that crashes is replaced by the next call that needs it; one that cannot start is nobody", async () => {
    const { desk, work } = await open({ max: 1 });
    expect(await desk.after(0, work(-1))).toBe("agent/crashed");
    expect(await desk.after(0, work(0))).toBe("/specialist/2");
    await desk[Symbol.asyncDispose]();
    const failing = await open({ min: 1, max: 1 }, { fails: true });
    expect(await failing.desk.after(0, failing.work(0))).toBe("agent/start-failed");
    await failing.desk[Symbol.asyncDispose]();
  });

  test("a pool whose name a tree has taken meanwhile finds nobody, and says so in the log", async () => {
    const { desk, work, specialist } = await open({ max: 1 });
    await desk.troupe.supervise({ name: "specialist", children: [] });
    expect(await work(0)).toBe("dispatch/no-agent");
    expect(desk.log).toEqual([`warn: the pool of "specialist" cannot grow: another supervisor has that name`]);
    await expect(desk.troupe.spawn(specialist)).rejects.toMatchObject({ code: "usage/name-taken" });
    await desk[Symbol.asyncDispose]();
  });

  test("the cap on resident actors holds for pools, and for everybody else by name", async () => {
    const agent = defineAgent({
      name: "pooled",
      onDemand: { max: 9 },
      capabilities: { work: { input: z.number(), output: z.string(), run: ({ agent: { path } }) => path } },
    });
    const other = defineAgent({
      name: "other",
      capabilities: { rest: { input: z.null(), output: z.null(), run: () => null } },
    });
    await using desk = await openDesk({ agents: [agent], limits: { residentActors: 3 } });
    await desk.troupe.spawn(other, { count: 2 });
    await expect(desk.troupe.spawn(other, { count: 2 })).rejects.toMatchObject({
      code: "system/full",
      data: { residents: 2, residentMax: 3, count: 2 },
    });
    await expect(desk.troupe.supervise({ name: "tree", children: [{ agent: other, count: 2 }] })).rejects.toMatchObject(
      { code: "system/full" },
    );
    expect(end(await desk.troupe.call("work", 0))).toBe("/pooled/1");
    await expect(desk.troupe.spawn(other)).rejects.toMatchObject({ code: "system/full" });
    expect(desk.troupe.metrics().residentActors).toBe(3);
  });
});

import { defineAgent, type CallOptions } from "troupe";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { pass } from "../system/scene.ts";
import { end, openDesk } from "./desk.ts";

async function open() {
  const desk = await openDesk({ idempotencyRetentionMs: 1_000 });
  let runs = 0;
  const keys: unknown[] = [];
  const agent = defineAgent({
    name: "once",
    concurrency: 9,
    capabilities: {
      pay: {
        input: z.string(),
        output: z.number(),
        async run({ input, signal, key, fail }) {
          keys.push(key);
          runs += 1;
          const mine = runs;
          if (input === "crash") throw new Error("boom");
          if (input === "refuse") return fail("pay/no", "no");
          await pass(desk.clock, 50, signal);
          return mine;
        },
      },
    },
  });
  const refs = await desk.troupe.spawn(agent, { count: 2, restart: "permanent", intensity: { restarts: 99 } });
  const pay = (key: string | undefined, input = "x", options: CallOptions = {}): Promise<unknown> =>
    desk.troupe.call("pay", input, { ...options, ...(key === undefined ? {} : { key }) }).then(end);
  return { desk, refs, pay, keys, runs: () => runs };
}

describe("an idempotency key", () => {
  test("answers with the first outcome while it is kept, and is forgotten after its retention", async () => {
    const { desk, pay, runs, keys } = await open();
    expect(await desk.after(50, pay("k"))).toBe(1);
    await desk.clock.advance(999);
    expect(await pay("k", "another input")).toBe(1);
    expect(await desk.after(50, pay("other"))).toBe(2);
    expect(await desk.after(50, pay(undefined))).toBe(3);
    expect(await desk.after(50, pay("k"))).toBe(4);
    expect(runs()).toBe(4);
    expect(keys).toEqual(["k", "other", undefined, "k"]);
    await desk[Symbol.asyncDispose]();
  });

  test("joins calls that come while the first is out: the handler runs once", async () => {
    const { desk, pay, runs } = await open();
    const outcomes = [pay("k"), pay("k"), pay("k")];
    expect(await desk.after(60, Promise.all(outcomes))).toEqual([1, 1, 1]);
    expect(runs()).toBe(1);
    await desk[Symbol.asyncDispose]();
  });

  test("keeps a refusal, and is free again after a failure that may pass", async () => {
    const { desk, pay, runs } = await open();
    expect(await desk.after(0, pay("no", "refuse"))).toBe("pay/no");
    expect(await desk.after(0, pay("no"))).toBe("pay/no");
    expect(await desk.after(0, pay("k", "crash"))).toBe("agent/crashed");
    expect(await desk.after(50, pay("k"))).toBe(3);
    expect(runs()).toBe(3);
    await desk[Symbol.asyncDispose]();
  });

  test("is one key for a capability, and another one for one very agent of it", async () => {
    const { desk, pay, refs, runs } = await open();
    await desk.after(50, pay("k"));
    const direct = await desk.after(50, Promise.all(refs.map((ref) => ref.call("pay", "x", { key: "k" }))));
    expect(direct.map(end)).toEqual([2, 3]);
    expect(runs()).toBe(3);
    await desk[Symbol.asyncDispose]();
  });
});

describe("a call that joins another one", () => {
  test("ends at its own deadline, and by its own signal, while the first goes on", async () => {
    const { desk, pay, runs } = await open();
    const abort = new AbortController();
    const first = pay("k");
    const hasty = pay("k", "x", { timeoutMs: 10 });
    const fickle = pay("k", "x", { signal: abort.signal });
    const never = pay("k", "x", { signal: AbortSignal.abort() });
    expect(await never).toBe("call/cancelled");
    expect(await desk.after(10, hasty)).toBe("call/timeout");
    abort.abort();
    expect(await fickle).toBe("call/cancelled");
    expect(await desk.after(50, first)).toBe(1);
    expect(runs()).toBe(1);
    await desk[Symbol.asyncDispose]();
  });

  test("takes over where the first caller gave up, by abort or by deadline: nobody else's choice is its own", async () => {
    const { desk, pay, runs } = await open();
    const abort = new AbortController();
    const first = pay("k", "x", { signal: abort.signal });
    const second = pay("k");
    await desk.clock.advance(10);
    abort.abort();
    expect(await first).toBe("call/cancelled");
    expect(await desk.after(60, second)).toBe(2);
    const hasty = pay("l", "x", { timeoutMs: 10 });
    const patient = [pay("l"), pay("l")];
    await desk.clock.advance(10);
    expect(await hasty).toBe("call/timeout");
    expect(await desk.after(60, Promise.all(patient))).toEqual([4, 4]);
    expect(runs()).toBe(4);
    await desk[Symbol.asyncDispose]();
  });

  test("is not bound by the budget that the first caller ran out of", async () => {
    const { desk, pay } = await open();
    const poor = pay("k", "x", { budget: { calls: 0 } });
    const rich = pay("k");
    expect(await poor).toBe("call/budget-exhausted");
    expect(await desk.after(60, rich)).toBe(1);
    await desk[Symbol.asyncDispose]();
  });

  test("shares a failure of the agent's, without running again", async () => {
    const { desk, pay, runs } = await open();
    const both = [pay("k", "crash"), pay("k", "crash")];
    expect(await desk.after(10, Promise.all(both))).toEqual(["agent/crashed", "agent/crashed"]);
    expect(runs()).toBe(1);
    await desk[Symbol.asyncDispose]();
  });

  test("is closed with the troupe", async () => {
    const { desk, pay } = await open();
    const first = pay("k");
    const second = pay("k");
    await desk.clock.settle();
    await desk[Symbol.asyncDispose]();
    expect([await first, await second]).toEqual([1, 1]);
  });
});

import fc from "fast-check";
import { defineAgent, isTroupeError, type CallOptions } from "troupe";
import { FakeClock } from "troupe/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { Deadlines, type Expiring } from "../../src/ports/deadlines.ts";
import { pass, puppet } from "../system/scene.ts";
import { end, openDesk } from "./desk.ts";

describe("deadlines of calls", () => {
  test("a running handler is told to abort, and the caller has its outcome whether it obeys or not", async () => {
    await using desk = await openDesk();
    const told: string[] = [];
    const [ref] = await desk.troupe.spawn(
      defineAgent({
        name: "slow",
        capabilities: {
          work: {
            input: z.string(),
            output: z.string(),
            async run({ input, signal, deadlineAt }) {
              signal.addEventListener("abort", () =>
                told.push(`${input} ${(signal.reason as Error).name} ${String(signal.reason)}`),
              );
              told.push(`${input} has ${deadlineAt - desk.clock.now()}`);
              await pass(desk.clock, 500, input === "obeys" ? signal : undefined);
              return input;
            },
          },
        },
      }),
    );
    for (const input of ["obeys", "ignores"]) {
      const outcome = await desk.after(600, desk.troupe.call("work", input, { timeoutMs: 100 }));
      expect(outcome).toMatchObject({
        ok: false,
        failure: {
          code: "call/timeout",
          retry: "later",
          data: { capability: "work", timeoutMs: 100, agent: "/slow/1" },
        },
      });
      expect(ref?.state).toBe("idle");
    }
    expect(told).toEqual([
      "obeys has 100",
      "obeys AbortError AbortError: the deadline passed",
      "ignores has 100",
      "ignores AbortError AbortError: the deadline passed",
    ]);
    expect(desk.story("agent.crashed")).toEqual([]);
  });

  test("the default is thirty seconds; the earlier of timeoutMs and deadlineAt counts", async () => {
    await using desk = await openDesk();
    const [ref] = await desk.troupe.spawn(puppet(desk.clock));
    ref?.pause();
    const from = desk.clock.now();
    const ends = new Map<string, number>();
    const options: { readonly [name: string]: CallOptions } = {
      default: {},
      timeout: { timeoutMs: 100, deadlineAt: from + 200 },
      deadline: { timeoutMs: 400, deadlineAt: from + 300 },
    };
    for (const [name, each] of Object.entries(options))
      void ref?.call("obey", { order: "answer" }, each).then(() => ends.set(name, desk.clock.now() - from));
    await desk.clock.advance(40_000);
    expect([...ends]).toEqual([
      ["timeout", 100],
      ["deadline", 300],
      ["default", 30_000],
    ]);
  });

  test("a call whose deadline has passed already is not sent", async () => {
    const runs: string[] = [];
    await using desk = await openDesk();
    await desk.troupe.spawn(puppet(desk.clock, { onRun: (told) => runs.push(told) }));
    const late = { deadlineAt: desk.clock.now() };
    expect(end(await desk.troupe.call("obey", { order: "answer" }, late))).toBe("call/timeout");
    await desk.clock.settle();
    expect(runs).toEqual([]);
  });

  test("nested calls end no later than the call they are made under", async () => {
    await using desk = await openDesk();
    const outer = defineAgent({
      name: "outer",
      capabilities: {
        ask: {
          input: z.object({ timeoutMs: z.number() }),
          output: z.unknown(),
          async run({ input, call }) {
            const outcome = await call("obey", { order: "ignore 5000" }, { timeoutMs: input.timeoutMs });
            inner.push(`${end(outcome) as string} ${desk.clock.now() - from}`);
            return null;
          },
        },
      },
    });
    const inner: string[] = [];
    const from = desk.clock.now();
    await desk.troupe.spawn(outer, { count: 2 });
    await desk.troupe.spawn(puppet(desk.clock), { count: 2 });
    void desk.troupe.call("ask", { timeoutMs: 50 }, { timeoutMs: 100 });
    void desk.troupe.call("ask", { timeoutMs: 500 }, { timeoutMs: 100 });
    await desk.clock.advance(6_000);
    expect(inner[0]).toBe("call/timeout 50");
    expect(inner[1]).toMatch(/call\/(timeout|cancelled) 100/);
  });

  test.each([
    ["timeoutMs", { timeoutMs: 0 }],
    ["timeoutMs", { timeoutMs: Number.NaN }],
    ["timeoutMs", { timeoutMs: 3_600_001 }],
    ["deadlineAt", { deadlineAt: Number.POSITIVE_INFINITY }],
    ["priority", { priority: "urgent" }],
    ["key", { key: "" }],
    ["key", { key: "x".repeat(513) }],
    ["affinity", { affinity: "" }],
    ["budget.calls", { budget: { calls: -1 } }],
    ["budget.tokens", { budget: { tokens: Number.NaN } }],
    ["baggage.a", { baggage: { a: 1 } }],
    ["baggage has 17", { baggage: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`k${n}`, ""])) }],
    ["baggage has 4097", { baggage: { a: "x".repeat(4_096) } }],
  ])("an impossible %s is thrown at the call", async (word, options) => {
    await using desk = await openDesk();
    const call = (): unknown => desk.troupe.call("obey", {}, options as CallOptions);
    expect(call).toThrow(word);
    expect(call).toThrow(expect.toSatisfy((error: unknown) => isTroupeError(error, "usage/invalid-options")));
  });
});

describe("cancellation", () => {
  test("an abort reaches the running handler, and everything it has called in turn", async () => {
    await using desk = await openDesk();
    const aborted: string[] = [];
    const hop = defineAgent({
      name: "hop",
      concurrency: 9,
      capabilities: {
        hop: {
          input: z.number(),
          output: z.null(),
          async run({ input, signal, call }) {
            signal.addEventListener("abort", () => aborted.push(`hop ${input}`));
            if (input > 0) await call("hop", input - 1);
            else await pass(desk.clock, 10_000, signal);
            return null;
          },
        },
      },
    });
    await desk.troupe.spawn(hop, { count: 2 });
    const abort = new AbortController();
    const outcome = desk.troupe.call("hop", 3, { signal: abort.signal });
    await desk.clock.advance(10);
    abort.abort();
    expect(aborted).toEqual(["hop 3", "hop 2", "hop 1", "hop 0"]);
    expect(end(await outcome)).toBe("call/cancelled");
    await desk.clock.advance(300);
    expect(desk.clock.waiting).toBe(0);
    expect(desk.troupe.agents.list().every((info) => info.state === "idle")).toBe(true);
  });

  test("a call that is aborted before it begins, or while it waits, is never run", async () => {
    const runs: string[] = [];
    await using desk = await openDesk();
    const [ref] = await desk.troupe.spawn(puppet(desk.clock, { onRun: (told) => runs.push(told) }));
    expect(end((await ref?.call("obey", { order: "one" }, { signal: AbortSignal.abort() })) as never)).toBe(
      "call/cancelled",
    );
    ref?.pause();
    const abort = new AbortController();
    const waiting = ref?.call("obey", { order: "two" }, { signal: abort.signal });
    abort.abort();
    expect(end((await waiting) as never)).toBe("call/cancelled");
    ref?.resume();
    await desk.clock.settle();
    expect(runs).toEqual([]);
  });

  test("an abort after the outcome changes nothing, and the signal is let go of", async () => {
    await using desk = await openDesk();
    await desk.troupe.spawn(puppet(desk.clock));
    const abort = new AbortController();
    let listeners = 0;
    const { signal } = abort;
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    Object.assign(signal, {
      addEventListener: (...given: Parameters<typeof add>) => ((listeners += 1), add(...given)),
      removeEventListener: (...given: Parameters<typeof remove>) => ((listeners -= 1), remove(...given)),
    });
    expect(end(await desk.troupe.call("obey", { order: "answer" }, { signal }))).toBe("answer done");
    expect(listeners).toBe(0);
    abort.abort();
    await desk.clock.settle();
    expect(desk.story("call.")).toHaveLength(2);
  });

  test("a listener of the signal that stops the agent, and one that calls again, find everything in order", async () => {
    await using desk = await openDesk();
    const refs = await desk.troupe.spawn(
      defineAgent({
        name: "odd",
        concurrency: 2,
        capabilities: {
          work: {
            idempotent: true,
            input: z.string(),
            output: z.string(),
            async run({ input, signal }) {
              if (input === "crash") {
                await pass(desk.clock, 10);
                throw new Error("boom");
              }
              if (input === "stop") signal.addEventListener("abort", () => void refs[0]?.stop());
              await pass(desk.clock, 1_000, signal);
              return input;
            },
          },
        },
      }),
      { restart: "permanent" },
    );
    const outcomes = ["stop", "crash"].map((input) => desk.troupe.call("work", input));
    await desk.clock.advance(50);
    expect((await Promise.all(outcomes)).map(end)).toEqual(["agent/crashed", "agent/crashed"]);
    expect(desk.troupe.agents.list()).toEqual([]);
    expect(desk.story("agent.stopped", "agent.crashed", "agent.started")).toEqual([
      "agent.started /odd/1",
      "agent.crashed /odd/1 agent/crashed",
    ]);
  });
});

describe("the heap of deadlines", () => {
  class Entry implements Expiring {
    heapIndex = -1;
    readonly deadlineAt: number;
    readonly #fired: number[];
    constructor(deadlineAt: number, fired: number[]) {
      this.deadlineAt = deadlineAt;
      this.#fired = fired;
    }
    expire(): void {
      this.#fired.push(this.deadlineAt);
    }
    close(): void {}
  }

  test("any deadlines, added and taken out in any order, fire at their time, once, earliest first", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ at: fc.nat(1_000), leaves: fc.boolean() }), { maxLength: 60 }),
        async (plan) => {
          const clock = new FakeClock(0);
          const deadlines = new Deadlines(clock);
          const fired: number[] = [];
          const entries = plan.map(({ at }) => new Entry(at, fired));
          for (const entry of entries) deadlines.add(entry);
          for (const [index, entry] of entries.entries()) if (plan[index]?.leaves === true) deadlines.remove(entry);
          for (const entry of entries) if (plan[entries.indexOf(entry)]?.leaves === true) deadlines.remove(entry);
          const expected = plan.filter(({ leaves }) => !leaves).map(({ at }) => at);
          // The clock's own timers stand in for 1,300 ms.
          for (let step = 0; step < 6; step += 1) await clock.advance(250);
          expect(fired).toEqual(expected.toSorted((a, b) => a - b));
          expect(clock.waiting).toBe(0);
        },
      ),
      { numRuns: 40 },
    );
  });

  test("closing takes out everything that waits, and leaves no timer", () => {
    const clock = new FakeClock(0);
    const deadlines = new Deadlines(clock);
    const entries = [30, 10, 20].map((at) => new Entry(at, []));
    for (const entry of entries) deadlines.add(entry);
    expect(new Set(deadlines.close())).toEqual(new Set(entries));
    expect(entries.map((entry) => entry.heapIndex)).toEqual([-1, -1, -1]);
    expect(clock.waiting).toBe(0);
  });
});

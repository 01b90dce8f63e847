import { defineAgent, type Progress } from "troupe";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { pass, puppet } from "../system/scene.ts";
import { end, openDesk } from "./desk.ts";
import { close, looking, open, type Seen } from "./looking.ts";

describe("budgets", () => {
  test("nested calls draw on the budget of the call above them, and on their own", async () => {
    const scene = await open(async ({ input, call }) => {
      const plan = input as { readonly each: readonly (object | undefined)[] };
      const ends = [];
      for (const budget of plan.each)
        ends.push(end(await call("look", { each: [] }, budget === undefined ? {} : { budget })));
      return ends.map((each) => (Array.isArray(each) ? "ok" : each));
    });
    const none = undefined;
    // The first call takes one of its own budget.
    expect(await scene.call({ each: [none, none, none] }, { budget: { calls: 3 } })).toEqual([
      "ok",
      "ok",
      "call/budget-exhausted",
    ]);
    expect(await scene.call({ each: [{ calls: 0 }, { calls: 1 }] }, { budget: { calls: 9 } })).toEqual([
      "call/budget-exhausted",
      "ok",
    ]);
    // A larger budget of its own does not let a nested call outspend its caller.
    expect(await scene.call({ each: [{ calls: 99 }, { calls: 99 }] }, { budget: { calls: 2 } })).toEqual([
      "ok",
      "call/budget-exhausted",
    ]);
    expect(await scene.call({ each: [none] }, { budget: { tokens: 0 } })).toEqual(["ok"]);
    await close(scene);
  });

  test("0 means none, a missing field no limit", async () => {
    const scene = await open(({ input, spend }) => {
      for (const used of input as readonly object[]) spend(used);
      return "spent";
    });
    expect(await scene.call([{ tokens: 1e9, cost: 1e9 }])).toBe("spent");
    expect(await scene.call([], { budget: { calls: 0 } })).toBe("call/budget-exhausted");
    expect(await scene.call([{ tokens: 5 }], { budget: { tokens: 5 } })).toBe("spent");
    expect(await scene.call([{ tokens: 5 }, { cost: 9 }, { tokens: 1 }], { budget: { tokens: 5 } })).toBe(
      "call/budget-exhausted",
    );
    expect(await scene.call([{ cost: 0.5 }, { cost: 0.6 }], { budget: { cost: 1 } })).toBe("call/budget-exhausted");
    expect(await scene.call([{ tokens: 1 }], { budget: { tokens: 0 } })).toBe("call/budget-exhausted");
    await close(scene);
  });

  test.each([Number.NaN, -5, Number.POSITIVE_INFINITY])(
    "spending %d is more than any budget, and never a refund",
    async (tokens) => {
      const scene = await open(({ spend }) => {
        try {
          spend({ tokens });
        } catch {
          // A handler that goes on all the same has nothing left to spend.
          spend({ tokens: 1 });
        }
        return "spent";
      });
      expect(await scene.call(null, { budget: { tokens: 100 } })).toBe("call/budget-exhausted");
      await close(scene);
    },
  );

  test("each retry counts as a call, and the chain ends where the budget does", async () => {
    await using desk = await openDesk();
    let runs = 0;
    const flaky = defineAgent({
      name: "flaky",
      capabilities: {
        work: {
          recovery: { retry: { attempts: 9, backoff: { firstMs: 1, rate: 1 } } },
          input: z.null(),
          output: z.null(),
          run() {
            runs += 1;
            throw new Error("boom");
          },
        },
      },
    });
    await desk.troupe.spawn(flaky, { restart: "permanent", intensity: { restarts: 99 } });
    const outcome = await desk.after(100, desk.troupe.call("work", null, { budget: { calls: 3 } }));
    expect(outcome).toMatchObject({
      ok: false,
      failure: { code: "agent/crashed", data: { last: { code: "call/budget-exhausted" } } },
    });
    expect(runs).toBe(3);
  });
});

describe("what travels with a call", () => {
  test("run, decision, baggage and trace reach every nested call", async () => {
    const seen: Record<string, unknown>[] = [];
    const scene = await open(async ({ input, runId, decisionId, baggage, traceparent, key, call }) => {
      seen.push({ runId, decisionId, baggage, key, trace: traceparent.split("-")[1], span: traceparent.split("-")[2] });
      if ((input as number) > 0) await call("look", (input as number) - 1, { baggage: { depth: String(input) } });
      return null;
    });
    const traceparent = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-00";
    await scene.call(2, { runId: "r", decisionId: "d", baggage: { user: "ann" }, key: "k", traceparent });
    expect(seen.map(({ span: _span, ...rest }) => rest)).toEqual([
      { runId: "r", decisionId: "d", baggage: { user: "ann" }, key: "k", trace: "0123456789abcdef0123456789abcdef" },
      {
        runId: "r",
        decisionId: "d",
        baggage: { user: "ann", depth: "2" },
        key: undefined,
        trace: "0123456789abcdef0123456789abcdef",
      },
      {
        runId: "r",
        decisionId: "d",
        baggage: { user: "ann", depth: "1" },
        key: undefined,
        trace: "0123456789abcdef0123456789abcdef",
      },
    ]);
    expect(new Set(seen.map(({ span }) => span)).size).toBe(3);
    expect(scene.desk.events.filter(({ runId }) => runId === "r").length).toBeGreaterThanOrEqual(6);
    await close(scene);
  });

  test.each([
    "",
    "00-xyz-1-01",
    `00-${"0".repeat(32)}-0123456789abcdef-01`,
    `00-${"A".repeat(32)}-0123456789abcdef-01`,
  ])("a traceparent that is none (%s) begins a trace of its own", async (traceparent) => {
    const scene = await open(({ traceparent: own }) => own);
    const own = (await scene.call(null, { traceparent })) as string;
    expect(own).toMatch(/^00-(?!0{32})[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    await close(scene);
  });

  test("baggage stays bounded through any depth: too much is the caller's fault at the nested call", async () => {
    const scene = await open(async ({ input, call }) => {
      const depth = input as number;
      return end(await call("look", depth + 1, { baggage: { [`level${depth}`]: "x" } }));
    });
    expect(await scene.call(0)).toBe("agent/crashed");
    expect(scene.desk.events.find(({ type }) => type === "agent.crashed")?.data["message"]).toMatch(
      /baggage has 17 entries, inherited ones included/,
    );
    await close(scene);
  });
});

describe("what a handler may say", () => {
  test("progress reaches the caller and the stream, until the call has its outcome", async () => {
    const heard: Progress[] = [];
    const scene = await open(async ({ progress, signal }) => {
      progress(0.25);
      progress(0.5, "half");
      progress({ note: "more" });
      await pass(scene.desk.clock, 100, signal).catch(() => undefined);
      progress(1);
      return null;
    });
    await scene.desk.after(
      200,
      scene.desk.troupe.call("look", null, { timeoutMs: 50, onProgress: (each) => heard.push(each) }),
    );
    expect(heard).toEqual([{ fraction: 0.25 }, { fraction: 0.5, note: "half" }, { note: "more" }]);
    expect(scene.desk.events.filter(({ type }) => type === "call.progress").map(({ data }) => data)).toMatchObject(
      heard,
    );
    await close(scene);
  });

  test("a listener of progress that throws is logged, and neither the handler nor the call suffers", async () => {
    const scene = await open(({ progress }) => {
      progress(0.5);
      return "fine";
    });
    const onProgress = (): never => {
      throw new Error("deaf");
    };
    expect(await scene.call(null, { onProgress })).toBe("fine");
    expect(scene.desk.log).toEqual(["warn: onProgress of a call of look threw: Error: deaf"]);
    await close(scene);
  });

  test("an outcome can be ok and degraded; a refusal is data in the agent's own words", async () => {
    const scene = await open(({ input, degrade, fail }) => {
      if (input === "no") return fail("look/blind", "it is dark", { lumen: 0 });
      degrade({ what: "sight", why: "fog", severity: "low" });
      return "grey";
    });
    expect(await scene.desk.troupe.call("look", "yes")).toEqual({
      ok: true,
      value: "grey",
      degraded: [{ what: "sight", why: "fog", severity: "low" }],
    });
    expect(await scene.desk.troupe.call("look", "no")).toEqual({
      ok: false,
      failure: { code: "look/blind", message: "it is dark", retry: "never", data: { lumen: 0 } },
    });
    expect(scene.desk.story("agent.crashed")).toEqual([]);
    await close(scene);
  });

  test("everything can be taken out by destructuring and used later, and says nothing to the next incarnation", async () => {
    const kept: Seen[] = [];
    const scene = await open(async (context) => {
      kept.push(context);
      await pass(scene.desk.clock, 1_000, context.signal);
      return null;
    });
    const restarted = defineAgent({
      name: "restarted",
      capabilities: {
        wait: {
          idempotent: true,
          input: z.null(),
          output: z.null(),
          async run(context) {
            kept.push(context);
            await pass(scene.desk.clock, 100);
            return null;
          },
        },
      },
    });
    const [ref] = await scene.desk.troupe.spawn(restarted, { restart: "permanent" });
    const outcome = ref?.call("wait", null);
    await scene.desk.clock.settle();
    ref?.kill();
    await scene.desk.clock.settle();
    const [old, present] = kept;
    expect([old?.agent.incarnation, present?.agent.incarnation]).toEqual([2, 3]);
    expect([old?.signal.aborted, present?.signal.aborted]).toEqual([true, false]);
    old?.exit();
    old?.degrade({ what: "x", why: "y", severity: "low" });
    old?.progress(0.9);
    old?.heartbeat();
    expect(end((await old?.call("look", null)) as never)).toBe("call/cancelled");
    expect(await scene.desk.after(100, outcome ?? Promise.reject(new Error("none")))).toEqual({
      ok: true,
      value: null,
    });
    expect(ref?.incarnation).toBe(3);
    expect(scene.desk.story("call.progress")).toEqual([]);
    await close(scene);
  });
});

describe("priorities and concurrency", () => {
  test("high goes before normal before low; within one priority the first come is the first served", async () => {
    const order: string[] = [];
    await using desk = await openDesk();
    const [ref] = await desk.troupe.spawn(puppet(desk.clock, { onRun: (told) => order.push(told) }));
    void ref?.call("obey", { order: "wait 10" });
    await desk.clock.settle();
    for (const [index, priority] of (["low", "normal", "high", "low", "high", undefined] as const).entries())
      void ref?.call("obey", { order: `${priority} ${index}` }, priority === undefined ? {} : { priority });
    ref?.tell("obey", { order: "told 6" });
    await desk.clock.advance(300);
    expect(order).toEqual(["wait 10", "high 2", "high 4", "normal 1", "undefined 5", "told 6", "low 0", "low 3"]);
  });

  test.each([1, 3])("no more than %d handlers of an agent are at work at once", async (concurrency) => {
    let [running, most] = [0, 0];
    await using desk = await openDesk();
    await desk.troupe.spawn(
      looking(
        async ({ signal }) => {
          most = Math.max(most, (running += 1));
          await pass(desk.clock, 10, signal);
          running -= 1;
          return null;
        },
        { concurrency },
      ),
    );
    const outcomes = Array.from({ length: 10 }, () => desk.troupe.call("look", null));
    await desk.clock.settle();
    expect(desk.troupe.agents.list()[0]).toMatchObject({ status: "busy", load: 1, queued: 10 - concurrency });
    await desk.after(200, Promise.all(outcomes));
    expect(most).toBe(concurrency);
    expect(desk.troupe.agents.list()[0]).toMatchObject({ status: "online", load: 0, queued: 0, taskCount: 10 });
  });

  test("a pause takes effect behind what is in hand, and a resume goes on where it stopped", async () => {
    const order: string[] = [];
    await using desk = await openDesk();
    const [ref] = await desk.troupe.spawn(puppet(desk.clock, { concurrency: 2, onRun: (told) => order.push(told) }));
    void ref?.call("obey", { order: "wait 50" });
    await desk.clock.settle();
    ref?.pause();
    const outcomes = ["a", "b", "c"].map((each) => ref?.call("obey", { order: each }));
    await desk.clock.advance(20);
    expect(order).toEqual(["wait 50"]);
    ref?.resume();
    expect(ref?.state).toBe("working");
    await desk.clock.advance(100);
    expect(order).toEqual(["wait 50", "a", "b", "c"]);
    expect(await outcomes[2]).toMatchObject({ ok: true });
    ref?.pause();
    ref?.pause();
    await ref?.stop();
    expect(ref?.state).toBe("stopped");
  });
});

describe("schemas at the boundary", () => {
  test("what does not fit is refused with each path, before the handler and before the caller", async () => {
    let runs = 0;
    await using desk = await openDesk();
    const strict = defineAgent({
      name: "strict",
      capabilities: {
        parse: {
          input: z.object({ user: z.object({ age: z.coerce.number().int() }) }),
          output: z.string().transform((text) => text.length),
          run({ input }) {
            runs += 1;
            return input.user.age > 100 ? (input.user.age as never) : "x".repeat(input.user.age);
          },
        },
      },
    });
    await desk.troupe.spawn(strict);
    expect(await desk.troupe.call("parse", { user: { age: "7" } })).toEqual({ ok: true, value: 7 });
    expect(await desk.troupe.call("parse", { user: { age: "x" } })).toMatchObject({
      ok: false,
      failure: { code: "call/invalid-input", retry: "never", data: { issues: [{ path: "user.age" }] } },
    });
    expect(runs).toBe(1);
    expect(await desk.troupe.call("parse", { user: { age: 101 } })).toMatchObject({
      ok: false,
      failure: { code: "agent/invalid-output", message: expect.stringContaining("output of parse") },
    });
    expect(desk.story("agent.crashed")).toEqual([]);
  });

  test("schemas that check asynchronously are awaited, and a call that ended meanwhile is not begun", async () => {
    let runs = 0;
    await using desk = await openDesk();
    const slow = z.string().refine(async (text) => {
      await pass(desk.clock, 20);
      return text !== "bad";
    });
    const careful = defineAgent({
      name: "careful",
      capabilities: {
        say: {
          input: slow,
          output: slow,
          run({ input }) {
            runs += 1;
            return input;
          },
        },
      },
    });
    const [ref] = await desk.troupe.spawn(careful, { restart: "permanent" });
    expect(end(await desk.after(200, desk.troupe.call("say", "good")))).toBe("good");
    expect(end(await desk.after(200, desk.troupe.call("say", "bad")))).toBe("call/invalid-input");
    expect(runs).toBe(1);
    expect(end(await desk.after(200, desk.troupe.call("say", "late", { timeoutMs: 10 })))).toBe("call/timeout");
    const killed = desk.troupe.call("say", "killed");
    await desk.clock.advance(10);
    ref?.kill();
    expect(end(await desk.after(200, killed))).toBe("agent/crashed");
    expect(runs).toBe(1);
  });
});

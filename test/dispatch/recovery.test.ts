import { defineAgent, type AgentDefinition } from "troupe";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { CapabilityPolicy } from "../../src/agent/define.ts";
import { end, openDesk, type Desk } from "./desk.ts";

const anything = z.object({ n: z.number() });

type Recovery = NonNullable<AgentDefinition["capabilities"][string]["recovery"]>;
type Act = (path: string, n: number) => number | string;

/** An agent that does what `act` says: a number is its answer, a text the code of its refusal, a throw its crash. */
function actor(name: string, capability: string, act: Act, recovery: Recovery = {}) {
  return defineAgent({
    name,
    capabilities: {
      [capability]: {
        recovery,
        breaker: false,
        input: anything,
        output: z.number(),
        run({
          input,
          agent,
          fail,
        }: {
          input: { n: number };
          agent: { path: string };
          fail: (code: string, why: string) => never;
        }) {
          const done = act(agent.path, input.n);
          return typeof done === "number" ? done : fail(done, "it would not");
        },
      },
    },
  });
}

const crash = (): never => {
  throw new Error("boom");
};

const forever = { restart: "permanent", intensity: { restarts: 1_000 } } as const;

describe("a call that nobody can take", () => {
  test("follows the chain that is declared, and comes to its fallback", async () => {
    await using desk = await openDesk();
    const [ref] = await desk.troupe.spawn(
      actor("first", "sum", (_path, n) => n, { fallback: [{ capability: "guess" }] }),
      forever,
    );
    await desk.troupe.spawn(
      actor("second", "guess", () => 42),
      forever,
    );
    ref?.pause();
    expect(await desk.after(0, desk.troupe.call("sum", { n: 4 }))).toMatchObject({
      ok: true,
      value: 42,
      degraded: [{ what: "capability guess stands in" }],
    });
  });
});

describe("retry", () => {
  test("tries again after a growing wait, and each attempt shows in the stream", async () => {
    let runs = 0;
    await using desk = await openDesk();
    await desk.troupe.spawn(
      actor("flaky", "sum", (_path, n) => ((runs += 1) < 3 ? crash() : n), {
        retry: { attempts: 3, backoff: { firstMs: 100 } },
      }),
      forever,
    );
    const from = desk.clock.now();
    expect(await desk.after(1_000, desk.troupe.call("sum", { n: 4 }))).toEqual({ ok: true, value: 4 });
    expect(
      desk.events.filter(({ type }) => type.startsWith("call.")).map(({ type, at }) => `${type} ${at - from}`),
    ).toEqual(["call.started 0", "call.retried 0", "call.retried 100", "call.completed 300"]);
  });

  test("gives up after the declared attempts, with the first failure and what came last", async () => {
    await using desk = await openDesk();
    let runs = 0;
    const act = (): string | never => ((runs += 1) === 1 ? crash() : "sum/tired");
    await desk.troupe.spawn(
      actor("tired", "sum", act, { retry: { attempts: 3, codes: ["agent/crashed", "sum/tired"] } }),
      forever,
    );
    const outcome = await desk.after(60_000, desk.troupe.call("sum", { n: 4 }, { timeoutMs: 50_000 }));
    expect(runs).toBe(3);
    expect(outcome).toMatchObject({
      ok: false,
      failure: { code: "agent/crashed", data: { attempts: 3, last: { code: "sum/tired", message: "it would not" } } },
    });
  });

  test("follows only failures that a retry can mend, unless codes are declared", async () => {
    await using desk = await openDesk();
    let runs = 0;
    const act = (): string => {
      runs += 1;
      return "sum/never";
    };
    await desk.troupe.spawn(actor("strict", "sum", act, { retry: { attempts: 5 } }));
    expect(end(await desk.after(60_000, desk.troupe.call("sum", { n: 4 })))).toBe("sum/never");
    expect(runs).toBe(1);
  });

  test("ends when its deadline passes between two attempts, and when the caller aborts", async () => {
    await using desk = await openDesk();
    await desk.troupe.spawn(
      actor("flaky", "sum", crash, { retry: { attempts: 9, backoff: { firstMs: 100, rate: 1 } } }),
      forever,
    );
    const abort = new AbortController();
    const late = desk.troupe.call("sum", { n: 1 }, { timeoutMs: 250 });
    const aborted = desk.troupe.call("sum", { n: 1 }, { signal: abort.signal });
    await desk.clock.advance(150);
    abort.abort();
    expect(end(await aborted)).toBe("call/cancelled");
    expect(end(await desk.after(200, late))).toBe("call/timeout");
    await desk.clock.advance(250);
    expect(desk.clock.waiting).toBe(0);
  });
});

describe("fallback", () => {
  test("the links run in their order: retry, each fallback, another agent; the first success wins and says so", async () => {
    const tries: string[] = [];
    const record =
      (answer: number | string) =>
      (path: string, n: number): number | string => {
        tries.push(`${path} ${n}`);
        return answer;
      };
    await using desk = await openDesk({ strategy: "round-robin" });
    const recovery: Recovery = {
      retry: { attempts: 2, backoff: { firstMs: 10 }, codes: ["sum/no"] },
      fallback: [
        { capability: "guess", input: (input) => ({ n: (input as { n: number }).n * 10 }) },
        { approach: "halves", input: (input) => ({ n: (input as { n: number }).n / 2 }) },
        { cached: true, maxAgeMs: 1_000 },
      ],
      anotherAgent: 2,
    };
    let good = "";
    const act: Act = (path, n) => (path === good ? record(n)(path, n) : record("sum/no")(path, n));
    await desk.troupe.spawn(actor("adder", "sum", act, recovery), { count: 4 });
    await desk.troupe.spawn(actor("guesser", "guess", record("guess/no")));
    good = "/adder/4";
    const outcome = await desk.after(100, desk.troupe.call("sum", { n: 8 }));
    expect(outcome).toEqual({ ok: true, value: 8 });
    expect(desk.story("call.")).toEqual([
      "call.started sum",
      "call.retried /adder/1 sum sum/no",
      "call.fellback /adder/2 sum sum/no",
      "call.fellback /guesser/1 guess guess/no",
      "call.fellback /adder/3 sum sum/no",
      "call.redirected /adder/3 sum sum/no",
      "call.completed /adder/4 sum",
    ]);
    // Another agent is asked what was asked at first, and none that has failed on it already.
    expect(tries).toEqual(["/adder/1 8", "/adder/2 8", "/guesser/1 80", "/adder/3 4", "/adder/4 8"]);
  });

  test("after another capability failed as well, another agent is asked what was asked at first", async () => {
    await using desk = await openDesk({ strategy: "round-robin" });
    const act: Act = (path, n) => (path === "/adder/2" ? n : "sum/no");
    const recovery: Recovery = { fallback: [{ capability: "guess", input: () => ({ n: 99 }) }], anotherAgent: 1 };
    await desk.troupe.spawn(actor("adder", "sum", act, recovery), { count: 2 });
    await desk.troupe.spawn(
      actor("guesser", "guess", () => "guess/no"),
      { count: 2 },
    );
    expect(await desk.troupe.call("sum", { n: 8 })).toEqual({ ok: true, value: 8 });
  });

  test.each([
    ["another capability", { capability: "guess" } as const, "capability guess stands in"],
    [
      "another approach",
      { approach: "small steps", input: () => ({ n: 1 }) } as const,
      "approach small steps stands in",
    ],
  ])("%s stands in, and the outcome is degraded by that only", async (_name, fallback, what) => {
    await using desk = await openDesk();
    await desk.troupe.spawn(actor("adder", "sum", (_path, n) => (n === 1 ? 1 : "sum/no"), { fallback: [fallback] }));
    await desk.troupe.spawn(actor("guesser", "guess", () => 1));
    expect(await desk.troupe.call("sum", { n: 8 })).toEqual({
      ok: true,
      value: 1,
      degraded: [{ what, why: "sum failed: it would not", severity: "medium" }],
    });
  });

  test("an answer kept from a better day stands in while it is fresh, for the same input only", async () => {
    let works = true;
    await using desk = await openDesk({
      stages: { enrich: [(request) => ({ ...request, input: { ...(request.input as object), extra: 1 } })] },
    });
    await desk.troupe.spawn(
      actor("adder", "sum@1", (_path, n) => (works ? n + 1 : "sum/no"), {
        fallback: [{ cached: true, maxAgeMs: 1_000 }],
      }),
    );
    const sum = (n: number): Promise<unknown> => desk.troupe.call("sum", { n });
    expect(await sum(1)).toEqual({ ok: true, value: 2 });
    works = false;
    expect(await sum(1)).toEqual({
      ok: true,
      value: 2,
      degraded: [{ what: "an earlier answer stands in", why: "sum failed: it would not", severity: "medium" }],
    });
    expect(await sum(2)).toMatchObject({ ok: false, failure: { code: "sum/no" } });
    await desk.clock.advance(1_001);
    expect(await sum(1)).toMatchObject({ ok: false, failure: { code: "sum/no" } });
  });

  test("inputs that JSON cannot tell apart are never mistaken for each other, and harm nobody", async () => {
    let works = true;
    await using desk = await openDesk();
    const odd = defineAgent({
      name: "odd",
      capabilities: {
        size: {
          recovery: { fallback: [{ cached: true, maxAgeMs: 1_000 }] },
          input: z.any(),
          output: z.number(),
          run: ({ input, fail }) => (works ? (input as Map<string, string>).size : fail("size/no", "it would not")),
        },
      },
    });
    await desk.troupe.spawn(odd);
    expect(await desk.troupe.call("size", new Map([["a", "b"]]))).toEqual({ ok: true, value: 1 });
    const loop: { self?: unknown; size: number } = { size: 5 };
    loop.self = loop;
    expect(await desk.troupe.call("size", loop)).toEqual({ ok: true, value: 5 });
    expect(await desk.troupe.call("size", { size: 1, big: 1n })).toEqual({ ok: true, value: 1 });
    works = false;
    expect(end((await desk.troupe.call("size", new Map())) as never)).toBe("size/no");
    expect(end((await desk.troupe.call("size", loop)) as never)).toBe("size/no");
  });

  test("an input function that throws ends the chain as data", async () => {
    await using desk = await openDesk();
    const input = (): never => {
      throw new Error("no way");
    };
    await desk.troupe.spawn(actor("adder", "sum", () => "sum/no", { fallback: [{ approach: "other", input }] }));
    expect(await desk.troupe.call("sum", { n: 1 })).toMatchObject({
      ok: false,
      failure: { code: "sum/no", data: { last: { code: "dispatch/stage-failed" } } },
    });
  });

  test.each<[string, CapabilityPolicy]>([
    ["run again after a crash", { idempotent: true }],
    ["tried again", { recovery: { retry: { attempts: 3, backoff: { firstMs: 1 } } } }],
  ])("a degradation that a failed attempt announced is not that of the one that worked: %s", async (_name, policy) => {
    let runs = 0;
    const picky = defineAgent({
      name: "picky",
      capabilities: {
        taste: {
          ...policy,
          input: z.string(),
          output: z.string(),
          run({ input, degrade }) {
            runs += 1;
            if (runs < 3) {
              degrade({ what: `attempt ${runs}`, why: "so", severity: "low" });
              throw new Error("bah");
            }
            return input;
          },
        },
      },
    });
    await using desk = await openDesk();
    await desk.troupe.spawn(picky, forever);
    expect(await desk.after(50, desk.troupe.call("taste", "soup"))).toEqual({ ok: true, value: "soup" });
    expect(runs).toBe(3);
  });
});

describe("another agent", () => {
  test("each other agent is asked once, up to the declared number", async () => {
    const asked: string[] = [];
    const act: Act = (path) => {
      asked.push(path);
      return "sum/no";
    };
    await using desk = await openDesk({ strategy: "round-robin" });
    await desk.troupe.spawn(actor("adder", "sum", act, { anotherAgent: 9 }), { count: 4 });
    expect(await desk.troupe.call("sum", { n: 1 })).toMatchObject({
      ok: false,
      failure: { code: "sum/no", data: { last: { code: "dispatch/unavailable" } } },
    });
    expect(asked).toHaveLength(4);
    expect(new Set(asked).size).toBe(4);
  });

  test("a call to one very agent is never redirected", async () => {
    const asked: string[] = [];
    await using desk = await openDesk();
    const act: Act = (path) => {
      asked.push(path);
      return "sum/no";
    };
    const [first] = await desk.troupe.spawn(actor("adder", "sum", act, { anotherAgent: 9 }), { count: 4 });
    await first?.call("sum", { n: 1 });
    expect(asked).toEqual(["/adder/1"]);
  });

  test("a call that was never started moves off a stopped agent for free, with its budget untouched", async () => {
    await using desk = await openDesk({ strategy: "round-robin" });
    const slow = slowly(desk);
    const refs = await desk.troupe.spawn(slow, { count: 2 });
    for (const ref of refs) void ref.call("sum", { n: 50 });
    const queued = [1, 2].map((n) => desk.troupe.call("sum", { n }, { budget: { calls: 1 } }));
    await desk.clock.settle();
    void refs[0]?.stop();
    await desk.clock.advance(100);
    expect(await Promise.all(queued)).toEqual([
      { ok: true, value: 1 },
      { ok: true, value: 2 },
    ]);
    expect(desk.story("call.moved")).toEqual(["call.moved /slow/1 sum agent/stopped"]);
  });

  test("a troupe that closes moves nothing: what was not started is closed, what runs may finish", async () => {
    const desk = await openDesk();
    await desk.troupe.spawn(slowly(desk));
    const running = desk.troupe.call("sum", { n: 50 });
    const queued = desk.troupe.call("sum", { n: 1 });
    await desk.clock.settle();
    const closed = desk[Symbol.asyncDispose]();
    expect(end(await queued)).toBe("system/closed");
    expect(end(await running)).toBe(50);
    await closed;
    expect(end(await desk.troupe.call("sum", { n: 1 }))).toBe("system/closed");
    expect(desk.story("call.moved", "call.retried")).toEqual([]);
  });

  test("a call that waits for its retry is closed with the troupe", async () => {
    const desk = await openDesk();
    await desk.troupe.spawn(
      actor("flaky", "sum", crash, { retry: { attempts: 9, backoff: { firstMs: 5_000 } } }),
      forever,
    );
    const waiting = desk.troupe.call("sum", { n: 1 });
    await desk.clock.advance(100);
    const closed = desk[Symbol.asyncDispose]();
    expect(end(await waiting)).toBe("system/closed");
    await closed;
  });
});

/** Works for `n` milliseconds, heeding its signal. */
function slowly({ clock }: Desk) {
  return defineAgent({
    name: "slow",
    capabilities: {
      sum: {
        input: anything,
        output: z.number(),
        run: ({ input, signal }) =>
          new Promise<number>((resolve, reject) => {
            const timer = clock.after(input.n, () => resolve(input.n));
            signal.addEventListener("abort", () => {
              timer.cancel();
              reject(signal.reason as Error);
            });
          }),
      },
    },
  });
}

import { defineAgent } from "troupe";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { pass } from "../system/scene.ts";
import { end, openDesk, type Desk } from "./desk.ts";

/** Says what to do: "ok", "no" (a refusal), "later" (a failure that may pass), "lie" (bad output), "crash", "wait 50". */
const said = z.string();

function fragile(desk: Desk, breaker?: { failures?: number; openMs?: number; probes?: number } | false) {
  const capability = {
    ...(breaker === undefined ? {} : { breaker }),
    input: said,
    output: z.string(),
    async run({
      input,
      signal,
      fail,
    }: {
      input: string;
      signal: AbortSignal;
      fail: (code: string, why: string) => never;
    }) {
      if (input === "crash") throw new Error("boom");
      if (input === "no") return fail("work/no", "no");
      if (input === "lie") return 7 as never;
      if (input.startsWith("wait")) await pass(desk.clock, Number(input.slice(5)), signal);
      return input;
    },
  };
  return defineAgent({ name: "fragile", concurrency: 9, capabilities: { work: capability, play: capability } });
}

const forever = { restart: "permanent", intensity: { restarts: 1_000 } } as const;

async function open(breaker?: Parameters<typeof fragile>[1]) {
  const desk = await openDesk();
  const agent = fragile(desk, breaker);
  const [ref] = await desk.troupe.spawn(agent, forever);
  if (ref === undefined) throw new Error("nobody spawned");
  const work = async (input: string, options = {}): Promise<unknown> =>
    end(await desk.after(0, desk.troupe.call("work", input, options)));
  return { desk, ref, work };
}

type Scene = Awaited<ReturnType<typeof open>>;

async function failTimes({ work }: Scene, times: number): Promise<void> {
  for (let turn = 0; turn < times; turn += 1) await work("crash");
}

describe("the breaker of an agent and capability", () => {
  test("opens after five failures in a row, for sixty seconds, and closes after three probes that work", async () => {
    const scene = await open();
    const { desk, work } = scene;
    await failTimes(scene, 4);
    expect(await work("ok")).toBe("ok");
    await failTimes(scene, 5);
    expect(await work("ok")).toBe("dispatch/unavailable");
    expect(desk.troupe.agents.list()[0]).toMatchObject({ status: "error", broken: ["work"] });
    // Its other capability is not cut off.
    expect(end(await desk.troupe.call("play", "ok"))).toBe("ok");
    await desk.clock.advance(59_999);
    expect(await work("ok")).toBe("dispatch/unavailable");
    await desk.clock.advance(1);
    for (let probe = 0; probe < 3; probe += 1) expect(await work("ok")).toBe("ok");
    expect(desk.troupe.agents.list()[0]).toMatchObject({ status: "online", broken: [] });
    expect(desk.story("breaker")).toEqual([
      "breaker.changed /fragile/1 work closed>open",
      "breaker.changed /fragile/1 work open>halfOpen",
      "breaker.changed /fragile/1 work halfOpen>closed",
    ]);
    await desk[Symbol.asyncDispose]();
  });

  test("half open, it lets no more than three through at once, and one failure opens it again", async () => {
    const scene = await open();
    const { desk, work } = scene;
    await failTimes(scene, 5);
    await desk.clock.advance(60_000);
    const probes = ["wait 50", "wait 60", "wait 70"].map((input) => desk.troupe.call("work", input));
    expect(await work("ok")).toBe("dispatch/unavailable");
    await desk.clock.advance(50);
    expect(await work("ok")).toBe("dispatch/unavailable");
    await desk.clock.advance(50);
    expect((await Promise.all(probes)).map(end)).toEqual(["wait 50", "wait 60", "wait 70"]);
    expect(await work("ok")).toBe("ok");
    await failTimes(scene, 5);
    await desk.clock.advance(60_000);
    expect(await work("ok")).toBe("ok");
    expect(await work("crash")).toBe("agent/crashed");
    expect(await work("ok")).toBe("dispatch/unavailable");
    await desk[Symbol.asyncDispose]();
  });

  test("limits are declared per capability, and false switches it off", async () => {
    const scene = await open({ failures: 2, openMs: 100, probes: 1 });
    await failTimes(scene, 2);
    expect(await scene.work("ok")).toBe("dispatch/unavailable");
    await scene.desk.clock.advance(100);
    expect(await scene.work("ok")).toBe("ok");
    expect(scene.desk.troupe.agents.list()[0]?.broken).toEqual([]);
    await scene.desk[Symbol.asyncDispose]();
    const off = await open(false);
    await failTimes(off, 20);
    expect(await off.work("ok")).toBe("ok");
    expect(off.desk.story("breaker")).toEqual([]);
    await off.desk[Symbol.asyncDispose]();
  });

  test.each([
    ["a refusal", "no", false],
    ["an input that does not fit", 7, false],
    ["an output that does not fit", "lie", true],
    ["a crash", "crash", true],
  ])("%s counts as a failure: %s, %s", async (_name, input, counts) => {
    const scene = await open({ failures: 3 });
    for (let turn = 0; turn < 3; turn += 1) await scene.work(input as string);
    expect(await scene.work("ok")).toBe(counts ? "dispatch/unavailable" : "ok");
    await scene.desk[Symbol.asyncDispose]();
  });

  test("a deadline that passes counts while the handler is at work, not while the call still waits", async () => {
    const scene = await open({ failures: 3 });
    const { desk, ref, work } = scene;
    ref.pause();
    for (let turn = 0; turn < 5; turn += 1) void ref.call("work", "ok", { timeoutMs: 10 });
    await desk.clock.advance(20);
    ref.resume();
    expect(await work("ok")).toBe("ok");
    for (let turn = 0; turn < 3; turn += 1) {
      const late = desk.troupe.call("work", "wait 5000", { timeoutMs: 10 });
      expect(end(await desk.after(20, late))).toBe("call/timeout");
    }
    expect(await work("ok")).toBe("dispatch/unavailable");
    await desk[Symbol.asyncDispose]();
  });

  test("tells do not count", async () => {
    const scene = await open({ failures: 1 });
    for (let turn = 0; turn < 3; turn += 1) scene.ref.tell("work", "crash");
    await scene.desk.clock.settle();
    expect(await scene.work("ok")).toBe("ok");
    await scene.desk[Symbol.asyncDispose]();
  });
});

describe("a probe that proves nothing is given back", () => {
  /** Each takes the one probe of a half-open breaker and lets it prove nothing. */
  const wasted: { readonly [name: string]: (scene: Scene) => Promise<unknown> } = {
    "its input does not fit": ({ work }) => work(7 as never),
    "its caller aborts while it runs": async ({ desk }) => {
      const abort = new AbortController();
      const call = desk.troupe.call("work", "wait 500", { signal: abort.signal });
      await desk.clock.settle();
      abort.abort();
      return desk.after(0, call);
    },
    "its caller aborts while it waits": async ({ desk, ref }) => {
      const abort = new AbortController();
      const call = ref.call("work", "ok", { signal: abort.signal });
      ref.pause();
      abort.abort();
      await desk.after(0, call);
      ref.resume();
    },
    "its deadline passes while it waits": async ({ desk, ref }) => {
      const call = ref.call("work", "ok", { timeoutMs: 10 });
      ref.pause();
      await desk.after(20, call);
      ref.resume();
    },
    "a group restart keeps it and its deadline passes": async ({ desk, ref }) => {
      ref.pause();
      const call = ref.call("work", "ok", { timeoutMs: 10 });
      ref.kill();
      await desk.after(20, call);
      ref.resume();
    },
  };

  test.each(Object.entries(wasted))("%s", async (_name, waste) => {
    const scene = await open({ failures: 1, openMs: 100, probes: 1 });
    await scene.work("crash");
    for (let turn = 0; turn < 3; turn += 1) {
      await scene.desk.clock.advance(100);
      await waste(scene);
    }
    await scene.desk.clock.advance(100);
    expect(await scene.work("ok")).toBe("ok");
    expect(scene.desk.troupe.agents.list()[0]?.broken).toEqual([]);
    await scene.desk[Symbol.asyncDispose]();
  });

  test("it is given back once, and no other probe with it", async () => {
    const { desk, work } = await open({ failures: 1, openMs: 100, probes: 2 });
    await work("crash");
    await desk.clock.advance(100);
    const probe = desk.troupe.call("work", "wait 50");
    expect(await work(7 as never)).toBe("call/invalid-input");
    const other = desk.troupe.call("work", "wait 50");
    expect(await work("ok")).toBe("dispatch/unavailable");
    expect(await desk.after(50, Promise.all([probe, other]))).toMatchObject([{ ok: true }, { ok: true }]);
    expect(await work("ok")).toBe("ok");
    await desk[Symbol.asyncDispose]();
  });

  test("the mailbox has no room for it, or drops it", async () => {
    for (const overflow of ["busy", "drop-oldest", "drop-newest"] as const) {
      await using desk = await openDesk();
      const tight = defineAgent({
        name: "tight",
        mailbox: { capacity: 1, overflow },
        capabilities: {
          work: {
            breaker: { failures: 1, openMs: 100, probes: 1 },
            input: said,
            output: said,
            async run({ input, signal }) {
              if (input === "crash") throw new Error("boom");
              if (input === "wait") await pass(desk.clock, 50, signal);
              return input;
            },
          },
          idle: {
            input: said,
            output: said,
            run: ({ input, signal }) => pass(desk.clock, 50, signal).then(() => input),
          },
        },
      });
      const [ref] = await desk.troupe.spawn(tight, forever);
      await desk.after(0, desk.troupe.call("work", "crash"));
      await desk.clock.advance(100);
      // One in hand and one waiting fill it; the probe finds no room or has to go.
      void ref?.call("idle", "a");
      await desk.clock.settle();
      if (overflow === "drop-oldest") {
        const probe = desk.troupe.call("work", "ok");
        void ref?.call("idle", "b");
        expect(end(await desk.after(0, probe))).toBe("call/dropped");
      } else {
        void ref?.call("idle", "b");
        expect(end(await desk.after(0, desk.troupe.call("work", "ok")))).toBe(
          overflow === "busy" ? "call/busy" : "call/dropped",
        );
      }
      await desk.clock.advance(200);
      expect(end(await desk.after(0, desk.troupe.call("work", "ok")))).toBe("ok");
      expect(desk.troupe.agents.list()[0]?.broken).toEqual([]);
    }
  });

  test("a late result of a call from before the breaker opened is no probe", async () => {
    const scene = await open({ failures: 1, openMs: 100, probes: 2 });
    const { desk, work } = scene;
    const early = desk.troupe.call("work", "wait 150");
    await desk.clock.settle();
    const lying = await work("lie");
    expect(lying).toBe("agent/invalid-output");
    await desk.clock.advance(100);
    expect(await work("ok")).toBe("ok");
    expect(end(await desk.after(50, early))).toBe("wait 150");
    expect(desk.story("breaker").at(-1)).toBe("breaker.changed /fragile/1 work open>halfOpen");
    expect(await work("ok")).toBe("ok");
    expect(desk.story("breaker").at(-1)).toBe("breaker.changed /fragile/1 work halfOpen>closed");
    await desk[Symbol.asyncDispose]();
  });
});

import { defineAgent } from "troupe";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { pass, puppet } from "../system/scene.ts";
import { end, openDesk, type Desk } from "./desk.ts";

/** Works for the given time in steps, giving the sign of life that is asked for at each. */
function beating(desk: Desk, name = "beating") {
  return defineAgent({
    name,
    heartbeat: { everyMs: 100, missed: 3 },
    capabilities: {
      work: {
        idempotent: true,
        input: z.object({ steps: z.number(), ms: z.number(), sign: z.enum(["heartbeat", "progress", "none"]) }),
        output: z.string(),
        async run({ input, signal, heartbeat, progress, agent }) {
          for (let step = 0; step < input.steps; step += 1) {
            await pass(desk.clock, input.ms, signal);
            if (input.sign === "heartbeat") heartbeat();
            if (input.sign === "progress") progress(step / input.steps);
          }
          return agent.path;
        },
      },
    },
  });
}

describe("heartbeats", () => {
  test.each(["heartbeat", "progress"] as const)(
    "an agent that gives signs of life (%s) stays trusted however long it works",
    async (sign) => {
      await using desk = await openDesk();
      await desk.troupe.spawn(beating(desk));
      const outcome = desk.troupe.call("work", { steps: 20, ms: 200, sign });
      expect(end(await desk.after(5_000, outcome))).toBe("/beating/1");
      expect(desk.story("agent.suspected")).toEqual([]);
      // Nothing is watched while nobody works.
      await desk.clock.advance(1_000);
      expect(desk.clock.waiting).toBe(0);
    },
  );

  test("one that stays silent is suspect: it gets no new calls until its next sign of life", async () => {
    await using desk = await openDesk({ strategy: "round-robin" });
    const [ref] = await desk.troupe.spawn(beating(desk), { count: 2 });
    const from = desk.clock.now();
    const long = ref?.call("work", { steps: 1, ms: 1_000, sign: "none" });
    await desk.clock.advance(299);
    expect(desk.story("agent.suspected")).toEqual([]);
    await desk.clock.advance(1);
    expect(desk.troupe.agents.list().map((info) => [info.id, info.suspect, info.status])).toEqual([
      ["/beating/1", true, "offline"],
      ["/beating/2", false, "online"],
    ]);
    for (let turn = 0; turn < 4; turn += 1)
      expect(end(await desk.after(10, desk.troupe.call("work", { steps: 1, ms: 10, sign: "none" })))).toBe(
        "/beating/2",
      );
    await desk.clock.advance(1_000);
    expect(await long).toMatchObject({ ok: true });
    expect(
      desk.events.filter(({ type }) => /suspected|trusted/.test(type)).map(({ type, at }) => `${type} ${at - from}`),
    ).toEqual(["agent.suspected 300", "agent.trusted 1000"]);
  });

  test("silence counts from the moment it gets work, not from the work before", async () => {
    await using desk = await openDesk();
    await desk.troupe.spawn(beating(desk));
    await desk.after(10, desk.troupe.call("work", { steps: 1, ms: 10, sign: "none" }));
    await desk.clock.advance(280);
    expect(end(await desk.after(250, desk.troupe.call("work", { steps: 1, ms: 250, sign: "none" })))).toBe(
      "/beating/1",
    );
    expect(desk.story("agent.suspected")).toEqual([]);
  });

  test("a paused agent with work waiting is not suspect", async () => {
    await using desk = await openDesk();
    const [ref] = await desk.troupe.spawn(beating(desk));
    ref?.pause();
    const waiting = ref?.call("work", { steps: 1, ms: 250, sign: "none" });
    await desk.clock.advance(2_000);
    ref?.resume();
    await desk.clock.advance(250);
    expect(await waiting).toMatchObject({ ok: true });
    expect(desk.story("agent.suspected")).toEqual([]);
  });

  test("a suspect that is restarted is trusted again", async () => {
    await using desk = await openDesk();
    const [ref] = await desk.troupe.spawn(beating(desk), { restart: "permanent" });
    const stuck = ref?.call("work", { steps: 1, ms: 10_000, sign: "none" }, { timeoutMs: 400 });
    await desk.clock.advance(350);
    expect(end(await desk.troupe.call("work", { steps: 0, ms: 0, sign: "none" }))).toBe("dispatch/unavailable");
    ref?.kill();
    // The stuck call was idempotent, so that the new incarnation has it in hand; it is trusted all the same.
    expect(desk.troupe.agents.list()[0]).toMatchObject({ suspect: false, state: "idle", incarnation: 2 });
    await desk.clock.settle();
    expect(desk.story("agent.trusted")).toEqual(["agent.trusted /beating/1"]);
    await desk.clock.advance(1_000);
    expect(end((await stuck) as never)).toBe("call/timeout");
  });
});

test("a suspect that is restarted with its group is trusted again", async () => {
  await using desk = await openDesk();
  const { agents } = await desk.troupe.supervise({
    name: "group",
    strategy: "one-for-all",
    children: [{ agent: puppet(desk.clock) }, { agent: beating(desk), shutdownMs: 10 }],
  });
  void agents[1]?.call("work", { steps: 1, ms: 5_000, sign: "none" });
  await desk.clock.advance(400);
  expect(desk.troupe.agents.find("work")).toMatchObject([{ suspect: true }]);
  agents[0]?.kill();
  await desk.clock.advance(100);
  expect(desk.troupe.agents.find("work")).toMatchObject([{ suspect: false, status: "busy", incarnation: 4 }]);
  agents[1]?.kill();
  await desk.clock.advance(0);
});

describe("what is known of an agent", () => {
  test("status, load, counts, success rate, mean duration and last seen come from measured outcomes", async () => {
    await using desk = await openDesk();
    const [ref] = await desk.troupe.spawn(puppet(desk.clock, { concurrency: 2 }), {
      restart: "permanent",
      backoff: { firstMs: 100 },
    });
    const info = () => desk.troupe.agents.list()[0];
    expect(info()).toEqual({
      id: "/puppet/1",
      name: "puppet",
      incarnation: 1,
      status: "online",
      state: "idle",
      suspect: false,
      capabilities: ["obey", "repeat"],
      broken: [],
      load: 0,
      queued: 0,
      taskCount: 0,
      successRate: 1,
      meanDurationMs: null,
      lastSeenAt: null,
    });
    for (let turn = 0; turn < 3; turn += 1) void ref?.call("obey", { order: "wait 40" });
    await desk.clock.settle();
    expect(info()).toMatchObject({ status: "busy", state: "working", load: 1, queued: 1 });
    await desk.clock.advance(40);
    expect(info()).toMatchObject({ status: "online", load: 0.5, queued: 0, taskCount: 2, meanDurationMs: 40 });
    await desk.clock.advance(40);
    expect(info()).toMatchObject({ load: 0, taskCount: 3, successRate: 1, lastSeenAt: desk.clock.now() });
    void ref?.call("obey", { order: "crash" });
    await desk.clock.settle();
    expect(desk.troupe.agents.list()).toEqual([]);
    expect(desk.troupe.agents.find("obey")).toEqual([]);
    await desk.clock.advance(100);
    expect(info()).toMatchObject({ incarnation: 2, taskCount: 4, successRate: 0.75 });
    ref?.pause();
    expect(info()).toMatchObject({ status: "offline", state: "paused" });
    desk.troupe.agents.unregister("/puppet/1");
    ref?.resume();
    expect(info()).toMatchObject({ status: "offline", state: "idle" });
  });

  test("the mean moves with what is measured", async () => {
    await using desk = await openDesk();
    await desk.troupe.spawn(puppet(desk.clock));
    for (const ms of [100, 200]) await desk.after(ms, desk.troupe.call("obey", { order: `wait ${ms}` }));
    expect(desk.troupe.agents.list()[0]?.meanDurationMs).toBe(120);
  });
});

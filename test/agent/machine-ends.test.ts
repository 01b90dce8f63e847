import { isTroupeError, machineAgent, type AgentDefinition } from "troupe";
import { setup } from "xstate";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { children, play, script } from "../system/scene.ts";

const nothing = z.object({});

const council = (agent: AgentDefinition, options: object = {}) => ({
  name: "council",
  ...options,
  children: children({ agent }, "m"),
});

/** A machine that behaves as `plan` says at each of its starts: it lives, breaks as it starts, or ends as it starts. */
function fickle(plan: (turn: number) => "lives" | "breaks" | "ends" | "breaks later" | "ends later"): AgentDefinition {
  let turn = 0;
  const machine = setup({
    types: { context: {} as { how: string } },
    actions: {
      fail: () => {
        throw new Error("snap");
      },
    },
  }).createMachine({
    id: "fickle",
    context: () => ({ how: plan((turn += 1)) }),
    initial: "deciding",
    states: {
      deciding: {
        always: [
          { guard: ({ context }) => context.how === "breaks", actions: "fail", target: "living" },
          { guard: ({ context }) => context.how === "ends", target: "over" },
          { guard: ({ context }) => context.how === "breaks later", target: "doomed" },
          { guard: ({ context }) => context.how === "ends later", target: "ending" },
          { target: "living" },
        ],
      },
      doomed: { after: { 50: { target: "living", actions: "fail" } } },
      ending: { after: { 50: "over" } },
      living: { on: { fall: { actions: "fail" } } },
      over: { type: "final" },
    },
  });
  return machineAgent(machine).define({
    name: "fickle",
    capabilities: {
      greet: { input: nothing, output: z.string(), event: () => ({ type: "greet" }), reply: () => "hello" },
      fall: { input: nothing, output: z.string(), event: () => ({ type: "fall" }), reply: () => "fell" },
    },
  });
}

describe("a machine that ends of its own accord", () => {
  test("breaking as it starts is a failed start, heard by the spawner", async () => {
    await play({ name: "empty", children: [] }, async ({ troupe }) => {
      await expect(troupe.spawn(fickle(() => "breaks"))).rejects.toSatisfy((error) =>
        isTroupeError(error, "agent/start-failed"),
      );
      expect(troupe.metrics().residentActors).toBe(0);
    });
  });

  test("breaking as it starts again counts as one more crash; a late notice of it hurts no later machine", async () => {
    const plan = fickle((turn) => (turn === 2 || turn === 3 ? "breaks" : "lives"));
    const transcript = await play(council(plan, { intensity: { restarts: 9 } }), async ({ agent, pass }) => {
      await agent("m").call("fall", {});
      await pass(10);
      expect(await agent("m").call("greet", {})).toEqual({ ok: true, value: "hello" });
    });
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/m#1
        t=0 call 1 fails agent/crashed
        t=0 crash /council/m#1 "Error: snap"
        t=0 cannot start /council/m#2 "Error: snap"
        t=0 cannot start /council/m#3 "Error: snap"
        t=0 start /council/m#4
        t=10 call 2 ok
      `),
    );
  });

  test("a call that waits through machines that end as they start is answered by the first that lives", async () => {
    const plan = fickle((turn) => (turn === 2 || turn === 3 ? "ends" : "lives"));
    const transcript = await play(council(plan, { intensity: { restarts: 9 } }), async ({ agent, pass }) => {
      void agent("m").call("fall", {});
      void agent("m").call("greet", {});
      await pass(10);
    });
    expect(transcript).toBe(
      script(`
        t=0 start /council
        t=0 start /council/m#1
        t=0 call 1 fails agent/crashed
        t=0 crash /council/m#1 "Error: snap"
        t=0 start /council/m#2
        t=0 stop /council/m#2
        t=0 start /council/m#3
        t=0 stop /council/m#3
        t=0 start /council/m#4
        t=0 call 2 ok
      `),
    );
  });

  test.each(["breaks", "ends"] as const)("however often it %s as it starts, restarts never nest", async (how) => {
    const often = 3_000;
    const plan = fickle((turn) => (turn === 1 || turn > often ? "lives" : how));
    const transcript = await play(council(plan, { intensity: { restarts: 10_000 } }), async ({ agent, pass }) => {
      await agent("m").call("fall", {});
      await pass(0);
      expect(await agent("m").call("greet", {})).toEqual({ ok: true, value: "hello" });
      expect(agent("m").incarnation).toBe(often + 1);
    });
    // A stack that overflowed would show as a failed start.
    expect(transcript).not.toContain("call stack");
    expect(transcript.match(how === "ends" ? / stop /g : / cannot start /g)).toHaveLength(often - 1);
  });

  test.each([
    ["breaks later", `t=50 crash /council/m#1 "Error: snap"`],
    ["ends later", "t=50 stop /council/m#1"],
  ] as const)("one that %s, between calls, comes back as a permanent child does", async (how, end) => {
    const plan = fickle((turn) => (turn === 1 ? how : "lives"));
    const transcript = await play(council(plan), async ({ pass }) => pass(100));
    expect(transcript.split("\n").slice(2)).toEqual([end, "t=50 start /council/m#2"]);
  });

  test("spawned and over at once, it was up and has left in good order", async () => {
    const transcript = await play({ name: "empty", children: [] }, async ({ troupe, clock }) => {
      const [ref] = await troupe.spawn(fickle(() => "ends"));
      await clock.settle();
      expect(await ref?.monitor()).toMatchObject({ reason: "gone" });
      expect(troupe.agents.list()).toEqual([]);
    });
    expect(transcript.split("\n").slice(1)).toEqual([
      "t=0 start /fickle",
      "t=0 start /fickle/1#1",
      "t=0 stop /fickle/1#1",
    ]);
  });
});

import { describe, expect, test } from "vitest";
import { defineAgent } from "troupe";
import { z } from "zod";
import { losses, Span } from "./span.ts";

const worker = defineAgent({
  name: "worker",
  capabilities: {
    double: { input: z.number(), output: z.number(), run: ({ input }) => input * 2 },
    hang: { input: z.null(), output: z.null(), run: () => new Promise<null>(() => {}) },
    crash: {
      input: z.null(),
      output: z.null(),
      run: () => {
        throw new Error("broken");
      },
    },
  },
});

/** A chair that has connected to two nodes, each of which exposes a worker. */
async function trio() {
  const span = new Span();
  const [chair, east, west] = [
    await span.node("chair"),
    await span.node("east", [worker]),
    await span.node("west", [worker]),
  ];
  const on = [await chair.dial(east), await chair.dial(west)];
  return { span, chair, east, west, on };
}

describe("a supervisor whose child runs on a peer", () => {
  test("starts it there, restarts it in place after a crash, and stops it with the tree", async () => {
    const { span, chair, east, on } = await trio();
    const tree = { name: "team", children: [{ remote: "worker@1", on }] };
    const { supervisor, refs } = await span.until(chair.nursery.supervise(tree));
    const [ref] = refs as [(typeof refs)[0]];
    expect(ref).toMatchObject({ path: "/team/worker", node: "east", state: "running" });
    expect(await span.until(ref.call("double", 4))).toEqual({ ok: true, value: 8 });
    const [first] = [ref.incarnation];
    const down = ref.monitor();
    expect(ref.tell("crash", null)).toBe("accepted");
    expect(await span.until(down)).toMatchObject({ path: "/team/worker", reason: "crashed", incarnation: first });
    await span.clock.advance(1_000);
    expect(ref.incarnation).not.toBe(first);
    expect(await span.until(ref.call("double", 5))).toEqual({ ok: true, value: 10 });
    expect(east.paths()).toEqual(["/worker/2"]);
    await span.until(chair.nursery.stop(supervisor));
    await span.clock.advance(1_000);
    expect(east.paths()).toEqual([]);
    expect(chair.story).toEqual([
      "2 s agent.started /team/worker east",
      "2 s agent.crashed /team/worker east agent/crashed",
      "2 s agent.restarting /team/worker 0",
      "2 s agent.started /team/worker east",
      "3 s agent.stopped /team/worker east",
    ]);
  });

  test.each(losses)(
    "a node that is lost (%s) has ended its child before another node starts it; what was out is indeterminate",
    async (how) => {
      const { span, chair, east, west, on } = await trio();
      const { refs } = await span.until(
        chair.nursery.supervise({ name: "team", children: [{ remote: "worker@1", on }] }),
      );
      const [ref] = refs as [(typeof refs)[0]];
      const out = ref.call("hang", null, { timeoutMs: 600_000 });
      const old = ref.monitor();
      await span.clock.advance(1_000);
      await east.part(how);
      expect(await span.until(out)).toMatchObject({ ok: false, failure: { code: "remote/indeterminate" } });
      expect(await old).toMatchObject({ reason: "crashed", failure: { code: "remote/unreachable" } });
      expect(ref).toMatchObject({ state: "starting", node: "" });
      expect(await ref.call("double", 1)).toMatchObject({ failure: { code: "remote/unreachable" } });
      expect(west.paths()).toEqual([]);
      await span.clock.advance(200_000);
      expect(ref).toMatchObject({ state: "running", node: "west" });
      expect(await span.until(ref.call("double", 4))).toEqual({ ok: true, value: 8 });
      expect(east.paths()).toEqual([]);
      const at = (story: readonly string[], what: string): number =>
        Number.parseInt(story.findLast((line) => line.includes(what)) ?? "", 10);
      expect(at(chair.story, "agent.crashed")).toBeLessThan(at(east.story, "agent.stopped") + 60);
      expect(at(east.story, "agent.stopped")).toBeLessThan(at(west.story, "agent.started"));
    },
  );

  test("a node that comes back is told at once: it ends the lost child, and then starts another", async () => {
    const { span, chair, east, on } = await trio();
    const [peer] = on as [(typeof on)[0]];
    const tree = { name: "team", children: [{ remote: "worker@1", on: [peer] }] };
    const { refs } = await span.until(chair.nursery.supervise(tree));
    const [ref] = refs as [(typeof refs)[0]];
    await east.part("only the other side notices at once");
    await span.until(ref.monitor());
    expect(east.paths()).toEqual(["/worker/1"]);
    east.heal();
    await span.clock.advance(30_000);
    expect(ref).toMatchObject({ state: "running", node: "east" });
    expect(east.paths()).toEqual(["/worker/2"]);
    expect(east.story.map((line) => line.replace(/^\d+ s /u, "").replace(/ \d+$/u, ""))).toEqual([
      "agent.started /worker/1",
      "agent.stopped /worker/1",
      "agent.started /worker/2",
    ]);
  });

  test("intensity, backoff and strategies hold as for children here", async () => {
    const { span, chair, east, west, on } = await trio();
    const local = { agent: worker, name: "local" };
    const remote = { remote: "worker@1", on, name: "away" };
    const tree = {
      name: "team",
      strategy: "one-for-all",
      intensity: { restarts: 1, withinMs: 600_000 },
      backoff: { kind: "fixed", firstMs: 2_000 },
      children: [local, remote],
    } as const;
    const { refs, supervisor } = await span.until(chair.nursery.supervise(tree));
    const [here, away] = refs as [(typeof refs)[0], (typeof refs)[0]];
    here.kill();
    await span.clock.advance(5_000);
    expect(away).toMatchObject({ state: "running", node: "east" });
    expect(east.paths()).toEqual(["/worker/2"]);
    away.kill();
    await span.clock.advance(5_000);
    expect(supervisor.state).toBe("failed");
    expect([...east.paths(), ...west.paths()]).toEqual([]);
    expect(chair.story).toEqual([
      "2 s agent.started /team/local",
      "2 s agent.started /team/away east",
      "2 s agent.crashed /team/local agent/crashed",
      "2 s agent.restarting /team/local 2000",
      "4 s agent.stopped /team/away east",
      "4 s agent.started /team/local",
      "4 s agent.started /team/away east",
      "7 s agent.crashed /team/away east agent/crashed",
      "7 s supervisor.escalated /team",
      "7 s agent.stopped /team/local",
    ]);
  });

  test("what no node exposes fails the whole tree, and a declaration that makes no sense is refused", async () => {
    const { span, chair, on } = await trio();
    const tree = (remote: string) => ({ name: "team", children: [{ remote, on }] });
    await expect(span.until(chair.nursery.supervise(tree("other@1")))).rejects.toMatchObject({
      code: "agent/start-failed",
    });
    await expect(chair.nursery.supervise(tree("other"))).rejects.toMatchObject({ code: "usage/invalid-options" });
    const nobody = { name: "team", children: [{ remote: "worker@1", on: [] }] };
    await expect(chair.nursery.supervise(nobody)).rejects.toMatchObject({ code: "usage/invalid-options" });
  });
});

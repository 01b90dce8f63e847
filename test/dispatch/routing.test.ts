import { defineAgent, isTroupeError } from "troupe";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { pass } from "../system/scene.ts";
import { end, openDesk, type Desk } from "./desk.ts";

/** An agent whose every capability answers with its path and name. */
function teller(name: string, ...capabilities: string[]) {
  return defineAgent({
    name,
    capabilities: Object.fromEntries(
      capabilities.map((capability) => [
        capability,
        {
          input: z.record(z.string(), z.unknown()),
          output: z.string(),
          run: ({ agent }: { agent: { path: string } }) => `${agent.path} ${capability}`,
        },
      ]),
    ),
  });
}

const call = async (desk: Desk, capability: string, input: object = {}, options = {}): Promise<unknown> =>
  end(await desk.after(0, desk.troupe.call(capability, input, options)));

describe("finding an agent", () => {
  test("nobody offers it: the failure names what there is", async () => {
    await using desk = await openDesk({ agents: [teller("writer", "write", "edit")] });
    const outcome = await desk.troupe.call("wrote" as "write", {});
    expect(outcome).toMatchObject({
      ok: false,
      failure: { code: "dispatch/no-agent", retry: "later", data: { capability: "wrote", known: ["edit", "write"] } },
    });
    expect(await call(desk, "write")).toBe("dispatch/no-agent");
  });

  test("all that offer it are unable: the failure says so, and ends when one is able again", async () => {
    await using desk = await openDesk();
    const [ref] = await desk.troupe.spawn(teller("writer", "write"));
    ref?.pause();
    expect(await call(desk, "write")).toBe("dispatch/unavailable");
    ref?.resume();
    expect(await call(desk, "write")).toBe("/writer/1 write");
  });

  test("a call to one agent names a capability that it does not have", async () => {
    await using desk = await openDesk();
    const [ref] = await desk.troupe.spawn(teller("writer", "write"));
    await desk.troupe.spawn(teller("reader", "read"));
    expect(await ref?.call("read", {})).toMatchObject({
      ok: false,
      failure: { code: "dispatch/no-agent", message: 'agent /writer/1 does not offer "read"' },
    });
    expect(() => ref?.tell("read", {})).toThrow(/agent \/writer\/1 has no capability "read"; it has write/);
  });

  test("a member that is starting, restarting, draining or gone is not chosen", async () => {
    await using desk = await openDesk({ strategy: "round-robin" });
    const slow = defineAgent({
      name: "slow",
      capabilities: {
        work: {
          input: z.object({ ms: z.number() }),
          output: z.string(),
          async run({ agent, input, signal }) {
            if (input.ms < 0) throw new Error("boom");
            await pass(desk.clock, input.ms, signal);
            return agent.path;
          },
        },
      },
    });
    const refs = await desk.troupe.spawn(slow, { count: 3, restart: "permanent", backoff: { firstMs: 500 } });
    void refs[0]?.call("work", { ms: -1 });
    void refs[1]?.call("work", { ms: 50 });
    await desk.clock.settle();
    void refs[1]?.stop();
    const chosen = [];
    for (let turn = 0; turn < 4; turn += 1) chosen.push(await call(desk, "work", { ms: 0 }));
    expect(chosen).toEqual(Array.from({ length: 4 }, () => "/slow/3"));
    await desk.clock.advance(600);
    for (let turn = 0; turn < 2; turn += 1) chosen.push(await call(desk, "work", { ms: 0 }));
    expect(new Set(chosen.slice(4))).toEqual(new Set(["/slow/1", "/slow/3"]));
  });
});

describe("versions", () => {
  test("a name without a major version is version 1; another major is another capability", async () => {
    await using desk = await openDesk();
    await desk.troupe.spawn(teller("old", "sum@1"));
    await desk.troupe.spawn(teller("new", "sum@2"));
    expect(await call(desk, "sum")).toBe("/old/1 sum@1");
    expect(await call(desk, "sum@1")).toBe("/old/1 sum@1");
    expect(await call(desk, "sum@2")).toBe("/new/1 sum@2");
    expect(await call(desk, "sum@3")).toBe("dispatch/no-agent");
    expect(desk.troupe.agents.find("sum").map((info) => info.id)).toEqual(["/old/1"]);
    expect(desk.troupe.agents.find("sum@1").map((info) => info.id)).toEqual(["/old/1"]);
  });
});

describe("routing on content", () => {
  const rules = [
    { capability: "write@1", when: { path: "to.language", equals: "de" }, agent: "german" },
    { capability: "write", when: { path: "urgent", equals: true }, agent: "express" },
    { capability: "write", when: { path: "to.language", equals: "xx" }, agent: "nobody" },
  ];

  test("the first rule that matches decides; without a match all groups stay", async () => {
    await using desk = await openDesk({ routes: rules, strategy: "round-robin" });
    for (const name of ["german", "express", "plain"]) await desk.troupe.spawn(teller(name, "write"));
    for (let turn = 0; turn < 3; turn += 1) {
      expect(await call(desk, "write", { to: { language: "de" }, urgent: true })).toBe("/german/1 write");
      expect(await call(desk, "write@1", { to: { language: "en" }, urgent: true })).toBe("/express/1 write");
    }
    const free = new Set<unknown>();
    for (let turn = 0; turn < 3; turn += 1) free.add(await call(desk, "write", { to: "de" }));
    expect(free.size).toBe(3);
    expect(await call(desk, "write", { to: { language: "xx" } })).toBe("dispatch/unavailable");
  });

  test("a path leads through own properties only", async () => {
    await using desk = await openDesk({
      routes: [{ capability: "write", when: { path: "constructor.name", equals: "Object" }, agent: "nobody" }],
    });
    await desk.troupe.spawn(teller("plain", "write"));
    expect(await call(desk, "write")).toBe("/plain/1 write");
  });
});

describe("stages of one's own", () => {
  test("enrich runs once for what was asked, before routing, however often the call is tried", async () => {
    const seen: unknown[] = [];
    let runs = 0;
    const flaky = defineAgent({
      name: "flaky",
      capabilities: {
        work: {
          recovery: { retry: { attempts: 3, backoff: { firstMs: 10 } } },
          input: z.object({ wrapped: z.object({ n: z.number() }) }),
          output: z.number(),
          run({ input }) {
            seen.push(input);
            if ((runs += 1) < 3) throw new Error("not yet");
            return input.wrapped.n;
          },
        },
      },
    });
    await using desk = await openDesk({
      stages: {
        enrich: [
          (request) => ({ ...request, capability: request.capability.replace("do.", "") }),
          (request) => ({ ...request, input: { wrapped: request.input } }),
        ],
        map: [(outcome, { capability }) => (outcome.ok ? { ...outcome, value: [capability, outcome.value] } : outcome)],
      },
    });
    const [ref] = await desk.troupe.spawn(flaky, { restart: "permanent", intensity: { restarts: 9 } });
    expect(await desk.after(100, desk.troupe.call("do.work", { n: 7 }))).toEqual({ ok: true, value: ["work", 7] });
    expect(seen).toEqual(Array.from({ length: 3 }, () => ({ wrapped: { n: 7 } })));
    // A call to one agent passes the same stages.
    expect(await ref?.call("do.work" as "work", { n: 8 } as never)).toEqual({ ok: true, value: ["work", 8] });
  });

  test.each(["enrich", "map"] as const)("a %s stage that throws fails the call as data", async (stage) => {
    const broken = (): never => {
      throw new Error("no stage");
    };
    await using desk = await openDesk({ stages: stage === "enrich" ? { enrich: [broken] } : { map: [broken] } });
    const [ref] = await desk.troupe.spawn(teller("plain", "write"));
    for (const outcome of [desk.troupe.call("write", {}), ref?.call("write", {})])
      expect(await outcome).toMatchObject({
        ok: false,
        failure: { code: "dispatch/stage-failed", retry: "never", data: { stage, cause: "Error: no stage" } },
      });
    // Whoever comes next is served as before.
    await desk.clock.settle();
    expect(ref?.state).toBe("idle");
  });
});

describe("affinity", () => {
  test("calls with one key go to one agent while it lives, and then to another one for good", async () => {
    await using desk = await openDesk({ strategy: "round-robin" });
    const refs = await desk.troupe.spawn(teller("shop", "buy"), { count: 3 });
    const buy = (affinity: string): Promise<unknown> => call(desk, "buy", {}, { affinity });
    const first = await buy("ann");
    const other = await buy("bob");
    expect(other).not.toBe(first);
    for (let turn = 0; turn < 4; turn += 1) {
      expect(await buy("ann")).toBe(first);
      expect(await buy("bob")).toBe(other);
    }
    await refs.find((ref) => `${ref.path} buy` === first)?.stop();
    const next = await buy("ann");
    expect(next).not.toBe(first);
    for (let turn = 0; turn < 4; turn += 1) expect(await buy("ann")).toBe(next);
  });

  test("a bound agent that is unable is passed over, and bound again only if it is chosen", async () => {
    await using desk = await openDesk({ strategy: "round-robin" });
    const refs = await desk.troupe.spawn(teller("shop", "buy"), { count: 2 });
    const first = await call(desk, "buy", {}, { affinity: "ann" });
    const bound = refs.find((ref) => `${ref.path} buy` === first);
    bound?.pause();
    const second = await call(desk, "buy", {}, { affinity: "ann" });
    expect(second).not.toBe(first);
    bound?.resume();
    expect(await call(desk, "buy", {}, { affinity: "ann" })).toBe(second);
  });
});

describe("registering at run time", () => {
  test("agents join routing as they start and leave it as they end, in any order", async () => {
    await using desk = await openDesk({ strategy: "round-robin" });
    const refs = await desk.troupe.spawn(teller("shop", "buy"), {
      count: 5,
      restart: "permanent",
      intensity: { restarts: 9 },
    });
    const live = new Set(refs.map((ref) => ref.path));
    const reached = async (): Promise<Set<unknown>> => {
      const paths = new Set<unknown>();
      for (let turn = 0; turn < 10; turn += 1) paths.add(String(await call(desk, "buy")).split(" ")[0]);
      return paths;
    };
    expect(await reached()).toEqual(live);
    for (const index of [4, 0, 2]) {
      await refs[index]?.stop();
      live.delete(refs[index]?.path ?? "");
      expect(await reached()).toEqual(live);
      expect(new Set(desk.troupe.agents.list().map((info) => info.id))).toEqual(live);
    }
    refs[1]?.kill();
    expect(await reached()).toEqual(live);
  });

  test("a definition that is unregistered is out of routing; its agents run on, and come back with it", async () => {
    await using desk = await openDesk();
    const shop = teller("shop", "buy");
    const refs = await desk.troupe.spawn(shop, { count: 2, restart: "permanent", intensity: { restarts: 9 } });
    desk.troupe.agents.unregister("shop");
    expect(await call(desk, "buy")).toBe("dispatch/no-agent");
    expect(desk.troupe.agents.list()).toEqual([]);
    expect(await refs[0]?.call("buy", {})).toEqual({ ok: true, value: "/shop/1 buy" });
    refs[1]?.kill();
    await desk.clock.settle();
    desk.troupe.agents.register(shop);
    desk.troupe.agents.register(shop);
    expect(new Set([await call(desk, "buy"), await call(desk, "buy")])).toEqual(
      new Set(["/shop/1 buy", "/shop/2 buy"]),
    );
    expect(desk.troupe.agents.list()).toHaveLength(2);
    expect(desk.story("registry")).toEqual(["registry.changed", "registry.changed", "registry.changed"]);
  });

  test("a sole agent that crashes while its definition is unregistered comes back with it", async () => {
    await using desk = await openDesk();
    const shop = teller("shop", "buy");
    const [ref] = await desk.troupe.spawn(shop, { restart: "permanent" });
    desk.troupe.agents.unregister("shop");
    ref?.kill();
    await desk.clock.settle();
    desk.troupe.agents.register(shop);
    expect(await call(desk, "buy")).toBe("/shop/1 buy");
  });

  test("an affinity key neither leaves the routes nor reaches who was unregistered", async () => {
    await using desk = await openDesk({
      routes: [
        { capability: "buy", when: { path: "tier", equals: "gold" }, agent: "gold" },
        { capability: "buy", when: { path: "tier", equals: "silver" }, agent: "silver" },
      ],
    });
    await desk.troupe.spawn(teller("gold", "buy"));
    await desk.troupe.spawn(teller("silver", "buy"));
    const buy = (tier: string): Promise<unknown> => call(desk, "buy", { tier }, { affinity: "u1" });
    expect([await buy("silver"), await buy("gold"), await buy("silver")]).toEqual([
      "/silver/1 buy",
      "/gold/1 buy",
      "/silver/1 buy",
    ]);
    desk.troupe.agents.unregister("silver");
    expect(await buy("silver")).toBe("dispatch/unavailable");
  });

  test("nothing is left of definitions that are unregistered, before or after their last agent has ended", async () => {
    await using desk = await openDesk();
    for (let round = 0; round < 50; round += 1) {
      const name = `shop-${round}`;
      const [ref] = await desk.troupe.spawn(teller(name, name));
      if (round % 2 === 0) desk.troupe.agents.unregister(name);
      await ref?.stop();
      if (round % 2 === 1) desk.troupe.agents.unregister(name);
    }
    expect(desk.troupe.actors().map(({ id }) => id)).toEqual(["/"]);
    expect(desk.troupe.metrics()).toMatchObject({ residentActors: 0, agents: 0 });
    const [again] = await desk.troupe.spawn(teller("shop-1", "buy"));
    expect(again?.path).toBe("/shop-1/1");
    expect(await call(desk, "buy")).toBe("/shop-1/1 buy");
  });

  test("there are at most 1,000 definitions at a time; one that is unregistered makes room", async () => {
    await using desk = await openDesk();
    for (let number = 0; number < 1_000; number += 1) desk.troupe.agents.register(teller(`shop-${number}`, "buy"));
    const more = teller("more", "buy");
    expect(() => desk.troupe.agents.register(more)).toThrow(/1000 agent definitions are declared/);
    desk.troupe.agents.unregister("shop-7");
    desk.troupe.agents.register(more);
  });

  test("a name that another definition took meanwhile is not given twice", async () => {
    await using desk = await openDesk();
    const first = teller("shop", "buy");
    const second = teller("shop", "sell");
    desk.troupe.agents.register(first);
    expect(() => desk.troupe.agents.register(second)).toThrow(/another agent named "shop" is declared already/);
    desk.troupe.agents.unregister("shop");
    desk.troupe.agents.register(second);
    expect(() => desk.troupe.agents.register(first)).toThrow(/another agent named "shop"/);
    await expect(desk.troupe.spawn(first)).rejects.toSatisfy((error) => isTroupeError(error, "usage/name-taken"));
  });

  test("one agent that is unregistered by its path is passed over, and shows as offline", async () => {
    await using desk = await openDesk({ strategy: "round-robin" });
    await desk.troupe.spawn(teller("shop", "buy"), { count: 2 });
    desk.troupe.agents.unregister("/shop/1");
    for (let turn = 0; turn < 4; turn += 1) expect(await call(desk, "buy")).toBe("/shop/2 buy");
    expect(desk.troupe.agents.list().map((info) => `${info.id} ${info.status}`)).toEqual([
      "/shop/1 offline",
      "/shop/2 online",
    ]);
    expect(() => desk.troupe.agents.unregister("/shop/9")).toThrow(
      /no agent has the path or name "\/shop\/9"; known names: shop/,
    );
  });

  test("what is no definition is refused", async () => {
    await using desk = await openDesk();
    expect(() => desk.troupe.agents.register({ name: "x" } as never)).toThrow(/not an agent definition/);
  });
});

import fc from "fast-check";
import { createTroupe, defineAgent, masterWorker, peerToPeer } from "troupe";
import { describe, expect, test } from "vitest";
import { z } from "zod";

const echo = defineAgent({
  name: "echo",
  capabilities: {
    echo: { input: z.string(), output: z.string(), run: ({ input, agent }) => `${agent.path} ${input}` },
    peers: { input: z.object({}), output: z.array(z.string()), run: ({ peers }) => peers.map((peer) => peer.path) },
  },
});
const boss = defineAgent({
  name: "boss",
  capabilities: { echo: { input: z.string(), output: z.string(), run: ({ input }) => `boss ${input}` } },
});

describe("a swarm", () => {
  test.each([
    [
      "mesh",
      [
        [1, 2, 3],
        [0, 2, 3],
        [0, 1, 3],
        [0, 1, 2],
      ],
    ],
    ["star", [[1, 2, 3], [0], [0], [0]]],
    ["ring", [[1], [2], [3], [0]]],
    ["hierarchical", [[1, 2, 3], [0], [0], [0]]],
  ] as const)(
    "%s lets each member see and call the members it is linked to, and nobody else",
    async (topology, links) => {
      await using troupe = await createTroupe();
      const swarm = await troupe.swarm({ topology, agents: [{ agent: echo, count: 4 }] });
      for (const [index, member] of swarm.members.entries()) {
        const allowed = (links[index] ?? []).map((link) => swarm.agents[link]?.path);
        const seen = await member.ref.call("peers", {});
        expect(seen).toEqual({ ok: true, value: allowed });
        for (const other of swarm.members) {
          const outcome = await swarm.call("echo", "hi", { from: member.ref, to: other.ref });
          if (allowed.includes(other.ref.path)) expect(outcome).toEqual({ ok: true, value: `${other.ref.path} hi` });
          else expect(outcome).toMatchObject({ ok: false, failure: { code: "swarm/not-linked" } });
        }
      }
    },
  );

  test("refuses more agents than its maxAgents, and starts none of them", async () => {
    await using troupe = await createTroupe();
    await expect(
      troupe.swarm({ topology: "mesh", agents: [{ agent: echo, count: 9 }], maxAgents: 8 }),
    ).rejects.toMatchObject({ code: "usage/too-many-agents" });
    expect(troupe.metrics().residentActors).toBe(0);
  });

  test("a call from outside enters a hierarchy at its highest level with the capability", async () => {
    await using troupe = await createTroupe();
    const swarm = await troupe.swarm({
      topology: "hierarchical",
      agents: [{ agent: boss }, { agent: echo, count: 3 }],
    });
    expect(await swarm.call("echo", "hi")).toEqual({ ok: true, value: "boss hi" });
    expect(await swarm.call("peers", {})).toMatchObject({ ok: true });
  });

  test("each level of a hierarchy has a supervisor of its own in the tree", async () => {
    await using troupe = await createTroupe();
    await troupe.swarm({
      topology: "hierarchical",
      name: "firm",
      agents: [{ agent: boss }, { agent: echo, count: 2 }],
    });
    expect(troupe.actors().map((actor) => actor.id)).toEqual([
      "/",
      "/firm",
      "/firm/level-0-boss",
      "/firm/level-0-boss/boss",
      "/firm/level-1-echo",
      "/firm/level-1-echo/echo-1",
      "/firm/level-1-echo/echo-2",
    ]);
  });

  test("stops all its members, and their refs say so", async () => {
    await using troupe = await createTroupe();
    const swarm = await troupe.swarm({ topology: "ring", agents: [{ agent: echo, count: 3 }] });
    await swarm.stop();
    expect(troupe.metrics()).toMatchObject({ residentActors: 0, agents: 0 });
    expect(swarm.agents.map((ref) => ref.tell("echo", "hi"))).toEqual(["stopped", "stopped", "stopped"]);
  });

  test.each(["round-robin", "balanced", "least-loaded"] as const)(
    "%s spreads calls over idle members evenly",
    async (strategy) => {
      await using troupe = await createTroupe();
      const swarm = await troupe.swarm({ topology: "mesh", strategy, agents: [{ agent: echo, count: 4 }] });
      const served: { [path: string]: number } = {};
      for (let turn = 0; turn < 40; turn += 1) {
        const outcome = await swarm.call("echo", "x");
        const path = outcome.ok ? String(outcome.value).split(" ")[0]! : "";
        served[path] = (served[path] ?? 0) + 1;
      }
      expect(Object.values(served)).toEqual([10, 10, 10, 10]);
    },
  );
});

const summing = defineAgent({
  name: "summing",
  capabilities: {
    sum: {
      input: z.array(z.number()),
      output: z.number(),
      run: ({ input, fail }) =>
        input.includes(13) ? fail("sum/unlucky", "thirteen is in it") : input.reduce((a, b) => a + b, 0),
    },
  },
});

describe("master and workers", () => {
  test("whatever the numbers and the shape of the hierarchy, the integrated sum is the sum", async () => {
    await using troupe = await createTroupe();
    const shapes = await Promise.all(
      [1, 2, 5].map((count) =>
        troupe.swarm({
          topology: "hierarchical",
          agents: [{ agent: summing }, { agent: summing, count }, { agent: summing, count: count * 2 }],
        }),
      ),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 14, max: 1_000 }), { minLength: 1, maxLength: 30 }),
        fc.constantFrom(...shapes),
        async (numbers, swarm) => {
          const outcome = await masterWorker(swarm, numbers, {
            split: ({ task, workers }) =>
              Array.from({ length: workers }, (_, worker) => task.filter((_each, index) => index % workers === worker)),
            work: "sum",
            integrate: ({ results }) => results.reduce<number>((sum, each) => sum + Number(each), 0),
          });
          expect(outcome).toEqual({ ok: true, value: numbers.reduce((sum, each) => sum + each, 0) });
        },
      ),
      { numRuns: 50 },
    );
  });

  test("with an idempotency key each part is done, once, and a second time nothing is", async () => {
    await using troupe = await createTroupe();
    const swarm = await troupe.swarm({ topology: "star", agents: [{ agent: summing, count: 3 }] });
    const work = (): Promise<unknown> =>
      masterWorker(swarm, [[20], [30], [40], [50]], {
        split: ({ task }) => task,
        work: "sum",
        integrate: ({ results }) => results,
        options: { key: "k1" },
      });
    expect(await work()).toEqual({ ok: true, value: [20, 30, 40, 50] });
    const { calls } = troupe.metrics();
    expect(await work()).toEqual({ ok: true, value: [20, 30, 40, 50] });
    expect(troupe.metrics().calls).toBe(calls);
  });

  test("a failed part fails the whole, unless it is tolerated and named", async () => {
    await using troupe = await createTroupe();
    const swarm = await troupe.swarm({ topology: "star", agents: [{ agent: summing, count: 3 }] });
    const plan = {
      split: ({ task }: { task: number[][] }) => task,
      work: "sum",
      integrate: ({ results }: { results: readonly unknown[] }) => results.length,
    };
    expect(await masterWorker(swarm, [[1], [13]], plan)).toMatchObject({ ok: false, failure: { code: "sum/unlucky" } });
    expect(await masterWorker(swarm, [[1], [13]], { ...plan, toleratedFailures: 1 })).toMatchObject({
      ok: true,
      value: 1,
      degraded: [{ what: "one part is missing" }],
    });
  });

  test("nobody to give work to is said, not hidden", async () => {
    await using troupe = await createTroupe();
    const swarm = await troupe.swarm({ topology: "star", agents: [{ agent: summing }] });
    expect(
      await masterWorker(swarm, [1], { split: ({ task }) => task, work: "sum", integrate: () => 0 }),
    ).toMatchObject({ ok: false, failure: { code: "swarm/not-linked" } });
  });
});

describe("peers", () => {
  test("agree by a signed vote, contribute, and a peer that fails is named", async () => {
    const { decisionQuestion, opinion, opinionCapability } = await import("troupe");
    const peer = (name: string, likes: string) =>
      defineAgent({
        name,
        capabilities: {
          propose: { input: z.object({ task: z.string() }), output: z.string(), run: () => likes },
          contribute: {
            input: z.object({ task: z.string(), approach: z.string() }),
            output: z.string(),
            run: ({ input, fail }) =>
              name === "idle" ? fail("peer/idle", "has no time") : `${name} does ${input.task} ${input.approach}`,
          },
          [opinionCapability]: {
            input: decisionQuestion,
            output: opinion,
            run: () => ({ recommendation: "top-down", confidence: 0.9 }),
          },
        },
      });
    await using troupe = await createTroupe();
    const swarm = await troupe.swarm({
      topology: "mesh",
      agents: [
        { agent: peer("ann", "top-down") },
        { agent: peer("ben", "bottom-up") },
        { agent: peer("idle", "top-down") },
      ],
    });
    const outcome = await peerToPeer(swarm, "plan", {
      propose: "propose",
      async agree(approaches, peers) {
        const decision = await troupe.decide({
          question: "How?",
          options: [...approaches],
          voters: peers.map((each) => each.ref),
        });
        return { ok: true, value: decision.option ?? "none" };
      },
      contribute: "contribute",
      integrate: (contributions) => contributions.map(({ value }) => value),
    });
    expect(outcome).toMatchObject({
      ok: true,
      value: ["ann does plan top-down", "ben does plan top-down"],
      degraded: [{ what: "contribute of /swarm-1/idle is missing" }],
    });
  });
});

import { createTroupe, isTroupeError, type SpawnOptions, type SupervisionTree, type TroupeOptions } from "troupe";
import { FakeClock } from "troupe/testing";
import { describe, expect, test } from "vitest";
import { puppet } from "../system/scene.ts";

const clock = new FakeClock();
const agent = puppet(clock);

/** Whether a promise was rejected with that code and a message that names the value. */
async function refused(
  pending: Promise<unknown>,
  code: Parameters<typeof isTroupeError>[1],
  word: string,
): Promise<void> {
  await expect(pending).rejects.toThrow(word);
  await expect(pending).rejects.toSatisfy((error) => isTroupeError(error, code));
}

describe("options", () => {
  test.each([
    ["strategy", { strategy: "luck" }],
    ["limits.residentActors", { limits: { residentActors: 0 } }],
  ])("a troupe with an impossible %s is not opened", async (word, options) => {
    await refused(createTroupe(options as unknown as TroupeOptions), "usage/invalid-options", word);
  });

  test.each([
    ["count", { count: 0 }],
    ["count", { count: 1.5 }],
    ["weight", { weight: 0 }],
    ["restart", { restart: "always" }],
    ["shutdownMs", { shutdownMs: -1 }],
    ["shutdownMs", { shutdownMs: Number.NaN }],
    ["intensity.restarts", { intensity: { restarts: -1 } }],
    ["intensity.restarts", { intensity: { restarts: Number.NaN } }],
    ["intensity.withinMs", { intensity: { withinMs: 0 } }],
    ["intensity.per", { intensity: { per: "children" } }],
    ["backoff.jitter", { backoff: { firstMs: 1, jitter: 2 } }],
    ["backoff.firstMs", { backoff: { firstMs: Number.NaN } }],
  ])("agents with an impossible %s are not spawned", async (word, options) => {
    await using troupe = await createTroupe({ ports: { clock } });
    await refused(troupe.spawn(agent, options as unknown as SpawnOptions), "usage/invalid-options", word);
    expect(troupe.metrics().residentActors).toBe(0);
  });

  test.each([
    ["strategy", { strategy: "one-for-some" }],
    ["autoShutdown", { autoShutdown: "some" }],
    ["significant", { children: [{ agent, significant: true }] }],
    ["count", { children: [{ agent }, { agent, name: "b", count: 0 }] }],
    ["shutdownMs", { children: [{ agent }, { name: "inner", children: [{ agent }], shutdownMs: -1 }] }],
  ])("a tree with an impossible %s is not started, and leaves nothing behind", async (word, tree) => {
    await using troupe = await createTroupe({ ports: { clock } });
    const whole = { name: "top", children: [{ agent }], ...tree } as unknown as SupervisionTree;
    await refused(troupe.supervise(whole), "usage/invalid-options", word);
    expect(troupe.metrics().residentActors).toBe(0);
    expect(troupe.actors()).toHaveLength(1);
  });

  test("names are given once: two children, two trees, a tree and a group", async () => {
    await using troupe = await createTroupe({ ports: { clock } });
    const twins = { name: "top", children: [{ agent }, { agent }] };
    await refused(troupe.supervise(twins), "usage/name-taken", 'two children named "puppet"');
    expect(troupe.metrics().residentActors).toBe(0);
    await troupe.supervise({ name: "top", children: [{ agent }] });
    await refused(troupe.supervise({ name: "top", children: [{ agent }] }), "usage/name-taken", '"top"');
    await troupe.spawn(agent);
    await refused(troupe.supervise({ name: "puppet", children: [] }), "usage/name-taken", '"puppet"');
    await refused(troupe.spawn(puppet(clock)), "usage/name-taken", "another agent");
  });

  test("a name is one part of a path, so no two agents have the same path", async () => {
    await using troupe = await createTroupe({ ports: { clock } });
    for (const name of ["a/b", "", "..", "x".repeat(65)])
      await refused(troupe.supervise({ name, children: [{ agent }] }), "usage/invalid-options", "is no name");
    const tree = { name: "a", children: [{ agent, name: "in/valid" }] };
    await refused(troupe.supervise(tree), "usage/invalid-options", '"in/valid" is no name');
    expect(troupe.metrics().residentActors).toBe(0);
  });

  test("a group's intensity is fixed by its first spawn; a tree is no deeper than it may be", async () => {
    await using troupe = await createTroupe({ ports: { clock } });
    await troupe.spawn(agent, { intensity: { restarts: 5 } });
    await refused(troupe.spawn(agent, { intensity: { restarts: 6 } }), "usage/invalid-options", "supervised already");
    let tree: SupervisionTree = { name: "leaf", children: [] };
    for (let depth = 0; depth < 33; depth += 1) tree = { name: "x", children: [tree] };
    await refused(troupe.supervise(tree), "usage/invalid-options", "levels deep");
  });

  test("what is closed twice is closed once; what comes after is refused", async () => {
    const troupe = await createTroupe({ ports: { clock } });
    await Promise.all([troupe.close(), troupe.close()]);
    await troupe[Symbol.asyncDispose]();
    await refused(troupe.spawn(agent), "usage/closed", "closed");
    expect(await troupe.call("obey", { order: "answer" })).toMatchObject({
      ok: false,
      failure: { code: "system/closed" },
    });
    expect(await troupe.events().next()).toEqual({ done: true, value: undefined });
  });
});

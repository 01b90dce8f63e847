import { machineAgent } from "troupe";
import { createMachine } from "xstate";
import { expect, test } from "vitest";
import { z } from "zod";
import { walkActors } from "../../src/troupe/tree.ts";
import { openHouse, type House } from "./house.ts";
import { children, puppet } from "./scene.ts";

const light = createMachine({
  id: "lamp",
  initial: "off",
  states: { off: { on: { toggle: "on" } }, on: { on: { toggle: "off" } } },
});

const lamp = machineAgent(light).define({
  name: "lamp",
  capabilities: {
    toggle: {
      input: z.object({}),
      output: z.string(),
      event: () => ({ type: "toggle" }),
      reply: (snapshot) => JSON.stringify(snapshot.value),
    },
  },
});

/** Who stands under whom, as XState has it and as the supervision tree has it. */
function checkLinks({ root, born }: House): number {
  const records = [...walkActors(root)];
  const byPath = new Map(records.map((record) => [record.id, record]));
  const bySession = new Map(born.map((actor) => [actor.sessionId, actor]));
  for (const record of records) {
    const actor = bySession.get(record.sessionId ?? "");
    const parent = record.parent === null ? undefined : byPath.get(record.parent);
    expect(actor?.getSnapshot().status, record.id).toBe("active");
    expect(actor?._parent?.sessionId, record.id).toBe(parent?.sessionId ?? undefined);
    if (record.definition !== "lamp") expect(actor?.getSnapshot().value, record.id).toBe(record.state);
    const chart = (actor as unknown as { logic: { config: { id: string } } }).logic.config.id;
    expect(chart).toBe(record.definition === "lamp" ? "lamp" : record.type);
  }
  const live = new Set(records.map((record) => record.sessionId));
  for (const actor of born)
    if (!live.has(actor.sessionId)) expect(actor.getSnapshot().status, actor.id).not.toBe("active");
  return records.length;
}

test("the parent links of XState's actors are the supervision tree, at every step of its life", async () => {
  const house = await openHouse();
  const { clock, nursery, dispatcher, core, root } = house;
  const agent = puppet(clock);
  const { cells } = await nursery.supervise({
    name: "top",
    strategy: "one-for-all",
    intensity: { restarts: 9 },
    children: [
      { agent, name: "a" },
      {
        name: "inner",
        intensity: { restarts: 0 },
        children: [...children({ agent }, "b c"), { agent: lamp, name: "l" }],
      },
    ],
  });
  expect(checkLinks(house)).toBe(7);
  await nursery.spawn(agent, { count: 3, restart: "permanent" });
  expect(checkLinks(house)).toBe(11);
  const obey = async (path: string, order: string): Promise<void> => {
    const target = cells.find(({ cell }) => cell.path === path)?.cell;
    if (target === undefined) throw new Error(path);
    await dispatcher.send({ capability: "obey", input: { order }, options: undefined, target });
    await clock.settle();
  };
  await obey("/top/a", "crash");
  expect(checkLinks(house)).toBe(11);
  await obey("/top/inner/b", "crash");
  expect(checkLinks(house)).toBe(11);
  await dispatcher.send({ capability: "toggle", input: {}, options: undefined });
  for (const cell of cells) cell.cell.pause();
  expect(checkLinks(house)).toBe(11);
  for (const cell of cells) cell.cell.resume();
  await obey("/top/inner/c", "exit");
  expect(checkLinks(house)).toBe(11);
  core.close();
  await root.halt("end");
  root.dispose();
  expect(house.born.every((actor) => actor.getSnapshot().status !== "active")).toBe(true);
  // top, inner and puppet; at least every incarnation that was started above.
  expect(house.born.length).toBeGreaterThan(18);
  await clock.advance(250);
  expect(clock.waiting).toBe(0);
});

import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { createTroupe } from "troupe";
import { endAll, shortSessionMs, Yard } from "./yard.ts";

const links = { heartbeatMs: 150, sessionMs: shortSessionMs };
/** How long a process stands still: longer than a silence is borne and a session is kept. Nobody can say when it is over. */
const standstillMs = 4_000;

/** A task that ends when the yard's gate is open: not before a node has been killed in the middle of it. */
const frame = {
  key: "frame",
  name: "Frame",
  version: "1.0.0",
  steps: [
    {
      id: "weld",
      name: "Weld",
      type: "task",
      capability: "weld",
      input: { ms: 0, isGated: true },
      output: { by: "$.output" },
      next: "$end",
    },
  ],
};

describe("a real node", () => {
  test("killed (kill -9) during a task: another node gets it under the same key, and there is one result", async () => {
    await using yard = new Yard();
    await using troupe = await createTroupe({ node: "chair", links });
    const nodes = await Promise.all([yard.start("east"), yard.start("west")]);
    for (const { url } of nodes) await troupe.connect(url);
    const run = await troupe.run(frame, null);
    await yard.until("a node has begun", () => yard.effects("begun").length === 1);
    const [first] = yard.effects("begun");
    const [killed, other] = first?.node === "east" ? ([nodes[0], "west"] as const) : ([nodes[1], "east"] as const);
    await endAll([killed.child]);
    yard.openGate();
    expect(await run.result()).toEqual({ ok: true, value: { by: other } });
    expect(yard.effects("begun").map(({ node, key }) => ({ node, key }))).toEqual([
      { node: first?.node, key: `${run.id}/weld/1/1` },
      { node: other, key: `${run.id}/weld/1/1` },
    ]);
    expect(yard.effects("done")).toEqual([{ what: "done", node: other, key: `${run.id}/weld/1/1` }]);
  });

  test("that stands still (SIGSTOP) for longer than its session: its late result is nobody's", async () => {
    await using yard = new Yard();
    await using troupe = await createTroupe({ node: "chair", links });
    const nodes = await Promise.all([yard.start("east"), yard.start("west")]);
    for (const { url } of nodes) await troupe.connect(url);
    const completed: unknown[] = [];
    const events = troupe.events({ type: "task.completed" });
    const reading = (async () => {
      for await (const event of events) completed.push(event.data);
    })();
    const run = await troupe.run(frame, null);
    await yard.until("a node has begun", () => yard.effects("begun").length === 1);
    const [first] = yard.effects("begun");
    const still = nodes[first?.node === "east" ? 0 : 1];
    const other = first?.node === "east" ? "west" : "east";
    still?.child.kill("SIGSTOP");
    await yard.until("the other one has begun", () => yard.effects("begun").length === 2);
    yard.openGate();
    expect(await run.result()).toEqual({ ok: true, value: { by: other } });
    await sleep(standstillMs);
    still?.child.kill("SIGCONT");
    await yard.until("it has woken up and gone on", () => yard.effects("done").length === 2);
    const keys = new Set([...yard.effects("begun"), ...yard.effects("done")].map(({ key }) => key));
    expect([...keys]).toEqual([`${run.id}/weld/1/1`]);
    expect(await run.result()).toEqual({ ok: true, value: { by: other } });
    await troupe.close();
    await reading;
    expect(completed).toHaveLength(1);
  });
});

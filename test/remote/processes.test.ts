import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { createMember, createTroupe, verifyCertificate, voterAt, type Voter } from "troupe";
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

function voterOf(id: string): Voter {
  const { member, signer } = createMember({ id });
  const value = { recommendation: "yes", confidence: 0.8, reasoning: "I looked.", concerns: [], alternatives: [] };
  return { member, signer, opine: async () => ({ ok: true, value }) };
}

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

  test.each(["SIGKILL", "SIGSTOP"] as const)(
    "%s of a voter during a vote: one decision, one ballot of each",
    async (signal) => {
      await using yard = new Yard();
      await using troupe = await createTroupe({ node: "chair", links });
      const [east, west] = await Promise.all([yard.start("east"), yard.start("west")]);
      const remote = [];
      for (const { url, member } of [east, west])
        remote.push(voterAt((await troupe.connect(url)).ref("/voter/1"), member));
      const voters = [voterOf("ann"), voterOf("bob"), ...remote];
      // Whoever may come back is waited for until the round closes.
      const rules = { close: "all", timeoutMs: 6_000 } as const;
      const deciding = troupe.decide({ question: "Ship it?", options: ["yes", "no"], voters, ...rules });
      await yard.until("both are asked", () => yard.effects("asked").length === 2);
      if (signal === "SIGKILL") await endAll([east.child]);
      else east.child.kill(signal);
      yard.openGate();
      const decision = await deciding;
      expect(decision).toMatchObject({ status: "decided", option: "yes" });
      const { certificate, electorate } = decision;
      expect(certificate).not.toBeNull();
      if (certificate === null) return;
      const verdict = verifyCertificate(certificate, electorate);
      expect(verdict).toMatchObject({ ok: true, members: ["ann", "bob", "west"] });
      if (signal === "SIGSTOP") {
        east.child.kill("SIGCONT");
        await sleep(standstillMs);
        // What it says now changes nothing: the decision is a value, and nobody is asked again.
        expect(verifyCertificate(certificate, electorate)).toEqual(verdict);
      }
      expect(
        yard
          .effects("asked")
          .map(({ node }) => node)
          .toSorted(),
      ).toEqual(["east", "west"]);
    },
  );
});

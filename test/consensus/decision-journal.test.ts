import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { InspectionEvent } from "xstate";
import { decisionLog, type DecisionJournal } from "../../src/consensus/announcer.ts";
import { makeEquivocate } from "../../src/consensus/byzantine.ts";
import { supervisorChart } from "../../machines/supervision/machine.ts";
import { MemoryStore } from "../../src/store/memory.ts";
import { createHost, type Host } from "../../src/system/interpret.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { failing, opinionOf, openRoom, voterOf } from "./panel.ts";

const voters = (): ReturnType<typeof voterOf>[] => [
  ...["a", "b", "c", "d"].map((name) => voterOf(name, opinionOf("x"))),
  makeEquivocate(voterOf("e", opinionOf("y"))),
  voterOf("f", failing),
];

/** Six voters of whom one lies and one fails: four must be enough. */
const easy = { method: "single", threshold: "1/2", participation: "1/2", close: "all" } as const;

describe("the journal of a decision", () => {
  it("holds configuration, participants, every opinion and ballot, evidence and the result, in order", async () => {
    const store = new MemoryStore(new FakeClock());
    const decision = await openRoom({ journal: store }).decide({ decisionId: "d-1", voters: voters(), ...easy });
    const entries = (await store.read(decisionLog("d-1"))).map(({ body }) => body as { type: string; voter?: string });
    const told = entries.map(({ type, voter }) => (voter === undefined ? type : `${type} ${voter}`));
    expect(told[0]).toBe("decision.opened");
    expect(told.at(-1)).toBe("decision.closed");
    const opinions = ["a", "b", "c", "d", "e", "f"].map((name) => `decision.opinion ${name}`);
    const ballots = ["a", "b", "c", "d", "e", "e"].map((name) => `decision.ballot ${name}`);
    expect(told.slice(1, -1).sort()).toEqual([...opinions, ...ballots, "decision.evidence e"].sort());
    expect(entries[0]).toMatchObject({
      question: { decisionId: "d-1", description: "Which rollout?" },
      proposal: { body: { threshold: { num: 1, den: 2, strict: false, of: "registered" } } },
      electorate: { members: ["a", "b", "c", "d", "e", "f"].map((id) => ({ id, weight: 1 })) },
      maxFaultyWeight: 0,
    });
    expect(entries.at(-1)).toMatchObject({
      status: "decided",
      option: "x",
      certificate: decision.certificate,
      tally: { voided: 1 },
    });
    expect(entries.find(({ type, voter }) => type === "decision.opinion" && voter === "f")).toMatchObject({
      failure: { code: "agent/crashed" },
    });
  });

  it("refuses a second decision under the same id, before anybody is asked", async () => {
    const store = new MemoryStore(new FakeClock());
    const room = openRoom({ journal: store });
    await room.decide({ decisionId: "d-1", voters: [voterOf("a", opinionOf("x"))] });
    const asked: string[] = [];
    const asking = voterOf("a", async () => {
      asked.push("a");
      return { ok: true, value: opinionOf("x") };
    });
    await expect(room.decide({ decisionId: "d-1", voters: [asking] })).rejects.toMatchObject({
      code: "usage/invalid-options",
      message: expect.stringContaining("decision/d-1"),
    });
    expect(asked).toEqual([]);
  });

  it("that cannot be written to makes the decision say so, and the certificate still holds", async () => {
    const inner = new MemoryStore(new FakeClock());
    let writes = 0;
    const full: DecisionJournal = {
      append: async (log, bodies, expectedSeq) => {
        writes += 1;
        if (writes === 3) throw new Error("disk full");
        return await inner.append(log, bodies, expectedSeq);
      },
    };
    const decision = await openRoom({ journal: full }).decide({ voters: [voterOf("a", opinionOf("x"))] });
    expect(decision.status).toBe("decided");
    expect(decision.assumptions.warnings).toContainEqual({
      code: "journal-unwritten",
      message: expect.stringContaining("disk full"),
    });
  });
});

describe("listeners", () => {
  it("hear the decision open, every opinion and ballot, and the close; nothing is published unheard", async () => {
    const room = openRoom();
    let published = 0;
    const publish = room.observe.publish.bind(room.observe);
    room.observe.publish = (happening) => {
      published += 1;
      publish(happening);
    };
    await room.decide({ voters: voters(), method: "single", close: "all" });
    expect(published).toBe(0);
    const stop = room.observe.listen((happening) => room.heard.push(happening));
    const decision = await room.decide({ voters: voters(), ...easy });
    stop();
    expect(room.heard.map(({ type }) => type)).toContain("decision.evidence");
    expect(room.heard[0]).toMatchObject({ type: "decision.opened", decisionId: decision.decisionId, at: 1_000_000 });
    expect(room.heard.at(-1)).toMatchObject({ type: "decision.closed", data: { status: "decided", option: "x" } });
    const opinions = room.heard.filter(({ type }) => type === "decision.opinion");
    expect(new Set(opinions.map(({ agent }) => agent))).toEqual(new Set(["a", "b", "c", "d", "e", "f"]));
    expect(opinions).toHaveLength(6);
    for (const { decisionId } of room.heard) expect(decisionId).toBe(decision.decisionId);
    expect(JSON.parse(JSON.stringify(room.heard))).toEqual(room.heard);
  });

  it("that throw end the decision with their error instead of hanging it", async () => {
    const cases = ["decision.opinion", "decision.ballot"].flatMap((fact) => [
      { fact, secrecy: "sealed" as const },
      { fact, secrecy: "open" as const },
    ]);
    for (const { fact, secrecy } of cases) {
      const room = openRoom();
      room.observe.listen((happening) => {
        if (happening.type === fact) throw new Error(`listener fell over ${fact}`);
      });
      const decision = room.decide({ voters: voters(), close: "all", secrecy });
      await expect(decision).rejects.toThrow(`listener fell over ${fact}`);
      expect(room.clock.waiting).toBe(0);
    }
  });

  /** A place whose charts write each event and the state after it into `seen`. */
  function watch(seen: string[]): Host {
    const inspect = (event: InspectionEvent): void => {
      if (event.type === "@xstate.snapshot" && "value" in event.snapshot)
        seen.push(`${event.event.type} ${String(event.snapshot.value)}`);
    };
    const host = createHost(supervisorChart, "room", {
      place: { clock: new FakeClock(), inspect },
      ends: { done: () => undefined, error: () => undefined },
    });
    seen.length = 0;
    return host;
  }

  it("that inspect see the chart and its active state at each step", async () => {
    const seen: string[] = [];
    const host = watch(seen);
    const inTurn = ["a", "b", "c", "d"].map((id, turns) =>
      voterOf(id, async () => {
        for (let turn = 0; turn < turns; turn += 1) await setImmediate();
        return { ok: true, value: opinionOf("x") };
      }),
    );
    await openRoom({ host }).decide({ voters: inTurn, close: "all" });
    expect(seen).toEqual([
      "xstate.init idle",
      "round.open collect",
      "ballots.received collect",
      "ballots.received collect",
      "ballots.received collect",
      "ballots.received tally",
      "closing.signed decided",
      "xstate.stop decided",
    ]);
  });

  it("that inspect see the ballots of one turn in one event", async () => {
    const seen: string[] = [];
    const host = watch(seen);
    await openRoom({ host }).decide({ voters: voters().slice(0, 4), close: "early" });
    expect(seen.filter((step) => step.startsWith("ballots.received"))).toEqual(["ballots.received tally"]);
  });
});

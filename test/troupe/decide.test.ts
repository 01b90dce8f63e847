import {
  createMember,
  createTroupe,
  decisionQuestion,
  defineAgent,
  makeEquivocate,
  opinion,
  opinionCapability,
  verifyCertificate,
  type AgentRef,
  type Clock,
  type Troupe,
} from "troupe";
import { FakeClock, seededIds } from "troupe/testing";
import { describe, expect, test } from "vitest";
import { z } from "zod";

type Behaviour = "yes" | "no" | "prose" | "silent" | "crash" | "confused" | "overreaching" | "punctual";

function voterAgent(name: string, behaviour: Behaviour, clock: Clock = new FakeClock()) {
  return defineAgent({
    name,
    capabilities: {
      [opinionCapability]: {
        input: decisionQuestion,
        output: z.union([opinion, z.string()]),
        async run({ input, signal, deadlineAt }) {
          if (behaviour === "crash") throw new Error("voter broke");
          if (behaviour === "prose") return "I vote for yes, definitely yes";
          if (behaviour === "silent")
            return await new Promise<string>((_, reject) =>
              signal.addEventListener("abort", () => reject(signal.reason as Error)),
            );
          if (behaviour === "punctual") {
            await new Promise<void>((resolve) => clock.after(deadlineAt - clock.now() - 1, resolve));
            return { recommendation: "yes", confidence: 0.5 };
          }
          if (behaviour === "overreaching") {
            const weight = input.constraints.length === 0 ? { weight: 99 } : {};
            return { recommendation: "no", confidence: 0.9, ...weight };
          }
          if (behaviour === "confused")
            return { recommendation: input.constraints.length === 0 ? "maybe" : "yes", confidence: 0.9 };
          return { recommendation: behaviour, confidence: 0.9, reasoning: `${name} says ${behaviour}` };
        },
      },
    },
  });
}

async function seat(troupe: Troupe, behaviours: readonly Behaviour[], clock?: Clock): Promise<AgentRef[]> {
  const refs: AgentRef[] = [];
  for (const [index, behaviour] of behaviours.entries())
    refs.push(...(await troupe.spawn(voterAgent(`v${index}`, behaviour, clock), { restart: "permanent" })));
  return refs;
}

const question = { question: "Go?", options: ["yes", "no"] };

describe("troupe.decide over agents", () => {
  test("a quorum of agents decides, and the certificate proves it to a stranger", async () => {
    await using troupe = await createTroupe();
    const decision = await troupe.decide({ ...question, voters: await seat(troupe, ["yes", "yes", "yes", "no"]) });
    expect(decision).toMatchObject({ status: "decided", option: "yes", assumptions: { W: 4, q: 3 } });
    expect(verifyCertificate(decision.certificate, decision.electorate)).toMatchObject({
      ok: true,
      option: "yes",
      weight: 3,
    });
  });

  test("a crashed voter is absent, not an abstention", async () => {
    await using troupe = await createTroupe();
    const decision = await troupe.decide({
      ...question,
      close: "all",
      voters: await seat(troupe, ["yes", "yes", "yes", "crash"]),
    });
    expect(decision).toMatchObject({
      status: "decided",
      option: "yes",
      tally: { abstaining: 0, absent: 1 },
      absent: [{ voter: "v3/1", reason: "failed" }],
    });
  });

  test("a silent voter is absent when the ballot phase is over, and its handler is told to stop", async () => {
    const clock = new FakeClock();
    await using troupe = await createTroupe({ ports: { clock, ids: seededIds(1) } });
    const voters = await seat(troupe, ["yes", "yes", "yes", "silent"]);
    const deciding = troupe.decide({ ...question, close: "all", voters, timeoutMs: 5_000 });
    await clock.advance(5_000);
    expect(await deciding).toMatchObject({ status: "decided", absent: [{ voter: "v3/1", reason: "silent" }] });
    await clock.settle();
    expect(voters[3]?.state).toBe("idle");
  });

  test.each(["ballot", "bft"] as const)(
    "a silent voter is silent and not failed, whatever fraction of a millisecond the clock stands at (%s)",
    async (mode) => {
      const clock = new FakeClock(1_000_000.5);
      await using troupe = await createTroupe({ ports: { clock, ids: seededIds(1) } });
      const voters = await seat(troupe, ["yes", "yes", "yes", "silent"]);
      const deciding = troupe.decide({ ...question, mode, close: "all", voters, timeoutMs: 5_000 });
      await clock.advance(60_000);
      expect(await deciding).toMatchObject({ status: "decided", absent: [{ voter: "v3/1", reason: "silent" }] });
    },
  );

  test.each(["ballot", "bft"] as const)(
    "an agent that answers at the end of the time it is told still votes (%s)",
    async (mode) => {
      const clock = new FakeClock();
      await using troupe = await createTroupe({ ports: { clock, ids: seededIds(1) } });
      const voters = await seat(troupe, ["yes", "yes", "no", "punctual"], clock);
      const deciding = troupe.decide({ ...question, mode, close: "all", voters, timeoutMs: 5_000 });
      await clock.advance(60_000);
      expect(await deciding).toMatchObject({ status: "decided", tally: { participating: 4 }, absent: [] });
    },
  );

  test("an opinion that its agent's own schema refuses is repaired, as any other that is malformed", async () => {
    await using troupe = await createTroupe();
    const voters = await seat(troupe, ["yes", "yes", "yes", "overreaching"]);
    const decision = await troupe.decide({ ...question, close: "all", voters });
    expect(decision).toMatchObject({ status: "decided", option: "yes", absent: [] });
    expect(decision.ballots.find(({ voter }) => voter === "v3/1")).toMatchObject({
      standing: "counts",
      choice: ["no"],
    });
  });

  test("text is never read as a vote: prose is an abstention after one repair attempt", async () => {
    await using troupe = await createTroupe();
    const decision = await troupe.decide({
      ...question,
      close: "all",
      voters: await seat(troupe, ["yes", "yes", "yes", "prose"]),
    });
    expect(decision.ballots.find((ballot) => ballot.voter === "v3/1")).toMatchObject({
      choice: null,
      standing: "abstains",
    });
  });

  test("a malformed opinion gets one repair attempt that says what was wrong", async () => {
    await using troupe = await createTroupe();
    const decision = await troupe.decide({
      ...question,
      close: "all",
      voters: await seat(troupe, ["no", "yes", "yes", "confused"]),
    });
    expect(decision).toMatchObject({ status: "decided", option: "yes" });
  });

  test("a voter that signs twice loses its weight and leaves evidence", async () => {
    await using troupe = await createTroupe();
    const refs = await seat(troupe, ["yes", "yes", "yes", "yes", "no"]);
    const voters = refs.map((ref, index) => (index === 0 ? makeEquivocate(troupe.voter(ref)) : ref));
    const decision = await troupe.decide({ ...question, close: "all", voters });
    expect(decision.evidence).toHaveLength(1);
    expect(decision.tally).toMatchObject({ voided: 1 });
  });

  test("weights count: one agent of weight 3 outvotes two of weight 1 only where the threshold says so", async () => {
    await using troupe = await createTroupe();
    const [heavy] = await troupe.spawn(voterAgent("heavy", "yes"), { weight: 3 });
    const light = await seat(troupe, ["no", "no"]);
    const voters = [heavy!, ...light];
    expect((await troupe.decide({ ...question, voters })).status).toBe("no-majority");
    expect(await troupe.decide({ ...question, voters, threshold: ">1/2" })).toMatchObject({
      status: "decided",
      option: "yes",
    });
  });

  test("an agent keeps its key from one decision to the next; another agent has another", async () => {
    await using troupe = await createTroupe();
    const [first, second] = await seat(troupe, ["yes", "no"]);
    expect(troupe.voter(first!).member.publicKey).toBe(troupe.voter(first!).member.publicKey);
    expect(troupe.voter(second!).member.publicKey).not.toBe(troupe.voter(first!).member.publicKey);
  });

  test("voters with keys of their own sit beside agents", async () => {
    await using troupe = await createTroupe();
    const { member, signer } = createMember({ id: "human", weight: 2 });
    const human = {
      member,
      signer,
      opine: async () => ({ ok: true as const, value: { recommendation: "yes", confidence: 1 } }),
    };
    const decision = await troupe.decide({ ...question, voters: [human, ...(await seat(troupe, ["yes", "yes"]))] });
    expect(decision).toMatchObject({ status: "decided", option: "yes", assumptions: { W: 4 } });
  });

  test("what was asked, opined and decided is in the store under the decision's id", async () => {
    await using troupe = await createTroupe();
    const decision = await troupe.decide({ ...question, voters: await seat(troupe, ["yes", "yes", "yes"]) });
    const entries = await troupe.store.read(`decision/${decision.decisionId}`);
    const types = entries.map((entry) => (entry.body as { type?: string }).type);
    expect(types[0]).toBe("decision.opened");
    expect(types.at(-1)).toBe("decision.closed");
    expect(types.filter((type) => type === "decision.ballot")).toHaveLength(3);
  });

  test("an aborted decision rejects with the caller's reason", async () => {
    await using troupe = await createTroupe();
    const signal = AbortSignal.abort(new Error("never mind"));
    await expect(
      troupe.decide({ ...question, voters: await seat(troupe, ["yes", "yes", "yes"]), signal }),
    ).rejects.toThrow("never mind");
  });
});

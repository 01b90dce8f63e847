import { createTroupe, decisionQuestion, defineAgent, opinion, opinionCapability } from "troupe";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { executeDecision } from "../../src/consensus/execution/execute.ts";
import { systemClock } from "../../src/ports/clock.ts";

const judge = (likes: string) =>
  defineAgent({
    name: `judge-${likes}`,
    capabilities: {
      [opinionCapability]: {
        input: decisionQuestion,
        output: opinion,
        run: () => ({ recommendation: likes, confidence: 1 }),
      },
    },
  });

const rollouts: string[] = [];
const deployer = defineAgent({
  name: "deployer",
  capabilities: {
    deploy: {
      input: z.object({ to: z.string() }),
      output: z.string(),
      run: ({ input }) => {
        rollouts.push(input.to);
        return `deployed to ${input.to}`;
      },
    },
  },
});

const options = [
  { id: "everywhere", payload: { call: { capability: "deploy", input: { to: "everywhere" } } } },
  { id: "canary", payload: { call: { capability: "deploy", input: { to: "one country" } } } },
  { id: "wait" },
];

describe("carrying out a decision", () => {
  it("makes the call of the certified option, once, whoever tries again", async () => {
    await using troupe = await createTroupe();
    await troupe.spawn(deployer);
    const voters = await troupe.spawn(judge("canary"), { count: 3 });
    const decision = await troupe.decide({ question: "Where?", options, voters, method: "single", execute: true });
    expect(decision.execution).toEqual({
      status: "done",
      option: "canary",
      outcome: { ok: true, value: "deployed to one country" },
    });
    const again = await executeDecision(decision, options, {
      clock: systemClock,
      store: troupe.store,
      call: () => Promise.reject(new Error("nobody calls twice")),
    });
    expect(again).toMatchObject({ status: "begun-elsewhere", record: { state: "ended", option: "canary" } });
    expect(rollouts).toEqual(["one country"]);
  });

  it("does nothing for an option without a payload, or without a decision", async () => {
    await using troupe = await createTroupe();
    const waiting = await troupe.spawn(judge("wait"), { count: 3 });
    const [canary, everywhere] = [await troupe.spawn(judge("canary")), await troupe.spawn(judge("everywhere"))];
    const ask = { question: "Where?", options, method: "single", execute: true } as const;
    expect(await troupe.decide({ ...ask, voters: waiting })).not.toHaveProperty("execution");
    const split = await troupe.decide({ ...ask, voters: [...waiting.slice(1), ...canary, ...everywhere] });
    expect(split.status).toBe("no-majority");
    expect(split).not.toHaveProperty("execution");
  });

  it("refuses a payload that the voters did not sign, and a certificate that does not hold", async () => {
    await using troupe = await createTroupe();
    const voters = await troupe.spawn(judge("canary"), { count: 3 });
    const decision = await troupe.decide({ question: "Where?", options, voters, method: "single" });
    const ports = { clock: systemClock, store: troupe.store, call: () => Promise.reject(new Error("not called")) };
    const other = options.map((option) => ({ ...option, payload: options[0]?.payload }));
    expect(await executeDecision(decision, other, ports)).toMatchObject({
      outcome: { ok: false, failure: { message: "the payload is not the one that the voters signed" } },
    });
    if (decision.status !== "decided") throw new Error("it was unanimous");
    const forged = { ...decision, certificate: { ...decision.certificate, round: 2 } };
    expect(await executeDecision(forged, options, ports)).toMatchObject({
      outcome: { ok: false, failure: { message: "the certificate does not hold, so nothing is carried out" } },
    });
  });

  it("refuses payloads that are no call before anybody votes", async () => {
    await using troupe = await createTroupe();
    const wrong = troupe.decide({
      question: "?",
      options: [{ id: "a", payload: { run: "rm" } }],
      voters: [],
      execute: true,
    });
    await expect(wrong).rejects.toThrow("options.0.payload");
  });
});

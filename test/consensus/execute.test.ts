import { createTroupe, decisionQuestion, defineAgent, opinion, opinionCapability } from "troupe";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { executeDecision, type ExecutionPorts } from "../../src/consensus/execution/execute.ts";
import type { Store } from "../../src/ports/store.ts";
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

const never = (): Promise<never> => Promise.reject(new Error("nobody does it twice"));
const portsOf = (store: Store): ExecutionPorts => ({ clock: systemClock, store, call: never, run: never });

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
    const again = await executeDecision({ ...decision, options }, portsOf(troupe.store));
    expect(await troupe.execute(decision.decisionId)).toEqual(again);
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
    const ports = portsOf(troupe.store);
    const other = options.map((option) => ({ ...option, payload: options[0]?.payload }));
    expect(await executeDecision({ ...decision, options: other }, ports)).toMatchObject({
      outcome: { ok: false, failure: { message: "the payload is not the one that the voters signed" } },
    });
    if (decision.status !== "decided") throw new Error("it was unanimous");
    const certificate = { ...decision.certificate, round: 2 };
    for (const forged of [{ certificate }, { certificate: null }, { decisionId: "another" }]) {
      expect(await executeDecision({ ...decision, options, ...forged }, ports)).toMatchObject({
        outcome: { ok: false, failure: { message: "the certificate does not hold, so nothing is carried out" } },
      });
    }
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
    const unknown = troupe.decide({
      question: "?",
      options: [{ id: "a", payload: { workflow: { key: "nowhere" } } }],
      voters: [],
      execute: true,
    });
    await expect(unknown).rejects.toMatchObject({ code: "usage/unknown-workflow" });
  });

  it("begins the run of the certified option, and finds the same run when it is tried again", async () => {
    await using troupe = await createTroupe();
    await troupe.spawn(deployer);
    await troupe.workflows.define({
      id: "roll-out",
      name: "Roll out",
      version: "1.0.0",
      steps: [
        {
          id: "deploy",
          name: "Deploy",
          type: "task",
          capability: "deploy",
          input: { to: "$.input.to" },
          output: { said: "$.output" },
        },
      ],
    });
    const voters = await troupe.spawn(judge("all"), { count: 3 });
    const runs = [{ id: "all", payload: { workflow: { key: "roll-out", input: { to: "every country" } } } }, "none"];
    const decision = await troupe.decide({ question: "Now?", options: runs, voters, method: "single", execute: true });
    const { id, ...handle } = { id: (await troupe.runs.list())[0]?.id ?? "", ...decision.execution };
    expect(handle).toEqual({ status: "done", option: "all", outcome: { ok: true, value: { runId: id } } });
    expect(await (await troupe.runs.get(id)).result()).toMatchObject({ ok: true });
    expect(await troupe.execute(decision.decisionId)).toMatchObject({ status: "begun-elsewhere" });
    expect(await troupe.runs.list()).toHaveLength(1);
    expect(rollouts.filter((to) => to === "every country")).toHaveLength(1);
  });

  it("knows nothing of a decision that was made elsewhere", async () => {
    await using troupe = await createTroupe();
    await expect(troupe.execute("d-9")).rejects.toThrow("the store holds no decision/d-9");
  });
});

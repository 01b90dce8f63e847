import { appendFileSync } from "node:fs";
import { createTroupe, decisionQuestion, defineAgent, opinion, opinionCapability } from "troupe";
import { z } from "zod";
import { systemClock } from "../../src/ports/clock.ts";
import type { Store } from "../../src/ports/store.ts";
import { SqliteStore } from "../../src/store/sqlite/store.ts";

/** Where the process is killed: around the claim that is written before anything is carried out, or nowhere. */
export type Fall = "before the claim" | "after the claim" | "after the call" | "nowhere";

/** One life of a process that decides and carries out: `node execution-worker.ts '<ExecutionPlan as JSON>'`. */
export interface ExecutionPlan {
  readonly store: string;
  /** One line for every time that the work was done. */
  readonly effects: string;
  readonly option: "call" | "run";
  readonly fall: Fall;
  /** A later life decides nothing and carries out what the first one decided. */
  readonly isLater: boolean;
}

const plan = JSON.parse(process.argv[2] ?? "{}") as ExecutionPlan;
const decisionId = "release-7";

function die(): void {
  process.kill(process.pid, "SIGKILL");
}

/** The same store, in a process that does not survive one moment of it. */
function fragile(store: Store, fall: Fall): Store {
  return new Proxy(store, {
    get(target, name) {
      if (name === "compareAndSet")
        return async (...given: Parameters<Store["compareAndSet"]>) => {
          const [key, version] = given;
          const isExecution = key.endsWith("/execution");
          if (isExecution && (version === 0 ? fall === "before the claim" : fall === "after the call")) die();
          const isSet = await target.compareAndSet(...given);
          if (isExecution && version === 0 && fall === "after the claim") die();
          return isSet;
        };
      const member: unknown = Reflect.get(target, name);
      return typeof member === "function" ? (member.bind(target) as unknown) : member;
    },
  });
}

const judge = defineAgent({
  name: "judge",
  capabilities: {
    [opinionCapability]: {
      input: decisionQuestion,
      output: opinion,
      run: () => ({ recommendation: plan.option, confidence: 1 }),
    },
  },
});

const releaser = defineAgent({
  name: "releaser",
  capabilities: {
    release: {
      input: z.object({ how: z.string() }),
      output: z.string(),
      run: ({ input, key }) => {
        appendFileSync(plan.effects, `${input.how} ${key}\n`);
        return "released";
      },
    },
  },
});

const store = fragile(await SqliteStore.open(plan.store, { clock: systemClock }), plan.fall);
await using troupe = await createTroupe({ store });
await troupe.spawn(releaser);
if (!plan.isLater) {
  await troupe.workflows.define({
    key: "release",
    name: "Release",
    version: "1.0.0",
    steps: [{ id: "go", name: "Go", type: "task", capability: "release", input: { how: "$.input.how" } }],
  });
  await troupe.decide({
    decisionId,
    question: "Release?",
    options: [
      { id: "call", payload: { call: { capability: "release", input: { how: "by call" } } } },
      { id: "run", payload: { workflow: { key: "release", input: { how: "by run" } } } },
    ],
    voters: await troupe.spawn(judge, { count: 3 }),
    method: "single",
    execute: true,
  });
}
const execution = await troupe.execute(decisionId);
const runs = await troupe.runs.list();
for (const { id } of runs) await (await troupe.runs.get(id)).result();
process.stdout.write(`${JSON.stringify({ status: execution?.status, runs: runs.length })}\n`);

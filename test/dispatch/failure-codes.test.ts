import { createTroupe, defineAgent, isTroupeError, machineAgent, type Outcome, type Troupe } from "troupe";
import { createMachine } from "xstate";
import { expect, test } from "vitest";
import { z } from "zod";
import { failureCodes, usageCodes } from "../../machines/failure-codes.ts";
import type { ErrorCode } from "../../machines/failure.ts";
import { puppet } from "../system/scene.ts";
import { openDesk, type Desk } from "./desk.ts";

/** Whole areas of codes that other rooms produce and test. */
const areasElsewhere: { readonly [area: string]: string } = {
  swarm: "src/troupe/swarm.ts",
  remote: "src/remote",
  store: "src/store",
  consensus: "src/consensus",
  workflow: "src/workflow",
};

/** Usage codes that other rooms throw and test. */
const usageElsewhere: readonly ErrorCode[] = [
  "usage/too-many-agents",
  "usage/invalid-electorate",
  "usage/invalid-policy",
  "usage/unknown-run",
  "usage/unknown-workflow",
  "usage/unknown-task",
  "usage/version-taken",
  "usage/missing-peer",
  "usage/bad-argument",
  "usage/bad-file",
  "usage/broken-install",
];

type Produce = (desk: Desk) => Promise<Outcome<unknown>> | Outcome<unknown> | Promise<never> | Troupe;

const quiet = { input: z.null(), output: z.null(), run: () => null };
const quietly = defineAgent({ name: "quiet", capabilities: { work: quiet } });

async function spawned(desk: Desk, options: Parameters<typeof puppet>[1] = {}) {
  const [ref] = await desk.troupe.spawn(puppet(desk.clock, options));
  if (ref === undefined) throw new Error("nobody spawned");
  return ref;
}

/** An agent whose mailbox holds one message, which is there already. */
async function stuffed(desk: Desk, overflow: "busy" | "drop-newest"): Promise<Outcome<unknown>> {
  const tight = defineAgent({ name: "tight", mailbox: { capacity: 1, overflow }, capabilities: { work: quiet } });
  const [ref] = await desk.troupe.spawn(tight);
  ref?.pause();
  ref?.tell("work", null);
  return (await ref?.call("work", null)) as Outcome<unknown>;
}

/** How each code of these rooms comes about. */
const produce: { readonly [code: string]: Produce } = {
  "agent/crashed": async (desk) => (await spawned(desk)).call("obey", { order: "crash" }),
  "agent/stopped": async (desk) => {
    const ref = await spawned(desk);
    await ref.stop();
    return ref.call("obey", { order: "answer" });
  },
  "agent/start-failed": (desk) =>
    spawned(desk, { start: () => Promise.reject(new Error("no luck")) }) as Promise<never>,
  "agent/invalid-output": async ({ troupe }) => {
    await troupe.spawn(defineAgent({ name: "liar", capabilities: { lie: { ...quiet, run: () => 7 as never } } }));
    return troupe.call("lie", null);
  },
  "call/invalid-input": async (desk) => (await spawned(desk)).call("obey", { order: 7 as never }),
  "call/timeout": async (desk) => {
    const ref = await spawned(desk);
    return desk.after(50, ref.call("obey", { order: "wait 100" }, { timeoutMs: 50 }));
  },
  "call/cancelled": async (desk) =>
    (await spawned(desk)).call("obey", { order: "answer" }, { signal: AbortSignal.abort() }),
  "call/busy": (desk) => stuffed(desk, "busy"),
  "call/dropped": (desk) => stuffed(desk, "drop-newest"),
  "call/budget-exhausted": async (desk) =>
    (await spawned(desk)).call("obey", { order: "answer" }, { budget: { calls: 0 } }),
  "call/rejected": async ({ troupe }) => {
    const machine = createMachine({ initial: "on", states: { on: { on: { end: "over" } }, over: { type: "final" } } });
    const brief = machineAgent(machine).define({
      name: "brief",
      capabilities: {
        wait: {
          input: z.null(),
          output: z.null(),
          event: () => ({ type: "end" }),
          until: () => false,
          reply: () => null,
        },
      },
    });
    await troupe.spawn(brief);
    return troupe.call("wait", null);
  },
  "dispatch/no-agent": ({ troupe }) => troupe.call("nothing", null),
  "dispatch/unavailable": async (desk) => {
    (await spawned(desk)).pause();
    return desk.troupe.call("obey", { order: "answer" });
  },
  "dispatch/stage-failed": async () => {
    const enrich = (): never => {
      throw new Error("no stage");
    };
    await using troupe = await createTroupe({ stages: { enrich: [enrich] } });
    return await troupe.call("anything", null);
  },
  "system/full": async () => {
    await using troupe = await createTroupe({ limits: { residentActors: 1 } });
    return (await troupe.spawn(quietly, { count: 2 })) as never;
  },
  "system/closed": async () => {
    const troupe = await createTroupe();
    await troupe.close();
    return troupe.call("work", null);
  },
  "usage/invalid-definition": () => defineAgent({ name: "", capabilities: { work: quiet } }) as never,
  "usage/invalid-options": ({ troupe }) => troupe.call("work", null, { timeoutMs: -1 }),
  "usage/name-taken": async ({ troupe }) => {
    await troupe.spawn(quietly);
    return (await troupe.spawn(defineAgent({ name: "quiet", capabilities: { rest: quiet } }))) as never;
  },
  "usage/unknown-agent": ({ troupe }) => troupe.agents.unregister("nobody") as never,
  "usage/closed": async () => {
    const troupe = await createTroupe();
    await troupe.close();
    return (await troupe.spawn(quietly)) as never;
  },
};

async function codeOf(make: Produce): Promise<string> {
  await using desk = await openDesk();
  try {
    const outcome = (await make(desk)) as Outcome<unknown>;
    return outcome.ok ? "ok" : outcome.failure.code;
  } catch (thrown) {
    if (!isTroupeError(thrown)) throw thrown;
    expect(thrown.message.length).toBeGreaterThan(10);
    return thrown.code;
  }
}

test.each(Object.entries(produce))("%s is produced", async (code, make) => {
  expect(await codeOf(make)).toBe(code);
});

test("every code of the table is produced here, or is one that another room declares as its own", () => {
  const all = [...Object.keys(failureCodes), ...Object.keys(usageCodes)];
  const isElsewhere = (code: string): boolean =>
    (code.split("/")[0] ?? "") in areasElsewhere || (usageElsewhere as readonly string[]).includes(code);
  expect(all.filter((code) => !isElsewhere(code) && !(code in produce))).toEqual([]);
  expect(Object.keys(produce).filter((code) => !all.includes(code) || isElsewhere(code))).toEqual([]);
  expect(usageElsewhere.filter((code) => !all.includes(code))).toEqual([]);
});

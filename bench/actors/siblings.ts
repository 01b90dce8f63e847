import { createTroupe, defineAgent, machineAgent, type AgentRef } from "troupe";
import { setup } from "xstate";
import { z } from "zod";
import type { Arm, Reading } from "../measuring/arm.ts";
import { breathe, wallMs } from "../measuring/clocks.ts";
import { medianOf } from "../measuring/median.ts";
import { siblingCounts } from "./scales.ts";

const cycles = { quick: 100, full: 2_000 };
const farAwayMs = 3_600_000;
const never = new Promise<number>(() => {});
const nothing = z.object({});

/** Holds a call for ever, so that its timeout stays pending; crashes when told to. */
const holder = defineAgent({
  name: "holder",
  capabilities: {
    hold: { input: nothing, output: z.number(), run: () => never },
    crash: {
      input: nothing,
      output: z.number(),
      breaker: false,
      run(): number {
        throw new Error("told to crash");
      },
    },
  },
});

const clockwork = setup({ types: { events: {} as { type: "crash" } } }).createMachine({
  id: "clockwork",
  initial: "waiting",
  states: {
    waiting: {
      after: { [farAwayMs]: "over" },
      on: {
        crash: {
          actions: () => {
            throw new Error("told to crash");
          },
        },
      },
    },
    over: {},
  },
});

const crash = { type: "crash" } as const;

/** A statechart with a pending timer of its own. */
const waiter = machineAgent(clockwork).define({
  name: "waiter",
  capabilities: {
    crash: {
      input: nothing,
      output: z.number(),
      breaker: false,
      event: () => crash,
      reply: () => 0,
    },
  },
});

/** Restarts are back to back here, so the intensity counts only those of the same millisecond. */
const supervision = {
  restart: "permanent",
  intensity: { restarts: 10_000, withinMs: 1, per: "child" },
} as const;

async function restartOnce(ref: AgentRef): Promise<number> {
  const before = ref.incarnation;
  const from = wallMs();
  const outcome = await ref.call("crash", {});
  const spent = wallMs() - from;
  if (outcome.ok || outcome.failure.code !== "agent/crashed" || ref.incarnation === before)
    throw new Error(`the agent was not restarted: ${JSON.stringify(outcome)}`);
  return spent;
}

async function stopOnce(ref: AgentRef): Promise<number> {
  const from = wallMs();
  await ref.stop();
  const spent = wallMs() - from;
  if (ref.state !== "stopped") throw new Error(`the agent was not stopped but ${ref.state}`);
  return spent;
}

/** The median in microseconds: an operation that another process interrupted does not count. */
async function medianUs(count: number, once: () => Promise<number>): Promise<Reading> {
  for (let warm = 0; warm < count / 5; warm += 1) await once();
  const spent: number[] = [];
  for (let cycle = 0; cycle < count; cycle += 1) {
    spent.push(await once());
    if (cycle % 100 === 99) await breathe();
  }
  return { value: medianOf(spent) * 1_000 };
}

export const disturbSiblings: Arm = async (scale) => {
  const readings: Record<string, Reading> = {};
  const count = scale.quick ? cycles.quick : cycles.full;
  // The first pass only warms up: what is measured first must not pay for the compiler.
  for (const siblings of [siblingCounts[0], ...siblingCounts]) {
    const troupe = await createTroupe({
      agents: [holder, waiter],
      limits: { residentActors: 2 * siblingCounts[1] },
    });
    const holders = await troupe.spawn(holder, { count: siblings / 2 + 1, ...supervision });
    const waiters = await troupe.spawn(waiter, { count: siblings / 2 + 1, ...supervision });
    const [victim, ...held] = holders;
    const [waiting] = waiters;
    for (const ref of held) void ref.call("hold", {}, { timeoutMs: farAwayMs });
    await breathe();
    const spare = async (agent: typeof holder | typeof waiter): Promise<AgentRef> => {
      const [ref] = await troupe.spawn(agent);
      return ref as AgentRef;
    };
    readings[`restart-${siblings}`] = await medianUs(count, () => restartOnce(victim as AgentRef));
    readings[`restart-statechart-${siblings}`] = await medianUs(count, () => restartOnce(waiting as AgentRef));
    readings[`stop-${siblings}`] = await medianUs(count, async () => stopOnce(await spare(holder)));
    readings[`stop-statechart-${siblings}`] = await medianUs(count, async () => stopOnce(await spare(waiter)));
  }
  return readings;
};

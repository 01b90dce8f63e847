import { createTroupe, defineAgent, machineAgent, type AgentDefinition, type AgentRef } from "troupe";
import * as xstate from "xstate";
import { z } from "zod";
import type { Arm } from "../measuring/arm.ts";
import { burstCapacity, callTimeoutMs, measureCalls, measureTells } from "./messages.ts";
import { measurePopulations, type Counts } from "./populations.ts";
import { pulseMachine } from "./pulse-machine.ts";
import { millionCount } from "./scales.ts";
import { Tally } from "./tally.ts";

/** The default agent of the bench: an object schema in, a number out, and a handler. */
export function counterAgent(tally?: Tally) {
  return defineAgent({
    name: "counter",
    mailbox: { capacity: burstCapacity },
    capabilities: {
      add: {
        input: z.object({ n: z.number() }),
        output: z.number(),
        run({ input }) {
          tally?.hit();
          return input.n;
        },
      },
    },
  });
}

const pulse = [{ type: "begin" }, { type: "finish" }] as const;

/** The statechart agent of the bench: a call makes two transitions and reads the snapshot. */
function pulseAgent() {
  return machineAgent(pulseMachine(xstate)).define({
    name: "pulse",
    capabilities: {
      pulse: {
        input: z.object({ n: z.number() }),
        output: z.number(),
        event: () => pulse,
        reply: (snapshot) => snapshot.context.pulses,
      },
    },
  });
}

export const tellTroupe: Arm = async (scale) => {
  const tally = new Tally();
  const agent = counterAgent(tally);
  const troupe = await createTroupe({ agents: [agent] });
  const [ref] = await troupe.spawn(agent);
  if (ref === undefined) throw new Error("no agent was spawned");
  return measureTells(
    (n) => {
      if (ref.tell("add", { n }) !== "accepted") throw new Error("a message was not accepted");
    },
    tally,
    scale,
  );
};

export const callTroupe: Arm = async (scale) => {
  const agent = counterAgent();
  const troupe = await createTroupe({ agents: [agent] });
  await troupe.spawn(agent);
  return measureCalls(
    {
      call: (n) => troupe.call("add", { n }, { timeoutMs: callTimeoutMs }),
      isRight: (outcome, n) => outcome.ok && outcome.value === n,
    },
    scale,
  );
};

export const callStatechart: Arm = async (scale) => {
  const agent = pulseAgent();
  const troupe = await createTroupe({ agents: [agent] });
  await troupe.spawn(agent);
  let pulses = 0;
  return measureCalls(
    {
      call: (n) => troupe.call("pulse", { n }, { timeoutMs: callTimeoutMs }),
      isRight(outcome) {
        pulses += 2;
        return outcome.ok && outcome.value === pulses;
      },
    },
    scale,
  );
};

function populate(makeAgent: () => AgentDefinition) {
  return (counts: Counts): Arm =>
    (scale) =>
      measurePopulations(counts, scale, async () => {
        const agent = makeAgent();
        const troupe = await createTroupe({ agents: [agent], limits: { residentActors: millionCount } });
        return {
          spawn: (count) => troupe.spawn(agent, { count }),
          async stop(agents) {
            await Promise.all(agents.map((each) => (each as AgentRef).stop()));
          },
        };
      });
}

export const populateDefaults = populate(() => counterAgent());
export const populateStatecharts = populate(() => pulseAgent());

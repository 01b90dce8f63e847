import { createTroupe, defineAgent, type AgentRef } from "troupe";
import { z } from "zod";
import type { Arm, Reading } from "../measuring/arm.ts";
import { breathe, cpuMs, wallMs } from "../measuring/clocks.ts";
import { stormAgents, stormSizes } from "./scales.ts";

/** Calls that wait behind the crash in each mailbox. */
const queuedCalls = 2;
const timeoutMs = 30_000;

const sailor = defineAgent({
  name: "sailor",
  capabilities: {
    work: { input: z.object({ n: z.number() }), output: z.number(), run: ({ input }) => input.n },
    crash: {
      input: z.object({}),
      output: z.number(),
      run(): number {
        throw new Error("told to crash");
      },
    },
  },
});

/** Crashes `victims` in one turn, each with calls behind the crash, and waits for every answer. */
async function storm(victims: readonly AgentRef[]): Promise<{ cpu: number; wall: number; lost: number }> {
  const before = victims.map((ref) => ref.incarnation);
  const [cpu, wall] = [cpuMs(), wallMs()];
  const answers: Promise<{ ok: boolean }>[] = [];
  for (const ref of victims) {
    if (ref.tell("crash", {}) !== "accepted") throw new Error("a crash was not accepted");
    for (let n = 0; n < queuedCalls; n += 1) answers.push(ref.call("work", { n }, { timeoutMs }));
  }
  const outcomes = await Promise.all(answers);
  const spent = { cpu: cpuMs() - cpu, wall: wallMs() - wall };
  const back = victims.filter((ref, index) => ref.incarnation !== before[index] && ref.state === "idle").length;
  if (back !== victims.length) throw new Error(`${back} of ${victims.length} crashed agents are back`);
  return { ...spent, lost: outcomes.filter((outcome) => !outcome.ok).length };
}

/** Readings: microseconds of CPU for each crash, its restart and its queued calls; and queued calls without an answer. */
export const restartStorm: Arm = async ({ quick }) => {
  const troupe = await createTroupe({ agents: [sailor], limits: { residentActors: stormAgents } });
  const refs = await troupe.spawn(sailor, {
    count: stormAgents,
    restart: "permanent",
    intensity: { restarts: 100, withinMs: 60_000, per: "child" },
  });
  const readings: Record<string, Reading> = {};
  let lost = 0;
  for (let warm = 0; warm < 3; warm += 1) await storm(refs.slice(-stormSizes[0]));
  for (const size of quick ? [stormSizes[0], stormSizes[2]] : stormSizes) {
    await breathe();
    const result = await storm(refs.slice(0, size));
    lost += result.lost;
    readings[`crash-${size}`] = { value: (result.cpu * 1_000) / size, wall: (result.wall * 1_000) / size };
  }
  readings["lost"] = { value: lost };
  return readings;
};

import { createTroupe, machineAgent } from "troupe";
import { assign, setup } from "xstate";
import { z } from "zod";

// Your own XState machine is an agent: calls become events, snapshots become answers.
const turnstile = setup({
  types: { context: {} as { coins: number }, events: {} as { type: "coin" } | { type: "push" } },
}).createMachine({
  id: "turnstile",
  context: { coins: 0 },
  initial: "locked",
  states: {
    locked: { on: { coin: { target: "unlocked", actions: assign({ coins: ({ context }) => context.coins + 1 }) } } },
    unlocked: { on: { push: "locked" } },
  },
});

const gate = machineAgent(turnstile).define({
  name: "gate",
  capabilities: {
    "gate.coin": {
      input: z.object({}),
      output: z.string(),
      event: () => ({ type: "coin" }),
      reply: (snapshot) => snapshot.value,
    },
    "gate.push": {
      input: z.object({}),
      output: z.object({ state: z.string(), coins: z.number() }),
      event: () => ({ type: "push" }),
      reply: (snapshot) => ({ state: snapshot.value, coins: snapshot.context.coins }),
    },
  },
});

await using troupe = await createTroupe({ agents: [gate] });
await troupe.spawn(gate);
console.log(await troupe.call("gate.coin", {}));
console.log(await troupe.call("gate.push", {}));
console.log(
  troupe
    .actors()
    .map((actor) => `${actor.id} (${actor.definition})`)
    .join(", "),
);

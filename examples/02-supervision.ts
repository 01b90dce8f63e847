import { createTroupe, defineAgent } from "troupe";
import { z } from "zod";

// A worker that breaks on bad parts. It does not defend itself: its supervisor brings it back.
const worker = defineAgent({
  name: "worker",
  start: ({ incarnation }) => ({ incarnation, done: 0 }),
  capabilities: {
    weld: {
      input: z.string(),
      output: z.string(),
      run({ input, state }) {
        if (input === "cracked") throw new Error("the part broke");
        state.done += 1;
        return `${input} welded`;
      },
    },
  },
});

await using troupe = await createTroupe({ agents: [worker] });
const tree = await troupe.supervise({
  name: "workshop",
  strategy: "one-for-one",
  intensity: { restarts: 3, withinMs: 5_000 },
  children: [{ agent: worker, restart: "permanent" }],
});
const [only] = tree.agents;
const down = only?.monitor();
const before = only?.incarnation;

// All four are queued at once; the crash costs only the call in hand.
const outcomes = await Promise.all(["frame", "cracked", "fork", "wheel"].map((part) => troupe.call("weld", part)));
for (const outcome of outcomes) console.log(outcome.ok ? outcome.value : outcome.failure.code);

console.log(`monitor heard: ${(await down)?.reason}`);
console.log(`same path ${only?.path}, new incarnation: ${only?.incarnation !== before}`);

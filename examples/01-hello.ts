import { createTroupe, defineAgent } from "troupe";
import { z } from "zod";

// An agent is a name and its capabilities; each has an input and an output schema.
const greeter = defineAgent({
  name: "greeter",
  capabilities: {
    greet: {
      input: z.object({ name: z.string() }),
      output: z.string(),
      run: ({ input, agent }) => `Hello, ${input.name}, says ${agent.path}`,
    },
  },
});

await using troupe = await createTroupe({ agents: [greeter] });
await troupe.spawn(greeter, { count: 2 });

for (const name of ["Ada", "Grace"]) {
  const outcome = await troupe.call("greet", { name });
  console.log(outcome.ok ? outcome.value : outcome.failure.message);
}

// A wrong input is a failure as data, never a throw.
const refused = await troupe.call("greet", { name: 42 as unknown as string });
console.log(refused.ok ? "greeted" : refused.failure.code);

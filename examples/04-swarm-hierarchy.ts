import { createTroupe, defineAgent, masterWorker } from "troupe";
import { z } from "zod";

// Three levels: a chief splits a text by paragraph, leads split paragraphs by sentence, workers count words.
const lines = z.array(z.string());
const chief = defineAgent({
  name: "chief",
  capabilities: {
    split: {
      input: z.object({ task: z.string(), workers: z.number() }),
      output: lines,
      run: ({ input }) => input.task.split(/\n\n|(?<=\.) /),
    },
    integrate: {
      input: z.object({ task: z.string(), results: z.array(z.number()) }),
      output: z.number(),
      run: ({ input }) => input.results.reduce((sum, each) => sum + each, 0),
    },
  },
});
const lead = defineAgent({
  name: "lead",
  capabilities: {
    split: {
      input: z.object({ task: z.string(), workers: z.number() }),
      output: lines,
      run: ({ input }) => input.task.split(/(?<=\.) /),
    },
    integrate: {
      input: z.object({ task: z.string(), results: z.array(z.number()) }),
      output: z.number(),
      run: ({ input }) => input.results.reduce((sum, each) => sum + each, 0),
    },
  },
});
const worker = defineAgent({
  name: "worker",
  capabilities: {
    count: { input: z.string(), output: z.number(), run: ({ input }) => input.split(/\s+/).filter(Boolean).length },
  },
});

await using troupe = await createTroupe();
const swarm = await troupe.swarm({
  topology: "hierarchical",
  agents: [{ agent: chief }, { agent: lead, count: 2 }, { agent: worker, count: 4 }],
  maxAgents: 8,
});
for (const member of swarm.members) console.log(`${"  ".repeat(member.level)}${member.ref.path}`);

const text = "The fox jumps. The dog sleeps.\n\nIt rains. The street is wet and empty.";
const words = await masterWorker(swarm, text, {
  split: "split",
  work: "count",
  integrate: "integrate",
  onProgress: (progress) => console.log(progress.note),
});
console.log(words.ok ? `${String(words.value)} words` : words.failure.message);

// The topology is a rule: the chief cannot reach past its leads.
const past = await swarm.call("count", "one two", { from: swarm.agents[0]! });
console.log(past.ok ? "reached" : past.failure.code);

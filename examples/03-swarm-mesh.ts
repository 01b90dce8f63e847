import { createTroupe, defineAgent, peerToPeer } from "troupe";
import { z } from "zod";

// Peers of one kind: each proposes how to sort, they agree, and each sorts its share.
const shelf = defineAgent({
  name: "shelf",
  capabilities: {
    propose: {
      input: z.object({ task: z.array(z.string()) }),
      output: z.string(),
      run: ({ input }) => (input.task.length > 3 ? "by length" : "by letter"),
    },
    contribute: {
      input: z.object({ task: z.array(z.string()), approach: z.string() }),
      output: z.array(z.string()),
      run({ input, agent, peers }) {
        const places = [agent.path, ...peers.map((peer) => peer.path)].sort();
        const mine = input.task.filter((_, index) => index % places.length === places.indexOf(agent.path));
        return mine.sort((a, b) => (input.approach === "by length" ? a.length - b.length : a.localeCompare(b)));
      },
    },
  },
});

await using troupe = await createTroupe();
const swarm = await troupe.swarm({ topology: "mesh", agents: [{ agent: shelf, count: 3 }] });

const sorted = await peerToPeer(swarm, ["plum", "fig", "apricot", "pear", "cherry"], {
  propose: "propose",
  agree: async (approaches) => ({ ok: true, value: approaches[0] ?? "" }),
  contribute: "contribute",
  integrate: (contributions, approach) => ({ approach, shares: contributions.map(({ value }) => value) }),
});
console.log(JSON.stringify(sorted.ok ? sorted.value : sorted.failure));

import { createTroupe, defineAgent } from "troupe";
import { z } from "zod";
import { token } from "../scales.ts";
import type { Peer } from "../wire.ts";

const auth = { token };
let told = 0;

const echo = defineAgent({
  name: "echo",
  concurrency: 4_096,
  mailbox: { capacity: 65_536 },
  capabilities: {
    echo: { input: z.string(), output: z.string(), run: ({ input }) => input },
    note: {
      input: z.string(),
      output: z.null(),
      run: () => {
        told += 1;
        return null;
      },
    },
    count: { input: z.null(), output: z.number(), run: () => told },
  },
});

/** Ours, through the public API: an agent of one troupe, called by a remote ref of another. */
export const troupe: Peer = {
  async serve() {
    const server = await createTroupe({ agents: [echo], node: "server" });
    await server.spawn(echo);
    const { url } = await server.listen({ port: 0, auth });
    return Number(new URL(url).port);
  },
  async connect(port) {
    const client = await createTroupe({ node: "client" });
    const peer = await client.connect(`ws://127.0.0.1:${port}`, { auth });
    const ref = peer.ref("/echo/1");
    return {
      call(payload, answered) {
        void ref.call("echo", payload).then((outcome) => {
          if (!outcome.ok || outcome.value !== payload) throw new Error(JSON.stringify(outcome));
          answered();
        });
      },
      tell: (payload) => ref.tell("note", payload) === "accepted",
      async told() {
        const outcome = await ref.call("count", null);
        if (!outcome.ok) throw new Error(outcome.failure.message);
        return outcome.value as number;
      },
      close: () => client.close(),
    };
  },
};

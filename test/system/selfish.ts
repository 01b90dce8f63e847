import { defineAgent, type AgentRef } from "troupe";
import type { FakeClock } from "troupe/testing";
import { z } from "zod";

interface Deed {
  readonly deed: string;
  readonly self: () => AgentRef;
  readonly spawn?: () => Promise<void>;
}

/** An agent whose handler acts on the agent itself. */
export function selfish(clock: FakeClock) {
  return defineAgent({
    name: "selfish",
    capabilities: {
      killOnce: {
        idempotent: true,
        input: z.custom<Pick<Deed, "self">>(),
        output: z.string(),
        async run({ input, agent }) {
          if (agent.incarnation > 1) return "second time";
          input.self().kill();
          throw new Error("after the end");
        },
      },
      act: {
        input: z.custom<Deed>(),
        output: z.string(),
        run({ input, exit, call }) {
          const { deed, self, spawn } = input;
          switch (deed) {
            case "stop":
              void self().stop();
              return "stopped";
            case "kill":
              self().kill();
              return "killed";
            case "kill and throw":
              return (async () => {
                self().kill();
                throw new Error("after the end");
              })();
            case "kill, later":
              return (async () => {
                await Promise.resolve();
                self().kill();
                return "too late";
              })();
            case "exit twice":
              exit();
              exit();
              return "leaving";
            case "await stop":
              return self()
                .stop()
                .then(() => "stopped");
            case "call itself":
              return call("act", { deed: "nothing", self }).then(() => "done");
            case "spawn":
              return (spawn?.() ?? Promise.resolve()).then(() => "spawned");
            default:
              return `nothing at ${clock.now()}`;
          }
        },
      },
    },
  });
}

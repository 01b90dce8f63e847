import { createTroupe, defineAgent, type AgentRef, type RemotePeer, type Troupe, type TroupeOptions } from "troupe";
import { z } from "zod";

/** What a teller does, besides yielding the numbers from 0. */
const tale = z.object({
  count: z.number(),
  /** At this item. */
  at: z.number().optional(),
  what: z.enum(["fail", "crash", "misfit", "function", "huge", "hang", "progress"]).optional(),
});

/** An agent that tells numbers, and what it went through. */
export function tellerAgent() {
  const seen = { begun: 0, made: 0, ended: [] as string[] };
  const { promise: left, resolve: leave } = Promise.withResolvers<void>();
  const teller = defineAgent({
    name: "teller",
    concurrency: 4,
    capabilities: { nod: { input: z.null(), output: z.string(), run: () => "yes" } },
    streams: {
      numbers: {
        input: tale,
        items: z.union([
          z.number(),
          z.object({ text: z.string() }),
          z.custom<() => void>((value) => typeof value === "function"),
        ]),
        output: z.string(),
        async *run({ input, signal, fail, progress }) {
          seen.begun += 1;
          try {
            for (let number = 0; number < input.count; number += 1) {
              if (number === input.at) {
                if (input.what === "fail") fail("teller/lost", "the thread is lost", { number });
                if (input.what === "crash") throw new Error("out of breath");
                if (input.what === "misfit") yield "a word" as never;
                if (input.what === "function") yield () => undefined;
                if (input.what === "huge") yield { text: "x".repeat(2_000_000) };
                if (input.what === "hang")
                  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
              }
              if (input.what === "progress") progress(number / input.count);
              seen.made += 1;
              yield number;
            }
            return `told ${input.count}`;
          } finally {
            seen.ended.push(signal.aborted ? "aborted" : "ended");
            leave();
          }
        },
      },
    },
  });
  return { teller, seen, left };
}

type TellerTools = ReturnType<typeof tellerAgent>;

export interface Telling extends Pick<TellerTools, "seen" | "left">, AsyncDisposable {
  readonly ref: AgentRef;
  /** The troupe of whoever reads. */
  readonly reader: Troupe;
  /** Where its node listens, and the link there; none where it is here. */
  readonly port: number;
  readonly peer: RemotePeer | undefined;
}

type Place = Pick<TroupeOptions, "ports">;

export async function tellHere(place: Place = {}): Promise<Telling> {
  const { teller, seen, left } = tellerAgent();
  const reader = await createTroupe(place);
  const [ref] = await reader.spawn(teller, { restart: "permanent" });
  if (ref === undefined) throw new Error("it was spawned");
  return {
    seen,
    left,
    port: 0,
    peer: undefined,
    reader,
    ref,
    [Symbol.asyncDispose]: () => reader.close(),
  };
}

/** `door` is a port that leads there, besides its own. */
export async function tellElsewhere({ door, ...place }: Place & { readonly door?: number } = {}): Promise<Telling> {
  const { teller, seen, left } = tellerAgent();
  const server = await createTroupe({ node: "server", ...place });
  const [agent] = await server.spawn(teller, { restart: "permanent" });
  if (agent === undefined) throw new Error("it was spawned");
  const { url } = await server.listen({ port: 0, ...(door === undefined ? {} : { hosts: [`127.0.0.1:${door}`] }) });
  const reader = await createTroupe({ node: "client", ...place });
  const peer = await reader.connect(url);
  return {
    seen,
    left,
    port: Number(new URL(url).port),
    peer,
    reader,
    ref: peer.ref(agent.path),
    async [Symbol.asyncDispose]() {
      await reader.close();
      await server.close();
    },
  };
}

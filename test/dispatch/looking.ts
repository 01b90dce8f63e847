import { defineAgent, type CallOptions, type HandlerContext } from "troupe";
import { z } from "zod";
import { end, openDesk, type Desk } from "./desk.ts";

export type Seen = HandlerContext<unknown>;

/** An agent that hands its context to `look`, and answers with what that returns. */
export function looking(look: (context: Seen) => unknown, options: { name?: string; concurrency?: number } = {}) {
  return defineAgent({
    name: "looking",
    concurrency: 99,
    ...options,
    capabilities: { look: { input: z.unknown(), output: z.unknown(), run: look } },
  });
}

export async function open(look: (context: Seen) => unknown) {
  const desk = await openDesk();
  const [ref] = await desk.troupe.spawn(looking(look));
  if (ref === undefined) throw new Error("nobody spawned");
  const call = async (input: unknown, options: CallOptions = {}): Promise<unknown> =>
    end(await desk.after(0, desk.troupe.call("look", input, options)));
  return { desk, ref, call };
}

export async function close({ desk }: { desk: Desk }): Promise<void> {
  await desk[Symbol.asyncDispose]();
}

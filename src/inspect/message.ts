import { z } from "zod";
import type { Message } from "./replay.ts";

const messageSchema = z.object({
  type: z.enum(["@xstate.actor", "@xstate.snapshot", "@xstate.event"]),
  sessionId: z.string(),
  snapshot: z.object({ status: z.string().optional() }).optional(),
});

function describeMessage(event: unknown, text: string): Message | undefined {
  const read = messageSchema.safeParse(event);
  if (!read.success) return undefined;
  const { type, sessionId, snapshot } = read.data;
  const status = snapshot?.status ?? "active";
  return { type, sessionId, text, ended: type === "@xstate.snapshot" && status !== "active" };
}

/** A message of another process, or undefined where it is not one of the inspector's protocol. */
export function readMessage(text: string): Message | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  return describeMessage(parsed, text);
}

/** A message of our own, from what the package that speaks the protocol made of an event. */
export function writeMessage(event: object): Message | undefined {
  return describeMessage(event, JSON.stringify(event));
}

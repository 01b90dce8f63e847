import { z } from "zod";
import type { Vote } from "../../../machines/consensus/bft/statement.ts";
import { agreedValueSchema, agreementRound } from "../../../machines/consensus/codec/commit-messages.ts";
import { proposalSchema, voteSchema } from "../../../machines/consensus/codec/statement-messages.ts";
import { createStamp } from "../../../machines/stamp.ts";
import { hex, membersMax } from "../../../machines/consensus/electorate/electorate.ts";

/** Most votes in one message: both kinds of two rounds, of every member and its double. */
export const votesPerMessageMax = 8 * membersMax;
/** Most ballots in one message; an honest member sends one, and two of somebody else as evidence. */
export const ballotsPerMessageMax = 8;

/** Votes that travel together. */
export const votesSchema = z.array(voteSchema).max(votesPerMessageMax);

const wireSchema = z.discriminatedUnion("type", [
  /** A member's ballot, or two of one voter as evidence. An empty list: this member will bring none. */
  z.strictObject({ type: z.literal("ballots"), ballots: z.array(z.unknown()).max(ballotsPerMessageMax) }),
  z.strictObject({
    type: z.literal("proposal"),
    proposal: proposalSchema,
    polka: votesSchema,
    content: agreedValueSchema,
  }),
  z.strictObject({ type: z.literal("vote"), vote: voteSchema }),
  z.strictObject({ type: z.literal("status"), round: agreementRound, polka: votesSchema, entry: votesSchema }),
  z.strictObject({
    type: z.literal("commit"),
    commit: z.strictObject({ round: agreementRound, value: hex(32), votes: votesSchema }),
    content: agreedValueSchema,
  }),
  z.strictObject({ type: z.literal("fetch"), value: hex(32) }),
  z.strictObject({ type: z.literal("value"), content: agreedValueSchema }),
  z.strictObject({ type: z.literal("transcript"), votes: votesSchema }),
]);

/** What replicas send each other: plain JSON. The sender's place comes from the link, and nothing that counts rests on it. */
export type ReplicaMessage = z.output<typeof wireSchema>;

/** Messages made and frozen in this process, which need no second look at their form. */
const own = createStamp<true>();

function freeze(value: unknown): void {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const member of Object.values(value)) freeze(member);
}

/** Freezes a message whose parts are known to be sound; a replica that receives this very object need not parse it. */
export function sealMessage(message: ReplicaMessage): ReplicaMessage {
  freeze(own.put(message, true));
  return message;
}

/** Reads a message from anywhere; undefined for anything that is none. Never throws on data. */
export function readMessage(message: unknown): ReplicaMessage | undefined {
  if (typeof message === "object" && message !== null && own.of(message) === true) return message as ReplicaMessage;
  const parsed = wireSchema.safeParse(message);
  return parsed.success ? parsed.data : undefined;
}

/** Where a member stands, as a message. Lists that its state shares are copied before they are frozen. */
export function statusOf(status: {
  readonly round: number;
  readonly polka: readonly Vote[];
  readonly entry: readonly Vote[];
}): ReplicaMessage {
  return { type: "status", round: status.round, polka: [...status.polka], entry: [...status.entry] };
}

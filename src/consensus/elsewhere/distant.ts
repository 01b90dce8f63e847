import { z } from "zod";
import type { ClosePolicy } from "../../../machines/consensus/ballot/events.ts";
import { hex, membersMax } from "../../../machines/consensus/electorate/electorate.ts";
import type { Outcome } from "../../../machines/failure.ts";
import { addressCharactersMax, wireIdCharactersMax } from "../../../machines/wire/limits.ts";
import type { Invitation } from "../voter.ts";
import { messagesPerAnswerMax } from "./outgoing.ts";

/** Where the agent of a voter is. */
export interface Place {
  readonly node: string;
  readonly path: string;
}

/** What a coordinator asks a member's replica to take part in. Plain JSON. */
export interface Summons {
  readonly invitation: Invitation;
  readonly close: ClosePolicy;
  /** By place in the electorate, where others can be told straight by whoever knows a way; null: through whoever asks. */
  readonly reach: readonly (Place | null)[];
  /** It has taken part before, so that an empty memory is a lost one. */
  readonly isResumed: boolean;
}

/** A message of another member, as whoever carries it says. */
export interface Said {
  /** The digest of the proposal. */
  readonly decision: string;
  /** Place of the member it is from; the one who carries it vouches for no more than that it carried it. */
  readonly from: number;
  readonly message: unknown;
}

/**
 * A member's replica that runs where its key is, behind any kind of link. It trusts whoever carries its messages with
 * carrying them: everything that counts is signed by the members.
 */
export interface DistantReplica {
  /** Where the others may tell it straight. */
  readonly at?: Place;
  /** Asks it to take part, or to go on after a fall. */
  join(summons: Summons, context: { readonly signal: AbortSignal }): Promise<Outcome<unknown>>;
  /** Hands it a message, which may be lost. */
  say(said: Said): unknown;
  /** Waits until it has something to say, at the latest `listenMs`. */
  listen(decision: string, context: { readonly signal: AbortSignal }): Promise<Outcome<unknown>>;
  /** The decision is over for whoever asks; without a name, all are. */
  leave(decision?: string): void;
}

const seat = z
  .int()
  .min(0)
  .max(membersMax - 1);

export const summonsSchema = z.object({
  invitation: z.looseObject({}),
  close: z.enum(["early", "all"]),
  reach: z
    .array(
      z.object({ node: z.string().max(wireIdCharactersMax), path: z.string().max(addressCharactersMax) }).nullable(),
    )
    .max(membersMax),
  isResumed: z.boolean(),
});

export const saidSchema = z.object({ decision: hex(32), from: seat, message: z.unknown() });

/** What a replica has to say; without a seat it has forgotten the decision, and can be asked to take part again. */
export const answerSchema = z.object({
  isSeated: z.boolean(),
  letters: z.array(z.object({ to: z.array(seat).max(membersMax), message: z.unknown() })).max(messagesPerAnswerMax),
});

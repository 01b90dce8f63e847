import { z } from "zod";
import type { Proposal, Vote } from "../bft/statement.ts";
import { hex, memberId, membersMax } from "../electorate/electorate.ts";
import { agreementRound } from "./commit-messages.ts";
import { ballotSchema } from "./messages.ts";

/**
 * Most statements of one transcript: all that 64 members sign in more than 300 rounds of an agreement, and 1,024 in some
 * 20. A member that holds more cannot export them. Each costs whoever hears it one check of a signature.
 */
export const transcriptStatementsMax = 65_536;

const scope = { decision: hex(32), electorate: hex(32) };
const content = {
  voter: z
    .int()
    .min(0)
    .max(membersMax - 1),
  round: agreementRound,
  validRound: z.int().min(-1).max(9_999),
  sig: hex(64),
};
const vote = z.strictObject({ kind: z.enum(["prevote", "precommit"]), ...content, value: hex(32).nullable() });
const proposal = z.strictObject({ kind: z.literal("proposal"), ...content, value: hex(32) });

/** One vote as it travels and as it is stored. */
export const voteSchema: z.ZodType<Vote> = vote.extend(scope);
/** One proposal as it travels and as it is stored. Nil is no value, so it cannot be proposed. */
export const proposalSchema: z.ZodType<Proposal> = proposal.extend(scope);

/**
 * What one member holds of one agreement, signed by this member: whatever it signed and whatever it rests on. The scope
 * of the statements is that of the body.
 */
export const transcriptSchema = z.strictObject({
  v: z.literal(1),
  kind: z.literal("transcript"),
  body: z.strictObject({
    decisionId: ballotSchema.shape.decisionId,
    /** The digest of the proposal that was agreed on: what its statements name as their decision. */
    proposalDigest: hex(32),
    electorateDigest: hex(32),
    member: memberId,
    statements: z
      .array(z.discriminatedUnion("kind", [vote, proposal]))
      .min(1)
      .max(transcriptStatementsMax),
  }),
  sig: hex(64),
});

/** What one member holds of one agreement, signed by it. Plain JSON, and nothing secret. */
export type Transcript = z.output<typeof transcriptSchema>;

import { z } from "zod";
import { membersMax, hex } from "../electorate/electorate.ts";
import { canonicalText } from "./canonical-json.ts";
import { ballotSchema, outcomeStatuses, proposalSchema, signedBallotSchema, signedProposalSchema } from "./messages.ts";
import { digestOf, type Hash } from "./sign-bytes.ts";

/** Rounds of agreement in a certificate: below the 10,000 that a council may take. */
export const agreementRound = z.int().min(0).max(9_999);

/** What members of mode bft agree on: which ballots of a proposal count, and what comes of them. Never nil. */
export const agreedValueSchema = z.strictObject({
  v: z.literal(1),
  proposalDigest: hex(32),
  status: z.enum(outcomeStatuses),
  option: proposalSchema.shape.defaultOption,
  /** In order of voter, one of each, abstentions too. */
  ballots: z.array(signedBallotSchema).min(1).max(membersMax),
});

/** One member's signature of its precommit; the rest of what it signs is the same for all. */
const commitSignatureSchema = z.strictObject({
  memberIndex: z
    .int()
    .min(0)
    .max(membersMax - 1),
  sig: hex(64),
});

/** Proof that more than two thirds of the weight committed to one value. Source: consensus design §4.5. */
export const commitCertificateSchema = z.strictObject({
  v: z.literal(1),
  kind: z.literal("commit"),
  decisionId: ballotSchema.shape.decisionId,
  electorateDigest: hex(32),
  proposal: signedProposalSchema,
  /** The round of the agreement, from 0; not the round of the proposal. */
  round: agreementRound,
  value: agreedValueSchema,
  /** In strictly ascending order of member. */
  signatures: z.array(commitSignatureSchema).min(1).max(membersMax),
});

export type AgreedValue = z.output<typeof agreedValueSchema>;
export type CommitCertificate = z.output<typeof commitCertificateSchema>;

/** The digest that votes name a value by; it binds every ballot with its signature. */
export function valueDigestOf(value: AgreedValue, hash: Hash): string {
  const ballots = value.ballots.map(({ body, sig }) => [digestOf(body, hash), sig]);
  const { option, proposalDigest, status, v } = value;
  // In the order of the canonical form, which then has nothing to sort.
  return hash(`troupe/value/v1\0${canonicalText({ ballots, option, proposalDigest, status, v })}`);
}

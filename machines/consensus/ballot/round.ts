import { digestOf, type Hash } from "../codec/sign-bytes.ts";
import { proposalSchema, type ProposalBody } from "../codec/messages.ts";
import { findElectorateFault, totalWeightOf, type Electorate } from "../electorate/electorate.ts";
import { quorumOf, type Parsed } from "../electorate/threshold.ts";

/**
 * One round of voting, fixed before the first ballot: the proposal, the electorate and what both are named by.
 * Plain JSON, so it can be journaled and shown.
 */
export interface Round {
  readonly proposal: ProposalBody;
  readonly proposalDigest: string;
  readonly electorate: Electorate;
  readonly electorateDigest: string;
  /** Per option, in proposal order: the last tie-break, H(decision, round, option). */
  readonly tieKeys: readonly string[];
}

/** Says what in a proposal contradicts itself or its electorate, or nothing. The schema has passed. */
export function findProposalFault(proposal: ProposalBody, electorate: Electorate): string | undefined {
  const ids = proposal.options.map(({ id }) => id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) return `option ${JSON.stringify(twice)} is listed twice`;
  if (proposal.defaultOption !== null && !ids.includes(proposal.defaultOption)) {
    return `defaultOption ${JSON.stringify(proposal.defaultOption)} is not among the options ${ids.join(", ")}`;
  }
  if (proposal.method === "ranked" && ids.length < 2) return "a ranking needs at least two options";
  if (proposal.commitClosesAt !== undefined && proposal.commitClosesAt >= proposal.closesAt)
    return "commitClosesAt must be before closesAt";
  if (proposal.minBallots > electorate.members.length) {
    return `minBallots ${proposal.minBallots} is more than the ${electorate.members.length} voters there are`;
  }
  if (quorumOf(proposal.threshold, totalWeightOf(electorate.members)) > totalWeightOf(electorate.members)) {
    return "the threshold can never be reached";
  }
  return undefined;
}

/** Computes everything that names a round whose proposal and electorate are known to be sound. */
export function nameRound(proposal: ProposalBody, electorate: Electorate, hash: Hash): Round {
  const { decisionId, round, options, electorateDigest } = proposal;
  let tieKeys: readonly string[] | undefined;
  return {
    proposal,
    proposalDigest: digestOf(proposal, hash),
    electorate,
    electorateDigest,
    // Few rounds end in a tie.
    get tieKeys() {
      return (tieKeys ??= options.map(({ id }) => digestOf([decisionId, round, id], hash)));
    },
  };
}

/** Checks a proposal and an electorate that came from elsewhere, and names their round. */
export function defineRound(proposal: unknown, electorate: unknown, hash: Hash): Parsed<Round> {
  const fault = findElectorateFault(electorate);
  if (fault !== undefined) return { ok: false, problem: fault.problem };
  const parsed = proposalSchema.safeParse(proposal);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return { ok: false, problem: `proposal.${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not a proposal"}` };
  }
  const body = parsed.data;
  const checked = electorate as Electorate;
  if (body.electorateDigest !== digestOf(checked, hash)) {
    return { ok: false, problem: "the proposal is for another electorate: electorateDigest differs" };
  }
  const contradiction = findProposalFault(body, checked);
  return contradiction === undefined
    ? { ok: true, value: nameRound(body, checked, hash) }
    : { ok: false, problem: contradiction };
}

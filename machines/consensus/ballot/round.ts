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

/**
 * A round with its tie keys made when first asked for: few rounds end in a tie. A spread or a clone of it has none.
 * A class, since an object literal with a getter has a hidden class of its own, which keeps all it sees until a full
 * collection. Source: docs/decisions/0018.
 */
class NamedRound implements Round {
  readonly proposal: ProposalBody;
  readonly proposalDigest: string;
  readonly electorate: Electorate;
  readonly electorateDigest: string;
  readonly #hash: Hash;
  #tieKeys: readonly string[] | undefined;

  constructor(proposal: ProposalBody, electorate: Electorate, hash: Hash) {
    this.proposal = proposal;
    this.proposalDigest = digestOf(proposal, hash);
    this.electorate = electorate;
    this.electorateDigest = proposal.electorateDigest;
    this.#hash = hash;
  }

  get tieKeys(): readonly string[] {
    const { decisionId, round, options } = this.proposal;
    return (this.#tieKeys ??= options.map(({ id }) => digestOf([decisionId, round, id], this.#hash)));
  }

  toJSON(): Round {
    const { proposal, proposalDigest, electorate, electorateDigest, tieKeys } = this;
    return { proposal, proposalDigest, electorate, electorateDigest, tieKeys };
  }
}

/** Computes everything that names a round whose proposal and electorate are known to be sound. */
export function nameRound(proposal: ProposalBody, electorate: Electorate, hash: Hash): Round {
  return new NamedRound(proposal, electorate, hash);
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

import { councilRoundsMax, proposerOf, type Council } from "./council.ts";
import type { WrongProposer } from "./evidence.ts";
import type { BftMessage } from "./messages.ts";
import type { Commit, Proposal, ProposalClaim, Statement, Vote, VoteKind } from "./statement.ts";

/** Checks a statement's signature against its voter's key, over its content and its scope. Never throws on data. */
export type VerifyStatement = (statement: Statement) => boolean;

/** What becomes of an arriving message, cheapest check first and the signature last. */
export type BftRow =
  | "admitted"
  | "malformed"
  | "stale"
  | "unknownVoter"
  | "forged"
  | "wrongProposer"
  | "badCertificate";

export interface AdmissionRules {
  readonly council: Council;
  readonly verify: VerifyStatement;
}

function admitStatement(statement: Statement, { council, verify }: AdmissionRules): BftRow {
  if (statement.decision !== council.decision || statement.electorate !== council.electorate) return "stale";
  if (statement.round < 0 || statement.round >= councilRoundsMax) return "malformed";
  if (statement.validRound < -1 || statement.validRound >= statement.round) return "malformed";
  if (council.weights[statement.voter] === undefined) return "unknownVoter";
  return verify(statement) ? "admitted" : "forged";
}

/** Takes one vote through the table. A refused vote changes nothing and blames nobody. */
function admitVote(vote: Vote, rules: AdmissionRules): BftRow {
  if (vote.validRound >= 0 && (vote.kind === "precommit" || vote.value === null)) return "malformed";
  return admitStatement(vote, rules);
}

/**
 * Whether votes are one whole quorum: one kind, one round, one value, one polka leant on, members in strictly
 * ascending order, every signature good, more than two thirds of the weight. One bad vote spoils the certificate.
 */
export function isQuorum(
  votes: readonly Vote[],
  wanted: { readonly kind: VoteKind; readonly round: number; readonly value: string },
  rules: AdmissionRules,
): boolean {
  let weight = 0;
  let before = -1;
  for (const vote of votes) {
    if (vote.kind !== wanted.kind || vote.round !== wanted.round || vote.value !== wanted.value) return false;
    if (vote.validRound !== votes[0]?.validRound || vote.voter <= before) return false;
    if (admitVote(vote, rules) !== "admitted") return false;
    before = vote.voter;
    weight += rules.council.weights[vote.voter] ?? 0;
  }
  return 3 * weight > 2 * rules.council.total;
}

/** A polka of any value, as a status carries it; an empty one claims nothing. */
function admitPolka(polka: readonly Vote[], rules: AdmissionRules): BftRow {
  const [first] = polka;
  if (first === undefined) return "admitted";
  if (first.value === null) return "malformed";
  const { round, value } = first;
  return isQuorum(polka, { kind: "prevote", round, value }, rules) ? "admitted" : "badCertificate";
}

/** Votes that come together and prove nothing as a whole; one bad one refuses the message. */
function admitVotes(votes: readonly Vote[], rules: AdmissionRules): BftRow {
  for (const vote of votes) {
    const row = admitVote(vote, rules);
    if (row !== "admitted") return row;
  }
  return "admitted";
}

function admitCommit(commit: Commit, rules: AdmissionRules): BftRow {
  const { round, value, votes } = commit;
  return isQuorum(votes, { kind: "precommit", round, value }, rules) ? "admitted" : "badCertificate";
}

/** A proposal, and the polka that came with it. Whoever signs one out of turn has convicted itself. */
function admitProposal(
  claim: ProposalClaim,
  polka: readonly Vote[],
  rules: AdmissionRules,
): { readonly row: BftRow; readonly evidence?: WrongProposer } {
  if (claim.value === null) return { row: "malformed" };
  const proposal: Proposal = { ...claim, value: claim.value };
  const row = admitStatement(proposal, rules);
  if (row !== "admitted") return { row };
  if (proposerOf(rules.council, proposal.round) !== proposal.voter) {
    const evidence = { kind: "WrongProposer", culprits: [proposal.voter], statements: [proposal] } as const;
    return { row: "wrongProposer", evidence };
  }
  if (polka.length === 0) return { row };
  const { value, validRound } = proposal;
  return { row: isQuorum(polka, { kind: "prevote", round: validRound, value }, rules) ? row : "badCertificate" };
}

/** Any message of the protocol. Every member comes to the same answer, so it may be remembered per message. */
export function admitMessage(
  message: BftMessage,
  rules: AdmissionRules,
): { readonly row: BftRow; readonly evidence?: WrongProposer } {
  switch (message.type) {
    case "proposal":
      return admitProposal(message.proposal, message.polka, rules);
    case "vote":
      return { row: admitVote(message.vote, rules) };
    case "status": {
      const row = admitPolka(message.polka, rules);
      return { row: row === "admitted" ? admitVotes(message.entry, rules) : row };
    }
    case "commit":
      return { row: admitCommit(message.commit, rules) };
    case "transcript":
      return { row: admitVotes(message.votes, rules) };
    case "fetch":
    case "value":
      return { row: "admitted" };
  }
}

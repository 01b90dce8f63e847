import { z } from "zod";
import { defineCouncil, proposerOf } from "../bft/council.ts";
import type { Amnesia, BftEvidence, DuplicateStatement } from "../bft/evidence.ts";
import type { Statement, Vote } from "../bft/statement.ts";
import { agreedValueSchema, valueDigestOf, type AgreedValue } from "../codec/commit-messages.ts";
import { signedProposalSchema, type SignedProposal } from "../codec/messages.ts";
import { digestOf } from "../codec/sign-bytes.ts";
import { proposalSchema, voteSchema } from "../codec/statement-messages.ts";
import { membersMax, type Electorate } from "../electorate/electorate.ts";
import { isTwoThirds } from "./blame.ts";
import { checkSignatures, isPossible, nameOfStatement } from "./transcript.ts";
import { readValue } from "./verify-commit.ts";
import { isProposalSound, type VerifierPorts } from "./verify-quorum.ts";

/** What a check of a proof from the agreement found. */
export type AgreementEvidenceCheck =
  | { readonly ok: true; readonly voters: readonly string[] }
  | { readonly ok: false; readonly reason: string };

const culprits = z.array(z.int().min(0)).min(1).max(membersMax);
const statement = z.union([voteSchema, proposalSchema]);
const quorum = z.array(voteSchema).max(membersMax);
const proofSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.enum(["DuplicateProposal", "DuplicatePrevote", "DuplicatePrecommit"]),
    culprits: culprits.max(1),
    statements: z.tuple([statement, statement]),
  }),
  z.strictObject({
    kind: z.literal("WrongProposer"),
    culprits: culprits.max(1),
    statements: z.tuple([proposalSchema]),
  }),
  z.strictObject({ kind: z.literal("InvalidVote"), culprits: culprits.max(1), statements: z.tuple([statement]) }),
  z.strictObject({ kind: z.literal("Amnesia"), culprits, commit: quorum, polka: quorum }),
]);
const evidenceSchema = z.strictObject({
  kind: z.string(),
  culprits: z.array(z.string()),
  proof: proofSchema,
  invalid: z.strictObject({ proposal: signedProposalSchema, value: agreedValueSchema }).optional(),
});

/** What a proof is checked with. */
interface Bench {
  readonly electorate: Electorate;
  readonly electorateDigest: string;
  readonly decision: string;
  readonly ports: VerifierPorts;
  readonly invalid: { readonly proposal: SignedProposal; readonly value: AgreedValue } | undefined;
  /** Of this decision, and signed by its voter. */
  readonly holds: (statement: Statement) => boolean;
}

function isDouble({ kind, statements: [first, second] }: DuplicateStatement): boolean {
  const deeds = { proposal: "DuplicateProposal", prevote: "DuplicatePrevote", precommit: "DuplicatePrecommit" };
  const isOnePlace = first.kind === second.kind && first.round === second.round && first.voter === second.voter;
  return isOnePlace && deeds[first.kind] === kind && nameOfStatement(first) !== nameOfStatement(second);
}

/** Votes that are one whole quorum: of one content, each voter once and in order, all of them signed. */
function isWhole(votes: readonly Vote[], kind: Vote["kind"], { holds, electorate }: Bench): boolean {
  const [first] = votes;
  const isOne = votes.every(
    (vote, index) =>
      vote.kind === kind &&
      vote.round === first?.round &&
      vote.value === first.value &&
      vote.validRound === first.validRound &&
      vote.voter > (votes[index - 1]?.voter ?? -1) &&
      isPossible(vote) &&
      holds(vote),
  );
  return isOne && isTwoThirds(new Set(votes.map(({ voter }) => voter)), electorate);
}

function isForgotten({ commit, polka, culprits: named }: Amnesia, bench: Bench): boolean {
  const [committed, prevoted] = [commit[0], polka[0]];
  if (committed === undefined || prevoted === undefined) return false;
  if (committed.value === null || prevoted.value === null || committed.value === prevoted.value) return false;
  if (prevoted.round <= committed.round || prevoted.validRound >= committed.round) return false;
  const voters = new Set(commit.map(({ voter }) => voter));
  const both = polka.flatMap(({ voter }) => (voters.has(voter) ? [voter] : []));
  return both.join() === named.join() && isWhole(commit, "precommit", bench) && isWhole(polka, "prevote", bench);
}

/** A value that breaks the rules of its proposal. Of a proposal that is none, nobody is convicted. */
function isInvalid(digest: string | null, bench: Bench): boolean {
  const { invalid, electorate, electorateDigest, decision, ports } = bench;
  if (invalid === undefined || valueDigestOf(invalid.value, ports.hash) !== digest) return false;
  const { proposal, value } = invalid;
  const { body } = proposal;
  if (body.electorateDigest !== electorateDigest || !isProposalSound(body, electorate.members.length)) return false;
  if (value.proposalDigest !== decision) return true;
  return typeof readValue({ proposal, value, electorateDigest }, electorate, ports) === "string";
}

function stands(proof: BftEvidence, bench: Bench): boolean {
  if (proof.kind === "Amnesia") return isForgotten(proof, bench);
  const said: readonly Statement[] = proof.statements;
  if (!said.every((each) => each.voter === proof.culprits[0] && bench.holds(each))) return false;
  const [{ round, voter, value }] = proof.statements;
  if (proof.kind === "InvalidVote") return isInvalid(value, bench);
  if (proof.kind !== "WrongProposer") return isDouble(proof);
  const weights = bench.electorate.members.map(({ weight }) => weight);
  const { decision, electorate } = proof.statements[0];
  return proposerOf(defineCouncil({ decision, electorate }, weights), round) !== voter;
}

/**
 * Checks evidence of mode bft by itself, trusting nobody: a second reading of the rules, that shares codec, threshold
 * arithmetic and the rotation of proposers with the agreement, and nothing else. Never throws on data. Amnesia is checked
 * as far as it goes: one of the accused may refute it by an earlier polka, which nobody else need know.
 */
export function checkAgreementEvidence(
  evidence: unknown,
  electorate: Electorate,
  ports: VerifierPorts,
): AgreementEvidenceCheck {
  const parsed = evidenceSchema.safeParse(evidence);
  if (!parsed.success) return { ok: false, reason: "malformed" };
  const { kind, invalid, culprits: names } = parsed.data;
  const proof = parsed.data.proof as BftEvidence;
  const first = proof.kind === "Amnesia" ? proof.commit[0] : proof.statements[0];
  if (first === undefined || kind !== proof.kind) return { ok: false, reason: "malformed" };
  const { decision } = first;
  const electorateDigest = digestOf(electorate, ports.hash);
  if (first.electorate !== electorateDigest) return { ok: false, reason: "electorate-mismatch" };
  if (invalid !== undefined && digestOf(invalid.proposal.body, ports.hash) !== decision)
    return { ok: false, reason: "other-decision" };
  const isSigned = checkSignatures({ electorate, electorateDigest }, ports);
  const holds = (each: Statement): boolean => each.decision === decision && isSigned(each);
  if (!stands(proof, { electorate, electorateDigest, decision, ports, invalid, holds }))
    return { ok: false, reason: "unsound" };
  const voters = proof.culprits.map((index) => electorate.members[index]?.id ?? "");
  return voters.join("\n") === names.join("\n") ? { ok: true, voters } : { ok: false, reason: "wrong-culprits" };
}

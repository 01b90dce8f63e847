import { z } from "zod";
import { defineCouncil } from "../../../machines/consensus/bft/council.ts";
import type { BftEvidence } from "../../../machines/consensus/bft/evidence.ts";
import { isEvidenceSound } from "../../../machines/consensus/bft/forensics.ts";
import { defineRound } from "../../../machines/consensus/ballot/round.ts";
import {
  agreedValueSchema,
  valueDigestOf,
  type AgreedValue,
} from "../../../machines/consensus/codec/commit-messages.ts";
import { signedProposalSchema, type SignedProposal } from "../../../machines/consensus/codec/messages.ts";
import { digestOf } from "../../../machines/consensus/codec/sign-bytes.ts";
import { findElectorateFault, type Electorate } from "../../../machines/consensus/electorate/electorate.ts";
import { sha256, verifyEd25519 } from "../ed25519.ts";
import { BallotBox } from "./ballot-box.ts";
import { checkStatements } from "./statement-signing.ts";
import { proposalSchema, votesSchema, voteSchema } from "./wire.ts";

/** Proof that members broke the protocol of mode bft. */
export interface AgreementEvidence {
  readonly kind: BftEvidence["kind"];
  /** Ids of the members that it convicts, in order. */
  readonly culprits: readonly string[];
  readonly proof: BftEvidence;
  /** Of `InvalidVote` only: what was asked, and the value that breaks the rules. */
  readonly invalid?: { readonly proposal: SignedProposal; readonly value: AgreedValue };
}

/** What a check of such a proof found. */
export type AgreementEvidenceCheck =
  | { readonly ok: true; readonly voters: readonly string[] }
  | { readonly ok: false; readonly reason: string };

const culprits = z.array(z.int().min(0)).min(1).max(1_024);
const statement = z.union([voteSchema, proposalSchema]);
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
  z.strictObject({ kind: z.literal("Amnesia"), culprits, commit: votesSchema, polka: votesSchema }),
]);
const evidenceSchema = z.strictObject({
  kind: z.string(),
  culprits: z.array(z.string()),
  proof: proofSchema,
  invalid: z.strictObject({ proposal: signedProposalSchema, value: agreedValueSchema }).optional(),
});

/** Evidence in the form that a decision tells it in. */
export function tellEvidence(
  proof: BftEvidence,
  about: {
    readonly electorate: Electorate;
    readonly proposal: SignedProposal;
    readonly value: AgreedValue | undefined;
  },
): AgreementEvidence {
  const names = proof.culprits.map((index) => about.electorate.members[index]?.id ?? "");
  const { proposal, value } = about;
  const isInvalid = proof.kind === "InvalidVote" && value !== undefined;
  return { kind: proof.kind, culprits: names, proof, ...(isInvalid ? { invalid: { proposal, value } } : {}) };
}

/** Whether a value breaks the rules of a proposal: only whoever holds both can say. */
function isInvalidValue(invalid: AgreementEvidence["invalid"], electorate: Electorate, value: string): boolean {
  if (invalid === undefined || valueDigestOf(invalid.value, sha256) !== value) return false;
  const round = defineRound(invalid.proposal.body, electorate, sha256);
  if (!round.ok) return false;
  const box = new BallotBox(round.value, { verify: verifyEd25519, close: "all" });
  return !box.judge(invalid.value, value).isValid;
}

/** Checks evidence of mode bft by itself, trusting nobody. Never throws on data. */
export function checkAgreementEvidence(evidence: unknown, electorate: unknown): AgreementEvidenceCheck {
  if (findElectorateFault(electorate) !== undefined) return { ok: false, reason: "electorate-invalid" };
  const parsed = evidenceSchema.safeParse(evidence);
  if (!parsed.success) return { ok: false, reason: "malformed" };
  const register = electorate as Electorate;
  const given = parsed.data;
  const proof = given.proof as BftEvidence;
  const first = proof.kind === "Amnesia" ? proof.commit[0] : proof.statements[0];
  if (first === undefined || given.kind !== proof.kind) return { ok: false, reason: "malformed" };
  if (first.electorate !== digestOf(register, sha256)) return { ok: false, reason: "electorate-mismatch" };
  const scope = { decision: first.decision, electorate: first.electorate };
  if (given.invalid !== undefined && digestOf(given.invalid.proposal.body, sha256) !== scope.decision)
    return { ok: false, reason: "other-decision" };
  const weights = register.members.map(({ weight }) => weight);
  const rules = { council: defineCouncil(scope, weights), verify: checkStatements(register, verifyEd25519).check };
  if (!isEvidenceSound(proof, rules, (value) => isInvalidValue(given.invalid, register, value)))
    return { ok: false, reason: "unsound" };
  const voters = proof.culprits.map((index) => register.members[index]?.id ?? "");
  if (voters.join("\n") !== given.culprits.join("\n")) return { ok: false, reason: "wrong-culprits" };
  return { ok: true, voters };
}

import { findChoiceFault } from "../../machines/consensus/ballot/admission.ts";
import {
  ballotSchema,
  basisPoints,
  type Choice,
  type ProposalBody,
  type SignedBallot,
  type SignedProposal,
} from "../../machines/consensus/codec/messages.ts";
import { digestOf } from "../../machines/consensus/codec/sign-bytes.ts";
import { TroupeError } from "../errors.ts";
import type { Signer } from "../ports/signer.ts";
import { sha256 } from "./ed25519.ts";
import { abstention } from "./proposal.ts";
import { bindReport } from "./opinion/binding.ts";
import type { Concern } from "./opinion/opinion.ts";
import { signBallotBody } from "./signing.ts";

/** A choice as people write it, without naming the method. */
export type PlainChoice =
  | string
  | readonly string[]
  | { readonly ranked: readonly (string | readonly string[])[] }
  | { readonly grades: { readonly [option: string]: number } }
  | null;

/** What a ballot says, in plain form. */
export interface BallotOptions {
  readonly proposal: SignedProposal;
  /** The voter's member id. */
  readonly voter: string;
  /** One option, the approved options, a ranking in tiers (best first), grades from 0 to 100, or null to abstain. */
  readonly choice: PlainChoice;
  /** 0 to 1, or null where none is stated (the default). */
  readonly confidence?: number | null;
  readonly recommendation?: string;
  readonly reasoning?: string;
  readonly concerns?: readonly Concern[];
}

/** Reads a plain choice by the proposal's method. Errors: throws `usage/invalid-options` where it does not fit. */
export function readPlainChoice(choice: PlainChoice, method: ProposalBody["method"]): Choice {
  if (choice === null) return { kind: "abstain" };
  const misfit = (): TroupeError =>
    new TroupeError(
      "usage/invalid-options",
      `choice: it does not fit the method ${method}; give ${plainForms[method]}`,
    );
  if (typeof choice === "string") {
    if (method === "single") return { kind: "single", option: choice };
    if (method === "approval") return { kind: "approval", options: [choice] };
    throw misfit();
  }
  if ("ranked" in choice) {
    if (method !== "ranked") throw misfit();
    return { kind: "ranked", order: choice.ranked.map((tier) => (typeof tier === "string" ? [tier] : [...tier])) };
  }
  if ("grades" in choice) {
    if (method !== "grades") throw misfit();
    return { kind: "grades", grades: { ...choice.grades } };
  }
  if (method !== "approval") throw misfit();
  return { kind: "approval", options: [...choice] };
}

const plainForms: Readonly<Record<ProposalBody["method"], string>> = {
  single: "one option",
  approval: "the approved options",
  ranked: '{ranked: [["first"], ["second", "equal to it"]]}',
  grades: "{grades: {option: 0 to 100}}",
};

/**
 * Signs one voter's ballot on a proposal.
 * Shape: `{ body, sig }`, plain JSON, as `troupe decide --ballots` and certificates carry it.
 * Units: `confidence` 0 to 1, rounded to basis points. Errors: throws `usage/invalid-options` for an unknown option, an
 * option named twice, or a choice that does not fit the method.
 * Source: consensus design §3.1: Ed25519 over "troupe/ballot/v1\0" and the SHA-256 of the canonical body.
 * @example
 * ```ts
 * import { createMember, defineElectorate, signBallot, signProposal } from "troupe";
 * const { member, signer } = createMember({ id: "ops" });
 * const electorate = defineElectorate([member]);
 * const proposal = await signProposal({ question: "Ship?", options: ["yes", "no"], electorate, closesAt: Date.now() + 60_000 }, signer);
 * const ballot = await signBallot({ proposal, voter: "ops", choice: "yes", confidence: 0.9 }, signer);
 * console.log(ballot.sig.length);
 * ```
 */
export async function signBallot(options: BallotOptions, signer: Signer): Promise<SignedBallot> {
  const { body: proposal } = options.proposal;
  const choice = readPlainChoice(options.choice, proposal.method);
  const fault = findChoiceFault(choice, proposal);
  if (fault !== undefined) throw new TroupeError("usage/invalid-options", `choice: ${fault}`);
  const confidence = options.confidence ?? null;
  if (confidence !== null && !(confidence >= 0 && confidence <= 1)) {
    throw new TroupeError("usage/invalid-options", `confidence: ${confidence} must be a number from 0 to 1, or null`);
  }
  const binding = bindReport({
    recommendation: options.recommendation ?? abstention,
    reasoning: options.reasoning ?? "",
    concerns: options.concerns ?? [],
    alternatives: [],
  });
  if (!binding.ok) throw new TroupeError("usage/invalid-options", `reasoning${binding.problem}`);
  const body = ballotSchema.safeParse({
    v: 1,
    decisionId: proposal.decisionId,
    round: proposal.round,
    proposalDigest: digestOf(proposal, sha256),
    electorateDigest: proposal.electorateDigest,
    voter: options.voter,
    choice,
    confidence: confidence === null ? null : Math.round(confidence * basisPoints),
    ...binding.value,
    concerns: [],
  });
  if (!body.success)
    throw new TroupeError("usage/invalid-options", `ballot: ${body.error.issues[0]?.message ?? "malformed"}`);
  return await signBallotBody(body.data, signer);
}

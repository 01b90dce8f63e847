import {
  proposalSchema,
  signedProposalSchema,
  type ProposalBody,
  type SignedProposal,
} from "../../machines/consensus/codec/messages.ts";
import { decodeHex } from "../../machines/consensus/codec/bytes.ts";
import { isSignedBy } from "../../machines/consensus/codec/sign-bytes.ts";
import { defineRound, findProposalFault, type Round } from "../../machines/consensus/ballot/round.ts";
import type { Electorate } from "../../machines/consensus/electorate/electorate.ts";
import { TroupeError } from "../errors.ts";
import { systemIds, type Ids } from "../ports/chance.ts";
import type { Parsed } from "../../machines/consensus/electorate/threshold.ts";
import type { Signer, Verify } from "../ports/signer.ts";
import { sha256, verifyEd25519 } from "./ed25519.ts";
import { readRules, type BallotPolicy } from "./policy.ts";
import { electorateDigestOf } from "./electorate.ts";
import { bindingDigest } from "./opinion/binding.ts";
import { isPlainProposal } from "./plain-proposal.ts";
import { signProposalBody } from "./signing.ts";

/** An option as asked: an id, and what the voters are shown of it. */
export interface DecisionOption {
  readonly id: string;
  readonly label?: string | undefined;
  readonly folder?: string | undefined;
  readonly payload?: unknown;
}

/** The word that stands for no recommendation, so no option may be called so. */
export const abstention = "abstain";

/** What a proposal is made from, besides the rules. */
export interface ProposalOptions extends Omit<BallotPolicy, "timeoutMs" | "close" | "maxFaultyWeight" | "secrecy"> {
  readonly decisionId?: string;
  readonly round?: number;
  readonly question: string;
  readonly options: readonly (string | DecisionOption)[];
  readonly context?: { readonly [key: string]: unknown };
  readonly constraints?: readonly string[];
  readonly electorate: Electorate;
  /** Epoch milliseconds. */
  readonly closesAt: number;
  /** Epoch milliseconds: voters commit until then, and reveal after. */
  readonly commitClosesAt?: number;
  /** The X25519 key to which voters behind messages seal their answers, in hex. */
  readonly boxKey?: string;
  /**
   * "coordinator": a certificate carries the coordinator's signed closing. "none": the ballots stand alone, so that
   * anybody can tally them from files. "commit": only the members' own agreement closes it (mode bft). Default "none" for `signProposal`; `decide` always closes its rounds.
   */
  readonly closing?: ProposalBody["closing"];
}

function checkOptionIds(ids: readonly string[]): void {
  if (ids.includes(abstention)) {
    throw new TroupeError(
      "usage/invalid-options",
      `no option may be called "${abstention}": it stands for no recommendation; rename it`,
    );
  }
}

let nothingBound: string | undefined;

/** Binds what voters are shown besides the question; nearly always that is nothing. */
function bindContext({ constraints, context }: ProposalOptions): string {
  if (constraints === undefined && context === undefined)
    return (nothingBound ??= bindingDigest("context", { constraints: [], context: {} }));
  return bindingDigest("context", { constraints: constraints ?? [], context: context ?? {} });
}

function checkProposal(built: ProposalBody): void {
  const parsed = proposalSchema.safeParse(built);
  if (parsed.success) return;
  const issue = parsed.error.issues[0];
  throw new TroupeError(
    "usage/invalid-options",
    `${issue?.path.join(".") ?? "proposal"}: ${issue?.message ?? "not allowed"}`,
  );
}

/** Builds the body that the coordinator signs. Errors: throws `usage/invalid-policy` or `usage/invalid-options`. */
export function buildProposal(
  options: ProposalOptions,
  from: { readonly signer: Signer; readonly ids: Ids },
): ProposalBody {
  const choices = options.options.map((option) => (typeof option === "string" ? { id: option } : option));
  checkOptionIds(choices.map(({ id }) => id));
  const rules = readRules(options, choices.length);
  // In the order of the canonical form, which then has nothing to sort.
  const built: ProposalBody = {
    ...(options.boxKey === undefined ? {} : { boxKey: options.boxKey }),
    closesAt: Math.ceil(options.closesAt),
    closing: options.closing ?? "coordinator",
    ...(options.commitClosesAt === undefined ? {} : { commitClosesAt: Math.ceil(options.commitClosesAt) }),
    confidence: rules.confidence,
    contextDigest: bindContext(options),
    coordinator: Buffer.from(from.signer.publicKey).toString("hex"),
    decisionId: options.decisionId ?? from.ids.hex(16),
    defaultOption: rules.defaultOption,
    diversity: rules.diversity,
    electorateDigest: electorateDigestOf(options.electorate),
    method: rules.method,
    minBallots: rules.minBallots,
    options: choices.map((choice, index) => ({ digest: bindingDigest(`options.${index}`, choice), id: choice.id })),
    participation: rules.participation,
    prefer: rules.prefer,
    question: options.question,
    round: options.round ?? 1,
    threshold: rules.threshold,
    v: 1,
  };
  if (!isPlainProposal(built)) checkProposal(built);
  const fault = findProposalFault(built, options.electorate);
  if (fault !== undefined) throw new TroupeError("usage/invalid-policy", fault);
  return built;
}

/**
 * Signs the proposal of a round: question, options and every rule that can change the outcome.
 * Shape: `{ body, sig }`, plain JSON. Units: `closesAt` epoch milliseconds; confidence and diversity 0 to 1 here,
 * basis points in the body. Errors: throws `usage/invalid-policy` or `usage/invalid-options`, naming the field.
 * Source: consensus design §3.1.
 * @example
 * ```ts
 * import { createMember, defineElectorate, signProposal } from "troupe";
 * const { member, signer } = createMember({ id: "ops" });
 * const proposal = await signProposal(
 *   { question: "Ship?", options: ["yes", "no"], electorate: defineElectorate([member]), closesAt: Date.now() + 60_000 },
 *   signer,
 * );
 * console.log(proposal.body.threshold);
 * ```
 */
export async function signProposal(options: ProposalOptions, signer: Signer): Promise<SignedProposal> {
  const body = buildProposal({ ...options, closing: options.closing ?? "none" }, { signer, ids: systemIds });
  return await signProposalBody(body, signer);
}

/** A proposal that nobody signed, for counting plain ballots: its id is made from `content`, so equal files tie equally. */
export function draftProposal(options: Omit<ProposalOptions, "closesAt">, content: object): ProposalBody {
  const decisionId = options.decisionId ?? bindingDigest("ballots", content).slice(0, 32);
  const nobody = { publicKey: new Uint8Array(32), sign: () => new Uint8Array(64) };
  return buildProposal({ ...options, decisionId, closesAt: 0, closing: "none" }, { signer: nobody, ids: systemIds });
}

/** A signed proposal that came from elsewhere, with the round it opens. */
export interface OpenedProposal {
  readonly proposal: SignedProposal;
  readonly round: Round;
}

/** Checks form, electorate and the coordinator's signature of a proposal. Never throws on data. */
export function openProposal(
  proposal: unknown,
  electorate: unknown,
  verify: Verify = verifyEd25519,
): Parsed<OpenedProposal> {
  const signed = signedProposalSchema.safeParse(proposal);
  if (!signed.success) {
    const issue = signed.error.issues[0];
    return { ok: false, problem: `proposal: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? "malformed"}` };
  }
  const { body } = signed.data;
  const round = defineRound(body, electorate, sha256);
  if (!round.ok) return round;
  const key = decodeHex(body.coordinator);
  if (!isSignedBy(key, "proposal", signed.data, { hash: sha256, verify }))
    return { ok: false, problem: "proposal: the coordinator's signature does not hold" };
  return { ok: true, value: { proposal: signed.data, round: round.value } };
}

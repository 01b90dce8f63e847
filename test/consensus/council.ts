import { createHash } from "node:crypto";
import { admitBallot, type AdmittedBallot } from "../../machines/consensus/ballot/admission.ts";
import { collect, idleCollection, type CollectState } from "../../machines/consensus/ballot/collect.ts";
import type { ClosingDraft } from "../../machines/consensus/ballot/effects.ts";
import { certify } from "../../machines/consensus/certificate/certificate.ts";
import { digestOf } from "../../machines/consensus/codec/sign-bytes.ts";
import { defineRound, type Round } from "../../machines/consensus/ballot/round.ts";
import type {
  BallotBody,
  Choice,
  ClosingBody,
  QuorumCertificate,
  SignedBallot,
  SignedClosing,
  SignedProposal,
} from "../../machines/consensus/codec/messages.ts";
import type { Electorate, Member } from "../../machines/consensus/electorate/electorate.ts";
import { createMember, createSigner, importSeed, sha256, verifyEd25519 } from "../../src/consensus/ed25519.ts";
import { defineElectorate } from "../../src/consensus/electorate.ts";
import { signProposal, type ProposalOptions } from "../../src/consensus/proposal.ts";
import { bindingDigest } from "../../src/consensus/opinion/binding.ts";
import { signBallotBody, signClosing } from "../../src/consensus/signing.ts";
import type { Signer } from "../../src/ports/signer.ts";

/** A key that is the same in every run, so that signatures can be golden. */
function keyOf(name: string): ReturnType<typeof importSeed> {
  return importSeed(createHash("sha256").update(`troupe test key ${name}`).digest());
}

export interface MemberSpec {
  readonly id: string;
  readonly weight?: number;
  readonly group?: string;
  readonly host?: string;
}

/** Voters with fixed keys, one signed proposal, and hands to cast ballots with. */
export interface Council {
  readonly electorate: Electorate;
  readonly signers: ReadonlyMap<string, Signer>;
  readonly coordinator: Signer;
  readonly proposal: SignedProposal;
  readonly round: Round;
  body(voter: string, choice: Choice, confidence?: number | null): BallotBody;
  sign(body: BallotBody): Promise<SignedBallot>;
  cast(voter: string, choice: Choice, confidence?: number | null): Promise<AdmittedBallot>;
}

export function memberWithKey(spec: MemberSpec): { member: Member; signer: Signer } {
  return createMember({ ...spec, privateKey: keyOf(spec.id) });
}

export const coordinatorSigner: Signer = createSigner(keyOf("coordinator"));

const emptyReasoning = bindingDigest("reasoning", { recommendation: "abstain", reasoning: "", concerns: [] });

/** "a" to "e" with weight 1, unless told otherwise. */
export function equals(count: number): MemberSpec[] {
  return Array.from({ length: count }, (_, index) => ({ id: String.fromCharCode(97 + index) }));
}

export async function convene(
  members: readonly MemberSpec[],
  options: Partial<Omit<ProposalOptions, "electorate">> = {},
): Promise<Council> {
  const made = members.map(memberWithKey);
  const electorate = defineElectorate(made.map(({ member }) => member));
  const signers = new Map(made.map(({ member, signer }) => [member.id, signer]));
  const proposal = await signProposal(
    {
      decisionId: "decision-1",
      question: "Which one?",
      options: ["x", "y", "z"],
      closesAt: 2_000_000,
      closing: "coordinator",
      ...options,
      electorate,
    },
    coordinatorSigner,
  );
  const defined = defineRound(proposal.body, electorate, sha256);
  if (!defined.ok) throw new Error(defined.problem);
  const round = defined.value;
  const signerOf = (voter: string): Signer => {
    const signer = signers.get(voter);
    if (signer === undefined) throw new Error(`no member ${voter}`);
    return signer;
  };
  const body: Council["body"] = (voter, choice, confidence = null) => ({
    v: 1,
    decisionId: proposal.body.decisionId,
    round: proposal.body.round,
    proposalDigest: round.proposalDigest,
    electorateDigest: round.electorateDigest,
    voter,
    choice,
    confidence: confidence === null ? null : Math.round(confidence * 10_000),
    reasoningDigest: emptyReasoning,
    concerns: [],
  });
  const sign: Council["sign"] = (own) => signBallotBody(own, signerOf(own.voter));
  return {
    electorate,
    signers,
    coordinator: coordinatorSigner,
    proposal,
    round,
    body,
    sign,
    async cast(voter, choice, confidence = null) {
      return admitted(await sign(body(voter, choice, confidence)), round);
    },
  };
}

/** Takes a signed ballot through admission, which must accept it. */
export function admitted(ballot: SignedBallot, round: Round): AdmittedBallot {
  const admission = admitBallot(ballot, round, { hash: sha256, verify: verifyEd25519 });
  if (!admission.admitted) throw new Error(`${admission.row}: ${admission.detail}`);
  return admission.ballot;
}

/** An unsigned stand-in for an admitted ballot: the core only reads content and digest. */
export function unsigned(
  body: BallotBody,
  digest = createHash("sha256").update(JSON.stringify(body)).digest("hex"),
): AdmittedBallot {
  return { body, sig: "00".repeat(64), digest };
}

/** Collects the ballots, closes the round and has the coordinator sign what the round asks for. */
export async function conclude(
  council: Council,
  ballots: readonly SignedBallot[],
): Promise<{ state: CollectState; certificate: QuorumCertificate | undefined; closing: SignedClosing | null }> {
  const { round, proposal, coordinator } = council;
  let state = collect(idleCollection, { type: "round.open", round, close: "all" })[0];
  const taken = ballots.map((ballot) => admitted(ballot, round));
  state = collect(state, { type: "ballots.received", at: 1, ballots: taken })[0];
  state = collect(state, { type: "time.expired", at: round.proposal.closesAt })[0];
  if (state.draft === null) throw new Error("the round did not close");
  const closing =
    proposal.body.closing === "none" ? null : await signClosing(closingOf(council, state.draft), coordinator);
  state = collect(state, { type: "closing.signed", sig: closing?.sig ?? null })[0];
  return { state, closing, certificate: certify(state, { proposal, closing }) };
}

/** The closing that a draft asks for. */
export function closingOf({ round }: Council, draft: ClosingDraft): ClosingBody {
  return {
    v: 1,
    decisionId: round.proposal.decisionId,
    round: round.proposal.round,
    proposalDigest: round.proposalDigest,
    electorateDigest: round.electorateDigest,
    status: draft.status,
    option: draft.option,
    ballotsDigest: digestOf(draft.ballots, sha256),
    voided: draft.voided.map(({ voter, ballots }) => ({ voter, ballots: [...ballots] })),
  };
}

export const single = (option: string): Choice => ({ kind: "single", option });
export const approve = (...options: string[]): Choice => ({ kind: "approval", options });
export const abstain: Choice = { kind: "abstain" };

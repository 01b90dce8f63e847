import { decodeHex } from "../codec/bytes.ts";
import { canonicalText } from "../codec/canonical-json.ts";
import {
  ballotLengthMax,
  quorumCertificateSchema,
  type QuorumCertificate,
  type OutcomeStatus,
  type ProposalBody,
  type SignedBallot,
} from "../codec/messages.ts";
import {
  digestOf,
  sealableOf,
  sealCanonical,
  type Hash,
  type Sealable,
  type SignedKind,
  type VerifySignature,
} from "../codec/sign-bytes.ts";
import { findPublicKeyFault } from "../codec/public-key.ts";
import { findElectorateFault, type Electorate, type Member } from "../electorate/electorate.ts";
import { recount, type Voice } from "./recount.ts";

/** Why a certificate is refused. */
export type CertificateFault =
  | "malformed"
  | "not-canonical"
  | "electorate-invalid"
  | "electorate-mismatch"
  | "proposal-invalid"
  | "proposal-signature"
  | "unsorted"
  | "unknown-voter"
  | "other-round"
  | "invalid-choice"
  | "ballot-signature"
  | "closing-missing"
  | "closing-invalid"
  | "closing-signature"
  | "other-decision"
  | "commit-signature"
  | "wrong-status"
  | "no-quorum"
  | "wrong-option";

/** What a commit certificate proves besides the option. */
export interface Agreed {
  readonly status: OutcomeStatus;
  readonly round: number;
  readonly weight: number;
  readonly members: readonly string[];
}

/** What a check found: the certified option with its weight and signers, or why the certificate does not hold. */
export type CertificateVerdict =
  | {
      readonly ok: true;
      /** The certified option; null where members agreed that nothing is decided. */
      readonly option: string | null;
      /** Weight that supports the option, out of the electorate's. */
      readonly weight: number;
      /** Members that support it, in order. */
      readonly members: readonly string[];
      /** In mode bft: what was agreed, and who committed to it with which weight in which round. */
      readonly agreed?: Agreed;
    }
  | { readonly ok: false; readonly reason: CertificateFault };

/** The functions a verifier needs from outside. */
export interface VerifierPorts {
  readonly hash: Hash;
  readonly verify: VerifySignature;
}

export function fault(reason: CertificateFault): CertificateVerdict {
  return { ok: false, reason };
}

export function isSigned(ports: VerifierPorts, key: string, signed: { sealable: Sealable; sig: string }): boolean {
  const publicKey = decodeHex(key);
  const signature = decodeHex(signed.sig);
  if (publicKey === undefined || signature === undefined || findPublicKeyFault(key) !== undefined) return false;
  return ports.verify(publicKey, signed.sealable.signBytes, signature);
}

export function holds(
  ports: VerifierPorts,
  key: string,
  signed: { kind: SignedKind; body: unknown; sig: string },
): boolean {
  return isSigned(ports, key, { sealable: sealableOf(signed.kind, signed.body, ports.hash), sig: signed.sig });
}

/** The proposal must be consistent in itself: distinct options, a known default, a reachable number of ballots. */
export function isProposalSound(proposal: ProposalBody, voters: number): boolean {
  const names = new Set(proposal.options.map((option) => option.id));
  if (proposal.method === "ranked" && names.size < 2) return false;
  if (names.size !== proposal.options.length || proposal.minBallots > voters) return false;
  if (proposal.threshold.num > proposal.threshold.den || proposal.participation.num > proposal.participation.den)
    return false;
  return proposal.defaultOption === null || names.has(proposal.defaultOption);
}

/** Whether a choice is possible here: of the proposal's method, naming its options, each at most once. */
function isPossible({ choice }: SignedBallot["body"], proposal: ProposalBody): boolean {
  if (choice.kind === "abstain") return true;
  if (choice.kind !== proposal.method) return false;
  const named =
    choice.kind === "single"
      ? [choice.option]
      : choice.kind === "approval"
        ? choice.options
        : choice.kind === "ranked"
          ? choice.order.flat()
          : Object.keys(choice.grades);
  const names = proposal.options.map((option) => option.id);
  return named.every((name, index) => names.includes(name) && named.indexOf(name) === index);
}

/** Every ballot: known voter, ascending order, this very round, a possible choice, a signature that holds. */
export function readVoices(
  certificate: Pick<QuorumCertificate, "proposal" | "electorateDigest" | "ballots">,
  electorate: Electorate,
  ports: VerifierPorts,
): { readonly voices: readonly Voice[]; readonly digests: readonly string[] } | CertificateFault {
  const { body: proposal } = certificate.proposal;
  const proposalDigest = digestOf(proposal, ports.hash);
  const members = new Map<string, Member>(electorate.members.map((member) => [member.id, member]));
  const voices: Voice[] = [];
  const digests: string[] = [];
  let before = "";
  for (const ballot of certificate.ballots) {
    const { body } = ballot;
    if (body.voter <= before) return "unsorted";
    before = body.voter;
    const member = members.get(body.voter);
    if (member === undefined) return "unknown-voter";
    const isHere =
      body.decisionId === proposal.decisionId &&
      body.round === proposal.round &&
      body.proposalDigest === proposalDigest &&
      body.electorateDigest === certificate.electorateDigest;
    if (!isHere) return "other-round";
    if (!isPossible(body, proposal)) return "invalid-choice";
    const canonical = canonicalText(body);
    if (canonical.length > ballotLengthMax) return "malformed";
    const sealable = sealCanonical("ballot", canonical, ports.hash);
    if (!isSigned(ports, member.publicKey, { sealable, sig: ballot.sig })) return "ballot-signature";
    digests.push(sealable.digest);
    voices.push({ member, choice: body.choice, confidence: body.confidence });
  }
  return { voices, digests };
}

/** The coordinator's closing must be about exactly these ballots and this option, and accuse nobody who is counted. */
function findClosingFault(
  certificate: QuorumCertificate,
  read: { readonly digests: readonly string[]; readonly electorate: Electorate },
  ports: VerifierPorts,
): CertificateFault | undefined {
  const { body: proposal } = certificate.proposal;
  const known = new Set(read.electorate.members.map((member) => member.id));
  const { closing } = certificate;
  // Ballots cast for an agreement prove nothing by themselves, whoever closes them.
  if (proposal.closing === "commit") return "closing-invalid";
  if (proposal.closing === "none") return closing === undefined ? undefined : "closing-invalid";
  if (closing === undefined) return "closing-missing";
  const { body } = closing;
  const counted = new Set(certificate.ballots.map((ballot) => ballot.body.voter));
  const isAboutThis =
    body.decisionId === proposal.decisionId &&
    body.round === proposal.round &&
    body.proposalDigest === digestOf(proposal, ports.hash) &&
    body.electorateDigest === certificate.electorateDigest &&
    body.status === "decided" &&
    body.option === certificate.option &&
    body.ballotsDigest === digestOf(read.digests, ports.hash) &&
    body.voided.every((entry, index) => {
      const isNext = (body.voided[index - 1]?.voter ?? "") < entry.voter;
      return isNext && known.has(entry.voter) && !counted.has(entry.voter) && entry.ballots[0] !== entry.ballots[1];
    });
  if (!isAboutThis) return "closing-invalid";
  return holds(ports, proposal.coordinator, { kind: "closing", body, sig: closing.sig })
    ? undefined
    : "closing-signature";
}

/**
 * Checks a quorum certificate against an electorate, offline and trusting nobody: a second, independent reading of the
 * rules that shares only codec and threshold arithmetic with the tally. Never throws on data.
 *
 * What `ok: true` proves: the coordinator's key proposed this question, members of this electorate signed each of
 * these ballots for it, and these ballots under these rules give this option. With the closing, the coordinator
 * vouched that exactly these ballots were counted. What it does not prove: that no other ballot was handed in and
 * left out, that a majority is right, or that the keys lived on different machines. See docs/decisions/0010.
 */
export function checkQuorum(certificate: unknown, electorate: unknown, ports: VerifierPorts): CertificateVerdict {
  const parsed = quorumCertificateSchema.safeParse(certificate);
  if (!parsed.success) return fault("malformed");
  if (findElectorateFault(electorate) !== undefined) return fault("electorate-invalid");
  const given = parsed.data;
  const register = electorate as Electorate;
  const { body: proposal } = given.proposal;
  const electorateDigest = digestOf(register, ports.hash);
  if (given.electorateDigest !== electorateDigest || proposal.electorateDigest !== electorateDigest) {
    return fault("electorate-mismatch");
  }
  if (!isProposalSound(proposal, register.members.length)) return fault("proposal-invalid");
  if (given.round !== proposal.round) return fault("other-round");
  if (!holds(ports, proposal.coordinator, { kind: "proposal", body: proposal, sig: given.proposal.sig })) {
    return fault("proposal-signature");
  }
  const read = readVoices(given, register, ports);
  if (typeof read === "string") return fault(read);
  const closingFault = findClosingFault(given, { digests: read.digests, electorate: register }, ports);
  if (closingFault !== undefined) return fault(closingFault);
  const tieKey = (option: string): string => digestOf([proposal.decisionId, proposal.round, option], ports.hash);
  const winner = recount(proposal, register, { voices: read.voices, tieKey });
  if (winner.status !== "decided") return fault("no-quorum");
  if (winner.option !== given.option) return fault("wrong-option");
  const behind = winner.backers;
  return {
    ok: true,
    option: winner.option,
    weight: behind.reduce((sum, { member }) => sum + member.weight, 0),
    members: behind.map(({ member }) => member.id),
  };
}

import { encodeStatement } from "../bft/vote-bytes.ts";
import { decodeHex } from "../codec/bytes.ts";
import { commitCertificateSchema, valueDigestOf, type CommitCertificate } from "../codec/commit-messages.ts";
import { digestOf } from "../codec/sign-bytes.ts";
import { findElectorateFault, type Electorate } from "../electorate/electorate.ts";
import { quorumOf } from "../electorate/threshold.ts";
import { recount } from "./recount.ts";
import {
  fault,
  holds,
  isProposalSound,
  readVoices,
  type Agreed,
  type CertificateFault,
  type CertificateVerdict,
  type VerifierPorts,
} from "./verify-quorum.ts";

/** Every signature: of a member, in ascending order, over the precommit of this very value; then more than two thirds. */
function readSigners(
  given: CommitCertificate,
  electorate: Electorate,
  ports: VerifierPorts,
): Pick<Agreed, "weight" | "members"> | CertificateFault {
  const value = valueDigestOf(given.value, ports.hash);
  const members: string[] = [];
  let weight = 0;
  let before = -1;
  for (const { memberIndex, sig } of given.signatures) {
    if (memberIndex <= before) return "unsorted";
    before = memberIndex;
    const member = electorate.members[memberIndex];
    if (member === undefined) return "unknown-voter";
    const bytes = encodeStatement({
      kind: "precommit",
      decision: given.value.proposalDigest,
      electorate: given.electorateDigest,
      voter: memberIndex,
      round: given.round,
      value,
      validRound: -1,
    });
    const key = decodeHex(member.publicKey);
    const signature = decodeHex(sig);
    if (bytes === undefined || key === undefined || signature === undefined) return "malformed";
    if (!ports.verify(key, bytes, signature)) return "commit-signature";
    members.push(member.id);
    weight += member.weight;
  }
  const total = electorate.members.reduce((sum, each) => sum + each.weight, 0);
  return 3 * weight > 2 * total ? { weight, members } : "no-quorum";
}

/** What the certificate says of itself must fit: one electorate, one decision, one proposal that asks for agreement. */
function findFrameFault(
  given: CommitCertificate,
  electorate: Electorate,
  ports: VerifierPorts,
): CertificateFault | undefined {
  const { body: proposal, sig } = given.proposal;
  const electorateDigest = digestOf(electorate, ports.hash);
  if (given.electorateDigest !== electorateDigest || proposal.electorateDigest !== electorateDigest)
    return "electorate-mismatch";
  if (!isProposalSound(proposal, electorate.members.length)) return "proposal-invalid";
  if (proposal.closing !== "commit") return "closing-invalid";
  if (given.decisionId !== proposal.decisionId) return "other-decision";
  if (given.value.proposalDigest !== digestOf(proposal, ports.hash)) return "other-round";
  return holds(ports, proposal.coordinator, { kind: "proposal", body: proposal, sig })
    ? undefined
    : "proposal-signature";
}

/** What a value gives by the rules of its proposal, when its ballots are tallied again; or which rule it breaks. */
export function readValue(
  { proposal, electorateDigest, value }: Pick<CommitCertificate, "proposal" | "electorateDigest" | "value">,
  electorate: Electorate,
  ports: VerifierPorts,
): ReturnType<typeof recount> | CertificateFault {
  const { body } = proposal;
  const read = readVoices({ proposal, electorateDigest, ballots: value.ballots }, electorate, ports);
  if (typeof read === "string") return read;
  const total = electorate.members.reduce((sum, { weight }) => sum + weight, 0);
  const present = read.voices.reduce((sum, { member }) => sum + member.weight, 0);
  if (present < quorumOf(body.participation, total)) return "no-quorum";
  const tieKey = (option: string): string => digestOf([body.decisionId, body.round, option], ports.hash);
  const result = recount(body, electorate, { voices: read.voices, tieKey });
  if (result.status !== value.status) return "wrong-status";
  const option = result.status === "decided" ? result.option : null;
  return option === value.option ? result : "wrong-option";
}

/**
 * Checks a commit certificate against an electorate, offline and trusting nobody: digests, then members, then every
 * signature, then more than two thirds of the weight, then the ballots, which are tallied again by the second reading
 * of the rules. Never throws on data. Source: consensus design §4.5.
 *
 * What `ok: true` proves: more than two thirds of this electorate committed to exactly these ballots and this outcome.
 * No other outcome can be certified for the proposal unless more than F_safe signed against the protocol. Two
 * certificates of one round of the agreement then convict more than a third; of different rounds only with the members'
 * transcripts. What it does not prove: that a majority is right, or that the keys lived on different machines.
 */
export function checkCommit(certificate: unknown, electorate: unknown, ports: VerifierPorts): CertificateVerdict {
  const parsed = commitCertificateSchema.safeParse(certificate);
  if (!parsed.success) return fault("malformed");
  if (findElectorateFault(electorate) !== undefined) return fault("electorate-invalid");
  const given = parsed.data;
  const register = electorate as Electorate;
  const frameFault = findFrameFault(given, register, ports);
  if (frameFault !== undefined) return fault(frameFault);
  const signers = readSigners(given, register, ports);
  if (typeof signers === "string") return fault(signers);
  const { proposal, electorateDigest, value } = given;
  const result = readValue({ proposal, electorateDigest, value }, register, ports);
  if (typeof result === "string") return fault(result);
  const agreed: Agreed = { status: value.status, round: given.round, ...signers };
  if (result.status !== "decided") return { ok: true, option: null, weight: 0, members: [], agreed };
  const members = result.backers.map(({ member }) => member.id);
  const weight = result.backers.reduce((sum, { member }) => sum + member.weight, 0);
  return { ok: true, option: result.option, weight, members, agreed };
}

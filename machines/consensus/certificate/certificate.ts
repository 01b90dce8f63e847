import type { CollectState } from "../ballot/collect.ts";
import { canonicalText } from "../codec/canonical-json.ts";
import { encodeUtf8 } from "../codec/bytes.ts";
import type { CommitCertificate } from "../codec/commit-messages.ts";
import type { QuorumCertificate, SignedClosing, SignedProposal } from "../codec/messages.ts";
import type { Electorate } from "../electorate/electorate.ts";

/** Proof of a decision that anyone can check with the electorate alone: of mode ballot, or of mode bft. */
export type Certificate = QuorumCertificate | CommitCertificate;

/**
 * The certificate of a decided round: every counted ballot, so that a verifier can tally again, and the closing where
 * the proposal asks for one. Undefined unless decided.
 */
export function certify(
  state: CollectState,
  signed: { proposal: SignedProposal; closing: SignedClosing | null },
): QuorumCertificate | undefined {
  const { round, tally, casts } = state;
  if (round === null || tally === null || tally.option === null) return undefined;
  const ballots = casts.flatMap((cast) =>
    cast === null || cast.conflicting !== null ? [] : [{ body: cast.ballot.body, sig: cast.ballot.sig }],
  );
  return {
    v: 1,
    kind: "quorum",
    electorateDigest: round.electorateDigest,
    proposal: signed.proposal,
    option: tally.option,
    round: round.proposal.round,
    ballots,
    ...(signed.closing === null ? {} : { closing: signed.closing }),
  };
}

/** A file of consensus data: canonical JSON (RFC 8785) and one newline, so that equal content is equal bytes. */
export function encodeFile(value: unknown): Uint8Array {
  return encodeUtf8(`${canonicalText(value)}\n`);
}

/** The bytes of a certificate file. */
export function encodeCertificate(certificate: Certificate): Uint8Array {
  return encodeFile(certificate);
}

/** The bytes of an electorate file. */
export function encodeElectorate(electorate: Electorate): Uint8Array {
  return encodeFile(electorate);
}

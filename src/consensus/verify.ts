import {
  checkAgreementEvidence,
  type AgreementEvidenceCheck,
} from "../../machines/consensus/certificate/agreement-evidence.ts";
import {
  encodeCertificate as encodeCertificateFile,
  encodeElectorate as encodeElectorateFile,
  type Certificate,
} from "../../machines/consensus/certificate/certificate.ts";
import {
  checkEquivocation,
  checkEvidence,
  type EquivocationCheck,
  type EvidenceCheck,
} from "../../machines/consensus/certificate/evidence.ts";
import {
  accuseOfOmission as accuse,
  checkOmission,
  type Omission,
} from "../../machines/consensus/certificate/omission.ts";
import {
  checkCertificate,
  type CertificateFault,
  type CertificateVerdict,
} from "../../machines/consensus/certificate/verify.ts";
import { canonicalize, canonicalText } from "../../machines/consensus/codec/canonical-json.ts";
import { encodeUtf8, sameBytes } from "../../machines/consensus/codec/bytes.ts";
import { findElectorateFault, type Electorate } from "../../machines/consensus/electorate/electorate.ts";
import type { QuorumCertificate, SignedReceipt } from "../../machines/consensus/codec/messages.ts";
import type { Json } from "../../machines/failure.ts";
import type { Decision } from "./decision.ts";
import { sha256, verifyEd25519 } from "./ed25519.ts";

/** Largest certificate or electorate file that is read, in bytes: 1,024 ballots of the largest size. */
export const certificateBytesMax = 33_554_432;

const ports = { hash: sha256, verify: verifyEd25519 };

/** The bytes of a certificate file: canonical JSON (RFC 8785), bytes as lowercase hex, and one newline. */
export function encodeCertificate(certificate: Certificate): Uint8Array {
  return encodeCertificateFile(certificate);
}

/** The bytes of an electorate file, in the same form. */
export function encodeElectorate(electorate: Electorate): Uint8Array {
  return encodeElectorateFile(electorate);
}

/** The same data with its keys in canonical order, so that printing it as JSON gives the canonical text. */
export function sortKeys(value: Certificate | Electorate): unknown {
  return JSON.parse(canonicalText(value)) as unknown;
}

/**
 * Checks a certificate offline against an electorate, trusting nobody.
 * Shape: `{ok:true, option, weight, members}` with the supporting weight and members, or `{ok:false, reason}`; never
 * throws on data. Units: weights of the electorate.
 * What it proves: the coordinator asked this, these members signed these ballots for it, and by the signed rules they
 * give this option; of mode bft, `agreed` says besides which members committed to exactly these ballots, and `option`
 * is null where they agreed that nothing is decided. What it does not, in mode ballot: that no ballot was left out by the coordinator, that the majority is right, or
 * that the keys were on different machines: keys in one process protect against faulty agents, not a compromised host.
 * Source: consensus design §3, §4.5, docs/decisions/0010.
 * @example
 * ```ts
 * import { verifyCertificate, type Decision } from "troupe";
 * export function isProven(decision: Decision): boolean {
 *   return verifyCertificate(decision.certificate, decision.electorate).ok;
 * }
 * ```
 */
export function verifyCertificate(certificate: unknown, electorate: unknown): CertificateVerdict {
  return checkCertificate(certificate, electorate, ports);
}

type Decoded = { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly reason: CertificateFault };

/** Reads a file and encodes it again: only the one canonical spelling of its content is accepted. */
function decodeCanonical(bytes: Uint8Array): Decoded {
  if (bytes.length > certificateBytesMax) return { ok: false, reason: "malformed" };
  let value: Json;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)) as Json;
  } catch {
    // Neither UTF-8 nor JSON: what exactly is wrong with foreign bytes is of no use to anyone.
    return { ok: false, reason: "malformed" };
  }
  const canonical = canonicalize(value);
  if (!canonical.ok || !sameBytes(encodeUtf8(`${canonical.text}\n`), bytes))
    return { ok: false, reason: "not-canonical" };
  return { ok: true, value };
}

/**
 * Checks the bytes of a certificate file against those of an electorate file. Both are decoded, encoded again and
 * compared, so any changed byte is refused. Never throws on data.
 */
export function verifyCertificateBytes(certificate: Uint8Array, electorate: Uint8Array): CertificateVerdict {
  const register = decodeCanonical(electorate);
  if (!register.ok) return { ok: false, reason: "electorate-invalid" };
  const decoded = decodeCanonical(certificate);
  return decoded.ok ? verifyCertificate(decoded.value, register.value) : decoded;
}

/**
 * What a voter's receipt proves about the round as it was closed: that its coordinator left the ballot out.
 * Shape: evidence for `verifyEvidence`, plain JSON; undefined where the ballot is counted, where its voter is void for two
 * ballots, or where both are not of one round. `closed`: a certificate of mode ballot, or the decision itself.
 * Source: consensus design §5, row 27.
 * @example
 * ```ts
 * import { accuseOfOmission, verifyEvidence, type Electorate, type QuorumCertificate, type SignedReceipt } from "troupe";
 * export function isLeftOut(receipt: SignedReceipt, certificate: QuorumCertificate, electorate: Electorate): boolean {
 *   const evidence = accuseOfOmission(receipt, certificate);
 *   return evidence !== undefined && verifyEvidence(evidence, electorate).ok;
 * }
 * ```
 */
export function accuseOfOmission(receipt: SignedReceipt, closed: QuorumCertificate | Decision): Omission | undefined {
  const { closing, ballots, proposal } = closed;
  if (closing === undefined || closing === null) return undefined;
  const signed = ballots.flatMap((each) => {
    if ("body" in each) return [each];
    return each.standing === "void" || each.standing === "late" ? [] : [each.ballot];
  });
  return accuse(receipt, { closing, ballots: signed, coordinator: proposal.body.coordinator }, sha256);
}

/**
 * Checks evidence offline, trusting nobody: two different ballots of one member, both signed, two different
 * proposals or closings of one round by one coordinator's key, a ballot that a coordinator signed for and left out, or
 * a proof from the agreement of mode bft, which may convict several voters. Never throws on data.
 */
export function verifyEvidence(
  evidence: unknown,
  electorate: unknown,
): EvidenceCheck | EquivocationCheck | AgreementEvidenceCheck {
  if (findElectorateFault(electorate) !== undefined) return { ok: false, reason: "electorate-invalid" };
  const kind = typeof evidence === "object" && evidence !== null && "kind" in evidence ? evidence.kind : undefined;
  if (kind === "CoordinatorEquivocation") return checkEquivocation(evidence, ports);
  if (kind === "Omission") return checkOmission(evidence, ports);
  if (kind !== "DuplicateBallot") return checkAgreementEvidence(evidence, electorate as Electorate, ports);
  return checkEvidence(evidence, electorate as Electorate, ports);
}

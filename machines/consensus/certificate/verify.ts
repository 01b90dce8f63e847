import { checkCommit } from "./verify-commit.ts";
import { checkQuorum, type CertificateVerdict, type VerifierPorts } from "./verify-quorum.ts";

export type { CertificateFault, CertificateVerdict } from "./verify-quorum.ts";

/** Checks a certificate of either mode against an electorate, offline and trusting nobody. Never throws on data. */
export function checkCertificate(certificate: unknown, electorate: unknown, ports: VerifierPorts): CertificateVerdict {
  const kind =
    typeof certificate === "object" && certificate !== null && "kind" in certificate ? certificate.kind : undefined;
  return kind === "commit" ? checkCommit(certificate, electorate, ports) : checkQuorum(certificate, electorate, ports);
}

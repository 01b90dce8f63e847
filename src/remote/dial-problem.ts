import type { IncomingMessage } from "node:http";
import { DialRefusal } from "../ports/transport.ts";

/** Characters of a listener's own words that a message of ours repeats. */
const reasonCharactersMax = 200;

/** What OpenSSL says of an answer that is not TLS; Node.js gives no better code than EPROTO for it. */
const notTls = /wrong version number|packet length too long/;

/** What Node.js calls a certificate that it does not take. Source: nodejs.org/api/tls.html, X509 certificate error codes. */
const notTrusted: ReadonlySet<string> = new Set([
  "CERT_CHAIN_TOO_LONG",
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "CERT_REJECTED",
  "CERT_REVOKED",
  "CERT_SIGNATURE_FAILURE",
  "CERT_UNTRUSTED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "HOSTNAME_MISMATCH",
  "INVALID_CA",
  "INVALID_PURPOSE",
  "PATH_LENGTH_EXCEEDED",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/** What a dial came to grief of, in words that say what to do. */
export function explainDial(url: string, problem: Error & { readonly code?: string }): Error {
  const { code = "", message } = problem;
  const options = { cause: problem };
  if (code.startsWith("E") && notTls.test(message))
    return new DialRefusal(4406, "the other side does not speak TLS; use ws://", options);
  if (notTrusted.has(code)) {
    const why = `the certificate of the other side is not trusted (${code}); give its authority as tls.ca, or have it renewed`;
    return new DialRefusal(4401, why, options);
  }
  const isSecure = url.startsWith("wss:");
  // A TLS server answers plain HTTP with an alert, or with nothing.
  if (!isSecure && code.startsWith("HPE_"))
    return new DialRefusal(4406, "the other side does not answer in HTTP; if it speaks TLS, use wss://", options);
  if (!isSecure && code === "ECONNRESET")
    return new Error("the other side hung up without an answer; if it speaks TLS, use wss://", options);
  if (code === "ECONNREFUSED")
    return new Error(`nobody listens there (${code}); start the node, or correct the address`, options);
  return new Error(message === "" ? code : message, options);
}

/** Statuses that are answered for good, each with the close code that says the same. */
const finalStatuses: ReadonlyMap<number, readonly [code: number, what: string]> = new Map([
  [401, [4401, "the node refused this one"]],
  [403, [4403, "the node does not answer to this address"]],
  [426, [4406, "the node speaks another version of the protocol"]],
]);

/** Why an upgrade was not granted, with what the listener itself says of it. */
export async function explainStatus(response: IncomingMessage): Promise<Error> {
  const { statusCode = 0 } = response;
  let said = "";
  response.setEncoding("utf8");
  try {
    for await (const piece of response) {
      said += piece as string;
      if (said.length >= reasonCharactersMax) break;
    }
  } catch {
    // A listener that hangs up in the middle of its words has said enough.
  }
  const words = said.trim().slice(0, reasonCharactersMax);
  const tail = words === "" ? "" : `: ${words}`;
  const final = finalStatuses.get(statusCode);
  if (final !== undefined) return new DialRefusal(final[0], `${final[1]} (status ${statusCode})${tail}`);
  return new Error(`no node answers there, but something else does (status ${statusCode})${tail}`);
}

import { createSecureContext, type TlsOptions } from "node:tls";
import { TroupeError } from "../errors.ts";

/** PEM: one text, or several. */
export type Pem = string | Buffer | readonly (string | Buffer)[];

/** What TLS a door or a dialler speaks. It is always TLS 1.3, which channel binding needs (RFC 9266). */
export interface TlsIdentity {
  /** Authorities whose certificates are taken. A door that has them asks every client for a certificate. */
  readonly ca?: Pem;
  /** This side's certificate, with what leads up to its authority. */
  readonly cert?: Pem;
  /** The private key of `cert`. */
  readonly key?: Pem;
}

function listOf(pem: Pem): (string | Buffer)[] {
  return Array.isArray(pem) ? [...(pem as readonly (string | Buffer)[])] : [pem as string | Buffer];
}

/** As node:tls takes it. Errors: throws `usage/invalid-options` for what cannot be used, without repeating any of it. */
export function tlsOptions({ ca, cert, key }: TlsIdentity): TlsOptions {
  if ((cert === undefined) !== (key === undefined))
    throw new TroupeError("usage/invalid-options", "tls.cert and tls.key belong together; give both");
  const options = {
    minVersion: "TLSv1.3",
    ...(ca === undefined ? {} : { ca: listOf(ca) }),
    ...(cert === undefined ? {} : { cert: listOf(cert) }),
    ...(key === undefined ? {} : { key: listOf(key) }),
  } as const;
  try {
    createSecureContext(options);
  } catch (thrown) {
    const message = "tls cannot be used: ca, cert and key must be PEM, and key must be that of cert";
    throw new TroupeError("usage/invalid-options", message, { cause: thrown });
  }
  return options;
}

import { TroupeError } from "../errors.ts";
import type { TlsIdentity } from "./tls.ts";

/** Who may be listened to, decided once for every door that Troupe opens. */
export interface ListenPolicy {
  /** Address to listen on; default 127.0.0.1, which other machines cannot reach. */
  readonly host?: string;
  /** 0 for any free one. */
  readonly port: number;
  /** Whoever comes has to prove who it is. Without it, only this machine's own addresses are listened on. */
  readonly authenticated: boolean;
  /** Speaks TLS; with `ca`, whoever comes without a certificate of it is turned away, which counts as proof. */
  readonly tls?: TlsIdentity;
  /** Names under which this machine is reached from outside, as browsers and programs send them: "troupe.example:7700". */
  readonly hosts?: readonly string[];
  /** Pages that may come besides this server's own: "https://troupe.example". */
  readonly origins?: readonly string[];
}

export const loopbackHost = "127.0.0.1";

const loopbacks: ReadonlySet<string> = new Set([loopbackHost, "::1", "localhost"]);

export function isLoopback(host: string): boolean {
  return loopbacks.has(host) || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Throws `usage/invalid-options` where a door would stand open to other machines. */
export function checkPolicy(policy: ListenPolicy): void {
  const { host = loopbackHost, port, authenticated, tls } = policy;
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new TroupeError("usage/invalid-options", `port is ${port}; it must be from 0 to 65535`);
  if (tls !== undefined && (tls.cert === undefined || tls.key === undefined))
    throw new TroupeError(
      "usage/invalid-options",
      "tls needs cert and key: the certificate that this door shows, as PEM",
    );
  if (isLoopback(host) || authenticated || tls?.ca !== undefined) return;
  throw new TroupeError(
    "usage/invalid-options",
    `host is ${host}, which other machines can reach, and nobody would be asked who they are; give auth, or listen on ${loopbackHost}`,
  );
}

function ownNames(policy: ListenPolicy, port: number): readonly string[] {
  const { host = loopbackHost, hosts = [] } = policy;
  const local = isLoopback(host) ? [`${loopbackHost}:${port}`, `localhost:${port}`, `[::1]:${port}`] : [];
  return [...local, ...hosts];
}

/**
 * Why a request is not answered, or undefined. The Host check keeps a page of another site from reaching a loopback
 * door under a name that it points here; the Origin check keeps it from using the door's own name.
 */
export function findRefusal(
  headers: { readonly host?: string | undefined; readonly origin?: string | undefined },
  policy: ListenPolicy,
  port: number,
): string | undefined {
  const names = ownNames(policy, port);
  // Off loopback without a list of names the authentication alone decides.
  if (names.length > 0 && !names.includes(headers.host ?? "")) return "this door answers to its own address only";
  const { origin } = headers;
  if (origin === undefined) return undefined;
  const scheme = policy.tls === undefined ? "http" : "https";
  const isOwn = names.some((name) => origin === `${scheme}://${name}`);
  // Under its outer names something in front of the door may end the TLS.
  const isOuter = policy.hosts?.some((name) => origin === `https://${name}`) === true;
  return isOwn || isOuter || policy.origins?.includes(origin) === true ? undefined : "this page is not allowed here";
}

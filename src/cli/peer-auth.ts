import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { createSigner, importSeed } from "../consensus/ed25519.ts";
import { TroupeError } from "../errors.ts";
import type { PeerAuth } from "../troupe/network/auth.ts";

/** What `--auth` takes, for people. */
export const authForms = "token:@file, token:env:NAME, ed25519:@file or mtls:@dir";
const keyFile = z.object({
  /** The 32-byte seed of this node's private key. */
  seed: z.string().regex(/^[0-9a-f]{64}$/),
  keys: z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/)),
});

function readSecret(given: string, file: string, cwd: string, shown = "the file"): string {
  try {
    return readFileSync(resolve(cwd, file), "utf8").trim();
  } catch (thrown) {
    throw new TroupeError("usage/bad-file", `--auth ${given}: ${shown} cannot be read`, { cause: thrown });
  }
}

/** How a node of the command proves itself: by a secret or a key, or by its certificate. */
export interface PeerProof {
  readonly auth?: PeerAuth;
  readonly tls?: { readonly ca: string; readonly cert: string; readonly key: string };
}

/**
 * Reads `--auth`. A secret itself is never taken from the command line, where other users of the machine see it.
 * An Ed25519 file is JSON: `{"seed": hex, "keys": {"<node>": hex}}`. A folder for mutual TLS holds ca.pem, cert.pem and
 * key.pem.
 * Errors: throws `usage/bad-argument` and `usage/bad-file`; none of them shows the secret.
 */
export function readPeerProof(given: string | undefined, cwd: string): PeerProof {
  if (given === undefined) return {};
  if (given.startsWith("token:@")) return { auth: { token: readSecret(given, given.slice("token:@".length), cwd) } };
  if (given.startsWith("token:env:")) {
    const name = given.slice("token:env:".length);
    const token = process.env[name];
    if (token === undefined || token === "")
      throw new TroupeError("usage/bad-argument", `--auth ${given}: the environment has no ${name}`);
    return { auth: { token } };
  }
  if (given.startsWith("ed25519:@")) return { auth: readKeys(given, cwd) };
  if (given.startsWith("mtls:@")) {
    const folder = given.slice("mtls:@".length);
    const read = (file: string): string => readSecret(given, join(folder, file), cwd, file);
    return { tls: { ca: read("ca.pem"), cert: read("cert.pem"), key: read("key.pem") } };
  }
  // What was given may be a secret: it is not repeated.
  throw new TroupeError("usage/bad-argument", `--auth: use one of ${authForms}`);
}

function readKeys(given: string, cwd: string): PeerAuth {
  const text = readSecret(given, given.slice("ed25519:@".length), cwd);
  let parsed: ReturnType<typeof keyFile.safeParse> | undefined;
  try {
    parsed = keyFile.safeParse(JSON.parse(text));
  } catch {
    parsed = undefined;
  }
  if (parsed?.success !== true)
    throw new TroupeError(
      "usage/bad-file",
      `--auth ${given}: the file must be {"seed": 64 hex digits, "keys": {"<node>": 64 hex digits}}`,
    );
  const { seed, keys } = parsed.data;
  return { signer: createSigner(importSeed(Buffer.from(seed, "hex"))), keys };
}

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";
import { createSigner, importSeed } from "../consensus/ed25519.ts";
import { TroupeError } from "../errors.ts";
import type { PeerAuth } from "../troupe/network/auth.ts";

const forms = "token:@file, token:env:NAME or ed25519:@file";
const keyFile = z.object({
  /** The 32-byte seed of this node's private key. */
  seed: z.string().regex(/^[0-9a-f]{64}$/),
  keys: z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/)),
});

function readSecret(given: string, file: string, cwd: string): string {
  try {
    return readFileSync(resolve(cwd, file), "utf8").trim();
  } catch (thrown) {
    throw new TroupeError("usage/bad-file", `--auth ${given}: the file cannot be read`, { cause: thrown });
  }
}

/**
 * Reads `--auth`. A secret itself is never taken from the command line, where other users of the machine see it.
 * An Ed25519 file is JSON: `{"seed": hex, "keys": {"<node>": hex}}`.
 * Errors: throws `usage/bad-argument` and `usage/bad-file`; none of them shows the secret.
 */
export function readPeerAuth(given: string | undefined, cwd: string): PeerAuth | undefined {
  if (given === undefined) return undefined;
  if (given.startsWith("token:@")) return { token: readSecret(given, given.slice("token:@".length), cwd) };
  if (given.startsWith("token:env:")) {
    const name = given.slice("token:env:".length);
    const token = process.env[name];
    if (token === undefined || token === "")
      throw new TroupeError("usage/bad-argument", `--auth ${given}: the environment has no ${name}`);
    return { token };
  }
  if (given.startsWith("ed25519:@")) {
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
  // What was given may be a secret: it is not repeated.
  throw new TroupeError("usage/bad-argument", `--auth: use one of ${forms}`);
}

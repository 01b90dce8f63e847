import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { createSigner, importSeed } from "../consensus/ed25519.ts";
import { TroupeError } from "../errors.ts";
import type { PeerAuth } from "../troupe/network/auth.ts";
import type { ParsedArguments } from "./command.ts";
import { authForms, pairForm } from "./options.ts";

const keyFile = z.object({
  /** The 32-byte seed of this node's private key. */
  seed: z.string().regex(/^[0-9a-f]{64}$/),
  keys: z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/)),
});

/** `option` is what was given and is shown; of the file's content nothing is. */
function readSecret(
  option: string,
  file: string,
  { cwd, shown = "the file" }: { cwd: string; shown?: string },
): string {
  try {
    return readFileSync(resolve(cwd, file), "utf8").trim();
  } catch (thrown) {
    throw new TroupeError("usage/bad-file", `${option}: ${shown} cannot be read`, { cause: thrown });
  }
}

interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** How a node of the command proves itself: by a secret or a key, by its certificate, or by both. */
interface PeerProof {
  readonly auth?: PeerAuth;
  readonly tls?: Partial<Certificate> & { readonly ca?: string };
}

/** What a node that is dialled shows, and asks for. */
export interface DoorProof extends PeerProof {
  readonly tls?: Certificate & { readonly ca?: string };
}

/** What a node that dials brings. */
export interface DialProof extends PeerProof {}

type Values = ParsedArguments["values"];

/**
 * Reads the options of a node that is dialled. A secret itself is never taken from the command line, where other users
 * of the machine see it. An Ed25519 file is JSON: `{"seed": hex, "keys": {"<node>": hex}}`. A folder for mutual TLS holds
 * ca.pem, cert.pem and key.pem.
 * Errors: throws `usage/bad-argument` and `usage/bad-file`; none of them shows the secret.
 */
export function readDoorProof(values: Values, cwd: string): DoorProof {
  const { auth, tls } = readProof(values, cwd);
  if (tls !== undefined && (tls.cert === undefined || tls.key === undefined))
    throw new TroupeError(
      "usage/bad-argument",
      `--ca: a node asks for certificates over TLS only; add --tls ${pairForm}`,
    );
  const { cert, key, ca } = tls ?? {};
  return {
    ...(auth === undefined ? {} : { auth }),
    ...(cert === undefined || key === undefined ? {} : { tls: { cert, key, ...(ca === undefined ? {} : { ca }) } }),
  };
}

/** As `readDoorProof`, for a node that dials these addresses. */
export function readDialProof(values: Values, urls: readonly string[], cwd: string): DialProof {
  const plain = urls.find((url) => !url.startsWith("wss:"));
  if (plain !== undefined && (values["tls"] ?? values["ca"]) !== undefined)
    throw new TroupeError(
      "usage/bad-argument",
      `--connect ${plain}: --ca and --tls need an address that begins with wss://`,
    );
  return readProof(values, cwd);
}

function readProof(values: Values, cwd: string): PeerProof {
  const { auth, tls, ca } = values as { readonly [option: string]: string | undefined };
  if (tls === undefined && ca === undefined) return readAuth(auth, cwd);
  if (auth?.startsWith("mtls:") === true)
    throw new TroupeError("usage/bad-argument", "--auth mtls:@dir brings its certificates; leave --tls and --ca out");
  return {
    ...readAuth(auth, cwd),
    tls: {
      ...(tls === undefined ? {} : readCertificate(tls, cwd)),
      ...(ca === undefined ? {} : { ca: readSecret(`--ca ${ca}`, ca, { cwd }) }),
    },
  };
}

function readCertificate(given: string, cwd: string): Certificate {
  const [cert = "", key = "", ...rest] = given.split(",");
  if (cert === "" || key === "" || rest.length > 0)
    throw new TroupeError("usage/bad-argument", `--tls ${given}: name two files, ${pairForm}`);
  const read = (file: string): string => readSecret(`--tls ${given}`, file, { cwd, shown: file });
  return { cert: read(cert), key: read(key) };
}

function readAuth(given: string | undefined, cwd: string): PeerProof {
  if (given === undefined) return {};
  const option = `--auth ${given}`;
  if (given.startsWith("token:@"))
    return { auth: { token: readSecret(option, given.slice("token:@".length), { cwd }) } };
  if (given.startsWith("token:env:")) {
    const name = given.slice("token:env:".length);
    const token = process.env[name];
    if (token === undefined || token === "")
      throw new TroupeError("usage/bad-argument", `${option}: the environment has no ${name}`);
    return { auth: { token } };
  }
  if (given.startsWith("ed25519:@")) return { auth: readKeys(given, cwd) };
  if (given.startsWith("mtls:@")) {
    const folder = given.slice("mtls:@".length);
    const read = (file: string): string => readSecret(option, join(folder, file), { cwd, shown: file });
    return { tls: { ca: read("ca.pem"), cert: read("cert.pem"), key: read("key.pem") } };
  }
  // What was given may be a secret: it is not repeated.
  throw new TroupeError("usage/bad-argument", `--auth: use one of ${authForms}`);
}

function readKeys(given: string, cwd: string): PeerAuth {
  const text = readSecret(`--auth ${given}`, given.slice("ed25519:@".length), { cwd });
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

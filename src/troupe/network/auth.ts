import { verifyEd25519 } from "../../consensus/ed25519.ts";
import { TroupeError } from "../../errors.ts";
import type { Signer } from "../../ports/signer.ts";
import type { Authentication } from "../../remote/authentication.ts";

/**
 * How nodes prove to each other who they are: a token that both have, or keys that each knows of the other. Certificates
 * are given as `tls`, and need nothing here.
 */
export type PeerAuth =
  | {
      /** The secret itself, or several of which any is taken; who dials brings the first. */
      readonly token: string | readonly string[];
    }
  | {
      /** This node's own Ed25519 key. */
      readonly signer: Signer;
      /** Public keys in hex by the name of the node: who may come, and who is expected where this node dials. */
      readonly keys: { readonly [node: string]: string };
      /** "off" where something in between ends the TLS; default "required": a proof holds on one TLS channel only. */
      readonly binding?: "required" | "off";
    };

/** Fewest characters of a token. */
export const tokenCharactersMin = 16;

/**
 * `certified`: a node proves by its certificate that it bears its name, whatever else it brings. Without that and without
 * `auth` anybody may come: the door then listens on loopback only. Errors: throws `usage/invalid-options`.
 */
export function toAuthentication(auth: PeerAuth | undefined, certified: boolean): Authentication {
  if (auth === undefined) return certified ? { certified } : { open: true };
  if ("signer" in auth) {
    const { signer, keys, binding } = auth;
    return { signer, keys, verify: verifyEd25519, certified, unbound: binding === "off" };
  }
  const tokens = typeof auth.token === "string" ? [auth.token] : auth.token;
  const isWeak = !Array.isArray(tokens) || tokens.length === 0;
  if (isWeak || !tokens.every((token) => typeof token === "string" && token.length >= tokenCharactersMin))
    throw new TroupeError(
      "usage/invalid-options",
      `auth.token must be a secret of at least ${tokenCharactersMin} characters, or a list of such`,
    );
  return { tokens, certified };
}

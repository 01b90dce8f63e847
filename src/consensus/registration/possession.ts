import {
  checkKeyProof,
  possessionSchema,
  type KeyProof,
  type KeyProofCheck,
} from "../../../machines/consensus/electorate/possession.ts";
import type { Member } from "../../../machines/consensus/electorate/electorate.ts";
import { TroupeError } from "../../errors.ts";
import type { Signer } from "../../ports/signer.ts";
import { sha256, verifyEd25519 } from "../ed25519.ts";
import { signPossession } from "../signing.ts";

/**
 * Proves to whoever registers a member that its private key is held here. The registrar chooses the challenge, a text that
 * it uses once, such as a random id.
 * Shape: plain JSON, `{body: {v, id, publicKey, challenge}, sig}`; the key signs nothing else in these bytes.
 * Units: a challenge has 1 to 200 UTF-16 units.
 * Errors: throws `usage/invalid-electorate` for a member or a challenge of another form.
 * Source: consensus design §4.5.
 * @example
 * ```ts
 * import { createMember, proveKey, verifyKeyProof } from "troupe";
 * const { member, signer } = createMember({ id: "security", custody: "agent" });
 * const challenge = crypto.randomUUID();
 * console.log(verifyKeyProof(await proveKey(signer, { member, challenge }), { member, challenge }).ok); // true
 * ```
 */
export async function proveKey(
  signer: Signer,
  asked: { readonly member: Member; readonly challenge: string },
): Promise<KeyProof> {
  const { member, challenge } = asked;
  const parsed = possessionSchema.safeParse({ v: 1, id: member.id, publicKey: member.publicKey, challenge });
  if (parsed.success) return await signPossession(parsed.data, signer);
  const [issue] = parsed.error.issues;
  throw new TroupeError(
    "usage/invalid-electorate",
    `proof for member ${JSON.stringify(member.id)}: ${issue?.path.join(".") ?? ""} ${issue?.message ?? "is not allowed"}`,
  );
}

/**
 * Checks, before a member from elsewhere is put into an electorate, that whoever sent it holds its key: otherwise anybody
 * could register somebody else's public key under a name of its own.
 * Shape: `{ok: true}`, or `{ok: false, reason}` with "malformed", "other-member" (another id or key), "other-challenge",
 * "weak-key" or "signature". Never throws on data.
 * Source: consensus design §4.5.
 * @example
 * ```ts
 * import { defineElectorate, verifyKeyProof, type KeyProof, type Member } from "troupe";
 * export function admit(sent: readonly { member: Member; proof: KeyProof }[], challenge: string) {
 *   const proven = sent.filter(({ member, proof }) => verifyKeyProof(proof, { member, challenge }).ok);
 *   return defineElectorate(proven.map(({ member }) => member));
 * }
 * ```
 */
export function verifyKeyProof(
  proof: unknown,
  asked: { readonly member: Member; readonly challenge: string },
): KeyProofCheck {
  return checkKeyProof(proof, asked, { hash: sha256, verify: verifyEd25519 });
}

import { z } from "zod";
import { publicKeyBytes } from "../codec/public-key.ts";
import { isSignedBy, type Hash, type VerifySignature } from "../codec/sign-bytes.ts";
import { hex, memberId, text, type Member } from "./electorate.ts";

/** Longest challenge of a registrar, in UTF-16 units. */
export const challengeLengthMax = 200;

/** What the owner of a key signs when it is registered, and at no other time: the kind is in the signed bytes. */
export const possessionSchema = z.strictObject({
  v: z.literal(1),
  id: memberId,
  publicKey: hex(32),
  /** What the registrar asked to have signed, so that an old proof, or one made for somebody else, is worth nothing. */
  challenge: text(challengeLengthMax, 1),
});

const keyProofSchema = z.strictObject({ body: possessionSchema, sig: hex(64) });

/** Proof that whoever registers a member holds its private key. */
export type KeyProof = z.output<typeof keyProofSchema>;

/** What a check of such a proof found. */
export type KeyProofCheck =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly reason: "malformed" | "other-member" | "other-challenge" | "weak-key" | "signature";
    };

/** Checks a proof for this member and this challenge. Never throws on data. */
export function checkKeyProof(
  proof: unknown,
  asked: { readonly member: Pick<Member, "id" | "publicKey">; readonly challenge: string },
  ports: { readonly hash: Hash; readonly verify: VerifySignature },
): KeyProofCheck {
  const parsed = keyProofSchema.safeParse(proof);
  if (!parsed.success) return { ok: false, reason: "malformed" };
  const { id, publicKey, challenge } = parsed.data.body;
  if (id !== asked.member.id || publicKey !== asked.member.publicKey) return { ok: false, reason: "other-member" };
  if (challenge !== asked.challenge) return { ok: false, reason: "other-challenge" };
  const key = publicKeyBytes(publicKey);
  if (key === undefined) return { ok: false, reason: "weak-key" };
  return isSignedBy(key, "possession", parsed.data, ports) ? { ok: true } : { ok: false, reason: "signature" };
}

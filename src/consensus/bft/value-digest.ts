import { valueDigestOf, type AgreedValue } from "../../../machines/consensus/codec/commit-messages.ts";
import { sha256 } from "../ed25519.ts";

const digests = new WeakMap<AgreedValue, string>();

/**
 * The digest that votes name a value by. Remembered for frozen values: those come from messages sealed in this process,
 * which are frozen through and through, and every member here is asked about the same object.
 */
export function digestOfValue(value: AgreedValue): string {
  const known = digests.get(value);
  if (known !== undefined) return known;
  const digest = valueDigestOf(value, sha256);
  if (Object.isFrozen(value)) digests.set(value, digest);
  return digest;
}

import type { VerifyStatement } from "../../../machines/consensus/bft/admission.ts";
import type { Statement, Unsigned } from "../../../machines/consensus/bft/statement.ts";
import { encodeStatement } from "../../../machines/consensus/bft/vote-bytes.ts";
import { createStamp } from "../../../machines/stamp.ts";
import type { Electorate } from "../../../machines/consensus/electorate/electorate.ts";
import type { Signer, Verify } from "../../ports/signer.ts";

/** Statements whose signature is remembered as good, per replica; beyond them a repeated one is checked again. */
export const checkedStatementsMax = 65_536;

/** Signs a statement of mode bft. Errors: throws where its digests are no digests; no replica makes such a statement. */
export async function signStatement<Signed extends Statement>(
  statement: Unsigned<Signed>,
  signer: Signer,
): Promise<Signed> {
  const bytes = encodeStatement(statement);
  if (bytes === undefined) throw new Error("a statement is made of digests and rounds");
  // A copy: the bytes that every member here checks against are not the signer's to write on.
  const signature = Buffer.from(await signer.sign(bytes.slice()));
  const signed = { ...statement, sig: signature.toString("hex") } as Signed;
  return Object.freeze(sealed.put(signed, { bytes, signature }));
}

/** What a signature covers, and the signature, in bytes. */
interface Sealed {
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
}

/** Of statements signed and frozen in this process, which every member here checks for itself. */
const sealed = createStamp<Sealed>();

function sealedBytesOf(statement: Statement): Sealed | undefined {
  const known = sealed.of(statement);
  if (known !== undefined) return known;
  const bytes = encodeStatement(statement);
  return bytes === undefined ? undefined : { bytes, signature: Buffer.from(statement.sig, "hex") };
}

function isSame(known: Statement, statement: Statement): boolean {
  return (
    known.value === statement.value &&
    known.kind === statement.kind &&
    known.voter === statement.voter &&
    known.round === statement.round &&
    known.validRound === statement.validRound &&
    known.decision === statement.decision &&
    known.electorate === statement.electorate
  );
}

/** Checks statements against the electorate's keys, and remembers those that hold: each is checked once. */
export function checkStatements(
  electorate: Electorate,
  verify: Verify,
): { readonly check: VerifyStatement; readonly trust: (statement: Statement) => void } {
  const keys = electorate.members.map(({ publicKey }) => Buffer.from(publicKey, "hex"));
  /** By signature: one signature is good for one content only. */
  const good = new Map<string, Statement>();
  const remember = (statement: Statement): void => {
    if (good.size >= checkedStatementsMax) return;
    good.set(statement.sig, Object.isFrozen(statement) ? statement : { ...statement });
  };
  return {
    check(statement) {
      const known = good.get(statement.sig);
      // What this process made and froze is met again and again, as the same object, in polkas and transcripts.
      if (known !== undefined && (known === statement || isSame(known, statement))) return true;
      const key = keys[statement.voter];
      const covered = sealedBytesOf(statement);
      if (key === undefined || covered === undefined) return false;
      if (!verify(key, covered.bytes, covered.signature)) return false;
      remember(statement);
      return true;
    },
    trust: remember,
  };
}

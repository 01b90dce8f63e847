import type { VerifyStatement } from "../../../machines/consensus/bft/admission.ts";
import type { Statement, Unsigned } from "../../../machines/consensus/bft/statement.ts";
import { encodeStatement } from "../../../machines/consensus/bft/vote-bytes.ts";
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
  const signature = await signer.sign(bytes);
  return { ...statement, sig: Buffer.from(signature).toString("hex") } as Signed;
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
  /** The same, by object: what this process made and froze is met again and again in polkas and transcripts. */
  const goodObjects = new WeakSet<Statement>();
  const remember = (statement: Statement): void => {
    if (Object.isFrozen(statement)) goodObjects.add(statement);
    if (good.size < checkedStatementsMax) good.set(statement.sig, { ...statement });
  };
  return {
    check(statement) {
      if (goodObjects.has(statement)) return true;
      const known = good.get(statement.sig);
      if (known !== undefined && isSame(known, statement)) return true;
      const key = keys[statement.voter];
      const bytes = encodeStatement(statement);
      if (key === undefined || bytes === undefined) return false;
      if (!verify(key, bytes, Buffer.from(statement.sig, "hex"))) return false;
      remember(statement);
      return true;
    },
    trust: remember,
  };
}

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

function nameOf(statement: Statement): string {
  const { kind, voter, round, validRound, value, sig } = statement;
  return `${sig}${kind}${voter}/${round}/${validRound}/${value ?? ""}${statement.decision}${statement.electorate}`;
}

/** Checks statements against the electorate's keys, and remembers those that hold: each is checked once. */
export function checkStatements(
  electorate: Electorate,
  verify: Verify,
): { readonly check: VerifyStatement; readonly trust: (statement: Statement) => void } {
  const keys = electorate.members.map(({ publicKey }) => Buffer.from(publicKey, "hex"));
  const good = new Set<string>();
  const remember = (name: string): void => {
    if (good.size < checkedStatementsMax) good.add(name);
  };
  return {
    check(statement) {
      const name = nameOf(statement);
      if (good.has(name)) return true;
      const key = keys[statement.voter];
      const bytes = encodeStatement(statement);
      if (key === undefined || bytes === undefined) return false;
      if (!verify(key, bytes, Buffer.from(statement.sig, "hex"))) return false;
      remember(name);
      return true;
    },
    trust: (statement) => remember(nameOf(statement)),
  };
}

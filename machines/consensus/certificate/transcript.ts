import type { Statement } from "../bft/statement.ts";
import { encodeStatement } from "../bft/vote-bytes.ts";
import { decodeHex } from "../codec/bytes.ts";
import { publicKeyBytes } from "../codec/public-key.ts";
import { isSignedBy } from "../codec/sign-bytes.ts";
import { transcriptSchema } from "../codec/statement-messages.ts";
import { indexOfMember, type Electorate } from "../electorate/electorate.ts";
import type { VerifierPorts } from "./verify-quorum.ts";

/** Why a transcript is set aside. */
export type TranscriptFault =
  | "malformed"
  | "electorate-mismatch"
  | "other-decision"
  | "unknown-member"
  | "transcript-signature"
  | "invalid-statement"
  | "statement-signature";

/** What became of a transcript: whom it is of, or why nothing in it counts and whose it claims to be. */
export type TranscriptVerdict =
  | { readonly ok: true; readonly member: string }
  | { readonly ok: false; readonly member: string | null; readonly reason: TranscriptFault };

/** What the transcripts that hold say together. */
export interface Hearing {
  /** In the order in which the transcripts were given. */
  readonly verdicts: readonly TranscriptVerdict[];
  readonly statements: readonly Statement[];
  /** Whether a member has shown what it held when it signed this: its own transcript has it. */
  readonly covers: (statement: Statement) => boolean;
}

/** What transcripts are about. */
export interface Matter {
  readonly electorate: Electorate;
  readonly electorateDigest: string;
  /** Ids of the decisions by the digests of their proposals. */
  readonly decisions: ReadonlyMap<string, string>;
}

/** What a statement says, and of what: equal for equal contents, whoever signed them how often. */
export function nameOfStatement({ decision, kind, round, voter, value, validRound }: Statement): string {
  return [decision, kind, round, voter, value, validRound].join("/");
}

/** Checks statements against the electorate's keys, each signature once. Never throws on data. */
export function checkSignatures(
  { electorate, electorateDigest }: Pick<Matter, "electorate" | "electorateDigest">,
  ports: VerifierPorts,
): (statement: Statement) => boolean {
  const checked = new Map<string, boolean>();
  return (statement) => {
    if (statement.electorate !== electorateDigest) return false;
    const name = `${nameOfStatement(statement)}/${statement.sig}`;
    const known = checked.get(name);
    if (known !== undefined) return known;
    const key = publicKeyBytes(electorate.members[statement.voter]?.publicKey ?? "");
    const [bytes, signature] = [encodeStatement(statement), decodeHex(statement.sig)];
    const holds =
      key !== undefined && bytes !== undefined && signature !== undefined && ports.verify(key, bytes, signature);
    checked.set(name, holds);
    return holds;
  };
}

/** Whether a member could say this by the form of the protocol: only a prevote for a value leans on a polka before. */
export function isPossible({ kind, round, validRound, value }: Statement): boolean {
  if (validRound < 0) return validRound === -1;
  return validRound < round && kind !== "precommit" && value !== null;
}

type Read =
  | { readonly ok: true; readonly member: string; readonly statements: readonly Statement[] }
  | Extract<TranscriptVerdict, { ok: false }>;

function readTranscript(
  given: unknown,
  matter: Matter,
  ports: VerifierPorts & { readonly isSigned: (statement: Statement) => boolean },
): Read {
  const parsed = transcriptSchema.safeParse(given);
  if (!parsed.success) return { ok: false, member: null, reason: "malformed" };
  const { body } = parsed.data;
  const { member, proposalDigest: decision, electorateDigest } = body;
  const refuse = (reason: TranscriptFault): Read => ({ ok: false, member, reason });
  if (electorateDigest !== matter.electorateDigest) return refuse("electorate-mismatch");
  if (matter.decisions.get(decision) !== body.decisionId) return refuse("other-decision");
  const owner = matter.electorate.members[indexOfMember(matter.electorate, member)];
  if (owner === undefined) return refuse("unknown-member");
  if (!isSignedBy(publicKeyBytes(owner.publicKey), "transcript", parsed.data, ports))
    return refuse("transcript-signature");
  const statements = body.statements.map((each): Statement => ({ ...each, decision, electorate: electorateDigest }));
  if (!statements.every(isPossible)) return refuse("invalid-statement");
  return statements.every(ports.isSigned) ? { ok: true, member, statements } : refuse("statement-signature");
}

/**
 * Reads the transcripts of members, trusting nobody: each must be signed by its member, whole, and every statement in
 * it by its voter; one that is not counts for nothing. Never throws on data.
 */
export function hearTranscripts(given: readonly unknown[], matter: Matter, ports: VerifierPorts): Hearing {
  const isSigned = checkSignatures(matter, ports);
  const statements = new Map<string, Statement>();
  const covered = new Set<string>();
  const verdicts = given.map((each): TranscriptVerdict => {
    const read = readTranscript(each, matter, { ...ports, isSigned });
    if (!read.ok) return read;
    const self = indexOfMember(matter.electorate, read.member);
    for (const statement of read.statements) {
      const name = nameOfStatement(statement);
      if (statement.voter === self) covered.add(name);
      const other = statements.get(name);
      // One content may be signed in several ways: the same evidence comes of any order.
      if (other === undefined || statement.sig < other.sig) statements.set(name, statement);
    }
    return { ok: true, member: read.member };
  });
  return {
    verdicts,
    statements: [...statements.values()],
    covers: (statement) => covered.has(nameOfStatement(statement)),
  };
}

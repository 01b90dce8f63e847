import { encodeUtf8, writeHex } from "../codec/bytes.ts";
import type { Statement, Unsigned } from "./statement.ts";

/** Length of what a statement's signature covers. */
const statementLength = 128;
/** Where each part begins: the tag, three digests, two rounds and whether the value is nil; zeros fill the rest. */
const offsets = { tag: 0, decision: 16, electorate: 48, round: 80, validRound: 84, isNil: 88, value: 89 } as const;

/** Domain, version and kind in 16 bytes, so that no signature can be replayed as another kind. */
const tags = {
  proposal: encodeUtf8("troupe/v1/propos"),
  prevote: encodeUtf8("troupe/v1/prevot"),
  precommit: encodeUtf8("troupe/v1/precom"),
} as const;

/** The scope of the statement encoded last: all of one decision have the same. */
let scope = { decision: "", electorate: "", bytes: new Uint8Array(statementLength) };

/** Statement bytes with the digests of the decision and the electorate, still to be filled; undefined for no digests. */
function beginStatement({ decision, electorate }: Unsigned<Statement>): Uint8Array | undefined {
  if (scope.decision !== decision || scope.electorate !== electorate) {
    const bytes = new Uint8Array(statementLength);
    const isScope =
      writeDigest(bytes, offsets.decision, decision) && writeDigest(bytes, offsets.electorate, electorate);
    if (!isScope) return undefined;
    scope = { decision, electorate, bytes };
  }
  return scope.bytes.slice();
}

function writeDigest(bytes: Uint8Array, offset: number, hex: string): boolean {
  return hex.length === 64 && writeHex(bytes, offset, hex);
}

/**
 * The bytes that a member signs for a proposal or a vote: fixed binary, 128 bytes, big-endian. Nil has a byte of its
 * own, so that no value is ever read as nil. Undefined where a digest is not 32 bytes of lowercase hex, or a round is
 * no 32-bit integer: such a statement cannot be signed, and no signature of it holds.
 * Source: consensus design §4.1.
 */
export function encodeStatement(statement: Unsigned<Statement>): Uint8Array | undefined {
  const { round, validRound, value } = statement;
  if (round !== round >>> 0 || validRound !== (validRound | 0)) return undefined;
  const bytes = beginStatement(statement);
  if (bytes === undefined) return undefined;
  bytes.set(tags[statement.kind], offsets.tag);
  const view = new DataView(bytes.buffer);
  view.setUint32(offsets.round, round);
  view.setInt32(offsets.validRound, validRound);
  if (value === null) bytes[offsets.isNil] = 1;
  else if (!writeDigest(bytes, offsets.value, value)) return undefined;
  return bytes;
}

import type { Statement } from "../../../machines/consensus/bft/statement.ts";
import { encodeFile } from "../../../machines/consensus/certificate/certificate.ts";
import { nameOfStatement } from "../../../machines/consensus/certificate/transcript.ts";
import type { SignedProposal } from "../../../machines/consensus/codec/messages.ts";
import { digestOf } from "../../../machines/consensus/codec/sign-bytes.ts";
import { transcriptStatementsMax, type Transcript } from "../../../machines/consensus/codec/statement-messages.ts";
import type { Electorate } from "../../../machines/consensus/electorate/electorate.ts";
import { TroupeError } from "../../errors.ts";
import type { Signer } from "../../ports/signer.ts";
import type { Store } from "../../ports/store.ts";
import { readVotes, type SignedRecord } from "../bft/vote-store.ts";
import { sha256 } from "../ed25519.ts";
import { signTranscript } from "../signing.ts";

/** A member's transcript, or why there is none. */
export type TranscriptExport =
  | { readonly ok: true; readonly transcript: Transcript }
  | {
      readonly ok: false;
      /** "nothing-signed": the store holds no vote of this member in this decision. "damaged": what it holds cannot be read. "too-long": more than 65,536 statements. */
      readonly reason: "nothing-signed" | "damaged" | "too-long";
    };

/** What a record shows: what was signed, and what it rested on. */
function statementsOf({ statement, polka, durable }: SignedRecord): readonly Statement[] {
  return [statement, ...polka, ...durable.polka, ...durable.entry, ...durable.own];
}

/** Each content once, in one order: by round, kind and voter, then by content. */
function arrange(statements: readonly Statement[]): Statement[] {
  const distinct = new Map<string, Statement>();
  for (const statement of statements) {
    const name = nameOfStatement(statement);
    const other = distinct.get(name);
    if (other === undefined || statement.sig < other.sig) distinct.set(name, statement);
  }
  const order = ["proposal", "prevote", "precommit"];
  return [...distinct.values()].sort(
    (left, right) =>
      left.round - right.round ||
      order.indexOf(left.kind) - order.indexOf(right.kind) ||
      left.voter - right.voter ||
      (nameOfStatement(left) < nameOfStatement(right) ? -1 : 1),
  );
}

/**
 * What a member of mode bft holds of one decision, for `forensics`: everything that its replica signed, and what that
 * rested on, from the store that the replica wrote it to before it left. So it works while the decision runs, after it,
 * and in another process after a crash. For voters of `troupe.decide` with a key of their own the store is
 * `troupe.store`; for `voterAgent(voter, { store })` it is that one.
 * Shape: `{ok: true, transcript}`, plain JSON, signed with the member's key so that nobody can leave anything out of it;
 * or `{ok: false, reason}`. Nothing secret is in it: statements of the agreement and their signatures, no ballots or
 * keys. The same store gives the same transcript.
 * Errors: throws `usage/invalid-electorate` where the signer's key is no member's, or the proposal is for another
 * electorate; `store/failed` where the store does.
 * Source: consensus design §4.5, docs/decisions/0022.
 * @example
 * ```ts
 * import { encodeTranscript, exportTranscript, type Certificate, type Electorate, type Troupe, type Voter } from "troupe";
 * export async function show(troupe: Troupe, voter: Voter, about: { certificate: Certificate; electorate: Electorate }) {
 *   const { certificate, electorate } = about;
 *   const made = await exportTranscript(troupe.store, { signer: voter.signer, proposal: certificate.proposal, electorate });
 *   return made.ok ? encodeTranscript(made.transcript) : made.reason;
 * }
 * ```
 */
export async function exportTranscript(
  store: Pick<Store, "read">,
  about: { readonly signer: Signer; readonly proposal: SignedProposal; readonly electorate: Electorate },
): Promise<TranscriptExport> {
  const { signer, proposal, electorate } = about;
  const publicKey = Buffer.from(signer.publicKey).toString("hex");
  const member = electorate.members.find((each) => each.publicKey === publicKey);
  const electorateDigest = digestOf(electorate, sha256);
  if (member === undefined || proposal.body.electorateDigest !== electorateDigest)
    throw new TroupeError(
      "usage/invalid-electorate",
      member === undefined
        ? "no member of this electorate has the signer's key; give the electorate of the decision, and the voter's own signer"
        : "the proposal is for another electorate; give the one that the decision was made in",
    );
  const proposalDigest = digestOf(proposal.body, sha256);
  const records = await readVotes(store, { decision: proposalDigest, memberId: member.id, publicKey });
  if (records === "lost") return { ok: false, reason: "damaged" };
  const held = records === "new" ? [] : arrange(records.flatMap(statementsOf));
  if (held.length === 0) return { ok: false, reason: "nothing-signed" };
  if (held.length > transcriptStatementsMax) return { ok: false, reason: "too-long" };
  const statements = held.map(({ decision: _decision, electorate: _electorate, ...content }) => content);
  const { decisionId } = proposal.body;
  const body = { decisionId, proposalDigest, electorateDigest, member: member.id, statements };
  return { ok: true, transcript: await signTranscript(body, signer) };
}

/** The bytes of a transcript file: canonical JSON (RFC 8785) and one newline. */
export function encodeTranscript(transcript: Transcript): Uint8Array {
  return encodeFile(transcript);
}

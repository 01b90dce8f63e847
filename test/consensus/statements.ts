import type { Statement, Unsigned } from "../../machines/consensus/bft/statement.ts";
import type { Transcript } from "../../machines/consensus/codec/statement-messages.ts";
import { signStatement } from "../../src/consensus/bft/statement-signing.ts";
import { signTranscript } from "../../src/consensus/signing.ts";
import type { Council } from "./council.ts";

/** A statement as transcripts hold it. */
export type Shown = Transcript["body"]["statements"][number];

/** What a member says, by letters: of which round, for which value, leaning on what. */
export interface Said {
  readonly kind: Shown["kind"];
  readonly voters: string;
  readonly round: number;
  readonly value: string | null;
  readonly validRound?: number;
}

/** Signs it with the keys of its voters. */
export async function say(council: Council, { kind, voters, round, value, validRound = -1 }: Said): Promise<Shown[]> {
  const { electorate, signers, round: about } = council;
  const scope = { decision: about.proposalDigest, electorate: about.electorateDigest };
  return await Promise.all(
    voters.split("").map(async (id) => {
      const voter = electorate.members.findIndex((member) => member.id === id);
      const signer = signers.get(id);
      if (signer === undefined) throw new Error(`no member ${id}`);
      const unsigned = { kind, voter, round, value, validRound, ...scope } as Unsigned<Statement>;
      const { decision: _decision, electorate: _electorate, ...shown } = await signStatement(unsigned, signer);
      return shown;
    }),
  );
}

/** A transcript of a member, signed by it, that holds just this. */
export async function show(council: Council, id: string, statements: readonly Shown[]): Promise<Transcript> {
  const signer = council.signers.get(id);
  if (signer === undefined) throw new Error(`no member ${id}`);
  const { decisionId } = council.proposal.body;
  const { proposalDigest, electorateDigest } = council.round;
  const body = { decisionId, proposalDigest, electorateDigest, member: id, statements: [...statements] };
  return await signTranscript(body, signer);
}

import type { Vote } from "../../machines/consensus/bft/statement.ts";
import {
  valueDigestOf,
  type AgreedValue,
  type CommitCertificate,
} from "../../machines/consensus/codec/commit-messages.ts";
import { certifyCommit } from "../../src/consensus/bft/certify-commit.ts";
import { signStatement } from "../../src/consensus/bft/statement-signing.ts";
import { sha256 } from "../../src/consensus/ed25519.ts";
import { single, type Council } from "./council.ts";

/** A certificate of these members for what these ballots give, made in a round of the agreement. */
export async function commit(
  council: Council,
  given: {
    choices: Readonly<Record<string, string>>;
    signers: readonly string[];
    round?: number;
    option?: string | null;
  },
): Promise<CommitCertificate> {
  const { round, proposal, electorate, signers } = council;
  const { choices, round: at = 0, option = "x" } = given;
  const ballots = await Promise.all(
    Object.entries(choices).map(([voter, choice]) => council.sign(council.body(voter, single(choice)))),
  );
  const { proposalDigest, electorateDigest } = round;
  const status = option === null ? "no-majority" : "decided";
  const value: AgreedValue = { v: 1, proposalDigest, status, option, ballots };
  const digest = valueDigestOf(value, sha256);
  const votes = await Promise.all(
    given.signers.map(async (id) => {
      const signer = signers.get(id);
      if (signer === undefined) throw new Error(`no member ${id}`);
      const voter = electorate.members.findIndex((member) => member.id === id);
      const place = { kind: "precommit", round: at, value: digest, validRound: -1, voter } as const;
      return await signStatement<Vote>({ ...place, decision: proposalDigest, electorate: electorateDigest }, signer);
    }),
  );
  return certifyCommit({ round, proposal }, { round: at, value: digest, votes }, value);
}

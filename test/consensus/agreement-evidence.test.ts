import { describe, expect, it } from "vitest";
import { defineCouncil, proposerOf } from "../../machines/consensus/bft/council.ts";
import type { BftEvidence } from "../../machines/consensus/bft/evidence.ts";
import { isEvidenceSound } from "../../machines/consensus/bft/forensics.ts";
import type { Proposal, Statement, Unsigned, Vote } from "../../machines/consensus/bft/statement.ts";
import { valueDigestOf, type AgreedValue } from "../../machines/consensus/codec/commit-messages.ts";
import { tellEvidence } from "../../src/consensus/bft/evidence.ts";
import { checkStatements, signStatement } from "../../src/consensus/bft/statement-signing.ts";
import { sha256, verifyEd25519 } from "../../src/consensus/ed25519.ts";
import { verifyEvidence } from "../../src/consensus/verify.ts";
import { convene, equals, single } from "./council.ts";

const bft = { method: "single", closing: "commit", threshold: ">1/2", participation: ">1/2" } as const;
const council = await convene(equals(4), bft);
const { electorate, proposal, round: about } = council;
const scope = { decision: about.proposalDigest, electorate: about.electorateDigest };
const weights = electorate.members.map(({ weight }) => weight);
const [v, w] = ["11".repeat(32), "22".repeat(32)];

interface Said {
  readonly round?: number;
  readonly value?: string | null;
  readonly validRound?: number;
}

function sign<Signed extends Statement>(kind: Signed["kind"], voter: number, said: Said = {}): Promise<Signed> {
  const { round = 0, value = v, validRound = -1 } = said;
  const signer = council.signers.get(electorate.members[voter]?.id ?? "");
  if (signer === undefined) throw new Error(`no member ${voter}`);
  const statement = { kind, voter, round, value, validRound, ...scope } as unknown as Unsigned<Signed>;
  return signStatement<Signed>(statement, signer);
}

const quorum = (kind: Vote["kind"], voters: readonly number[], said: Said): Promise<Vote[]> =>
  Promise.all(voters.map((voter) => sign<Vote>(kind, voter, said)));

/** What the second reading says, which must be what the agreement itself says of the same evidence. */
function check(proof: BftEvidence, value?: AgreedValue, isRuleBroken = false): boolean {
  const told = tellEvidence(proof, { electorate, proposal, value });
  const { ok } = verifyEvidence(JSON.parse(JSON.stringify(told)), electorate);
  const rules = { council: defineCouncil(scope, weights), verify: checkStatements(electorate, verifyEd25519).check };
  expect(isEvidenceSound(proof, rules, () => isRuleBroken)).toBe(ok);
  return ok;
}

describe("evidence of mode bft, read a second time", () => {
  it("of amnesia holds for two whole quorums that name just those who are in both", async () => {
    const commit = await quorum("precommit", [0, 1, 2], { value: v });
    const polka = await quorum("prevote", [1, 2, 3], { round: 2, value: w });
    const sound = { kind: "Amnesia", culprits: [1, 2], commit, polka } as const;
    expect(check(sound)).toBe(true);
    const later = await quorum("precommit", [0, 1, 2], { round: 2, value: v });
    const refused: readonly BftEvidence[] = [
      { ...sound, culprits: [1, 2, 3] },
      { ...sound, culprits: [1] },
      { ...sound, culprits: [2, 1] },
      { ...sound, commit: commit.slice(1), culprits: [1, 2] },
      { ...sound, polka: polka.slice(0, 2) },
      { ...sound, polka: [...polka.slice(0, 2), ...polka.slice(1, 2)] },
      { ...sound, polka: polka.toReversed(), culprits: [2, 1] },
      { ...sound, commit: later },
      { ...sound, commit: await quorum("prevote", [0, 1, 2], { value: v }) },
      { ...sound, polka: await quorum("precommit", [1, 2, 3], { round: 2, value: w }) },
      { ...sound, polka: await quorum("prevote", [1, 2, 3], { round: 2, value: w, validRound: 1 }) },
      { ...sound, polka: await quorum("prevote", [1, 2, 3], { round: 2, value: w, validRound: 0 }) },
      { ...sound, polka: await quorum("prevote", [1, 2, 3], { round: 2, value: v }) },
      { ...sound, polka: await quorum("prevote", [1, 2, 3], { round: 2, value: null }) },
      { ...sound, polka: [...polka.slice(0, 2), await sign<Vote>("prevote", 3, { round: 1, value: w })] },
      { ...sound, polka: polka.map((vote) => ({ ...vote, value: "33".repeat(32) })) },
      { ...sound, polka: polka.map((vote) => ({ ...vote, decision: "33".repeat(32) })) },
    ];
    for (const [index, evidence] of refused.entries()) expect(check(evidence), `variant ${index}`).toBe(false);
  });

  it("of two statements holds for one place and two contents of one member, and of its kind", async () => {
    const [one, other] = [
      await sign<Vote>("prevote", 1, { round: 1 }),
      await sign<Vote>("prevote", 1, { round: 1, value: w }),
    ];
    const base = { kind: "DuplicatePrevote", culprits: [1], statements: [one, other] } as const;
    expect(check(base)).toBe(true);
    expect(check({ ...base, statements: [one, await sign<Vote>("prevote", 1, { round: 1, validRound: 0 })] })).toBe(
      true,
    );
    for (const evidence of [
      { ...base, statements: [one, one] },
      { ...base, culprits: [2] },
      { ...base, kind: "DuplicatePrecommit" },
      { ...base, statements: [one, await sign<Vote>("prevote", 1, { round: 2, value: w })] },
      { ...base, statements: [one, await sign<Vote>("precommit", 1, { round: 1, value: w })] },
      { ...base, statements: [one, await sign<Vote>("prevote", 2, { round: 1, value: w })] },
      { ...base, statements: [one, { ...other, value: "33".repeat(32) }] },
    ] as const)
      expect(check(evidence as BftEvidence)).toBe(false);
  });

  it("of a proposal out of turn holds only for a member whose turn it was not", async () => {
    const right = proposerOf(defineCouncil(scope, weights), 0);
    const wrong = (right + 1) % weights.length;
    const of = async (voter: number): Promise<BftEvidence> => {
      return { kind: "WrongProposer", culprits: [voter], statements: [await sign<Proposal>("proposal", voter)] };
    };
    expect(check(await of(wrong))).toBe(true);
    expect(check(await of(right))).toBe(false);
  });

  it("of a vote for a value that breaks the rules holds where its ballots do not give what it says", async () => {
    const ballots = await Promise.all(["a", "b", "c"].map((id) => council.sign(council.body(id, single("x")))));
    const right: AgreedValue = { v: 1, proposalDigest: scope.decision, status: "decided", option: "x", ballots };
    const wrong: readonly AgreedValue[] = [
      { ...right, option: "y" },
      { ...right, option: null },
      { ...right, status: "no-majority" },
      { ...right, ballots: ballots.slice(0, 2) },
      { ...right, ballots: ballots.toReversed() },
      { ...right, proposalDigest: "33".repeat(32) },
      { ...right, ballots: ballots.map(({ body }) => ({ body, sig: ballots[0]?.sig ?? "" })) },
    ];
    const accuse = async (value: AgreedValue): Promise<BftEvidence> => {
      const vote = await sign<Vote>("prevote", 2, { value: valueDigestOf(value, sha256) });
      return { kind: "InvalidVote", culprits: [2], statements: [vote] };
    };
    expect(check(await accuse(right), right)).toBe(false);
    for (const value of wrong) expect(check(await accuse(value), value, true)).toBe(true);
    expect(check(await accuse(right), wrong[0]), "another value than the one voted for").toBe(false);
    const [broken] = wrong;
    if (broken === undefined) throw new Error("there are some");
    expect(check(await accuse(broken)), "without the value").toBe(false);
  });
});

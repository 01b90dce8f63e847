import { describe, expect, test } from "vitest";
import { findDoubles } from "../../machines/consensus/certificate/blame.ts";
import type { Vote } from "../../machines/consensus/bft/statement.ts";
import { valueDigestOf, type AgreedValue } from "../../machines/consensus/codec/commit-messages.ts";
import { ballotLengthMax } from "../../machines/consensus/codec/messages.ts";
import { tellEvidence } from "../../src/consensus/bft/evidence.ts";
import { BallotBox } from "../../src/consensus/bft/ballot-box.ts";
import { signStatement } from "../../src/consensus/bft/statement-signing.ts";
import { sha256, verifyEd25519 } from "../../src/consensus/ed25519.ts";
import { forensics, type Forensics } from "../../src/consensus/forensics/forensics.ts";
import { verifyEvidence } from "../../src/consensus/verify.ts";
import { commit } from "./commits.ts";
import { convene, equals, single, type Council } from "./council.ts";
import { say, show } from "./statements.ts";

const bft = { method: "single", closing: "commit", threshold: ">1/2", participation: ">1/2" } as const;
const choices = { a: "x", b: "x", c: "x" };

function explain(
  council: Council,
  certificates: readonly unknown[],
  transcripts: readonly unknown[],
): Extract<Forensics, { readonly ok: true }> {
  const found = forensics(certificates, council.electorate, { transcripts });
  if (!found.ok) throw new Error(found.reason);
  return found;
}

describe("several certificates and transcripts", () => {
  test("convict the same members in any order, where two of them hold one value by other signers", async () => {
    const council = await convene(equals(4), bft);
    const some = await commit(council, { choices, signers: ["a", "b", "c"] });
    const others = await commit(council, { choices, signers: ["a", "c", "d"] });
    const later = await commit(council, { choices: { ...choices, d: "x" }, signers: ["b", "c", "d"], round: 2 });
    const value = valueDigestOf(later.value, sha256);
    const polka = await say(council, { kind: "prevote", voters: "bcd", round: 2, value });
    const transcripts = await Promise.all(["b", "c", "d"].map((id) => show(council, id, polka)));
    for (const all of [
      [some, others, later],
      [others, some, later],
      [later, others, some],
    ])
      expect(explain(council, all, transcripts).culprits).toEqual(["b", "c", "d"]);
    const accused = explain(council, [some, others, later], transcripts.slice(2)).accusations;
    expect(accused.map(({ evidence }) => evidence.culprits)).toEqual([
      ["b", "c"],
      ["c", "d"],
    ]);
    const again = explain(council, [some, some, later, later], transcripts.slice(2)).accusations;
    expect(again, "one deed is told once").toHaveLength(1);
  });

  test("explain a conflict by what made it possible, and by no other deed", async () => {
    const council = await convene(equals(4), bft);
    const one = await commit(council, { choices, signers: ["a", "b", "c"] });
    const other = await commit(council, { choices: { ...choices, d: "x" }, signers: ["b", "c", "d"] });
    const later = await commit(council, {
      choices: { a: "x", b: "x", d: "x" },
      signers: ["a", "b", "d"],
      round: 5,
    });
    const nil = await say(council, { kind: "prevote", voters: "a", round: 0, value: null });
    const found = explain(council, [one, other, later], [await show(council, "a", nil)]);
    expect(found.culprits, "they committed to two values in round 0").toEqual(["b", "c"]);
    expect(found.conflicts.map(({ kind, isExplained }) => [kind, isExplained])).toEqual([
      ["commits", true],
      ["locks", false],
      ["locks", false],
    ]);
  });
});

test("thousands of statements of one member for one place are one deed, and cost no more than each a look", () => {
  const votes = Array.from({ length: 131_072 }, (_, index): Vote => {
    const value = index.toString(16).padStart(64, "0");
    return { kind: "prevote", decision: "d", electorate: "e", voter: 0, round: 0, value, validRound: -1, sig: "" };
  });
  const [first, second] = votes;
  for (const said of [votes, votes.toReversed()])
    expect(findDoubles(said)).toEqual([{ kind: "DuplicatePrevote", culprits: [0], statements: [first, second] }]);
});

test("a ballot that is too large breaks the rules in both readings: whoever votes for it is convicted", async () => {
  const council = await convene(equals(4), bft);
  const { electorate, proposal, round, signers } = council;
  const concerns = Array.from({ length: 16 }, () => "\u0001".repeat(280));
  const bodies = ["a", "b", "c"].map((id) => ({
    ...council.body(id, single("x")),
    ...(id === "a" ? { concerns } : {}),
  }));
  expect(JSON.stringify(bodies[0]).length).toBeGreaterThan(ballotLengthMax);
  const ballots = await Promise.all(bodies.map((body) => council.sign(body)));
  const value: AgreedValue = { v: 1, proposalDigest: round.proposalDigest, status: "decided", option: "x", ballots };
  const digest = valueDigestOf(value, sha256);
  const box = new BallotBox(round, { verify: verifyEd25519, close: "all" });
  expect(box.judge(value, digest).isValid).toBe(false);
  const liar = signers.get("d");
  if (liar === undefined) throw new Error("d is a member");
  const scope = { decision: round.proposalDigest, electorate: round.electorateDigest };
  const vote = await signStatement<Vote>(
    { kind: "prevote", voter: 3, round: 0, value: digest, validRound: -1, ...scope },
    liar,
  );
  const proof = { kind: "InvalidVote", culprits: [3], statements: [vote] } as const;
  const evidence = tellEvidence(proof, { electorate, proposal, value });
  expect(verifyEvidence(evidence, electorate)).toMatchObject({ ok: true, voters: ["d"] });
});

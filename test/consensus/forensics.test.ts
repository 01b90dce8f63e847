import { describe, expect, it } from "vitest";
import { defineRound } from "../../machines/consensus/ballot/round.ts";
import type { QuorumCertificate } from "../../machines/consensus/codec/messages.ts";
import { createSigner, sha256 } from "../../src/consensus/ed25519.ts";
import { comparedCertificatesMax, forensics, type Forensics } from "../../src/consensus/forensics/forensics.ts";
import { signProposal } from "../../src/consensus/proposal.ts";
import { verifyEvidence } from "../../src/consensus/verify.ts";
import { commit } from "./commits.ts";
import { conclude, convene, equals, single, type Council } from "./council.ts";

type Found = Extract<Forensics, { readonly ok: true }>;

const bft = { method: "single", closing: "commit", threshold: ">1/2", participation: ">1/2" } as const;

function found(council: Council, ...certificates: readonly unknown[]): Found {
  const result = forensics(certificates, council.electorate);
  if (!result.ok) throw new Error(`certificate ${result.certificate}: ${result.reason}`);
  expect(JSON.parse(JSON.stringify(result)), "plain data").toEqual(result);
  const verdicts = result.evidence.map((each) => verifyEvidence(each, council.electorate));
  expect(
    verdicts.every(({ ok }) => ok),
    "each piece stands by itself",
  ).toBe(true);
  const named = verdicts.flatMap((each) =>
    !each.ok ? [] : "voters" in each ? each.voters : "voter" in each ? [each.voter] : [],
  );
  expect([...new Set(named)].sort()).toEqual(result.culprits);
  return result;
}

describe("two commit certificates of one decision", () => {
  it("of one round convict whoever signed both, which is more than a third, and nobody else", async () => {
    const council = await convene(equals(7), bft);
    const all = { a: "x", b: "x", c: "x", d: "x", e: "x", f: "x" };
    const one = await commit(council, { choices: all, signers: ["a", "b", "c", "d", "e"] });
    const other = await commit(council, { choices: { ...all, g: "x" }, signers: ["c", "d", "e", "f", "g"] });
    const result = found(council, one, other);
    expect(result).toMatchObject({ culprits: ["c", "d", "e"], weight: 3, total: 7, coordinators: [] });
    expect(result.conflicts).toMatchObject([{ certificates: [0, 1], kind: "commits", isExplained: true }]);
    expect(result.evidence.map(({ kind }) => kind)).toEqual(Array(3).fill("DuplicatePrecommit"));
    expect(3 * result.weight).toBeGreaterThan(result.total);
    expect(found(council, other, one).evidence, "in whatever order they come").toEqual(result.evidence);
  });

  it("also convict a voter whose two ballots are in them, whichever round they are of", async () => {
    const council = await convene(equals(4), bft);
    const choices = { a: "x", b: "x", c: "x", d: "x" };
    const one = await commit(council, { choices, signers: ["a", "c", "d"] });
    const doubled = { ...choices, d: "y" };
    expect(found(council, one, await commit(council, { choices: doubled, signers: ["b", "c", "d"] }))).toMatchObject({
      culprits: ["c", "d"],
      evidence: [
        { kind: "DuplicatePrecommit" },
        { kind: "DuplicatePrecommit" },
        { kind: "DuplicateBallot", voter: "d" },
      ],
    });
    const later = await commit(council, { choices: doubled, signers: ["a", "b", "c"], round: 1 });
    expect(found(council, one, later)).toMatchObject({ culprits: ["d"], conflicts: [{ isExplained: false }] });
  });

  it("of different rounds name nobody, and say that the members' transcripts are needed", async () => {
    const council = await convene(equals(4), bft);
    const choices = { a: "x", b: "x", c: "x" };
    const one = await commit(council, { choices, signers: ["a", "b", "c"] });
    const later = await commit(council, { choices: { ...choices, d: "y" }, signers: ["b", "c", "d"], round: 2 });
    expect(found(council, one, later)).toMatchObject({
      conflicts: [
        {
          kind: "locks",
          isExplained: false,
          detail: expect.stringContaining("not provable from certificates alone"),
        },
      ],
      culprits: [],
      weight: 0,
      evidence: [],
    });
  });

  it("of one value agree, whoever signed and in whatever round", async () => {
    const council = await convene(equals(4), bft);
    const choices = { a: "x", b: "x", c: "y", d: "y" };
    const one = await commit(council, { choices, signers: ["a", "b", "c"], option: null });
    const other = await commit(council, { choices, signers: ["b", "c", "d"], option: null, round: 1 });
    expect(found(council, one, other, one)).toMatchObject({ conflicts: [], culprits: [], evidence: [] });
  });

  it("for two proposals of one round convict the coordinator, and no member that was asked twice", async () => {
    const council = await convene(equals(4), bft);
    const twice = await convene(equals(4), { ...bft, question: "Which one, again?" });
    const choices = { a: "x", b: "x", c: "x" };
    const signers = ["a", "b", "c"];
    const result = found(
      council,
      await commit(council, { choices, signers }),
      await commit(twice, { choices, signers }),
    );
    expect(result).toMatchObject({
      conflicts: [{ kind: "proposals", isExplained: true }],
      culprits: [],
      coordinators: [council.proposal.body.coordinator],
      evidence: [{ kind: "CoordinatorEquivocation", statement: "proposal" }],
    });
  });

  it("are compared each with each, and a deed is told once", async () => {
    const council = await convene(equals(4), bft);
    const choices = { a: "x", b: "x", c: "x", d: "x" };
    const one = await commit(council, { choices, signers: ["a", "c", "d"] });
    const other = await commit(council, { choices: { b: "x", c: "x", d: "x" }, signers: ["b", "c", "d"] });
    const result = found(council, one, other, one);
    expect(result.conflicts.map(({ certificates }) => certificates)).toEqual([
      [0, 1],
      [1, 2],
    ]);
    expect(result.evidence).toHaveLength(2);
  });
});

describe("two quorum certificates of one decision", () => {
  /** A certificate of the ballots of these voters. */
  async function quorum(council: Council, choices: Readonly<Record<string, string>>): Promise<QuorumCertificate> {
    const ballots = Object.entries(choices).map(([voter, choice]) => council.sign(council.body(voter, single(choice))));
    const { certificate } = await conclude(council, await Promise.all(ballots));
    if (certificate === undefined) throw new Error("it was decided");
    return certificate;
  }

  it("convict at least 2q-W of voters with two ballots, and the coordinator that closed the round twice", async () => {
    const council = await convene(equals(4), { method: "single" });
    const one = await quorum(council, { a: "x", c: "x", d: "x" });
    const other = await quorum(council, { b: "y", c: "y", d: "y" });
    const result = found(council, one, other);
    expect(result).toMatchObject({
      conflicts: [{ kind: "ballots", isExplained: true }],
      culprits: ["c", "d"],
      weight: 2,
      coordinators: [council.proposal.body.coordinator],
    });
    const kinds = result.evidence.map(({ kind }) => kind);
    expect(kinds).toEqual(["CoordinatorEquivocation", "DuplicateBallot", "DuplicateBallot"]);
  });

  it("of one option and two closings convict the coordinator alone; without closings they agree", async () => {
    const closed = await convene(equals(4), { method: "single" });
    const three = { a: "x", b: "x", c: "x" };
    expect(found(closed, await quorum(closed, three), await quorum(closed, { ...three, d: "x" }))).toMatchObject({
      culprits: [],
      coordinators: [closed.proposal.body.coordinator],
    });
    const open = await convene(equals(4), { method: "single", closing: "none" });
    expect(found(open, await quorum(open, three), await quorum(open, { ...three, d: "x" })).conflicts).toEqual([]);
  });

  it("say that nobody is to blame where the rules let each selection of ballots have its own result", async () => {
    const rules = {
      method: "single",
      closing: "none",
      threshold: { num: 1, den: 2, strict: true, of: "cast" },
    } as const;
    const council = await convene(equals(4), {
      ...rules,
      participation: ">1/4",
      minBallots: 1,
    });
    const one = await quorum(council, { a: "x", b: "x" });
    const other = await quorum(council, { c: "y", d: "y" });
    expect(found(council, one, other)).toMatchObject({
      conflicts: [{ kind: "ballots", isExplained: false, detail: expect.stringContaining("nobody signed twice") }],
      culprits: [],
      evidence: [],
    });
  });

  it("of two rounds of the decision name nobody, and say what to ask for", async () => {
    const first = await convene(equals(4), { method: "single" });
    const second = await convene(equals(4), { method: "single", round: 2 });
    const choices = { a: "x", b: "x", c: "x" };
    expect(found(first, await quorum(first, choices), await quorum(second, choices))).toMatchObject({
      conflicts: [{ kind: "rounds", isExplained: false, detail: expect.stringContaining("signed closing") }],
      evidence: [],
    });
  });
});

describe("forensics", () => {
  it("refuses what does not hold, what is of another decision, and too few or too many, and never throws", async () => {
    const council = await convene(equals(4), bft);
    const { electorate } = council;
    const choices = { a: "x", b: "x", c: "x" };
    const signers = ["a", "b", "c"];
    const one = await commit(council, { choices, signers });
    const refuse = (...certificates: readonly unknown[]): Forensics => forensics(certificates, electorate);
    expect(refuse(one)).toEqual({ ok: false, certificate: null, reason: "too-few" });
    const many = Array.from({ length: comparedCertificatesMax + 1 }, () => one);
    expect(refuse(...many)).toEqual({ ok: false, certificate: null, reason: "too-many" });
    for (const junk of [null, 7, {}, [], { kind: "commit" }, { kind: "quorum" }])
      expect(refuse(one, junk)).toEqual({ ok: false, certificate: 1, reason: "malformed" });
    expect(refuse(one, { ...one, round: 1 })).toEqual({ ok: false, certificate: 1, reason: "commit-signature" });
    expect(forensics([one, one], null)).toEqual({ ok: false, certificate: 0, reason: "electorate-invalid" });
    const named = await convene(equals(4), { ...bft, decisionId: "another" });
    const other = { ok: false, certificate: 1, reason: "other-decision" };
    expect(refuse(one, await commit(named, { choices, signers }))).toEqual(other);
    // The same name under another coordinator's key is another decision: anybody may choose it.
    const foreign = await signProposal(
      { ...bft, decisionId: one.decisionId, question: "?", options: ["x", "y"], closesAt: 2_000_000, electorate },
      createSigner(),
    );
    const defined = defineRound(foreign.body, electorate, sha256);
    if (!defined.ok) throw new Error(defined.problem);
    const { value: round } = defined;
    const body: Council["body"] = (...cast) => ({ ...council.body(...cast), proposalDigest: round.proposalDigest });
    const elsewhere = await commit({ ...council, proposal: foreign, round, body }, { choices, signers });
    expect(refuse(one, elsewhere)).toEqual(other);
  });
});

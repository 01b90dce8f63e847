import { defineCouncil, proposerOf } from "../../machines/consensus/bft/council.ts";
import { describe, expect, it } from "vitest";
import {
  valueDigestOf,
  type AgreedValue,
  type CommitCertificate,
} from "../../machines/consensus/codec/commit-messages.ts";
import { transcriptStatementsMax, type Transcript } from "../../machines/consensus/codec/statement-messages.ts";
import { voteLog } from "../../src/consensus/bft/vote-store.ts";
import { sha256 } from "../../src/consensus/ed25519.ts";
import { transcriptsMax, type ForensicsOptions } from "../../src/consensus/forensics/blame.ts";
import { forensics, type Forensics } from "../../src/consensus/forensics/forensics.ts";
import { encodeTranscript, exportTranscript } from "../../src/consensus/forensics/transcript.ts";
import { verifyEvidence } from "../../src/consensus/verify.ts";
import { MemoryStore } from "../../src/store/memory.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { commit } from "./commits.ts";
import { convene, equals, single, type Council } from "./council.ts";
import { openHall } from "./hall.ts";
import { say, show, type Said, type Shown } from "./statements.ts";

type Found = Extract<Forensics, { readonly ok: true }>;

const bft = { method: "single", closing: "commit", threshold: ">1/2", participation: ">1/2" } as const;
/** Two commits in different rounds, and everything that was said in between. */
interface Disagreement {
  readonly council: Council;
  readonly certificates: readonly [CommitCertificate, CommitCertificate];
  readonly valueOf: (certificate: 0 | 1) => string;
}

async function disagree(earlier: string, later: string, round: number): Promise<Disagreement> {
  const council = await convene(equals(4), bft);
  const choices = { a: "x", b: "x", c: "x" };
  const certificates = [
    await commit(council, { choices, signers: earlier.split("") }),
    await commit(council, { choices: { ...choices, d: "x" }, signers: later.split(""), round }),
  ] as const;
  return { council, certificates, valueOf: (index) => valueDigestOf(certificates[index].value, sha256) };
}

function hear({ certificates, council }: Disagreement, options: ForensicsOptions): Found {
  const found = forensics(certificates, council.electorate, options);
  if (!found.ok) throw new Error(found.reason);
  expect(JSON.parse(JSON.stringify(found)), "plain data").toEqual(found);
  for (const each of [...found.evidence, ...found.accusations.map(({ evidence }) => evidence)])
    expect(verifyEvidence(each, council.electorate)).toMatchObject({ ok: true });
  return found;
}

/** b and c precommitted to the one value in round 0, and prevoted for the other one in round 2. */
async function forgetting(): Promise<Disagreement & { readonly polka: readonly Shown[]; readonly own: Transcript }> {
  const made = await disagree("abc", "bcd", 2);
  const { council, valueOf } = made;
  const polka = await say(council, { kind: "prevote", voters: "bcd", round: 2, value: valueOf(1) });
  return { ...made, polka, own: await show(council, "d", polka) };
}

describe("forensics over members' transcripts", () => {
  it("convicts whoever forgot its lock between two rounds, once the accused were heard or are known to be silent", async () => {
    const made = await forgetting();
    const found = hear(made, { transcripts: [made.own], silent: ["b", "c"] });
    expect(found).toMatchObject({
      conflicts: [{ kind: "locks", isExplained: true }],
      culprits: ["b", "c"],
      weight: 2,
      total: 4,
      evidence: [{ kind: "Amnesia", culprits: ["b", "c"] }],
      transcripts: [{ ok: true, member: "d" }],
      lacking: ["a", "b", "c"],
      accusations: [],
    });
    const theirs = [await show(made.council, "b", made.polka), await show(made.council, "c", made.polka)];
    expect(hear(made, { transcripts: theirs }).culprits, "who shows what convicts is convicted").toEqual(["b", "c"]);
  });

  it("only accuses as long as one of the accused may still refute it, and says whom to ask", async () => {
    const made = await forgetting();
    for (const silent of [[], ["b"], ["a", "d"]]) {
      const found = hear(made, { transcripts: [made.own], silent });
      expect(found).toMatchObject({ conflicts: [{ isExplained: false }], culprits: [], weight: 0, evidence: [] });
      expect(found.accusations).toMatchObject([{ evidence: { kind: "Amnesia", culprits: ["b", "c"] } }]);
      expect(found.accusations[0]?.unheard).toEqual(silent.includes("b") ? ["c"] : ["b", "c"]);
    }
    // Shown before the member cast the vote that it is accused of: it says nothing of what came after.
    const early = await show(
      made.council,
      "b",
      await say(made.council, { kind: "prevote", voters: "abc", round: 0, value: made.valueOf(0) }),
    );
    expect(hear(made, { transcripts: [made.own, early], silent: ["c"] }).accusations[0]?.unheard).toEqual(["b"]);
  });

  it("pairwiseAmnesiaFrames: convicts by the next polka only, so that nobody is framed who moved its lock", async () => {
    const made = await disagree("abc", "abd", 3);
    const { council, valueOf } = made;
    const value = valueOf(1);
    const next = await say(council, { kind: "prevote", voters: "bcd", round: 1, value });
    const moved = await say(council, { kind: "prevote", voters: "acd", round: 2, value, validRound: 1 });
    const last = await say(council, { kind: "prevote", voters: "abd", round: 3, value });
    // "a" saw the polka of round 1, moved its lock in round 2, and in round 3 voted for what it was locked on.
    const everything = [...next, ...moved, ...last];
    const honest = await show(council, "a", everything);
    const all = hear(made, { transcripts: [honest], silent: ["b", "c", "d"] });
    expect(all).toMatchObject({ culprits: ["b", "c"], conflicts: [{ isExplained: true }] });
    // The others show the last polka and nothing else: "a" is accused with them, and not convicted before it was heard.
    const others = await Promise.all(["b", "d"].map((id) => show(council, id, last)));
    const partly = hear(made, { transcripts: others, silent: ["c"] });
    expect(partly).toMatchObject({ culprits: [], accusations: [{ unheard: ["a"] }] });
    expect(hear(made, { transcripts: [...others, honest], silent: ["c"] }).culprits).not.toContain("a");
  });

  it("accuses nobody where the next polka leans on one since the commit that nobody has shown", async () => {
    const made = await disagree("abc", "bcd", 3);
    const { council, valueOf } = made;
    const value = valueOf(1);
    const leaning = await say(council, { kind: "prevote", voters: "bcd", round: 2, value, validRound: 1 });
    // After that one whoever is in the commit may vote so.
    const later = await say(council, { kind: "prevote", voters: "bcd", round: 3, value });
    const transcripts = [await show(council, "d", [...leaning, ...later])];
    const found = hear(made, { transcripts, silent: ["a", "b", "c"] });
    expect(found).toMatchObject({
      culprits: [],
      accusations: [],
      lacking: ["a", "b", "c"],
      conflicts: [{ isExplained: false }],
    });
    expect(found.conflicts[0]?.detail).toContain("do not say who made that possible");
  });

  it("convicts by two different votes of one round that two transcripts hold between them", async () => {
    const made = await disagree("abc", "bcd", 2);
    const { council, valueOf } = made;
    const one = await say(council, { kind: "prevote", voters: "abc", round: 0, value: valueOf(0) });
    const other = await say(council, { kind: "prevote", voters: "bcd", round: 0, value: valueOf(1) });
    const transcripts = [await show(council, "a", one), await show(council, "d", other)];
    const found = hear(made, { transcripts });
    expect(found).toMatchObject({ culprits: ["b", "c"], conflicts: [{ kind: "locks", isExplained: true }] });
    expect(found.evidence.map(({ kind }) => kind)).toEqual(["DuplicatePrevote", "DuplicatePrevote"]);
    expect(hear(made, { transcripts: transcripts.toReversed() }).evidence).toEqual(found.evidence);
  });
});

describe("a transcript that does not hold", () => {
  it("counts for nothing whatever was changed in it, and names nobody as silent whose name it bears", async () => {
    const made = await forgetting();
    const { own, council } = made;
    const { body } = own;
    const another = await show(council, "a", made.polka);
    const changed: readonly (readonly [unknown, string])[] = [
      [null, "malformed"],
      [{ ...own, v: 2 }, "malformed"],
      [{ ...own, note: "" }, "malformed"],
      [{ ...own, body: { ...body, statements: [] } }, "malformed"],
      [{ ...own, body: { ...body, statements: body.statements.slice(1) } }, "transcript-signature"],
      [{ ...own, body: { ...body, member: "b" } }, "transcript-signature"],
      [{ ...own, sig: another.sig }, "transcript-signature"],
      [{ ...own, body: { ...body, member: "z" } }, "unknown-member"],
      [{ ...own, body: { ...body, decisionId: "another" } }, "other-decision"],
      [{ ...own, body: { ...body, proposalDigest: "0".repeat(64) } }, "other-decision"],
      [{ ...own, body: { ...body, electorateDigest: "0".repeat(64) } }, "electorate-mismatch"],
      [
        await show(
          council,
          "d",
          body.statements.map((each) => ({ ...each, voter: 0 })),
        ),
        "statement-signature",
      ],
      [
        await show(
          council,
          "d",
          body.statements.map((each): Shown => ({ ...each, round: 1 })),
        ),
        "statement-signature",
      ],
      [
        await show(
          council,
          "d",
          body.statements.map((each) => ({ ...each, validRound: 2 })),
        ),
        "invalid-statement",
      ],
    ];
    for (const [transcript, reason] of changed) {
      const found = hear(made, { transcripts: [transcript], silent: ["a", "b", "c", "d"] });
      expect(found).toMatchObject({ transcripts: [{ ok: false, reason }], culprits: [], accusations: [] });
      expect(found.lacking).toEqual(["a", "b", "c", "d"]);
    }
    const forged = { ...own, body: { ...body, member: "b" } };
    const found = hear(made, { transcripts: [own, forged], silent: ["b", "c"] });
    expect(found, "b gave one, as far as anybody knows").toMatchObject({
      culprits: [],
      accusations: [{ unheard: ["b"] }],
    });
  });

  it("is refused whichever byte of its file is changed", async () => {
    const made = await forgetting();
    const bytes = encodeTranscript(made.own);
    let [read, seed] = [0, 7];
    for (let index = 0; index < bytes.length - 1; index += 11) {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      const changed = Uint8Array.from(bytes);
      changed[index] = (bytes[index] ?? 0) ^ (1 << (seed % 7));
      let transcript: unknown;
      try {
        transcript = JSON.parse(new TextDecoder().decode(changed));
      } catch {
        continue;
      }
      read += 1;
      const found = hear(made, { transcripts: [transcript], silent: ["b", "c"] });
      expect(found, `byte ${index}`).toMatchObject({ culprits: [], transcripts: [{ ok: false }] });
    }
    expect(read).toBeGreaterThan(20);
  });

  it("is refused above its limits, and so are too many of them and silence of somebody unknown", async () => {
    const made = await forgetting();
    const [first] = made.own.body.statements;
    if (first === undefined) throw new Error("it has some");
    const long = {
      ...made.own,
      body: { ...made.own.body, statements: Array(transcriptStatementsMax + 1).fill(first) },
    };
    expect(hear(made, { transcripts: [long] }).transcripts).toMatchObject([{ reason: "malformed" }]);
    const refuse = (options: ForensicsOptions): Forensics =>
      forensics(made.certificates, made.council.electorate, options);
    const many = Array.from({ length: transcriptsMax + 1 }, () => made.own);
    expect(refuse({ transcripts: many })).toEqual({ ok: false, certificate: null, reason: "too-many-transcripts" });
    expect(refuse({ silent: ["z"] })).toEqual({ ok: false, certificate: null, reason: "unknown-member" });
  });
});

describe("exportTranscript", () => {
  it("gives what the replica wrote before it was sent, the same while it runs and after it fell", async () => {
    using hall = await openHall();
    const { electorate, proposal, signers, round } = hall.council;
    for (const self of [0, 1, 2, 3]) await hall.seat(self);
    for (const self of [0, 1, 2, 3]) await hall.vote(self, "x");
    await hall.decided(0, 1, 2, 3);
    const certificate = await commit(hall.council, {
      choices: { a: "x", b: "x", c: "x", d: "x" },
      signers: ["a", "b", "c"],
    });
    for (const [self, { id }] of electorate.members.entries()) {
      const signer = signers.get(id);
      const store = hall.stores[self];
      if (signer === undefined || store === undefined) throw new Error(`no member ${id}`);
      const made = await exportTranscript(store, { signer, proposal, electorate });
      if (!made.ok) throw new Error(made.reason);
      const { body } = made.transcript;
      const votes = hall.signed.filter(({ voter }) => voter === self);
      expect(votes.length).toBeGreaterThan(1);
      for (const { kind, round: at, value, sig } of votes)
        expect(body.statements).toContainEqual(expect.objectContaining({ kind, round: at, value, sig, voter: self }));
      const others = body.statements.filter(({ voter, kind }) => voter !== self && kind === "prevote");
      expect(others.length, "the polka that it committed on").toBeGreaterThanOrEqual(2);
      const told = Buffer.from(encodeTranscript(made.transcript)).toString();
      hall.replicas[self]?.stop();
      const again = await exportTranscript(store, { signer, proposal, electorate });
      expect(again).toEqual(made);
      expect(forensics([certificate, certificate], electorate, { transcripts: [JSON.parse(told)] })).toMatchObject({
        transcripts: [{ ok: true, member: id }],
        culprits: [],
        evidence: [],
      });
      expect(body).toMatchObject({ member: id, proposalDigest: round.proposalDigest });
    }
  });

  it("holds the polka that a prevote leans on, which nobody else may hold", async () => {
    using hall = await openHall();
    const { council } = hall;
    const { electorate, proposal, round, signers } = council;
    const scope = { decision: round.proposalDigest, electorate: round.electorateDigest };
    const seats = defineCouncil(scope, [1, 1, 1, 1]);
    const [first, second] = [proposerOf(seats, 1), proposerOf(seats, 2)];
    const self = [0, 1, 2, 3].find((each) => each !== first && each !== second) ?? 0;
    const others = [0, 1, 2, 3].filter((each) => each !== self);
    const ids = electorate.members.map(({ id }) => id);
    const ballots = await Promise.all(others.map((each) => council.sign(council.body(ids[each] ?? "", single("x")))));
    const content: AgreedValue = { v: 1, proposalDigest: scope.decision, status: "decided", option: "x", ballots };
    const own = await council.sign(council.body(ids[self] ?? "", single("x")));
    const all = [...ballots, own].sort((left, right) => (left.body.voter < right.body.voter ? -1 : 1));
    const fuller: AgreedValue = { ...content, ballots: all };
    const [value, other] = [valueDigestOf(content, sha256), valueDigestOf(fuller, sha256)];
    const speak = async (said: Said): Promise<(Shown & typeof scope)[]> =>
      (await say(council, said)).map((each) => ({ ...each, ...scope }));
    const voters = others.map((each) => ids[each]).join("");
    const polka = await speak({ kind: "prevote", voters, round: 0, value });
    const next = await speak({ kind: "prevote", voters, round: 1, value: other });
    // More than a third is in round 2 already: it follows at once, and has seen neither polka in its own round.
    const nils = await speak({ kind: "prevote", voters: voters.slice(1), round: 2, value: null });
    const [fresh] = await speak({ kind: "proposal", voters: ids[first] ?? "", round: 1, value: other });
    const [leaning] = await speak({ kind: "proposal", voters: ids[second] ?? "", round: 2, value, validRound: 0 });
    await hall.seat(self);
    await hall.vote(self, "x");
    const port = hall.ports[second];
    for (const vote of [...nils, ...next]) port?.send(self, { type: "vote", vote });
    port?.send(self, { type: "proposal", proposal: fresh, polka: [], content: fuller });
    port?.send(self, { type: "proposal", proposal: leaning, polka, content });
    const isLeaning = ({ kind, validRound }: { kind: string; validRound: number }): boolean =>
      kind === "prevote" && validRound === 0;
    // Time passes when nothing else is left to do; each turn gives the replica one.
    while (!hall.signed.some(isLeaning)) await new Promise((resolve) => setImmediate(resolve));
    const [signer, store] = [signers.get(ids[self] ?? ""), hall.stores[self]];
    if (signer === undefined || store === undefined) throw new Error("it has a seat");
    const made = await exportTranscript(store, { signer, proposal, electorate });
    if (!made.ok) throw new Error(made.reason);
    const held = made.transcript.body.statements.filter((each) => each.kind === "prevote" && each.value === value);
    expect(held.filter(({ round: at }) => at === 0).map(({ voter }) => voter)).toEqual(others);
  });

  it("says that there is nothing, that it is damaged, or that it is another's", async () => {
    const council = await convene(equals(4), bft);
    const { electorate, proposal, signers, round } = council;
    const signer = signers.get("a");
    if (signer === undefined) throw new Error("a is a member");
    const store = new MemoryStore(new FakeClock());
    const ask = (): ReturnType<typeof exportTranscript> => exportTranscript(store, { signer, proposal, electorate });
    expect(await ask()).toEqual({ ok: false, reason: "nothing-signed" });
    const log = voteLog(round.proposalDigest, "a");
    await store.append(log, [{ type: "opened", publicKey: electorate.members[0]?.publicKey ?? "" }]);
    expect(await ask()).toEqual({ ok: false, reason: "nothing-signed" });
    await store.append(log, [{ type: "signed" }, { type: "signed" }]);
    expect(await ask()).toEqual({ ok: false, reason: "damaged" });
    const about = { signer: council.coordinator, proposal, electorate };
    await expect(exportTranscript(store, about)).rejects.toThrow("no member of this electorate has the signer's key");
    const other = await convene(equals(5), bft);
    await expect(exportTranscript(store, { signer, proposal, electorate: other.electorate })).rejects.toThrow(
      "the proposal is for another electorate",
    );
  });
});

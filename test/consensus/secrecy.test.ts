import { describe, expect, it } from "vitest";
import type { Happening } from "../../src/ports/observe.ts";
import type { SignedCommit } from "../../machines/consensus/codec/messages.ts";
import { commitToVote, findEarlyReveal } from "../../src/consensus/secrecy/secret-vote.ts";
import { createBox, sealAnswer } from "../../src/consensus/secrecy/sealed-vote.ts";
import { verifyEd25519 } from "../../src/consensus/ed25519.ts";
import { signBallotBody } from "../../src/consensus/signing.ts";
import { verifyCertificate } from "../../src/consensus/verify.ts";
import { joinAsParticipant } from "../../src/consensus/participant/participant.ts";
import { type Participant, type Vote, type Voter } from "../../src/consensus/voter.ts";
import { convene, equals, memberWithKey, single } from "./council.ts";
import { openRoom, opinionOf, silent, voterOf } from "./panel.ts";

const names = ["a", "b", "c", "d"];
const rules = { options: ["x", "y"], method: "single", close: "all" } as const;
const honest = names.map((name) => voterOf(name, opinionOf("x")));

/** A participant with an honest core, and what it changes of each answer. */
function bent(name: string, change: Partial<Record<"commit" | "vote", (answer: unknown) => unknown>>): Participant {
  const own = joinAsParticipant(voterOf(name, opinionOf("x")));
  return {
    member: own.member,
    async commit(invitation, context) {
      const outcome = (await own.commit?.(invitation, context)) ?? { ok: true, value: null };
      return outcome.ok && change.commit !== undefined ? { ok: true, value: change.commit(outcome.value) } : outcome;
    },
    async vote(invitation, context) {
      const outcome = await own.vote(invitation, context);
      if (!outcome.ok || change.vote === undefined) return outcome;
      return { ok: true, value: change.vote(outcome.value) as Vote };
    },
  };
}

function typesOf(heard: readonly Happening[]): string[] {
  return heard.map(({ type }) => type);
}

describe("open and sealed ballots", () => {
  /** Lets the first three voters answer and listens before the fourth does. */
  async function listenBefore(secrecy: "open" | "sealed" | undefined): Promise<{ early: string[]; all: string[] }> {
    const room = openRoom();
    room.observe.listen((happening) => room.heard.push(happening));
    const last = Promise.withResolvers<void>();
    const waiting = voterOf("d", async () => {
      await last.promise;
      return { ok: true, value: opinionOf("y") };
    });
    const voters = [...honest.slice(0, 3), waiting];
    const decision = room.decide({ ...rules, voters, ...(secrecy === undefined ? {} : { secrecy }) });
    for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    const early = typesOf(room.heard);
    last.resolve();
    await decision;
    return { early, all: typesOf(room.heard) };
  }

  it("are told as they come when open, and not before the round is over when sealed, which is the default", async () => {
    const open = await listenBefore("open");
    expect(open.early.filter((type) => type === "decision.ballot")).toHaveLength(3);
    for (const secrecy of ["sealed", undefined] as const) {
      const { early, all } = await listenBefore(secrecy);
      expect(early).toEqual(["decision.opened"]);
      expect(all.toSorted()).toEqual(open.all.toSorted());
      expect(all.at(-1)).toBe("decision.closed");
    }
  });

  it("travel encrypted from voters behind messages, and count like open ones", async () => {
    const seen: unknown[] = [];
    const voters = honest.map((voter): Participant => {
      const own = joinAsParticipant(voter);
      return {
        member: own.member,
        async vote(invitation, context) {
          const outcome = await own.vote(invitation, context);
          if (outcome.ok) seen.push(outcome.value);
          return outcome;
        },
      };
    });
    const decision = await openRoom().decide({ ...rules, voters });
    expect(decision).toMatchObject({ status: "decided", option: "x", tally: { participating: 4 } });
    expect(verifyCertificate(decision.certificate, decision.electorate).ok).toBe(true);
    expect(seen.map((answer) => Object.keys(answer as object))).toEqual(names.map(() => ["sealed"]));
    expect(JSON.stringify(seen)).not.toContain("recommendation");
  });

  it("that cannot be opened are malformed, and nobody else is hurt", async () => {
    const spoiled = bent("a", {
      vote: (answer) => {
        const { sealed } = answer as { sealed: { key: string; box: string } };
        return { sealed: { ...sealed, box: `${sealed.box.slice(0, -4)}AAAA` } };
      },
    });
    const decision = await openRoom().decide({ ...rules, voters: [spoiled, ...honest.slice(1)] });
    expect(decision).toMatchObject({ status: "decided", option: "x" });
    expect(decision.absent).toMatchObject([{ voter: "a", reason: "refused" }]);
  });

  it("can be opened by the box they were sealed to, for their proposal only", () => {
    const box = createBox();
    const digest = "ab".repeat(32);
    const sealed = sealAnswer({ ballots: ["…"] }, box.key, digest);
    expect(box.open(sealed, digest)).toEqual({ ok: true, value: { ballots: ["…"] } });
    expect(box.open(sealed, "cd".repeat(32)).ok).toBe(false);
    expect(createBox().open(sealed, digest).ok).toBe(false);
    expect(box.open({ sealed: { key: "00".repeat(32), box: "" } }, digest).ok).toBe(false);
    expect(box.open({ ballots: [] }, digest).ok).toBe(false);
    expect(() => sealAnswer({}, "00".repeat(32), digest)).toThrow("boxKey");
  });
});

describe("commitments before ballots", () => {
  const secret = { ...rules, secrecy: "commit-reveal" } as const;

  it("decide as open ballots do, for voters here and behind messages", async () => {
    const mixed = [...honest.slice(0, 2), ...honest.slice(2).map((voter) => joinAsParticipant(voter))];
    const decision = await openRoom().decide({ ...secret, voters: mixed });
    expect(decision).toMatchObject({ status: "decided", option: "x", tally: { participating: 4 }, absent: [] });
    expect(decision.proposal.body.commitClosesAt).toBeLessThan(decision.proposal.body.closesAt);
    // Four commitments and four ballots by the coordinator; it signs the proposal, the closing, and for two ballots behind messages.
    expect(decision.metrics).toMatchObject({ verifies: 8, signs: 4 });
    expect(verifyCertificate(decision.certificate, decision.electorate)).toMatchObject({ ok: true, weight: 4 });
  });

  it("void what is withheld, what was not committed to, and what differs from the commitment", async () => {
    const room = openRoom();
    const other = memberWithKey({ id: "c" }).signer;
    const withheld = bent("a", { vote: () => ({ ballots: [] }) });
    const uncommitted = bent("b", { commit: () => null });
    const changed = bent("c", {});
    const bad: Participant = {
      ...changed,
      async vote(invitation, context) {
        const outcome = await changed.vote(invitation, context);
        if (!outcome.ok) return outcome;
        const { ballots, salt } = outcome.value as {
          ballots: { body: Parameters<typeof signBallotBody>[0] }[];
          salt: string;
        };
        const [own] = ballots;
        if (own === undefined) throw new Error("it voted");
        return {
          ok: true,
          value: { ballots: [await signBallotBody({ ...own.body, choice: single("y") }, other)], salt },
        };
      },
    };
    const others = ["d", "e", "f", "g", "h", "i", "j"].map((name) => voterOf(name, opinionOf("x")));
    const decision = await room.decide({ ...secret, voters: [withheld, uncommitted, bad, ...others] });
    expect(decision).toMatchObject({
      status: "decided",
      option: "x",
      tally: { participating: 7, voided: 0, absent: 3 },
    });
    expect(decision.absent.map(({ voter, reason }) => [voter, reason])).toEqual([
      ["a", "withheld"],
      ["b", "refused"],
      ["c", "withheld"],
    ]);
    expect(decision.absent[2]?.detail).toContain("badReveal");
    expect(decision.evidence).toEqual([]);
  });

  it("leave the last revealer only his own vote to lose (fault matrix, row 6)", async () => {
    const last = (vote: (answer: unknown) => unknown): Participant => bent("d", { vote });
    const shown = await openRoom().decide({ ...secret, voters: [...honest.slice(0, 3), last((answer) => answer)] });
    const hidden = await openRoom().decide({
      ...secret,
      voters: [...honest.slice(0, 3), last(() => ({ ballots: [] }))],
    });
    expect([shown.option, hidden.option]).toEqual(["x", "x"]);
    expect(hidden.absent).toMatchObject([{ voter: "d", reason: "withheld" }]);
  });

  it("go on when the time for commitments is over, without those who gave none", async () => {
    const room = openRoom();
    const asleep = voterOf("d", silent);
    const decision = room.decide({ ...secret, voters: [...honest.slice(0, 3), asleep], timeoutMs: 1_000 });
    await new Promise((resolve) => setImmediate(resolve));
    await room.clock.advance(1_000);
    expect(await decision).toMatchObject({ status: "decided", absent: [{ voter: "d", reason: "silent" }] });
  });

  it("of a voter who makes two void both, in either order", async () => {
    const council = await convene(equals(4), { method: "single", commitClosesAt: 1_000_000 });
    const { collect, idleCollection } = await import("../../machines/consensus/ballot/collect.ts");
    const states = [
      ["aa", "bb"],
      ["bb", "aa"],
    ].map((pair) => {
      let [state] = collect(idleCollection, { type: "round.open", round: council.round, close: "all" });
      for (const commitment of pair)
        [state] = collect(state, { type: "commit.received", at: 1, voter: "a", commitment });
      return state;
    });
    expect(states[0]?.commits[0]).toEqual({ commitment: "aa", isDouble: true });
    expect(states[0]).toEqual(states[1]);
  });

  it("are opened by an honest voter only when a quorum of commitments is shown to it", async () => {
    const council = await convene(equals(4), { method: "single", commitClosesAt: 1_000_000 });
    const commits: SignedCommit[] = [];
    for (const { id } of council.electorate.members) {
      const signer = council.signers.get(id);
      if (signer === undefined) throw new Error("a member has a key");
      const vote = { ballots: [await council.sign(council.body(id, single("x")))] };
      commits.push((await commitToVote(vote, council.round, { voter: id, signer })).commit);
    }
    const [own, second, third] = commits;
    if (own === undefined || second === undefined || third === undefined) throw new Error("four committed");
    const check = (shown: unknown): string | undefined =>
      findEarlyReveal(shown, council.round, { commit: own, verify: verifyEd25519 });
    expect(check([own, second, third])).toBeUndefined();
    expect(check([own, second])).toContain("weight 2 are shown, and 3");
    expect(check([own, own, own])).toContain("weight 1");
    expect(check([own, second, { ...third, sig: own.sig }])).toContain("weight 2");
    expect(check(commits.slice(1))).toContain("its own commitment");
    expect(check(undefined)).toContain("no commitments");
  });

  it("need a voter that can make them", async () => {
    const plain: Participant = {
      member: memberWithKey({ id: "d" }).member,
      vote: async (invitation, context) => await joinAsParticipant(honest[3] as Voter).vote(invitation, context),
    };
    const decision = await openRoom().decide({ ...secret, voters: [...honest.slice(0, 3), plain] });
    expect(decision.absent).toMatchObject([
      { voter: "d", reason: "failed", failure: { code: "consensus/bad-proposal" } },
    ]);
  });
});

import { describe, expect, it } from "vitest";
import type { Vote } from "../../machines/consensus/bft/statement.ts";
import { failure } from "../../machines/failure.ts";
import { digestOf } from "../../machines/consensus/codec/sign-bytes.ts";
import { makeEquivocate } from "../../src/consensus/byzantine.ts";
import { seatsMax } from "../../src/consensus/elsewhere/seats.ts";
import { messagesPerAnswerMax } from "../../src/consensus/elsewhere/outgoing.ts";
import type { DistantReplica, Summons } from "../../src/consensus/elsewhere/distant.ts";
import { voteLog } from "../../src/consensus/bft/vote-store.ts";
import type { Decision } from "../../src/consensus/decision.ts";
import { sha256 } from "../../src/consensus/ed25519.ts";
import { verifyCertificate, verifyEvidence } from "../../src/consensus/verify.ts";
import { joinAsParticipant } from "../../src/consensus/participant/participant.ts";
import type { Invitation, Participant, Voter } from "../../src/consensus/voter.ts";
import { MemoryStore } from "../../src/store/memory.ts";
import { conspire } from "./conspiracy.ts";
import { IdleClock } from "./idle-clock.ts";
import { failing, openRoom, opinionOf, silent, voterOf } from "./panel.ts";
import { VoterProcess } from "./voter-process.ts";

const names = ["a", "b", "c", "d"];

const clock = new IdleClock();

function apart(voter: Voter): VoterProcess {
  return new VoterProcess(voter, { clock });
}

function agree(voters: readonly (Voter | Participant)[], timeoutMs = 300_000): Promise<Decision> {
  return openRoom({ clock }).decide({ mode: "bft", method: "single", close: "all", voters, timeoutMs });
}

function expectDecided(decision: Decision, option = "x"): void {
  expect(decision).toMatchObject({ status: "decided", option, evidence: [] });
  expect(verifyCertificate(decision.certificate, decision.electorate)).toMatchObject({ ok: true, option });
}

/** Contents that were signed per place in the protocol; an honest member signs one. */
function contentsPerPlace(votes: readonly Vote[]): number[] {
  const places = new Map<string, Set<string>>();
  for (const { kind, round, value, validRound } of votes)
    places.set(`${kind}/${round}`, (places.get(`${kind}/${round}`) ?? new Set()).add(`${value}/${validRound}`));
  return [...places.values()].map(({ size }) => size);
}

describe("replicas that run where their voters' keys are", () => {
  it("agree through whoever asks, which signs nothing but the question", async () => {
    const decision = await agree(names.map((name) => apart(voterOf(name, opinionOf(name === "d" ? "y" : "x")))));
    expectDecided(decision);
    expect(decision.metrics.signs).toBe(1);
    expect(decision.dissent).toMatchObject([{ voter: "d", kind: "against" }]);
  });

  it("agree with those that are in the process that asks", async () => {
    const [a, b, ...rest] = names.map((name) => voterOf(name, opinionOf("x")));
    expectDecided(await agree([a as Voter, b as Voter, ...rest.map(apart)]));
  });

  it("say that their voter brings no ballot, so that the others need not wait for it", async () => {
    const voters = names.map((name) => apart(voterOf(name, name === "d" ? failing : opinionOf("x"))));
    const decision = await agree(voters);
    expectDecided(decision);
    expect(decision.absent).toMatchObject([{ voter: "d", reason: "failed" }]);
    const short = await agree(names.map((name) => apart(voterOf(name, name > "b" ? failing : opinionOf("x")))));
    expect(short).toMatchObject({ status: "no-quorum", certificate: null });
  });

  it("agree whatever the one that carries their messages says of whom they are from", async () => {
    const voters = names.map((name) => apart(voterOf(name, opinionOf("x"))));
    const lied = voters.map((voter, self): Participant => {
      const say: DistantReplica["say"] = (said) => {
        for (const from of [0, 1, 2, 3])
          if (from !== self) voter.replica.say({ ...said, from: 3 - from, message: { type: "ballots", ballots: [] } });
        voter.replica.say({ ...said, from: (said.from + 1) % 4 === self ? (said.from + 2) % 4 : (said.from + 1) % 4 });
      };
      return { member: voter.member, vote: (...given) => voter.vote(...given), replica: { ...voter.replica, say } };
    });
    expectDecided(await agree(lied));
  });

  it("agree without one that cannot be reached, and without one that answers nonsense", async () => {
    const three = (): Participant[] => ["a", "b", "c"].map((name) => apart(voterOf(name, opinionOf("x"))));
    const { member } = voterOf("d", opinionOf("x"));
    const gone = apart(voterOf("d", opinionOf("x")));
    gone.fall();
    expectDecided(await agree([...three(), gone], 20_000));
    const answers: unknown[] = [null, 7, { isSeated: true, letters: [{ to: [-1], message: null }] }];
    const nonsense: Participant = {
      member,
      vote: async () => ({ ok: true, value: { ballots: 7, report: 7 } as never }),
      replica: {
        join: async () => ({ ok: true, value: null }),
        say() {
          throw new Error("it does not listen");
        },
        listen: async () => {
          if (answers.length === 0) throw new Error("it says no more");
          return { ok: true, value: answers.shift() };
        },
        leave: () => undefined,
      },
    };
    // Nobody waits for the end of the ballots.
    expectDecided(await agree([...three(), nonsense], 3_000_000));
  });
});

describe("a member elsewhere that breaks the rules", () => {
  it("is convicted by what it shows the others, wherever they are", async () => {
    const voters = ["a", "b", "c"].map((name) => apart(voterOf(name, opinionOf("x"))));
    const decision = await agree([...voters, apart(makeEquivocate(voterOf("d", opinionOf("y"))))]);
    expect(decision).toMatchObject({ status: "decided", option: "x" });
    const kinds = decision.evidence.map(({ kind }) => kind);
    expect(kinds).toContain("DuplicateBallot");
    expect(kinds.some((kind) => kind === "DuplicatePrevote" || kind === "DuplicatePrecommit")).toBe(true);
    for (const evidence of decision.evidence)
      expect(verifyEvidence(evidence, decision.electorate)).toMatchObject(
        evidence.kind === "DuplicateBallot" ? { ok: true, voter: "d" } : { ok: true, voters: ["d"] },
      );
  });

  it("cannot keep the others from coming to an end by talking on and on", async () => {
    const voters = [voterOf("a", opinionOf("x")), ...["b", "c"].map((name) => apart(voterOf(name, opinionOf("x"))))];
    const message = { type: "fetch", value: "ab".repeat(32) };
    const letters = Array.from({ length: messagesPerAnswerMax }, () => ({ to: [0, 1, 2], message }));
    const talking: Participant = {
      member: voterOf("d", failing).member,
      vote: () => Promise.reject(new Error("it does not vote")),
      replica: {
        join: () => Promise.resolve({ ok: true, value: null }),
        say: () => undefined,
        listen: () => Promise.resolve({ ok: true, value: { isSeated: true, letters } }),
        leave: () => undefined,
      },
    };
    expectDecided(await agree([...voters, talking]));
  });
});

describe("a voter that falls in the middle of an agreement", () => {
  /** The last voter takes no part, so that nothing can be decided without the one that falls. */
  function council(opine: Voter["opine"], store: MemoryStore): { voters: Participant[]; falling: VoterProcess } {
    const falling = new VoterProcess({ ...voterOf("c", failing), opine }, { clock, store });
    const others = ["a", "b"].map((name) => apart(voterOf(name, opinionOf("x"))));
    const out = apart(voterOf("d", failing));
    const silent: Participant = {
      member: out.member,
      vote: (...given) => out.vote(...given),
      replica: { ...out.replica, listen: () => new Promise(() => undefined) },
    };
    return { voters: [...others, falling, silent], falling };
  }

  it("goes on with what is in its store when it is back, is asked for no second opinion, and signs nothing twice", async () => {
    const store = new MemoryStore(clock);
    let asked = 0;
    const { voters, falling } = council(
      async () => ({ ok: true, value: opinionOf((asked += 1) === 1 ? "x" : "y") }),
      store,
    );
    let falls = 0;
    falling.heard = ({ type }) => {
      if (type !== "vote" || falls > 0) return;
      falls += 1;
      falling.fall();
      setImmediate(() => falling.begin({ clock, store }));
    };
    const decision = await agree(voters);
    expectDecided(decision);
    expect({ falls, asked }).toEqual({ falls: 1, asked: 1 });
    expect(falling.signed.length).toBeGreaterThan(1);
    expect(contentsPerPlace(falling.signed).every((size) => size === 1)).toBe(true);
    const log = voteLog(digestOf(decision.proposal.body, sha256), "c");
    const kept = (await store.read(log)).map(({ body }) => (body as { statement?: unknown }).statement);
    for (const vote of falling.signed) expect(kept).toContainEqual(vote);
  });

  it("is asked for its vote again only when its replica remembers: another start could sign a second ballot", async () => {
    let asked = 0;
    const opine: Voter["opine"] = async () => ({ ok: true, value: opinionOf((asked += 1) === 1 ? "x" : "y") });
    const falling = new VoterProcess({ ...voterOf("d", failing), opine }, { clock });
    const shown = Promise.withResolvers<void>();
    falling.heard = ({ type }) => {
      if (type === "ballots") shown.resolve();
    };
    let hasFallen = false;
    const voter: Participant = {
      member: falling.member,
      replica: falling.replica,
      vote: async (...given) => {
        const outcome = await falling.vote(...given);
        if (hasFallen) return outcome;
        hasFallen = true;
        await shown.promise;
        falling.fall();
        falling.begin({ clock });
        return { ok: false, failure: failure("remote/indeterminate", "the node fell") };
      },
    };
    const others = ["a", "b", "c"].map((name) => apart(voterOf(name, opinionOf("x"))));
    expectDecided(await agree([...others, voter], 20_000));
    expect(hasFallen).toBe(true);
  });

  it("stays silent when it has lost its store: nothing is decided, rather than something twice", async () => {
    const { voters, falling } = council(async () => ({ ok: true, value: opinionOf("x") }), new MemoryStore(clock));
    let isBack = false;
    falling.heard = ({ type }) => {
      if (isBack) throw new Error("it says something");
      if (type !== "vote") return;
      isBack = true;
      falling.fall();
      falling.signed.length = 0;
      setImmediate(() => falling.begin({ clock }));
    };
    const decision = await agree(voters, 20_000);
    expect(isBack).toBe(true);
    expect(decision).toMatchObject({ status: "timeout", certificate: null });
    expect(falling.signed).toEqual([]);
  });
});

describe("whoever asks", () => {
  it("sees that members elsewhere decided differently, where more than F_safe lie", async () => {
    let decision: Decision | undefined;
    for (let tries = 0; tries < 40 && decision?.status !== "conflict"; tries += 1)
      decision = await agree(conspire().map(apart));
    expect(decision).toMatchObject({ status: "conflict", option: null, certificate: null });
    const convicted = (decision?.evidence ?? []).flatMap((evidence) => {
      const check = verifyEvidence(evidence, decision?.electorate);
      if (!check.ok || !("voters" in check)) throw new Error(`${evidence.kind} must convict members`);
      return check.voters;
    });
    expect(new Set(convicted), "both liars and nobody else").toEqual(new Set(["c", "d"]));
  });

  it("believes no commit that does not hold", async () => {
    const liar: Voter = {
      ...voterOf("d", opinionOf("x")),
      link: (port) => ({
        receive: (hear) => port.receive(hear),
        send: (to, message) => {
          const said = message as { type: string; commit: object };
          const commit = { ...said.commit, value: "ab".repeat(32) };
          port.send(to, said.type === "commit" ? { ...said, commit } : message);
        },
      }),
    };
    const voters = ["a", "b", "c"].map((name) => apart(voterOf(name, opinionOf("x"))));
    expectDecided(await agree([...voters, apart(liar)]));
  });
});

describe("a voter elsewhere", () => {
  /** What a voter is asked to take part in, by decisions that nobody takes part in. */
  async function summon(count: number): Promise<Summons[]> {
    const asked: Summons[] = [];
    const refused = { ok: false, failure: failure("consensus/not-seated", "it only listens") } as const;
    const listening = names.map((name): Participant => ({
      member: voterOf(name, failing).member,
      vote: () => Promise.resolve(refused),
      replica: {
        join: (summons) => {
          if (name === "a") asked.push(summons);
          return Promise.resolve(refused);
        },
        say: () => undefined,
        listen: () => Promise.resolve(refused),
        leave: () => undefined,
      },
    }));
    for (let n = 0; n < count; n += 1)
      await openRoom({ clock }).decide({ mode: "bft", voters: listening, decisionId: `decision-${n}` });
    return asked;
  }

  it("remembers what it signed, though its opinion was given up before there was one", async () => {
    const [summons] = await summon(1);
    if (summons === undefined) throw new Error("it was asked");
    const { replica } = joinAsParticipant(voterOf("a", silent));
    const { signal } = new AbortController();
    expect(await replica.join(summons, { signal })).toMatchObject({ ok: true });
    replica.leave();
    expect(await replica.join({ ...summons, isResumed: true }, { signal })).toMatchObject({ ok: true });
    replica.leave();
  });

  it("takes part in so many decisions at once, and in a further one when one of them is over", async () => {
    const asked = await summon(seatsMax + 1);
    const { replica } = joinAsParticipant(voterOf("a", failing));
    const { signal } = new AbortController();
    const joined = await Promise.all(asked.map((summons) => replica.join(summons, { signal })));
    expect(joined.map(({ ok }) => ok)).toEqual(Array.from({ length: seatsMax + 1 }, (_, n) => n < seatsMax));
    expect(joined.at(-1)).toMatchObject({ failure: { message: expect.stringContaining(`${seatsMax} decisions`) } });
    const [first, last] = [asked[0], asked.at(-1)];
    if (first === undefined || last === undefined) throw new Error("it was asked");
    replica.leave(digestOf(first.invitation.proposal.body, sha256));
    expect(await replica.join(last, { signal })).toMatchObject({ ok: true });
    replica.leave();
    const { proposal } = last.invitation;
    expect(await replica.listen(digestOf(proposal.body, sha256), { signal })).toMatchObject({
      value: { isSeated: false },
    });
  });

  it("takes part only in rounds of mode bft", async () => {
    const own = apart(voterOf("a", opinionOf("x")));
    const invitations: Invitation[] = [];
    const noting: Participant = {
      member: own.member,
      vote: (invitation, context) => {
        invitations.push(invitation);
        return own.vote(invitation, context);
      },
    };
    const voters = [noting, ...["b", "c", "d"].map((name) => voterOf(name, opinionOf("x")))];
    await openRoom({ clock }).decide({ method: "single", voters });
    const [invitation] = invitations;
    if (invitation === undefined) throw new Error("it was invited");
    const { signal } = new AbortController();
    const summons = { invitation, close: "all", reach: [], isResumed: false } as const;
    expect(await own.replica.join(summons, { signal })).toMatchObject({
      ok: false,
      failure: { code: "consensus/not-seated", message: expect.stringContaining("not one of mode bft") },
    });
    const broken = { ...summons, invitation: { ...invitation, question: undefined } } as never;
    expect(await own.replica.join(broken, { signal })).toMatchObject({ failure: { code: "consensus/bad-proposal" } });
    await expect(openRoom().decide({ mode: "bft", voters })).rejects.toThrow("voterAt or joinAsParticipant");
  });
});

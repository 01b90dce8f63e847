import { createHash } from "node:crypto";
import type { Commit, Statement, Vote } from "../../machines/consensus/bft/statement.ts";
import type { Json } from "../../machines/failure.ts";
import {
  valueDigestOf,
  type AgreedValue,
  type CommitCertificate,
} from "../../machines/consensus/codec/commit-messages.ts";
import type { Transcript } from "../../machines/consensus/codec/statement-messages.ts";
import { certifyCommit } from "../../src/consensus/bft/certify-commit.ts";
import { signStatement } from "../../src/consensus/bft/statement-signing.ts";
import { voteLog } from "../../src/consensus/bft/vote-store.ts";
import { sha256 } from "../../src/consensus/ed25519.ts";
import { encodeTranscript, exportTranscript } from "../../src/consensus/forensics/transcript.ts";
import { MemoryStore } from "../../src/store/memory.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import type { KeptRecord, Member } from "../../src/testing/simulation/member.ts";
import type { Plan, PlanOverrides } from "../../src/testing/simulation/plan.ts";
import { simulate, type ScheduleReport } from "../../src/testing/simulation/simulate.ts";
import { convene, single, type Council } from "../consensus/council.ts";

/** What came of a schedule, with keys, signatures and documents as the product has them. */
export interface Testimony {
  readonly council: Council;
  /** One for each value and round that a correct member decided on. */
  readonly certificates: readonly CommitCertificate[];
  /** Of the correct members, written to files and read again. */
  readonly transcripts: readonly Transcript[];
  readonly faulty: readonly string[];
}

const councils = new Map<string, Promise<{ council: Council; ballots: AgreedValue["ballots"] }>>();

/** Members with real keys and these weights, who all vote for "x". Made once: nothing of it follows from the schedule. */
async function seat(weights: readonly number[]): Promise<{ council: Council; ballots: AgreedValue["ballots"] }> {
  const name = weights.join();
  const made = councils.get(name) ?? conveneFor(weights);
  councils.set(name, made);
  return await made;
}

async function conveneFor(weights: readonly number[]): Promise<{ council: Council; ballots: AgreedValue["ballots"] }> {
  const members = weights.map((weight, index) => ({ id: `m${index}`, weight }));
  const rules = { method: "single", closing: "commit", threshold: ">1/2", participation: ">1/2" } as const;
  const council = await convene(members, rules);
  const ballots = await Promise.all(members.map(({ id }) => council.sign(council.body(id, single("x")))));
  return { council, ballots };
}

/** Says what members of a schedule said with the keys of a council, each thing once. */
class Interpreter {
  readonly council: Council;
  readonly #ballots: AgreedValue["ballots"];
  readonly #values = new Map<string, AgreedValue>();
  readonly #said = new Map<string, Promise<Statement>>();

  constructor(council: Council, ballots: AgreedValue["ballots"]) {
    this.council = council;
    this.#ballots = ballots;
  }

  /** A value that was decided on: the same ballots but for one, since nobody honest signs two. */
  valueOf(value: string): AgreedValue {
    let made = this.#values.get(value);
    if (made !== undefined) return made;
    const left = this.#values.size - 1;
    const { proposalDigest } = this.council.round;
    const ballots = this.#ballots.filter((_, index) => index !== left);
    made = { v: 1, proposalDigest, status: "decided", option: "x", ballots };
    this.#values.set(value, made);
    return made;
  }

  #digestOf(value: string): string {
    const decided = this.#values.get(value);
    return decided === undefined ? createHash("sha256").update(value).digest("hex") : valueDigestOf(decided, sha256);
  }

  say<Said extends Statement>(statement: Said): Promise<Said> {
    let said = this.#said.get(statement.sig);
    if (said === undefined) {
      const { round, electorate, signers } = this.council;
      const { sig: _sig, ...content } = statement;
      const value = content.value === null ? null : this.#digestOf(content.value);
      const scope = { decision: round.proposalDigest, electorate: round.electorateDigest };
      const signer = signers.get(electorate.members[statement.voter]?.id ?? "");
      if (signer === undefined) throw new Error(`no member ${statement.voter}`);
      said = signStatement({ ...content, ...scope, value }, signer);
      this.#said.set(statement.sig, said);
    }
    return said as Promise<Said>;
  }

  #sayAll(votes: readonly Vote[]): Promise<Vote[]> {
    return Promise.all(votes.map((vote) => this.say(vote)));
  }

  async #keep({ statement, polka, durable }: KeptRecord): Promise<Json> {
    const translate = (value: string | null): string | null => (value === null ? null : this.#digestOf(value));
    return {
      type: "signed",
      statement: await this.say(statement),
      polka: await this.#sayAll(polka),
      content: null,
      durable: {
        ...durable,
        lockedValue: translate(durable.lockedValue),
        validValue: translate(durable.validValue),
        polka: await this.#sayAll(durable.polka),
        entry: await this.#sayAll(durable.entry),
        own: await this.#sayAll(durable.own),
      },
    } as unknown as Json;
  }

  async certify(commit: Commit): Promise<CommitCertificate> {
    const { round, proposal } = this.council;
    const votes = await this.#sayAll(commit.votes);
    const value = this.valueOf(commit.value);
    return certifyCommit(
      { round, proposal },
      { round: commit.round, value: valueDigestOf(value, sha256), votes },
      value,
    );
  }

  /** What a member wrote to its vote store, exported as its owner would, and read from the file. */
  async transcribe(member: Member): Promise<Transcript | undefined> {
    const { round, electorate, proposal, signers } = this.council;
    const { id, publicKey } = electorate.members[member.index] ?? { id: "", publicKey: "" };
    const signer = signers.get(id);
    if (signer === undefined) throw new Error(`no member ${member.index}`);
    const store = new MemoryStore(new FakeClock());
    const records = await Promise.all(member.kept.map((kept) => this.#keep(kept)));
    await store.append(voteLog(round.proposalDigest, id), [{ type: "opened", publicKey }, ...records]);
    const made = await exportTranscript(store, { signer, proposal, electorate });
    if (made.ok) return JSON.parse(Buffer.from(encodeTranscript(made.transcript)).toString()) as Transcript;
    if (made.reason === "nothing-signed") return undefined;
    throw new Error(made.reason);
  }
}

async function testify(plan: Plan, members: readonly Member[]): Promise<Testimony> {
  const { council, ballots } = await seat(plan.council.weights);
  const interpreter = new Interpreter(council, ballots);
  const commits = new Map<string, Commit>();
  for (const { state } of members)
    if (state.commit !== null) commits.set(`${state.commit.round}/${state.commit.value}`, state.commit);
  for (const { value } of commits.values()) interpreter.valueOf(value);
  const certificates = await Promise.all([...commits.values()].map((commit) => interpreter.certify(commit)));
  const transcripts = await Promise.all(members.map((member) => interpreter.transcribe(member)));
  return {
    council,
    certificates,
    transcripts: transcripts.flatMap((each) => each ?? []),
    faulty: plan.faulty.map((index) => `m${index}`),
  };
}

/** Runs a schedule; where correct members decided differently, what certificates and transcripts they hold. */
export async function runToTestimony(
  seed: number,
  overrides: PlanOverrides,
): Promise<{ readonly report: ScheduleReport; readonly testimony: Testimony | undefined }> {
  const members = new Set<Member>();
  const report = simulate(seed, { ...overrides, listener: (member) => void members.add(member) });
  const inOrder = [...members].sort((left, right) => left.index - right.index);
  return { report, testimony: report.isSplit ? await testify(report.plan, inOrder) : undefined };
}

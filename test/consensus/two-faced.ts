import { defineCouncil, localTimeouts, proposerOf } from "../../machines/consensus/bft/council.ts";
import type { Proposal, Vote, VoteKind } from "../../machines/consensus/bft/statement.ts";
import { valueDigestOf, type AgreedValue } from "../../machines/consensus/codec/commit-messages.ts";
import type { SignedBallot } from "../../machines/consensus/codec/messages.ts";
import { signStatement } from "../../src/consensus/bft/statement-signing.ts";
import { sha256 } from "../../src/consensus/ed25519.ts";
import { single } from "./council.ts";
import type { Hall } from "./hall.ts";

/** The member of a hall whose turn comes first, without a replica: it says what its test has it say. */
export class TwoFaced {
  readonly self: number;
  readonly honest: readonly number[];
  /** Everybody's ballot for x. */
  readonly ballots: readonly SignedBallot[];
  readonly #hall: Hall;

  private constructor(hall: Hall, self: number, ballots: readonly SignedBallot[]) {
    this.#hall = hall;
    this.self = self;
    this.ballots = ballots;
    this.honest = ballots.map((_, index) => index).filter((index) => index !== self);
    hall.ports[self]?.receive(() => undefined);
  }

  static async enter(hall: Hall): Promise<TwoFaced> {
    const { proposalDigest: decision, electorateDigest: electorate, electorate: register } = hall.council.round;
    const weights = register.members.map(({ weight }) => weight);
    const first = proposerOf(defineCouncil({ decision, electorate }, weights, localTimeouts), 0);
    const ballots = await Promise.all(
      register.members.map(({ id }) => hall.council.sign(hall.council.body(id, single("x")))),
    );
    return new TwoFaced(hall, first, ballots);
  }

  /** Everybody honest brings its ballot, and this member its own, to all. */
  castAll(): void {
    for (const to of this.honest) this.say(to, { type: "ballots", ballots: [this.ballots[this.self]] });
    for (const self of this.honest) this.#hall.replicas[self]?.cast([this.ballots[self]]);
  }

  /** A value that counts these ballots, and its digest. */
  value(ballots: readonly (SignedBallot | undefined)[]): { readonly content: AgreedValue; readonly digest: string } {
    const { proposalDigest } = this.#hall.council.round;
    const counted = ballots.filter((ballot) => ballot !== undefined);
    const content: AgreedValue = { v: 1, proposalDigest, status: "decided", option: "x", ballots: counted };
    return { content, digest: valueDigestOf(content, sha256) };
  }

  /** Its proposal of a value in round 0, as a message. */
  async propose({ content, digest }: ReturnType<TwoFaced["value"]>): Promise<object> {
    const proposal = await signStatement<Proposal>({ ...this.#place, kind: "proposal", value: digest }, this.#signer);
    return { type: "proposal", proposal, polka: [], content };
  }

  /** A vote of its in round 0, as a message. */
  async vote(kind: VoteKind, value: string | null): Promise<object> {
    return { type: "vote", vote: await signStatement<Vote>({ ...this.#place, kind, value }, this.#signer) };
  }

  say(to: number, ...messages: readonly unknown[]): void {
    for (const message of messages) this.#hall.ports[this.self]?.send(to, message);
  }

  get #place() {
    const { proposalDigest: decision, electorateDigest: electorate } = this.#hall.council.round;
    return { decision, electorate, voter: this.self, round: 0, validRound: -1 } as const;
  }

  get #signer() {
    const { electorate, signers } = this.#hall.council;
    const signer = signers.get(electorate.members[this.self]?.id ?? "");
    if (signer === undefined) throw new Error("every member has a key");
    return signer;
  }
}

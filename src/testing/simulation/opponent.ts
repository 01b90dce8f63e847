import { proposerOf } from "../../../machines/consensus/bft/council.ts";
import type { BftMessage } from "../../../machines/consensus/bft/messages.ts";
import type { BftState } from "../../../machines/consensus/bft/state.ts";
import type { Proposal, Vote, VoteKind } from "../../../machines/consensus/bft/statement.ts";
import { Member } from "./member.ts";
import { strategies, type Strategy } from "./strategies.ts";
import type { Opponent, World } from "./world.ts";

/** What the opponent has seen of one round. */
export interface RoundSight {
  readonly round: number;
  readonly proposals: Proposal[];
  /** Per member what it prevoted last. */
  readonly prevotes: Map<number, Vote>;
}

/** Content of a made-up vote. */
export interface MadeVote {
  readonly kind: VoteKind;
  readonly round: number;
  readonly value: string | null;
  readonly validRound?: number;
}

/** Content of a made-up proposal. */
export interface MadeProposal {
  readonly round: number;
  readonly value: string;
  readonly validRound?: number;
}

/** The hands of the faulty members: they know everything said, share their keys, and say what they like to whom they like. */
export class Coalition implements Opponent {
  readonly world: World;
  readonly puppets: Member[] = [];
  readonly faulty: readonly number[];
  /** Correct members in two halves: the sides of the partition, if there is one. */
  readonly halves: readonly [readonly number[], readonly number[]];
  readonly sights = new Map<number, RoundSight>();
  readonly #strategy: Strategy;
  #acts = 0;

  constructor(world: World, strategy: Strategy) {
    this.world = world;
    this.faulty = world.plan.faulty;
    this.#strategy = strategy;
    const correct = world.members.map(({ index }) => index);
    const left = correct.filter((index) => world.plan.side[index] === true);
    const right = correct.filter((index) => world.plan.side[index] !== true);
    const middle = correct.length >> 1;
    const isSided = left.length > 0 && right.length > 0;
    this.halves = isSided ? [left, right] : [correct.slice(0, middle), correct.slice(middle)];
  }

  /** Lets a faulty member run the core; `targets` are all that hear it. */
  raise(index: number, given: { targets?: readonly number[]; warp?: (state: BftState) => BftState } = {}): Member {
    const puppet = new Member(this.world, index, { isFaulty: true, crashes: [] });
    puppet.targets = given.targets;
    puppet.warp = given.warp;
    this.puppets.push(puppet);
    return puppet;
  }

  sight(round: number): RoundSight {
    let sight = this.sights.get(round);
    if (sight === undefined) this.sights.set(round, (sight = { round, proposals: [], prevotes: new Map() }));
    return sight;
  }

  get everybody(): readonly number[] {
    return this.world.members.map(({ index }) => index);
  }

  isProposer(member: number, round: number): boolean {
    return proposerOf(this.world.plan.council, round) === member;
  }

  /** Sends one made-up thing, as long as the plan allows acts. */
  send(message: BftMessage, targets: readonly number[]): void {
    if (this.#acts >= this.world.plan.actsMax) return;
    this.#acts += 1;
    for (const to of targets) this.world.deliverLater(to, message);
  }

  vote(member: number, content: MadeVote, targets: readonly number[]): void {
    const { kind, round, value, validRound = -1 } = content;
    const unsigned = { ...this.world.scope, kind, voter: member, round, value, validRound };
    this.send({ type: "vote", vote: this.world.notary.sign<Vote>(unsigned) }, targets);
  }

  propose(member: number, content: MadeProposal, targets: readonly number[]): void {
    const { round, value, validRound = -1 } = content;
    const unsigned = { ...this.world.scope, kind: "proposal", voter: member, round, value, validRound } as const;
    const proposal = this.world.notary.sign<Proposal>(unsigned);
    this.onMessage({ type: "proposal", proposal, polka: [] });
    this.send({ type: "proposal", proposal, polka: [] }, targets);
  }

  shape(puppet: Member, message: BftMessage): readonly BftMessage[] {
    return this.#strategy.shape?.(this, puppet, message) ?? [message];
  }

  onMessage(message: BftMessage): void {
    if (message.type === "proposal" && message.proposal.value !== null) {
      this.sight(message.proposal.round).proposals.push(message.proposal as Proposal);
    } else if (message.type === "vote" && message.vote.kind === "prevote") {
      this.sight(message.vote.round).prevotes.set(message.vote.voter, message.vote);
    }
  }

  /** Three chances per round: at its start, when proposals are known, and when prevotes are. */
  onRound(round: number): void {
    const { act } = this.#strategy;
    if (act === undefined) return;
    const { dice } = this.world;
    for (const turn of [0, 1, 2] as const) {
      const delayMs = turn === 0 ? 0 : turn * dice.between(5, 120);
      this.world.schedule(delayMs, () => act(this, round, turn));
    }
  }
}

/** Sets up the opponent that the plan names. */
export function raiseOpponent(world: World): Coalition {
  const strategy = strategies[world.plan.adversary];
  const coalition = new Coalition(world, strategy);
  strategy.begin?.(coalition);
  return coalition;
}

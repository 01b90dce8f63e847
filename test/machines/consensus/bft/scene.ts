import { defineCouncil, proposerOf, type Council } from "../../../../machines/consensus/bft/council.ts";
import type { BftEffect } from "../../../../machines/consensus/bft/effects.ts";
import type { BftEvent, ValueJudgement } from "../../../../machines/consensus/bft/events.ts";
import { unstartedState, type BftState } from "../../../../machines/consensus/bft/state.ts";
import type { Proposal, Vote, VoteKind } from "../../../../machines/consensus/bft/statement.ts";
import { step } from "../../../../machines/consensus/bft/step.ts";
import { Notary } from "../../../../src/testing/simulation/notary.ts";

export const fine: ValueJudgement = { isValid: true, isAcceptable: true };

/** One member in a council of equals, told things one by one. */
export class Scene {
  readonly council: Council;
  readonly notary = new Notary();
  state: BftState;
  effects: readonly BftEffect[] = [];

  constructor(weights: readonly number[] = [1, 1, 1, 1], self?: number) {
    this.council = defineCouncil({ decision: "scene", electorate: "e" }, weights);
    // By default somebody who proposes in none of the first two rounds.
    const proposers = [proposerOf(this.council, 0), proposerOf(this.council, 1)];
    this.state = unstartedState(this.council, self ?? weights.findIndex((_, index) => !proposers.includes(index)));
  }

  get fired(): string {
    return this.state.fired.join(" ");
  }

  /** The members other than this one. */
  get others(): number[] {
    return this.council.weights.map((_, index) => index).filter((index) => index !== this.state.self);
  }

  effectsOf<Name extends BftEffect["type"]>(type: Name): Extract<BftEffect, { type: Name }>["params"][] {
    return this.effects.filter((effect) => effect.type === type).map(({ params }) => params) as never;
  }

  tell(...events: BftEvent[]): this {
    for (const event of events) [this.state, this.effects] = step(this.state, event);
    return this;
  }

  start(): this {
    return this.tell({ type: "decision.started" });
  }

  sign(kind: VoteKind, voter: number, about: { round?: number; value: string | null; validRound?: number }): Vote {
    const { round = 0, value, validRound = -1 } = about;
    const { decision, electorate } = this.council;
    return this.notary.sign<Vote>({ decision, electorate, kind, voter, round, value, validRound });
  }

  proposal(value: string, about: { round?: number; validRound?: number; voter?: number } = {}): Proposal {
    const { round = 0, validRound = -1, voter = proposerOf(this.council, round) } = about;
    const { decision, electorate } = this.council;
    return this.notary.sign<Proposal>({ decision, electorate, kind: "proposal", voter, round, value, validRound });
  }

  propose(
    value: string,
    about: { round?: number; validRound?: number; polka?: readonly Vote[]; judgement?: ValueJudgement } = {},
  ): this {
    const { polka = [], judgement = fine, ...place } = about;
    return this.tell({ type: "proposal.received", proposal: this.proposal(value, place), judgement, polka });
  }

  vote(
    kind: VoteKind,
    voters: readonly number[],
    about: { round?: number; value: string | null; validRound?: number },
  ): this {
    return this.tell(
      ...voters.map((voter): BftEvent => ({ type: "vote.received", vote: this.sign(kind, voter, about) })),
    );
  }

  expire(kind: "propose" | "prevote" | "precommit" | "resend", round = this.state.round): this {
    return this.tell({ type: "timer.expired", kind, round });
  }

  /** A whole polka of the other members. */
  polka(value: string, round = 0): Vote[] {
    return this.others.map((voter) => this.sign("prevote", voter, { round, value }));
  }

  /** Goes on to a round without any vote for a value. */
  skipTo(round: number): this {
    for (const voter of this.others.slice(0, 2)) this.vote("prevote", [voter], { round, value: null });
    return this;
  }
}

import type { BftEffect } from "../../../machines/consensus/bft/effects.ts";
import type { BftEvent, ValueJudgement } from "../../../machines/consensus/bft/events.ts";
import type { BftMessage } from "../../../machines/consensus/bft/messages.ts";
import {
  durableOf,
  polkaBehind,
  unstartedState,
  type BftState,
  type DurableState,
} from "../../../machines/consensus/bft/state.ts";
import type { Proposal, Statement, Unsigned, Vote } from "../../../machines/consensus/bft/statement.ts";
import { step } from "../../../machines/consensus/bft/step.ts";
import type { CrashPlan } from "./plan.ts";
import type { World } from "./world.ts";

/** What survives a crash: the durable state, and what was signed, by round. */
interface Store {
  durable: DurableState | null;
  readonly signed: Map<number, BftMessage[]>;
  readonly values: Set<string>;
}

/** One entry of a vote store, as replicas write it: what was signed, what it leans on, and what must not be forgotten. */
export interface KeptRecord {
  readonly statement: Statement;
  readonly polka: readonly Vote[];
  readonly durable: DurableState;
}

/** The rules of values in simulations: `!` breaks the rules, `~` pleases members of even position only. */
export function judgeValue(value: string, member: number): ValueJudgement {
  const mark = value.charAt(0);
  return { isValid: mark !== "!", isAcceptable: mark !== "~" || member % 2 === 0 };
}

/** Drops the memory of a lock after each step: what a member with amnesia does. */
export type Warp = (state: BftState) => BftState;

/** One running member: the pure core with a shell that signs, stores, sends and crashes as the plan says. */
export class Member {
  readonly index: number;
  readonly isFaulty: boolean;
  state: BftState;
  isUp = true;
  /** Timers of an earlier life do not ring in this one. */
  incarnation = 0;
  /** Where its messages go; undefined is everybody. */
  targets: readonly number[] | undefined;
  warp: Warp | undefined;
  /** Its vote store, from the beginning: what it can show when somebody asks later. */
  readonly kept: KeptRecord[] = [];
  readonly #world: World;
  readonly #store: Store = { durable: null, signed: new Map(), values: new Set() };
  readonly #crashes: CrashPlan[];
  #inbox: BftEvent[] = [];
  #isBusy = false;
  #votesCast = 0;

  constructor(world: World, index: number, given: { isFaulty: boolean; crashes: readonly CrashPlan[] }) {
    this.#world = world;
    this.index = index;
    this.isFaulty = given.isFaulty;
    this.#crashes = given.crashes.filter(({ member }) => member === index && !given.isFaulty);
    this.state = unstartedState(world.plan.council, index);
  }

  /** Tells the core one thing, and then everything that came of it for itself. */
  handle(event: BftEvent): void {
    this.#inbox.push(event);
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let next = this.#inbox.shift(); next !== undefined; next = this.#inbox.shift()) {
      const before = this.state;
      const [after, effects] = step(before, next);
      this.state = this.warp === undefined ? after : this.warp(after);
      this.#world.watch.afterStep(this, { before, event: next, effects });
      for (const effect of effects) if (this.isUp) this.#perform(effect);
    }
    this.#isBusy = false;
  }

  receive(message: BftMessage): void {
    if (!this.isUp) return;
    const { row, evidence } = this.#world.admit(message);
    if (evidence !== undefined) this.#world.watch.onEvidence(this, evidence);
    if (row === "admitted") this.#hear(message);
  }

  #hear(message: BftMessage): void {
    switch (message.type) {
      case "proposal": {
        const proposal = message.proposal as Proposal;
        this.#store.values.add(proposal.value);
        const judgement = judgeValue(proposal.value, this.index);
        return this.handle({ type: "proposal.received", proposal, judgement, polka: message.polka });
      }
      case "vote":
        return this.handle({ type: "vote.received", vote: message.vote });
      case "status":
        return this.handle({ type: "status.received", from: message.from, polka: message.polka, entry: message.entry });
      case "commit": {
        const { commit } = message;
        this.#store.values.add(commit.value);
        return this.handle({ type: "commit.received", commit, judgement: judgeValue(commit.value, this.index) });
      }
      case "fetch":
        if (!this.#store.values.has(message.value)) return;
        return this.#world.sendTo(this, message.from, { type: "value", value: message.value });
      case "value":
        return this.state.fetching.includes(message.value) ? this.#learn(message.value) : undefined;
      case "transcript":
        return this.handle({ type: "transcript.received", votes: message.votes });
    }
  }

  #learn(value: string): void {
    this.#store.values.add(value);
    this.handle({ type: "value.learned", value, judgement: judgeValue(value, this.index) });
  }

  #perform(effect: BftEffect): void {
    const { params } = effect;
    switch (effect.type) {
      case "castVote":
        return this.#castVote(effect.params);
      case "propose":
        return this.#propose(effect.params);
      case "sendStatus":
        return this.#world.broadcast(this, { type: "status", from: this.index, ...effect.params });
      case "resend":
        for (const message of this.#store.signed.get(effect.params.round) ?? []) this.#world.broadcast(this, message);
        return;
      case "setTimer":
        return this.#world.setTimer(this, effect.params);
      case "requestValue":
        return this.#world.buildValue(this, effect.params.round);
      case "fetchValue":
        return this.#world.broadcast(this, { type: "fetch", from: this.index, value: effect.params.value });
      case "decide":
        return this.#world.broadcast(this, { type: "commit", commit: effect.params.commit });
      case "answerLaggard":
        return this.#world.sendTo(this, effect.params.to, { type: "commit", commit: effect.params.commit });
      case "reportEvidence":
        return this.#world.watch.onEvidence(this, effect.params.evidence);
    }
    throw new Error(`no such effect: ${JSON.stringify(params)}`);
  }

  #castVote(params: Extract<BftEffect, { type: "castVote" }>["params"]): void {
    this.#votesCast += 1;
    const crash = this.#crashes.find(({ atVote }) => atVote === this.#votesCast);
    if (crash?.stage === "before-store") return this.#crash(crash);
    const vote = this.#sign<Vote>({ ...this.#world.scope, voter: this.index, ...params });
    const message: BftMessage = { type: "vote", vote };
    this.#write(message, { statement: vote, polka: polkaBehind(this.state, vote) });
    if (crash?.stage === "before-send") return this.#crash(crash);
    this.#world.broadcast(this, message);
    if (crash?.stage === "after-send") return this.#crash(crash);
    this.#inbox.push({ type: "vote.received", vote });
  }

  #propose({ round, value, validRound, polka }: Extract<BftEffect, { type: "propose" }>["params"]): void {
    const unsigned = { ...this.#world.scope, kind: "proposal", voter: this.index, round, value, validRound } as const;
    const proposal = this.#sign<Proposal>(unsigned);
    const message: BftMessage = { type: "proposal", proposal, polka };
    this.#store.values.add(value);
    this.#write(message, { statement: proposal, polka });
    this.#world.broadcast(this, message);
    const judgement = judgeValue(value, this.index);
    this.#inbox.push({ type: "proposal.received", proposal, judgement, polka: [] });
  }

  #sign<Signed extends Statement>(statement: Unsigned<Signed>): Signed {
    this.#world.watch.onSign(this, statement);
    return this.#world.notary.sign<Signed>(statement);
  }

  /** The vote store's append: complete before anything is sent. */
  #write(message: BftMessage, kept: Omit<KeptRecord, "durable">): void {
    const { signed } = this.#store;
    const { round } = kept.statement;
    signed.set(round, [...(signed.get(round) ?? []), message]);
    const own = (signed.get(this.state.round) ?? []).flatMap((each) => (each.type === "vote" ? [each.vote] : []));
    const durable = durableOf(this.state, own);
    this.#store.durable = durable;
    this.kept.push({ ...kept, durable });
  }

  #crash({ downMs }: CrashPlan): void {
    this.isUp = false;
    this.incarnation += 1;
    this.#inbox = [];
    this.#world.scheduleRestart(this, downMs);
  }

  /** Stops for good, as a member that crashes and never comes back. */
  die(): void {
    this.isUp = false;
    this.incarnation += 1;
    this.#inbox = [];
  }

  restart(): void {
    this.isUp = true;
    this.#isBusy = false;
    this.state = unstartedState(this.#world.plan.council, this.index);
    const { durable } = this.#store;
    if (durable === null) return this.handle({ type: "decision.started" });
    for (const value of new Set([durable.validValue, durable.lockedValue])) if (value !== null) this.#learn(value);
    this.handle({ type: "decision.restored", durable });
  }
}

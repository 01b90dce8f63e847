import type { BftEffect } from "../../../machines/consensus/bft/effects.ts";
import type { BftEvidence } from "../../../machines/consensus/bft/evidence.ts";
import type { BftEvent } from "../../../machines/consensus/bft/events.ts";
import { countCulprits, explainDisagreement, isEvidenceSound } from "../../../machines/consensus/bft/forensics.ts";
import { lines, type BftState, type Line } from "../../../machines/consensus/bft/state.ts";
import {
  isSameContent,
  type Commit,
  type Statement,
  type Unsigned,
  type Vote,
} from "../../../machines/consensus/bft/statement.ts";
import type { VoteSet } from "../../../machines/consensus/bft/vote-keeper.ts";
import type { TraceHash } from "./dice.ts";
import { judgeValue, type Member } from "./member.ts";
import type { Notary } from "./notary.ts";
import type { Plan } from "./plan.ts";

/** Rounds that correct members may take once the network is stable: an empirical bound for electorates of n. */
export function roundsAfterStableMax(members: number): number {
  return 2 * members + 4;
}

/** A property that did not hold. */
export class Violation extends Error {
  override readonly name = "Violation";
  readonly rule: string;

  constructor(rule: string, message: string) {
    super(message);
    this.rule = rule;
  }
}

/** One transition of one member. */
export interface Transition {
  readonly before: BftState;
  readonly event: BftEvent;
  readonly effects: readonly BftEffect[];
}

/** Listens to every transition of correct members, for tests that compare or cover. */
export type Listener = (member: Member, transition: Transition) => void;

const phaseCodes = { unstarted: 0, propose: 1, prevote: 2, precommit: 3, decided: 4 } as const;

function sumWeights(plan: Plan, voters: Iterable<number>): number {
  let sum = 0;
  for (const voter of voters) sum += plan.council.weights[voter] ?? 0;
  return sum;
}

/** Checks the properties of consensus design §5 after every step of every correct member. */
export class Watch {
  readonly evidence: BftEvidence[] = [];
  readonly decisions = new Map<number, Commit>();
  readonly linesFired = new Map<Line, number>(lines.map((line) => [line, 0]));
  readonly #plan: Plan;
  readonly #notary: Notary;
  readonly #hash: TraceHash;
  readonly #ledger = new Map<string, string>();
  /** Per member the latest round in which it precommitted a value. */
  readonly #committedTo = new Map<number, number>();
  readonly #listener: Listener | undefined;
  disagreement: readonly [Commit, Commit] | undefined;
  roundMax = 0;

  constructor(plan: Plan, given: { notary: Notary; hash: TraceHash; listener: Listener | undefined }) {
    this.#plan = plan;
    this.#notary = given.notary;
    this.#hash = given.hash;
    this.#listener = given.listener;
  }

  afterStep(member: Member, transition: Transition): void {
    if (member.isFaulty) return;
    const after = member.state;
    const { before } = transition;
    this.#hash.add((member.index << 16) ^ (after.round << 4) ^ phaseCodes[after.phase]);
    for (const line of after.fired) this.linesFired.set(line, (this.linesFired.get(line) ?? 0) + 1);
    this.#listener?.(member, transition);
    if (after.round > this.roundMax) this.roundMax = after.round;
    if (after.lockedRound < before.lockedRound || after.validRound < before.validRound) {
      throw new Violation("P8", `member ${member.index} went back from its lock of round ${before.lockedRound}`);
    }
    if (after.phase !== "unstarted" && after.lockedRound < (this.#committedTo.get(member.index) ?? -1)) {
      throw new Violation("P8", `member ${member.index} forgot the lock of its precommit`);
    }
    if (after.validRound < after.lockedRound) {
      throw new Violation("P8", `member ${member.index} is locked in a later round than its valid value`);
    }
    this.#checkCounts(before, after);
    for (const effect of transition.effects) {
      if (effect.type === "sendStatus" || effect.type === "propose") this.#checkPolka(effect.params.polka);
    }
    if (after.commit !== before.commit) this.#onDecide(member, before.commit, after.commit);
  }

  /** P3: what a count says is what distinct voters weigh. */
  #checkCounts(before: BftState, after: BftState): void {
    if (after.rounds === before.rounds) return;
    for (const log of after.rounds) {
      if (before.rounds.includes(log)) continue;
      this.#checkSet(log.prevotes);
      this.#checkSet(log.precommits);
    }
  }

  #checkSet(set: VoteSet): void {
    if (set.votes.length === 0) return;
    let seen = 0;
    let heard = 0;
    for (const { voter } of set.votes) {
      if ((seen & (1 << voter)) !== 0) continue;
      seen |= 1 << voter;
      heard += this.#plan.council.weights[voter] ?? 0;
    }
    if (heard !== set.heard) throw new Violation("P3", `${set.heard} is counted where ${heard} voted`);
  }

  #onDecide(member: Member, before: Commit | null, commit: Commit | null): void {
    if (before !== null || commit === null) throw new Violation("P3", `member ${member.index} decided twice`);
    this.#checkCommit(commit);
    for (const character of commit.value) this.#hash.add(character.charCodeAt(0));
    const [other] = this.decisions.values();
    this.decisions.set(member.index, commit);
    if (other === undefined || other.value === commit.value) return;
    this.disagreement ??= [other, commit];
    if (this.#plan.regime === "beyond") return;
    throw new Violation("P1", `${other.value} was decided in round ${other.round}, ${commit.value} in ${commit.round}`);
  }

  /** P2 and P5: a second reading of the certificate, that shares no code with the core. */
  #checkCommit({ round, value, votes }: Commit): void {
    if (!judgeValue(value, 0).isValid) throw new Violation("P2", `the invalid value ${value} was decided`);
    const { decision, electorate, total } = this.#plan.council;
    let before = -1;
    for (const vote of votes) {
      const isRight =
        vote.kind === "precommit" &&
        vote.round === round &&
        vote.value === value &&
        vote.voter > before &&
        vote.decision === decision &&
        vote.electorate === electorate &&
        this.#notary.verify(vote);
      if (!isRight) throw new Violation("P5", `the certificate of ${value} holds a vote that proves nothing`);
      before = vote.voter;
    }
    const weight = sumWeights(
      this.#plan,
      votes.map(({ voter }) => voter),
    );
    if (3 * weight <= 2 * total)
      throw new Violation("P5", `the certificate of ${value} has weight ${weight} of ${total}`);
  }

  /** P5 again: a polka that a correct member shows is whole, or it is not shown. */
  #checkPolka(polka: readonly Vote[]): void {
    const [first] = polka;
    if (first === undefined) return;
    const weight = sumWeights(
      this.#plan,
      polka.filter((vote) => isSameContent(vote, first) && vote.round === first.round).map(({ voter }) => voter),
    );
    if (3 * weight <= 2 * this.#plan.council.total) {
      throw new Violation("P5", `a polka of weight ${weight} of ${this.#plan.council.total} is shown as proof`);
    }
  }

  /** P9: one content per member, kind and round, whatever crashes in between. */
  onSign(member: Member, statement: Unsigned<Statement>): void {
    if (member.isFaulty) return;
    const place = `${member.index}/${statement.kind}/${statement.round}`;
    const content = `${statement.value ?? ""}/${statement.validRound}`;
    const before = this.#ledger.get(place);
    if (statement.kind === "precommit" && statement.value !== null) {
      this.#committedTo.set(member.index, statement.round);
    }
    if (before === undefined) this.#ledger.set(place, content);
    else if (before !== content) throw new Violation("P9", `${place} is signed for ${before} and for ${content}`);
  }

  /** P7: evidence names faulty members only, and proves what it says. */
  onEvidence(member: Member, evidence: BftEvidence): void {
    if (member.isFaulty) return;
    this.evidence.push(evidence);
    const framed = evidence.culprits.find((culprit) => !this.#plan.faulty.includes(culprit));
    if (framed !== undefined) throw new Violation("P7", `${evidence.kind} accuses the correct member ${framed}`);
    const rules = { council: this.#plan.council, verify: this.#notary.verify };
    if (!isEvidenceSound(evidence, rules, (value) => !judgeValue(value, 0).isValid)) {
      throw new Violation("P7", `${evidence.kind} against ${evidence.culprits.join()} does not hold`);
    }
  }

  /** P6: a disagreement convicts more than a third of the weight. */
  explain(members: readonly Member[]): void {
    if (this.disagreement === undefined) return;
    const { council } = this.#plan;
    const transcripts = members.map(({ state }) => state.rounds);
    const found = explainDisagreement(council, this.disagreement, transcripts);
    for (const evidence of found) for (const member of members.slice(0, 1)) this.onEvidence(member, evidence);
    const { weight } = countCulprits(council, found);
    if (3 * weight <= council.total) {
      throw new Violation("P6", `a disagreement is explained by weight ${weight} of ${council.total} only`);
    }
  }

  /** P4: with enough correct weight, everybody decides within the bound of rounds after the network is stable. */
  checkTermination(roundAtStable: number, isOver: boolean): void {
    if (this.#plan.regime !== "within" || !isOver) return;
    const bound = roundAtStable + roundsAfterStableMax(this.#plan.council.weights.length);
    throw new Violation("P4", `undecided in round ${this.roundMax}, beyond round ${bound}`);
  }
}

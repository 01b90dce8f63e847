import { admitBallot, type AdmittedBallot } from "../../../machines/consensus/ballot/admission.ts";
import {
  collect,
  idleCollection,
  isBallotKnown,
  reopenCollection,
  type CollectState,
} from "../../../machines/consensus/ballot/collect.ts";
import type { Casts } from "../../../machines/consensus/ballot/count.ts";
import type { ClosePolicy, CollectEvent } from "../../../machines/consensus/ballot/events.ts";
import type { Round } from "../../../machines/consensus/ballot/round.ts";
import { tally } from "../../../machines/consensus/ballot/tally.ts";
import type { ValueJudgement } from "../../../machines/consensus/bft/events.ts";
import type { AgreedValue } from "../../../machines/consensus/codec/commit-messages.ts";
import type { SignedBallot } from "../../../machines/consensus/codec/messages.ts";
import type { DuplicateBallot } from "../../../machines/consensus/certificate/evidence.ts";
import { compareIds, indexOfMember } from "../../../machines/consensus/electorate/electorate.ts";
import type { Verify } from "../../ports/signer.ts";
import { sha256 } from "../ed25519.ts";
import { ownBallotOf } from "../signing.ts";
import { digestOfValue } from "./value-digest.ts";

/** Values whose judgement is remembered; honest members propose a handful. The oldest goes first. */
export const judgedValuesMax = 256;

/** Ballots whose check is remembered: two of every member of the largest electorate. More are checked again. */
export const admittedBallotsMax = 2_048;

/** What one member holds of the ballots: its own view of the round, and its judgement of what others propose. */
export class BallotBox {
  readonly metrics = { bytes: 0, memoHits: 0 };
  #state: CollectState = idleCollection;
  readonly #round: Round;
  readonly #verify: Verify;
  /** Ballots whose signature holds, by signature: one signature is good for one content only. */
  readonly #admitted = new Map<string, AdmittedBallot>();
  readonly #judged = new Map<string, ValueJudgement>();

  constructor(round: Round, given: { readonly verify: Verify; readonly close: ClosePolicy }) {
    this.#round = round;
    this.#verify = given.verify;
    this.#apply({ type: "round.open", round, close: given.close });
  }

  get state(): CollectState {
    return this.#state;
  }

  get isClosed(): boolean {
    return this.#state.tally !== null;
  }

  /** Whether enough weight took part for anything to be proposed. */
  get isQuorate(): boolean {
    const result = this.#state.tally;
    return result !== null && result.participating >= result.participationQuorum;
  }

  /** Whether it closed with too little: then it goes on taking ballots, since others may hold those that it lacks. */
  get isLacking(): boolean {
    return this.isClosed && !this.isQuorate;
  }

  /**
   * Takes ballots from anywhere; gives the evidence that they complete. `own` is the member whose side this is: what it
   * signed itself, in this process, needs no check.
   */
  take(ballots: readonly unknown[], at: number, own?: string): readonly DuplicateBallot[] {
    const admitted = ballots.flatMap((message) => {
      const isKnown = (voter: string, digest: string): boolean => isBallotKnown(this.#state, voter, digest);
      const ballot = this.#admit(message, { isKnown, own });
      return ballot === undefined ? [] : [ballot];
    });
    if (admitted.length === 0) return [];
    return this.isLacking ? this.#recount(admitted) : this.#apply({ type: "ballots.received", at, ballots: admitted });
  }

  /** A member that will bring no ballot. */
  lose(voter: string): void {
    this.#apply({ type: "voter.lost", voter, reason: "failed" });
  }

  expire(): void {
    this.#close();
    // A timer may be late, and ballots have come in between.
    if (this.isLacking) this.#recount([]);
  }

  /** The value that this member proposes: everything it counted. Undefined while the box is open, or with too little. */
  build(): AgreedValue | undefined {
    const { tally: result, casts } = this.#state;
    if (result === null || !this.isQuorate) return undefined;
    const ballots = casts.flatMap((cast) =>
      cast === null || cast.conflicting !== null ? [] : [{ body: cast.ballot.body, sig: cast.ballot.sig }],
    );
    const { status, option } = result;
    return { v: 1, proposalDigest: this.#round.proposalDigest, status, option, ballots };
  }

  /**
   * Whether a value obeys the rules, which every member answers alike, and whether this member's own ballots would
   * leave its outcome as it is.
   */
  judge(value: AgreedValue, digest: string): ValueJudgement {
    const known = this.#judged.get(digest);
    if (known !== undefined) return known;
    const judgement = this.#judge(value, digest);
    if (this.#judged.size >= judgedValuesMax) {
      const oldest = this.#judged.keys().next();
      if (oldest.done !== true) this.#judged.delete(oldest.value);
    }
    this.#judged.set(digest, judgement);
    return judgement;
  }

  #judge(value: AgreedValue, digest: string): ValueJudgement {
    const refused: ValueJudgement = { isValid: false, isAcceptable: false };
    const round = this.#round;
    if (value.proposalDigest !== round.proposalDigest || digestOfValue(value) !== digest) return refused;
    const casts: (Casts[number] | null)[] = round.electorate.members.map(() => null);
    let before = "";
    for (const message of value.ballots) {
      const ballot = compareIds(before, message.body.voter) < 0 ? this.#admit(message) : undefined;
      if (ballot === undefined) return refused;
      before = ballot.body.voter;
      casts[indexOfMember(round.electorate, before)] = { ballot, conflicting: null };
    }
    const result = tally(round, casts);
    const isValid =
      result.participating >= result.participationQuorum &&
      result.status === value.status &&
      result.option === value.option;
    return { isValid, isAcceptable: isValid && this.#isUnmoved(casts, value) };
  }

  /** Adds the ballots of this member's own box: whoever signed two different ones counts for nothing. */
  #isUnmoved(casts: Casts, value: AgreedValue): boolean {
    let isMore = false;
    const merged = casts.map((cast, index) => {
      const own = this.#state.casts[index] ?? null;
      if (own === null || (cast?.ballot.digest === own.ballot.digest && own.conflicting === null)) return cast;
      isMore = true;
      if (cast === null || own.conflicting !== null) return own;
      return { ballot: cast.ballot, conflicting: own.ballot };
    });
    if (!isMore) return true;
    const result = tally(this.#round, merged);
    return result.status === value.status && result.option === value.option;
  }

  #admit(
    message: unknown,
    given: { readonly isKnown?: (voter: string, digest: string) => boolean; readonly own?: string | undefined } = {},
  ): AdmittedBallot | undefined {
    const own = ownBallotOf(message);
    const isOwn = own !== undefined && given.own !== undefined && (message as SignedBallot).body.voter === given.own;
    const sig = typeof message === "object" && message !== null && "sig" in message ? String(message.sig) : "";
    const known = own === undefined ? undefined : this.#admitted.get(sig);
    if (known !== undefined && known.digest === own?.digest) {
      this.metrics.memoHits += 1;
      return known;
    }
    const admission = admitBallot(message, this.#round, {
      hash: sha256,
      ownOf: ownBallotOf,
      verify: isOwn ? () => true : this.#verify,
      isKnown: (voter, digest) =>
        this.#admitted.get(sig)?.digest === digest || (given.isKnown?.(voter, digest) ?? false),
    });
    if (!admission.admitted) return undefined;
    const { ballot, memoHit, canonical } = admission;
    if (memoHit) this.metrics.memoHits += 1;
    else {
      this.metrics.bytes += canonical.length;
      if (this.#admitted.size < admittedBallotsMax) this.#admitted.set(ballot.sig, ballot);
    }
    return ballot;
  }

  #close(): void {
    this.#apply({ type: "time.expired", at: this.#round.proposal.closesAt });
  }

  /** A box that closed with too little counts what came too late as well. */
  #recount(more: readonly AdmittedBallot[]): readonly DuplicateBallot[] {
    const late = this.#state.late.flatMap((ballot) => ballot ?? []);
    if (late.length + more.length === 0) return [];
    this.#state = reopenCollection(this.#state);
    const { closesAt } = this.#round.proposal;
    const evidence = this.#apply({ type: "ballots.received", at: closesAt, ballots: [...late, ...more] });
    this.#close();
    return evidence;
  }

  #apply(event: CollectEvent): readonly DuplicateBallot[] {
    const [state, effects] = collect(this.#state, event);
    this.#state = state;
    return effects.flatMap((effect) => (effect.type === "reportEvidence" ? [effect.params.evidence] : []));
  }
}

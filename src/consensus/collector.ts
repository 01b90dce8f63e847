import {
  refuseForged,
  screenBallot,
  type AdmittedBallot,
  type Refusal,
  type ScreenedBallot,
} from "../../machines/consensus/ballot/admission.ts";
import { admitCommit } from "../../machines/consensus/ballot/commitment.ts";
import { collect, idleCollection, isBallotKnown, type CollectState } from "../../machines/consensus/ballot/collect.ts";
import type { ClosingDraft, CollectEffect, CollectEffectName } from "../../machines/consensus/ballot/effects.ts";
import type { CollectEvent, ClosePolicy } from "../../machines/consensus/ballot/events.ts";
import { ballotMachine } from "../../machines/consensus/ballot/machine.ts";
import type { Round } from "../../machines/consensus/ballot/round.ts";
import type { SignedClosing, SignedCommit, SignedReceipt } from "../../machines/consensus/codec/messages.ts";
import { commitmentOf, digestOf } from "../../machines/consensus/codec/sign-bytes.ts";
import { indexOfMember } from "../../machines/consensus/electorate/electorate.ts";
import type { Failure, Outcome } from "../../machines/failure.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Signer, Verify } from "../ports/signer.ts";
import type { Host } from "../system/interpret.ts";
import type { Announcer } from "./announcer.ts";
import { keepingEffects, run, type Charted, type Life } from "../system/charted.ts";
import { sha256 } from "./ed25519.ts";
import { isPhaseOver } from "./policy.ts";
import { ownBallotOf, signClosing, signReceipt } from "./signing.ts";
import type { Vote } from "./voter.ts";

/** Most ballots taken from one message; an honest voter sends one. The rest are dropped as malformed. */
export const ballotsPerVoteMax = 8;

export interface CollectorPorts {
  readonly clock: Clock;
  readonly verify: Verify;
  readonly coordinator: Signer;
  readonly announcer: Announcer;
  /** Where the chart of the round is shown; left out, nowhere. */
  readonly host?: Host | undefined;
}

/** Why a message of a voter was dropped. */
export interface DroppedBallot {
  readonly row: Refusal | "uncommitted" | "badReveal";
  readonly detail: string;
}

/** What came beside the ballots, as it came. */
export interface Delivery {
  readonly failure?: Failure;
  readonly dropped?: DroppedBallot;
  readonly report?: unknown;
}

export interface CollectorMetrics {
  messages: number;
  bytes: number;
  signs: number;
  verifies: number;
  memoHits: number;
}

function isVote(value: unknown): value is Vote {
  return typeof value === "object" && value !== null && "ballots" in value && Array.isArray(value.ballots);
}

const effects = {
  scheduleClose: true,
  askReveals: true,
  recordBallot: true,
  reportEvidence: true,
  signClosing: true,
  announceResult: true,
} as const satisfies Record<CollectEffectName, true>;

/** The collecting of one round, core and chart. */
const collecting: Charted<CollectState, CollectEvent, CollectEffect> = {
  initial: idleCollection,
  step: collect,
  chart: keepingEffects(ballotMachine, Object.keys(effects)),
};

/** What one voter answered. */
interface Arrival {
  readonly voter: string;
  readonly vote: Vote;
}

/** A ballot of an answer, screened, with what came beside it. */
interface Screened {
  readonly from: string;
  readonly ballot: ScreenedBallot;
  readonly salt: unknown;
}

const screening = { hash: sha256, ownOf: ownBallotOf };

/**
 * The shell around the ballot chart for one round: it admits messages, sends events, performs the effects after each
 * transition, and holds what only a shell may hold: the timer and the coordinator's signer.
 */
export class Collector {
  readonly deliveries = new Map<string, Delivery>();
  readonly metrics: CollectorMetrics = { messages: 0, bytes: 0, signs: 0, verifies: 0, memoHits: 0 };
  /** Settles when the commitments are in, with the voters that are to reveal; none if the round ends before. */
  readonly committed: Promise<readonly string[]>;
  /** The signed commitments taken so far, as they came. */
  readonly commits: SignedCommit[] = [];
  /** Settles when the result is signed; rejects on a fault of the signer or of the chart. */
  readonly result: Promise<void>;
  closing: SignedClosing | null = null;
  hasExpired = false;
  readonly #round: Round;
  readonly #ports: CollectorPorts;
  readonly #life: Life<CollectState, CollectEvent, CollectEffect>;
  readonly #settle: { resolve: () => void; reject: (reason: unknown) => void };
  readonly #askReveals: (voters: readonly string[]) => void;
  #arrived: Arrival[] = [];
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(round: Round, ports: CollectorPorts) {
    this.#round = round;
    this.#ports = ports;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.result = promise;
    const reveals = Promise.withResolvers<readonly string[]>();
    this.committed = reveals.promise;
    this.#askReveals = reveals.resolve;
    this.#settle = { resolve, reject };
    const { decisionId, round: number } = round.proposal;
    this.#life = run(
      collecting,
      ports.host === undefined ? undefined : { host: ports.host, id: `ballot/${decisionId}/${number}` },
    );
  }

  get state(): CollectState {
    return this.#life.state;
  }

  open(close: ClosePolicy): void {
    this.#send({ type: "round.open", round: this.#round, close });
  }

  /** Takes one voter's commitment, in a round that begins with them. */
  deliverCommit(voter: string, outcome: Outcome<unknown>): void {
    if (this.#isStopped) return;
    if (!outcome.ok) {
      this.#lose(voter, outcome.failure);
      return;
    }
    this.metrics.messages += 1;
    const admission = admitCommit(outcome.value, this.#round, { hash: sha256, verify: this.#countVerify });
    if (!admission.admitted) {
      this.#drop(voter, { row: admission.row, detail: admission.detail });
      this.#send({ type: "voter.lost", voter, reason: "refused" });
      return;
    }
    const { commit } = admission;
    this.commits.push(commit);
    const { voter: by, commitment } = commit.body;
    this.#send({ type: "commit.received", at: this.#ports.clock.now(), voter: by, commitment });
  }

  /**
   * Takes what one voter answered. Late answers are heard too: a second, different ballot is evidence at any time.
   * Answers that come in one turn are taken together at its end: a panel in one process is counted in one step.
   */
  deliver(voter: string, outcome: Outcome<Vote>): void {
    if (this.#isStopped) return;
    if (!outcome.ok) {
      this.#lose(voter, outcome.failure);
      return;
    }
    this.metrics.messages += 1;
    const vote: unknown = outcome.value;
    if (this.#arrived.length === 0) queueMicrotask(this.#takeArrived);
    this.#arrived.push({ voter, vote: isVote(vote) ? vote : { ballots: [vote] } });
  }

  readonly #takeArrived = (): void => {
    const arrived = this.#arrived;
    this.#arrived = [];
    if (this.#isStopped) return;
    try {
      this.#take(arrived);
    } catch (error) {
      this.#settle.reject(error);
    }
  };

  #take(arrived: readonly Arrival[]): void {
    const screened: Screened[] = [];
    for (const { voter, vote } of arrived) this.#screen(voter, vote, screened);
    const ballots: AdmittedBallot[] = [];
    const checked = new Set<string>();
    for (const one of screened) {
      const ballot = this.#admit(one, checked);
      if (ballot !== undefined) ballots.push(ballot);
    }
    if (ballots.length > 0) this.#send({ type: "ballots.received", at: this.#ports.clock.now(), ballots });
    const { casts, late } = this.state;
    for (const { voter } of arrived) {
      const index = indexOfMember(this.#round.electorate, voter);
      if ((casts[index] ?? null) === null && (late[index] ?? null) === null)
        this.#send({ type: "voter.lost", voter, reason: "refused" });
    }
  }

  /** Signs for a voter's ballot, where it counts as things stand. */
  async receiptFor(voter: string): Promise<SignedReceipt | undefined> {
    if (this.#arrived.length > 0) this.#takeArrived();
    const { proposal, proposalDigest, electorate } = this.#round;
    const cast = this.state.casts[indexOfMember(electorate, voter)] ?? null;
    if (cast === null || cast.conflicting !== null) return undefined;
    this.metrics.signs += 1;
    const { decisionId, round } = proposal;
    const body = { v: 1, decisionId, round, proposalDigest, voter, ballotDigest: cast.ballot.digest } as const;
    return await signReceipt(body, this.#ports.coordinator);
  }

  /** Ends the round without a result. */
  stop(): void {
    this.#timer?.cancel();
    this.#isStopped = true;
    this.#life.stop();
    this.#askReveals([]);
  }

  readonly #countVerify: Verify = (key, bytes, signature) => {
    this.metrics.verifies += 1;
    return this.#ports.verify(key, bytes, signature);
  };

  #lose(voter: string, failed: Failure): void {
    this.deliveries.set(voter, { failure: failed });
    this.#ports.announcer.tell("decision.opinion", voter, () => ({ failure: failed }));
    const { commitClosesAt, closesAt } = this.#round.proposal;
    const endsAt = this.state.phase === "commit" ? (commitClosesAt ?? closesAt) : closesAt;
    if (!isPhaseOver(this.#ports.clock.now(), endsAt)) this.#send({ type: "voter.lost", voter, reason: "failed" });
  }

  #drop(from: string, { row, detail }: DroppedBallot): void {
    const dropped = { row, detail };
    this.deliveries.set(from, { ...this.deliveries.get(from), dropped });
    this.#ports.announcer.tell("decision.ballot", from, () => dropped);
    if (dropped.row !== "uncommitted" && dropped.row !== "badReveal")
      this.#send({ type: "ballot.refused", row: dropped.row });
  }

  #screen(from: string, { ballots, report, salt }: Vote, screened: Screened[]): void {
    this.deliveries.set(from, { report });
    this.#ports.announcer.tell("decision.opinion", from, () => ({ report: report ?? null }));
    for (let index = 0; index < ballots.length; index += 1) {
      const message = index < ballotsPerVoteMax ? ballots[index] : undefined;
      const ballot = screenBallot(message, this.#round, screening);
      if ("passed" in ballot) screened.push({ from, ballot, salt });
      else this.#drop(from, ballot);
    }
  }

  /** Checks a signature, unless the same content of its voter is known, or was checked in this turn. */
  #admit({ from, ballot: screened, salt }: Screened, checked: Set<string>): AdmittedBallot | undefined {
    const { ballot, canonical } = screened;
    const { voter } = ballot.body;
    if (isBallotKnown(this.state, voter, ballot.digest) || checked.has(ballot.digest)) this.metrics.memoHits += 1;
    else {
      const refused = refuseForged(screened, this.#countVerify);
      if (refused !== undefined) {
        this.#drop(from, refused);
        return undefined;
      }
      checked.add(ballot.digest);
    }
    this.metrics.bytes += Buffer.byteLength(canonical);
    if (this.#round.proposal.commitClosesAt === undefined) return ballot;
    return { ...ballot, commitment: typeof salt === "string" ? commitmentOf(ballot.digest, salt, sha256) : null };
  }

  #send(event: CollectEvent): void {
    try {
      for (const effect of this.#life.tell(event)) this.#perform(effect);
    } catch (error) {
      this.#settle.reject(error);
    }
  }

  #perform(effect: CollectEffect): void {
    const { announcer } = this.#ports;
    switch (effect.type) {
      case "scheduleClose":
        this.#schedule(effect.params.at);
        return;
      case "askReveals":
        this.#askReveals(effect.params.voters);
        return;
      case "recordBallot": {
        const { row, ballot } = effect.params;
        if (row === "uncommitted" || row === "badReveal") {
          const { voter } = ballot.body;
          const detail = row === "badReveal" ? "the ballot is not the one committed to" : "nothing was committed to";
          this.deliveries.set(voter, { ...this.deliveries.get(voter), dropped: { row, detail } });
        }
        announcer.tell("decision.ballot", ballot.body.voter, () => ({ row, ballot }));
        return;
      }
      case "reportEvidence": {
        const { evidence } = effect.params;
        announcer.tell("decision.evidence", evidence.voter, () => ({ evidence }));
        return;
      }
      case "signClosing":
        this.#timer?.cancel();
        announcer.release();
        this.#signClosing(effect.params.draft).catch(this.#settle.reject);
        return;
      case "announceResult":
        this.#settle.resolve();
    }
  }

  #schedule(at: number): void {
    const { clock } = this.#ports;
    this.#timer?.cancel();
    this.#timer = clock.after(at - clock.now(), () => {
      this.hasExpired = this.state.phase === "collect";
      // A native timer may fire a fraction of a millisecond before its moment; the moment has come all the same.
      this.#send({ type: "time.expired", at: Math.max(at, clock.now()) });
    });
  }

  async #signClosing(draft: ClosingDraft): Promise<void> {
    const { proposal, proposalDigest, electorateDigest } = this.#round;
    if (proposal.closing === "coordinator") {
      // In the order of the canonical form, which then has nothing to sort.
      const body = {
        ballotsDigest: digestOf(draft.ballots, sha256),
        decisionId: proposal.decisionId,
        electorateDigest,
        option: draft.option,
        proposalDigest,
        round: proposal.round,
        status: draft.status,
        v: 1,
        voided: draft.voided.map(({ voter, ballots }) => ({ ballots: [...ballots] as [string, string], voter })),
      } as const;
      this.metrics.signs += 1;
      this.closing = await signClosing(body, this.#ports.coordinator);
    }
    this.#send({ type: "closing.signed", sig: this.closing?.sig ?? null });
  }
}

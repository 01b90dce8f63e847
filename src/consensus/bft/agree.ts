import { collect, idleCollection, type CollectState } from "../../../machines/consensus/ballot/collect.ts";
import type { AdmittedBallot } from "../../../machines/consensus/ballot/admission.ts";
import type { BftEvidence } from "../../../machines/consensus/bft/evidence.ts";
import { explainDisagreement } from "../../../machines/consensus/bft/forensics.ts";
import type { Commit } from "../../../machines/consensus/bft/statement.ts";
import { localTimeouts, wideTimeouts } from "../../../machines/consensus/bft/council.ts";
import type { DuplicateBallot } from "../../../machines/consensus/certificate/evidence.ts";
import type { AgreedValue, CommitCertificate } from "../../../machines/consensus/codec/commit-messages.ts";
import type { SignedProposal } from "../../../machines/consensus/codec/messages.ts";
import { digestOf } from "../../../machines/consensus/codec/sign-bytes.ts";
import type { Failure, Outcome } from "../../../machines/failure.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { Verify } from "../../ports/signer.ts";
import type { Store } from "../../ports/store.ts";
import type { Host } from "../../system/interpret.ts";
import type { Announcer } from "../announcer.ts";
import { sha256 } from "../ed25519.ts";
import type { Delivery } from "../collector.ts";
import type { Plan } from "../plan.ts";
import { isPhaseOver } from "../policy.ts";
import type { Invitation, Participant, Vote, Voter } from "../voter.ts";
import type { ClosePolicy } from "../../../machines/consensus/ballot/events.ts";
import { certifyCommit } from "./certify-commit.ts";
import type { Summons } from "../elsewhere/distant.ts";
import { DistantSeat } from "../elsewhere/distant-seat.ts";
import { tellEvidence, type AgreementEvidence } from "./evidence.ts";
import { joinLocally, type ReplicaPort } from "./port.ts";
import type { ReplicaPorts } from "./replica-ports.ts";
import { Replica } from "./replica.ts";
import { nothingKept, nothingToKeep, openVoteStore } from "./vote-store.ts";

/** Longest agreement after the ballots are closed, in milliseconds; then the result is "timeout". */
export const agreementMsMax = 60_000;
/** How long the others may still take when the first member has decided, in milliseconds: a few resends. */
const settleMsMax = 3 * localTimeouts.resendMs;

/** What an agreement ended with. */
export interface Agreement {
  readonly status: "agreed" | "no-quorum" | "timeout" | "conflict";
  readonly certificate: CommitCertificate | null;
  /** The collecting as the certified ballots close it; without a certificate, as one member saw it. */
  readonly state: CollectState;
  readonly evidence: readonly (DuplicateBallot | AgreementEvidence)[];
  readonly deliveries: Map<string, Delivery>;
  readonly hasExpired: boolean;
  readonly metrics: {
    readonly messages: number;
    readonly bytes: number;
    readonly signs: number;
    readonly verifies: number;
    readonly memoHits: number;
  };
}

/** What an agreement is run on. */
export interface AgreementPorts {
  readonly clock: Clock;
  readonly verify: Verify;
  readonly announcer: Announcer;
  /** Where members keep what they signed; without one, nowhere. */
  readonly store?: Pick<Store, "append" | "read">;
  /** Where the charts of the members are shown; left out, nowhere. */
  readonly host?: Host;
  ask(voter: Voter | Participant): Promise<Outcome<Vote>>;
}

interface Council {
  readonly plan: Plan;
  readonly proposal: SignedProposal;
  readonly invitation: Invitation;
  /** In order of the electorate; those with a key elsewhere have their replica there. */
  readonly voters: readonly (Voter | Participant)[];
  readonly close: ClosePolicy;
}

/** One agreement under way among members of this process, and of others that this one carries the messages of. */
export class AgreementRun {
  readonly #council: Council;
  readonly #ports: AgreementPorts;
  readonly #links: readonly ReplicaPort[];
  /** By place. */
  readonly #local = new Map<number, Replica>();
  readonly #distant = new Map<number, DistantSeat>();
  /** Where members are elsewhere: it hears everything that is said, and says nothing. */
  #observer: Replica | undefined;
  #observe: ((from: number, message: unknown) => void) | undefined;
  readonly #deliveries = new Map<string, Delivery>();
  readonly #failed = new Set<string>();
  readonly #evidence = new Map<string, DuplicateBallot | AgreementEvidence>();
  readonly #over = Promise.withResolvers<void>();
  #verifies = 0;
  #answers = 0;
  #hasExpired = false;
  /** How long the others may take when one has decided; a timer that stayed would hold all of this run. */
  #patience: Timer | undefined;
  #isOver = false;

  constructor(council: Council, ports: AgreementPorts) {
    this.#council = council;
    this.#ports = ports;
    this.#links = joinLocally(council.voters.length);
    for (const [self, voter] of council.voters.entries()) {
      const link = this.#links[self];
      if (link === undefined) throw new Error("every member has a link");
      if ("signer" in voter) this.#local.set(self, this.#seat(voter, self, link));
      else this.#distant.set(self, this.#seatElsewhere(voter, self, link));
    }
    if (this.#distant.size > 0) this.#observer = this.#seatObserver();
  }

  #seat(voter: Voter, self: number, link: ReplicaPort): Replica {
    const { round } = this.#council.plan;
    const { id, publicKey } = voter.member;
    const { signer } = voter;
    const { store } = this.#ports;
    const overheard = this.#overheard(self, link);
    return this.#replica(self, {
      signer,
      port: voter.link?.(overheard, { self, members: this.#council.voters.length, signer }) ?? overheard,
      votes:
        store === undefined
          ? nothingKept
          : openVoteStore(store, { decision: round.proposalDigest, memberId: id, publicKey }),
    });
  }

  #seatElsewhere({ member, replica }: Participant, self: number, link: ReplicaPort): DistantSeat {
    if (replica === undefined) throw new Error(`"${member.id}" has no replica`);
    const { invitation, close, plan } = this.#council;
    const decision = plan.round.proposalDigest;
    return new DistantSeat({
      clock: this.#ports.clock,
      replica,
      self,
      link,
      decision,
      summons: { invitation, close, reach: this.#reach },
      heard: (message) => {
        this.#observe?.(self, message);
        if (message.type === "commit") this.#endIfDecided();
      },
    });
  }

  /** Where members elsewhere can be told straight. */
  get #reach(): Summons["reach"] {
    return this.#council.voters.map((voter) => ("signer" in voter ? null : (voter.replica?.at ?? null)));
  }

  #seatObserver(): Replica {
    const signer = { publicKey: new Uint8Array(32), sign: () => new Uint8Array(64) };
    const receive: ReplicaPort["receive"] = (hear) => void (this.#observe = hear);
    return this.#replica(-1, { signer, votes: nothingToKeep, port: { send: () => undefined, receive } });
  }

  /** A link of which the observer hears every message once, however many it is for. */
  #overheard(self: number, link: ReplicaPort): ReplicaPort {
    let last: unknown;
    return {
      send: (to, message) => {
        if (message !== last) this.#observe?.(self, message);
        last = message;
        link.send(to, message);
      },
      receive: (hear) => link.receive(hear),
    };
  }

  #replica(self: number, own: Pick<ReplicaPorts, "signer" | "port" | "votes">): Replica {
    const { close, plan } = this.#council;
    const { clock, verify, host } = this.#ports;
    const made: Replica = new Replica(
      { round: plan.round, self },
      {
        ...own,
        clock,
        close,
        verify: (key, bytes, signature) => {
          this.#verifies += 1;
          return verify(key, bytes, signature);
        },
        ...(this.#isSpread ? { timeouts: wideTimeouts } : {}),
        ...(host === undefined ? {} : { showing: { host, id: this.#nameOf(self) } }),
        listener: {
          onClosed: () => this.#onClosed(),
          onDecided: () => this.#endIfDecided(),
          onEvidence: (evidence) => this.#onEvidence(evidence, made),
          onSilent: () => this.#onClosed(),
        },
      },
    );
    return made;
  }

  #nameOf(self: number): string {
    const { proposal, electorate } = this.#council.plan.round;
    return `bft/${proposal.decisionId}/${electorate.members[self]?.id ?? "observer"}`;
  }

  /** Whether members are elsewhere. */
  get #isSpread(): boolean {
    return this.#council.voters.some((voter) => !("signer" in voter));
  }

  /** All replicas of this process. */
  get #replicas(): readonly Replica[] {
    return [...this.#local.values(), ...(this.#observer === undefined ? [] : [this.#observer])];
  }

  /** Those whose view counts. */
  get #living(): readonly Replica[] {
    return this.#replicas.filter((replica) => replica === this.#observer || !replica.isMute);
  }

  /** Asks all voters, lets their replicas agree, and waits until they have. */
  async hold(signal: AbortSignal): Promise<Agreement> {
    const { clock } = this.#ports;
    const { closesAt } = this.#council.plan.round.proposal;
    await Promise.all(this.#replicas.map((replica) => replica.open()));
    const ballotsEnd = clock.after(Math.max(0, closesAt - clock.now()), () => {
      this.#hasExpired = true;
    });
    const deadline = clock.after(Math.max(0, closesAt - clock.now()) + agreementMsMax, () => this.#over.resolve());
    const stop = (): void => this.#over.resolve();
    signal.addEventListener("abort", stop, { once: true });
    try {
      for (const seat of this.#distant.values()) void seat.attend();
      for (const [index, voter] of this.#council.voters.entries()) void this.#hear(voter, index);
      await this.#over.promise;
      // One elsewhere that goes on and on would keep those here from ever coming to an end.
      for (const seat of this.#distant.values()) seat.stop();
      await this.#settle(signal);
      return this.#conclude();
    } finally {
      signal.removeEventListener("abort", stop);
      ballotsEnd.cancel();
      deadline.cancel();
      this.#patience?.cancel();
      this.#isOver = true;
      for (const each of [...this.#distant.values(), ...this.#replicas]) each.stop();
    }
  }

  async #hear(voter: Voter | Participant, index: number): Promise<void> {
    const ask = (): Promise<Outcome<Vote>> => this.#ports.ask(voter);
    const outcome = await (this.#distant.get(index)?.vote(ask) ?? ask());
    const { id } = voter.member;
    if (!outcome.ok) return this.#lose(id, index, outcome.failure);
    this.#answers += 1;
    const { ballots: given, report } = outcome.value;
    // What comes from elsewhere may be anything.
    const ballots: readonly unknown[] = Array.isArray(given) ? given : [];
    this.#deliveries.set(id, { report });
    this.#ports.announcer.tell("decision.opinion", id, () => ({ report: report ?? null }));
    this.#ports.announcer.tell("decision.ballot", id, () => ({ ballots }));
    this.#cast(index, ballots);
  }

  #lose(id: string, index: number, failed: Failure): void {
    this.#deliveries.set(id, { failure: failed });
    this.#ports.announcer.tell("decision.opinion", id, () => ({ failure: failed }));
    if (isPhaseOver(this.#ports.clock.now(), this.#council.plan.round.proposal.closesAt)) return;
    this.#failed.add(id);
    this.#cast(index, []);
  }

  /**
   * Gives a member's ballots to its replica. One elsewhere has told everybody itself, unless it fell; those here hear of
   * it in any case, and that it brings none is told to all.
   */
  #cast(index: number, ballots: readonly unknown[]): void {
    const own = this.#local.get(index);
    if (own !== undefined) return own.cast(ballots);
    const message = { type: "ballots", ballots };
    this.#observe?.(index, message);
    const to = ballots.length > 0 ? this.#local.keys() : this.#links.keys();
    for (const place of to) if (place !== index) this.#links[index]?.send(place, message);
  }

  /** When every box is closed and none holds enough ballots, there is nothing that could be proposed. */
  #onClosed(): void {
    if (this.#living.every(({ box }) => box.isLacking)) this.#over.resolve();
  }

  #endIfDecided(): void {
    const isEverywhere =
      this.#living.every(({ decided }) => decided !== undefined) &&
      [...this.#distant.values()].every(({ isThere, committed }) => !isThere || committed !== undefined);
    if (isEverywhere) return this.#over.resolve();
    if (this.#patience !== undefined || this.#isOver || this.#living.every(({ decided }) => decided === undefined))
      return;
    this.#patience = this.#ports.clock.after(settleMsMax, () => this.#over.resolve(), { background: true });
  }

  #onEvidence(evidence: BftEvidence | DuplicateBallot, by: Replica): void {
    const told = evidence.kind === "DuplicateBallot" ? evidence : this.#tell(evidence, by);
    const culprit = evidence.kind === "DuplicateBallot" ? evidence.voter : evidence.culprits.join();
    const place =
      evidence.kind === "DuplicateBallot" || evidence.kind === "Amnesia" ? "" : evidence.statements[0].round;
    const name = `${evidence.kind} ${culprit} ${place}`;
    if (this.#evidence.has(name)) return;
    this.#evidence.set(name, told);
    this.#ports.announcer.tell("decision.evidence", undefined, () => ({ evidence: told }));
  }

  #tell(proof: BftEvidence, by: Replica): AgreementEvidence {
    const { plan, proposal } = this.#council;
    const named = proof.kind === "InvalidVote" ? proof.statements[0].value : null;
    const value = named === null ? undefined : by.contentOf(named);
    return tellEvidence(proof, { electorate: plan.round.electorate, proposal, value });
  }

  /** Everything that is on its way is heard before the end, so that faults shown late are evidence too. */
  async #settle(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#replicas.some(({ isIdle }) => !isIdle)) {
      await Promise.all(this.#replicas.map((replica) => replica.idle()));
    }
  }

  #conclude(): Agreement {
    const { plan, proposal } = this.#council;
    const decisions = [...this.#replicas.flatMap(({ decided }) => decided ?? []), ...this.#provenElsewhere()];
    const [first] = decisions;
    const other = decisions.find(({ commit }) => commit.value !== first?.commit.value);
    if (first !== undefined && other !== undefined) {
      this.#explain([first.commit, other.commit]);
      return this.#end("conflict", this.#viewOf(), null);
    }
    if (first === undefined) {
      const isShort = this.#living.every(({ box }) => box.isLacking);
      return this.#end(isShort ? "no-quorum" : "timeout", this.#viewOf(), null);
    }
    const certificate = certifyCommit({ round: plan.round, proposal }, first.commit, first.value);
    return this.#end("agreed", this.#stateOf(first.value), certificate);
  }

  /** What members elsewhere have shown, where it holds: one that lies shows nothing. */
  #provenElsewhere(): { readonly commit: Commit; readonly value: AgreedValue }[] {
    return [...this.#distant.values()].flatMap(({ committed }) => {
      if (committed === undefined || this.#observer?.isProof(committed) !== true) return [];
      return [{ commit: committed.commit, value: committed.content }];
    });
  }

  #end(status: Agreement["status"], state: CollectState, certificate: CommitCertificate | null): Agreement {
    const sum = (count: (replica: Replica) => number): number =>
      this.#replicas.reduce((total, replica) => total + count(replica), 0);
    const metrics = {
      messages:
        this.#answers +
        sum(({ metrics: { messages } }) => messages) +
        [...this.#distant.values()].reduce((total, { messages }) => total + messages, 0),
      bytes: sum(({ box }) => box.metrics.bytes),
      signs: sum(({ signs }) => signs),
      verifies: this.#verifies,
      memoHits: sum(({ box }) => box.metrics.memoHits),
    };
    const evidence = [...this.#evidence.values()];
    const known = { deliveries: this.#deliveries, hasExpired: this.#hasExpired };
    return { status, certificate, state, evidence, ...known, metrics };
  }

  #explain(commits: readonly [Commit, Commit]): void {
    const [any] = this.#replicas;
    if (any === undefined) return;
    const transcripts = this.#replicas.map(({ state }) => state.rounds);
    for (const evidence of explainDisagreement(any.council, commits, transcripts)) this.#onEvidence(evidence, any);
  }

  /** The fullest box, closed: what one member saw where nothing is certified. */
  #viewOf(): CollectState {
    const full = ({ box }: Replica): number => box.state.casts.filter((cast) => cast !== null).length;
    const [best] = this.#replicas.toSorted((left, right) => full(right) - full(left));
    if (best === undefined) throw new Error("a council has members");
    const { closesAt } = this.#council.plan.round.proposal;
    return collect(best.box.state, { type: "time.expired", at: closesAt })[0];
  }

  /** The collecting that the agreed ballots close, with what else is known: doubles, failures, ballots left out. */
  #stateOf(value: AgreedValue): CollectState {
    const { round } = this.#council.plan;
    const admit = ({ body, sig }: AgreedValue["ballots"][number]): AdmittedBallot => {
      return { body, sig, digest: digestOf(body, sha256) };
    };
    const counted = new Set(value.ballots.map(({ body }) => body.voter));
    const doubles = [...this.#evidence.values()].filter((each) => each.kind === "DuplicateBallot");
    const voided = doubles.filter(({ voter }) => !counted.has(voter)).flatMap(({ ballots }) => ballots);
    const ballots = [...value.ballots, ...voided].map(admit);
    let state = collect(idleCollection, { type: "round.open", round, close: "all" })[0];
    state = collect(state, { type: "ballots.received", at: 0, ballots })[0];
    for (const voter of this.#failed) state = collect(state, { type: "voter.lost", voter, reason: "failed" })[0];
    state = collect(state, { type: "time.expired", at: round.proposal.closesAt })[0];
    if (state.tally?.status !== value.status || state.tally.option !== value.option)
      throw new Error("a certified value always gives its own outcome");
    const late = this.#replicas.flatMap(({ box }) => box.state.casts).flatMap((cast) => cast?.ballot ?? []);
    const left = late.filter(({ body }) => !counted.has(body.voter));
    return collect(state, { type: "ballots.received", at: round.proposal.closesAt + 1, ballots: left })[0];
  }
}

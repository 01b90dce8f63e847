import { collect, idleCollection, type CollectState } from "../../../machines/consensus/ballot/collect.ts";
import type { AdmittedBallot } from "../../../machines/consensus/ballot/admission.ts";
import type { BftEvidence } from "../../../machines/consensus/bft/evidence.ts";
import { explainDisagreement } from "../../../machines/consensus/bft/forensics.ts";
import type { Commit } from "../../../machines/consensus/bft/statement.ts";
import { localTimeouts } from "../../../machines/consensus/bft/council.ts";
import type { DuplicateBallot } from "../../../machines/consensus/certificate/evidence.ts";
import type { AgreedValue, CommitCertificate } from "../../../machines/consensus/codec/commit-messages.ts";
import type { SignedProposal } from "../../../machines/consensus/codec/messages.ts";
import { digestOf } from "../../../machines/consensus/codec/sign-bytes.ts";
import type { Failure, Outcome } from "../../../machines/failure.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Verify } from "../../ports/signer.ts";
import type { Store } from "../../ports/store.ts";
import type { Host } from "../../system/interpret.ts";
import type { Announcer } from "../announcer.ts";
import { sha256 } from "../ed25519.ts";
import type { Delivery } from "../collector.ts";
import type { Plan } from "../plan.ts";
import type { Vote, Voter } from "../voter.ts";
import type { ClosePolicy } from "../../../machines/consensus/ballot/events.ts";
import { certifyCommit } from "./certify-commit.ts";
import { tellEvidence, type AgreementEvidence } from "./evidence.ts";
import { joinLocally } from "./port.ts";
import { Replica } from "./replica.ts";
import { openVoteStore } from "./vote-store.ts";

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
  /** Where members keep what they signed; without one, in this object's memory, which no crash outlives anyway. */
  readonly store: Pick<Store, "append" | "read">;
  /** Where the charts of the members are shown; left out, nowhere. */
  readonly host?: Host;
  ask(voter: Voter): Promise<Outcome<Vote>>;
}

interface Council {
  readonly plan: Plan;
  readonly proposal: SignedProposal;
  /** In order of the electorate. */
  readonly voters: readonly Voter[];
  readonly close: ClosePolicy;
}

/** One agreement under way among the members of this process. */
export class AgreementRun {
  readonly #council: Council;
  readonly #ports: AgreementPorts;
  readonly #replicas: readonly Replica[];
  readonly #deliveries = new Map<string, Delivery>();
  readonly #failed = new Set<string>();
  readonly #evidence = new Map<string, DuplicateBallot | AgreementEvidence>();
  readonly #over = Promise.withResolvers<void>();
  #verifies = 0;
  #answers = 0;
  #hasExpired = false;

  constructor(council: Council, ports: AgreementPorts) {
    this.#council = council;
    this.#ports = ports;
    const links = joinLocally(council.voters.length);
    const { round } = council.plan;
    const verify: Verify = (key, bytes, signature) => {
      this.#verifies += 1;
      return ports.verify(key, bytes, signature);
    };
    this.#replicas = council.voters.map((voter, self) => {
      const link = links[self];
      if (link === undefined) throw new Error("every member has a link");
      const { id, publicKey } = voter.member;
      const { decisionId } = round.proposal;
      return new Replica(
        { round, self },
        {
          clock: ports.clock,
          signer: voter.signer,
          verify,
          close: council.close,
          port: voter.link?.(link, { self, members: council.voters.length, signer: voter.signer }) ?? link,
          votes: openVoteStore(ports.store, { decision: round.proposalDigest, memberId: id, publicKey }),
          ...(ports.host === undefined ? {} : { showing: { host: ports.host, id: `bft/${decisionId}/${id}` } }),
          listener: {
            onClosed: () => this.#onClosed(),
            onDecided: () => this.#onDecided(),
            onEvidence: (evidence) => this.#onEvidence(evidence, self),
            onSilent: () => this.#onClosed(),
          },
        },
      );
    });
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
      for (const [index, voter] of this.#council.voters.entries()) void this.#hear(voter, index);
      await this.#over.promise;
      await this.#settle(signal);
      return this.#conclude();
    } finally {
      signal.removeEventListener("abort", stop);
      ballotsEnd.cancel();
      deadline.cancel();
      for (const replica of this.#replicas) replica.stop();
    }
  }

  async #hear(voter: Voter, index: number): Promise<void> {
    const outcome = await this.#ports.ask(voter);
    const { id } = voter.member;
    if (!outcome.ok) return this.#lose(id, index, outcome.failure);
    this.#answers += 1;
    const { ballots, report } = outcome.value;
    this.#deliveries.set(id, { report });
    this.#ports.announcer.tell("decision.opinion", id, () => ({ report: report ?? null }));
    this.#ports.announcer.tell("decision.ballot", id, () => ({ ballots }));
    this.#replicas[index]?.cast(ballots);
  }

  #lose(id: string, index: number, failed: Failure): void {
    this.#deliveries.set(id, { failure: failed });
    // A call that ends with the ballot phase was silent for all of it; the closing time is rounded up to a millisecond.
    const { closesAt } = this.#council.plan.round.proposal;
    if (this.#ports.clock.now() + 1 < closesAt) this.#failed.add(id);
    this.#ports.announcer.tell("decision.opinion", id, () => ({ failure: failed }));
    this.#replicas[index]?.cast([]);
  }

  get #living(): readonly Replica[] {
    return this.#replicas.filter(({ isMute }) => !isMute);
  }

  /** When every box is closed and none holds enough ballots, there is nothing that could be proposed. */
  #onClosed(): void {
    const living = this.#living;
    if (living.every(({ box }) => box.isClosed && !box.isQuorate)) this.#over.resolve();
  }

  #onDecided(): void {
    const { clock } = this.#ports;
    if (this.#living.every(({ decided }) => decided !== undefined)) this.#over.resolve();
    else clock.after(settleMsMax, () => this.#over.resolve(), { background: true });
  }

  #onEvidence(evidence: BftEvidence | DuplicateBallot, self: number): void {
    const told = evidence.kind === "DuplicateBallot" ? evidence : this.#tell(evidence, self);
    const culprit = evidence.kind === "DuplicateBallot" ? evidence.voter : evidence.culprits.join();
    const place =
      evidence.kind === "DuplicateBallot" || evidence.kind === "Amnesia" ? "" : evidence.statements[0].round;
    const name = `${evidence.kind} ${culprit} ${place}`;
    if (this.#evidence.has(name)) return;
    this.#evidence.set(name, told);
    this.#ports.announcer.tell("decision.evidence", undefined, () => ({ evidence: told }));
  }

  #tell(proof: BftEvidence, self: number): AgreementEvidence {
    const { plan, proposal } = this.#council;
    const named = proof.kind === "InvalidVote" ? proof.statements[0].value : null;
    const value = named === null ? undefined : this.#replicas[self]?.contentOf(named);
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
    const decisions = this.#replicas.flatMap(({ decided }) => decided ?? []);
    const [first] = decisions;
    const other = decisions.find(({ commit }) => commit.value !== first?.commit.value);
    if (first !== undefined && other !== undefined) {
      this.#explain([first.commit, other.commit]);
      return this.#end("conflict", this.#viewOf(), null);
    }
    if (first === undefined) {
      const isShort = this.#living.every(({ box }) => box.isClosed && !box.isQuorate);
      return this.#end(isShort ? "no-quorum" : "timeout", this.#viewOf(), null);
    }
    const certificate = certifyCommit({ round: plan.round, proposal }, first.commit, first.value);
    return this.#end("agreed", this.#stateOf(first.value), certificate);
  }

  #end(status: Agreement["status"], state: CollectState, certificate: CommitCertificate | null): Agreement {
    const sum = (count: (replica: Replica) => number): number =>
      this.#replicas.reduce((total, replica) => total + count(replica), 0);
    const metrics = {
      messages: this.#answers + sum(({ metrics: { messages } }) => messages),
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
    for (const evidence of explainDisagreement(any.council, commits, transcripts)) this.#onEvidence(evidence, 0);
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

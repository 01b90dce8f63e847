import { admitMessage, type AdmissionRules } from "../../../machines/consensus/bft/admission.ts";
import { defineCouncil, localTimeouts, type Council } from "../../../machines/consensus/bft/council.ts";
import type { BftEffect, BftEffects } from "../../../machines/consensus/bft/effects.ts";
import type { BftEvent } from "../../../machines/consensus/bft/events.ts";
import type { BftState } from "../../../machines/consensus/bft/state.ts";
import type { Commit } from "../../../machines/consensus/bft/statement.ts";
import { isSurplus } from "../../../machines/consensus/bft/turn.ts";
import type { AgreedValue } from "../../../machines/consensus/codec/commit-messages.ts";
import type { Round } from "../../../machines/consensus/ballot/round.ts";
import type { Timer } from "../../ports/clock.ts";
import { run, type Life } from "../../system/charted.ts";
import { BallotBox } from "./ballot-box.ts";
import { EvidenceRelay } from "./evidence-relay.ts";
import { Inbox } from "./inbox.ts";
import type { ReplicaPorts } from "./replica-ports.ts";
import { agreeing } from "./shell.ts";
import { Signatory } from "./signatory.ts";
import { checkStatements } from "./statement-signing.ts";
import type { SignedRecord } from "./vote-store.ts";
import { digestOfValue } from "./value-digest.ts";
import { readMessage, sealMessage, statusOf, type ReplicaMessage } from "./wire.ts";

const storeRefused = "its vote store refused a record, so nothing may be signed any more";

type Arrival =
  | { readonly from: number; readonly message: unknown }
  | { readonly event: BftEvent }
  | { readonly run: () => Promise<void> | void };

/**
 * One member of mode bft: it holds ballots, proposes a value from them, and agrees with the others on one, by the chart
 * of `machines/consensus/bft`. Everything goes through one queue, so that nothing is signed before what came earlier is
 * durable. A member whose memory is lost stays silent in this decision: one that forgets is a twin.
 */
export class Replica {
  readonly box: BallotBox;
  readonly metrics = { messages: 0, bytes: 0, dropped: 0 };
  readonly #about: { readonly round: Round; readonly self: number };
  readonly #ports: ReplicaPorts;
  readonly #council: Council;
  readonly #life: Life<BftState, BftEvent, BftEffect>;
  readonly #inbox: Inbox<Arrival>;
  readonly #rules: AdmissionRules;
  readonly #timers = new Set<Timer>();
  readonly #contents = new Map<string, AgreedValue>();
  readonly #signatory: Signatory;
  readonly #relay = new EvidenceRelay(this.#contents, (message, to) =>
    to === undefined ? this.#broadcast(message) : this.#send(to, message),
  );
  #ballots: ReplicaMessage | undefined;
  #wanted = -1;
  #isMute = false;
  #isSaid = false;

  /** `self` is -1 for one that has no seat: it hears everything, and says nothing. */
  constructor(about: { readonly round: Round; readonly self: number }, ports: ReplicaPorts) {
    const { round, self } = about;
    this.#about = about;
    this.#isMute = self < 0;
    this.#ports = ports;
    const scope = { decision: round.proposalDigest, electorate: round.electorateDigest };
    const weights = round.electorate.members.map(({ weight }) => weight);
    this.#council = defineCouncil(scope, weights, ports.timeouts ?? localTimeouts);
    this.box = new BallotBox(round, { verify: ports.verify, close: ports.close ?? "early" });
    this.#life = run(agreeing, ports.showing);
    this.#life.tell({ type: "council.joined", council: this.#council, self });
    const { check, trust } = checkStatements(round.electorate, ports.verify);
    this.#rules = { council: this.#council, verify: check };
    const { signer, votes } = ports;
    this.#signatory = new Signatory({ signer, votes, trust, contents: this.#contents });
    this.#inbox = new Inbox(weights.length, {
      handle: (arrival) => this.#handle(arrival),
      fail: (error) => this.#silence(error instanceof Error ? error.message : String(error)),
    });
  }

  get state(): BftState {
    return this.#life.state;
  }

  get council(): Council {
    return this.#council;
  }

  /** The decision, once there is one. */
  get decided(): { readonly commit: Commit; readonly value: AgreedValue } | undefined {
    const { commit } = this.state;
    const value = commit === null ? undefined : this.#contents.get(commit.value);
    return commit === null || value === undefined ? undefined : { commit, value };
  }

  /** Signatures that it made. */
  get signs(): number {
    return this.#signatory.signs;
  }

  /** Whether it says nothing in this decision any more. */
  get isMute(): boolean {
    return this.#isMute;
  }

  /** Whether everything that has arrived is worked through. */
  get isIdle(): boolean {
    return this.#inbox.isIdle;
  }

  /** The content of a value that this member holds. */
  contentOf(value: string): AgreedValue | undefined {
    return this.#contents.get(value);
  }

  /** Remembers an earlier life, then listens. `isResumed`: this member has taken part in this decision before. */
  async open(isResumed = false): Promise<void> {
    const { votes, port, clock } = this.#ports;
    const memory = await votes.open(isResumed);
    if (memory === "lost") this.#silence("its vote store does not hold what it signed before");
    else if (memory !== "new") this.#remember(memory);
    port.receive((from, message) => {
      if (from === this.#about.self || !this.#inbox.accept(from, { from, message })) this.metrics.dropped += 1;
    });
    const { closesAt } = this.#about.round.proposal;
    this.#after(closesAt - clock.now(), () => {
      this.box.expire();
      return this.#onBox();
    });
  }

  /** Brings this member's own ballot, and tells everybody. No ballots: it will bring none. */
  cast(ballots: readonly unknown[]): void {
    const message = sealMessage({ type: "ballots", ballots: [...ballots] });
    this.#ballots = message;
    this.#inbox.put({
      run: () => {
        this.#broadcast(message);
        return this.#takeBallots(this.#about.self, ballots);
      },
    });
  }

  /** Whether a message proves a decision. */
  isProof({ commit, content }: Extract<ReplicaMessage, { type: "commit" }>): boolean {
    const { row } = admitMessage({ type: "commit", commit }, this.#rules);
    return row === "admitted" && this.#judge(commit.value, content)?.isValid === true;
  }

  /** Settles when everything that has arrived is worked through. */
  async idle(): Promise<void> {
    await this.#inbox.idle();
  }

  stop(): void {
    this.#inbox.stop();
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    this.#life.stop();
  }

  #remember(records: readonly SignedRecord[]): void {
    this.#signatory.remember(records);
    const last = records.at(-1);
    if (last === undefined) return;
    const { durable } = last;
    this.#inbox.put({
      run: async () => {
        for (const value of new Set([durable.validValue, durable.lockedValue])) {
          if (value !== null) await this.#learn(value);
        }
        await this.#tell({ type: "decision.restored", durable });
      },
    });
  }

  #silence(reason: string): void {
    if (this.#isMute) return;
    this.#isMute = true;
    this.#ports.listener.onSilent(reason);
  }

  #after(ms: number, fire: () => Promise<void> | void): void {
    const timer = this.#ports.clock.after(Math.max(0, ms), () => {
      this.#timers.delete(timer);
      this.#inbox.put({ run: fire });
    });
    this.#timers.add(timer);
  }

  #broadcast(message: ReplicaMessage): void {
    for (let to = 0; to < this.#council.weights.length; to += 1) if (to !== this.#about.self) this.#send(to, message);
  }

  #send(to: number, message: ReplicaMessage): void {
    if (this.#isMute) return;
    this.metrics.messages += 1;
    this.#ports.port.send(to, message);
  }

  #handle(arrival: Arrival): Promise<void> | void {
    if ("run" in arrival) return arrival.run();
    if ("event" in arrival) return this.#tell(arrival.event);
    const message = readMessage(arrival.message);
    if (message === undefined) this.metrics.dropped += 1;
    else return this.#hear(arrival.from, message);
  }

  async #takeBallots(from: number, ballots: readonly unknown[]): Promise<void> {
    const { electorate } = this.#about.round;
    const { id = "" } = electorate.members[from] ?? {};
    if (ballots.length === 0) this.box.lose(id);
    const own = from === this.#about.self ? id : undefined;
    for (const evidence of this.box.take(ballots, this.#ports.clock.now(), own)) {
      this.#ports.listener.onEvidence(evidence);
      this.#relay.showBallots(evidence);
    }
    await this.#onBox();
  }

  /** Begins the agreement when the box is closed, with too few ballots too: it can vote for what others propose. */
  async #onBox(): Promise<void> {
    if (!this.box.isClosed) return;
    if (!this.#isSaid) {
      this.#isSaid = true;
      this.#ports.listener.onClosed();
    }
    if (this.state.phase === "unstarted") await this.#tell({ type: "decision.started" });
    else if (this.#wanted >= 0) await this.#buildValue(this.#wanted);
  }

  async #buildValue(round: number): Promise<void> {
    const value = this.box.build();
    this.#wanted = value === undefined ? round : -1;
    if (value === undefined) return;
    const digest = digestOfValue(value);
    this.#contents.set(digest, value);
    await this.#tell({ type: "value.ready", round, value: digest });
  }

  /** The judgement of a value that came with a message; undefined where it is not the one that is named. */
  #judge(digest: string, content: AgreedValue): ReturnType<BallotBox["judge"]> | undefined {
    if (!this.#contents.has(digest)) {
      if (digestOfValue(content) !== digest) return undefined;
      this.#contents.set(digest, content);
    }
    return this.box.judge(content, digest);
  }

  async #learn(value: string): Promise<void> {
    const content = this.#contents.get(value);
    if (content === undefined) return;
    await this.#tell({ type: "value.learned", value, judgement: this.box.judge(content, value) });
  }

  #hear(from: number, message: ReplicaMessage): Promise<void> | void {
    const { state } = this;
    switch (message.type) {
      case "ballots":
        return this.#takeBallots(from, message.ballots);
      case "fetch": {
        const content = this.#contents.get(message.value);
        if (content !== undefined) this.#send(from, sealMessage({ type: "value", content }));
        return;
      }
      case "value": {
        const digest = digestOfValue(message.content);
        if (!state.fetching.includes(digest)) return;
        this.#contents.set(digest, message.content);
        return this.#learn(digest);
      }
      case "commit":
        // Whoever has decided the same needs no second proof of it.
        if (state.commit?.value === message.commit.value) return;
        break;
      case "proposal":
        if (isSurplus(state, message.proposal)) return;
        break;
      case "vote":
      case "status":
      case "transcript":
    }
    const { row, evidence } = admitMessage(message.type === "status" ? { ...message, from } : message, this.#rules);
    if (evidence !== undefined) this.#ports.listener.onEvidence(evidence);
    if (row !== "admitted") {
      this.metrics.dropped += 1;
      return;
    }
    const event = this.#eventOf(from, message);
    const told = event === undefined ? undefined : this.#tell(event);
    if (!this.box.isLacking || !("content" in message) || message.content.ballots.length === 0) return told;
    // What somebody else's value counts, this member may count too.
    return Promise.resolve(told).then(() => this.#takeBallots(from, message.content.ballots));
  }

  /** What an admitted message tells the chart. */
  #eventOf(from: number, message: ReplicaMessage): BftEvent | undefined {
    switch (message.type) {
      case "vote":
        this.#relay.compare(message.vote, this.state);
        return { type: "vote.received", vote: message.vote };
      case "status":
        return { type: "status.received", from, polka: message.polka, entry: message.entry };
      case "transcript":
        return { type: "transcript.received", votes: message.votes };
      case "proposal": {
        const { proposal, polka, content } = message;
        const judgement = this.#judge(proposal.value, content);
        return judgement === undefined ? undefined : { type: "proposal.received", proposal, judgement, polka };
      }
      case "commit": {
        const { commit, content } = message;
        const judgement = this.#judge(commit.value, content);
        return judgement === undefined ? undefined : { type: "commit.received", commit, judgement };
      }
      case "ballots":
      case "fetch":
      case "value":
        return undefined;
    }
  }

  /** Tells the chart one thing and performs what comes of it, in order; waits only where something must be durable. */
  #tell(event: BftEvent): Promise<void> | void {
    const effects = this.#life.tell(event);
    for (const [index, effect] of effects.entries()) {
      const wait = this.#perform(effect);
      if (wait !== undefined) return this.#performAfter(wait, effects.slice(index + 1));
    }
  }

  async #performAfter(first: Promise<void>, rest: readonly BftEffect[]): Promise<void> {
    await first;
    for (const effect of rest) await this.#perform(effect);
  }

  #perform(effect: BftEffect): Promise<void> | void {
    switch (effect.type) {
      case "castVote":
        return this.#castVote(effect.params);
      case "propose":
        return this.#propose(effect.params);
      case "sendStatus":
        return this.#broadcast(sealMessage(statusOf(effect.params)));
      case "resend":
        for (const message of this.#signatory.messagesOf(effect.params.round)) this.#broadcast(message);
        if (this.#ballots !== undefined) this.#broadcast(this.#ballots);
        return;
      case "setTimer": {
        const { kind, round, ms } = effect.params;
        return this.#after(ms, () => this.#tell({ type: "timer.expired", kind, round }));
      }
      case "requestValue":
        return this.#buildValue(effect.params.round);
      case "fetchValue":
        return this.#broadcast(sealMessage({ type: "fetch", value: effect.params.value }));
      case "decide":
        return this.#decide(effect.params.commit);
      case "answerLaggard":
        return this.#sendCommit(effect.params.commit, (message) => this.#send(effect.params.to, message));
      case "reportEvidence":
        this.#ports.listener.onEvidence(effect.params.evidence);
        return this.#relay.showStatements(effect.params.evidence);
    }
  }

  #sendCommit(commit: Commit, send: (message: ReplicaMessage) => void): void {
    const content = this.#contents.get(commit.value);
    if (content === undefined) return;
    send(sealMessage({ type: "commit", commit: { ...commit, votes: [...commit.votes] }, content }));
  }

  #decide(commit: Commit): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    this.#sendCommit(commit, (message) => this.#broadcast(message));
    const { decided } = this;
    if (decided !== undefined) this.#ports.listener.onDecided(decided.commit, decided.value);
  }

  async #castVote(params: BftEffects["castVote"]): Promise<void> {
    if (this.#isMute) return;
    const message = await this.#signatory.vote({ ...this.#scope, ...params }, this.state);
    if (message?.type !== "vote") return this.#silence(storeRefused);
    this.#broadcast(message);
    this.#inbox.put({ event: { type: "vote.received", vote: message.vote } });
  }

  async #propose({ round, value, validRound, polka }: BftEffects["propose"]): Promise<void> {
    const content = this.#contents.get(value);
    if (this.#isMute || content === undefined) return;
    const unsigned = { ...this.#scope, kind: "proposal", round, value, validRound } as const;
    const message = await this.#signatory.propose(unsigned, { content, polka }, this.state);
    if (message?.type !== "proposal") return this.#silence(storeRefused);
    this.#broadcast(message);
    const judgement = this.box.judge(content, value);
    this.#inbox.put({ event: { type: "proposal.received", proposal: message.proposal, judgement, polka: [] } });
  }

  get #scope(): { readonly decision: string; readonly electorate: string; readonly voter: number } {
    const { decision, electorate } = this.#council;
    return { decision, electorate, voter: this.#about.self };
  }
}

import { admitMessage } from "../../../machines/consensus/bft/admission.ts";
import type { BftMessage } from "../../../machines/consensus/bft/messages.ts";
import type { BftEffects } from "../../../machines/consensus/bft/effects.ts";
import type { BftEvent } from "../../../machines/consensus/bft/events.ts";
import type { Scope } from "../../../machines/consensus/bft/statement.ts";
import { Agenda } from "./agenda.ts";
import { throwDice, TraceHash, type Dice } from "./dice.ts";
import { judgeValue, Member } from "./member.ts";
import { Notary } from "./notary.ts";
import type { Plan } from "./plan.ts";
import { Watch, type Listener } from "./watch.ts";

/** What the agenda holds. */
type Happening =
  | { readonly type: "message"; readonly to: number; readonly message: BftMessage }
  | { readonly type: "own"; readonly member: Member; readonly incarnation: number; readonly event: BftEvent }
  | { readonly type: "restart"; readonly member: Member }
  | { readonly type: "act"; readonly perform: () => void };

/** How long building a value takes at most, in milliseconds. */
const buildMsMax = 10;

/** When members begin, in simulated milliseconds; some of them come late, when the others may be done. */
const startMsMax = 20;
/** Latest start of a member that joins late, in simulated milliseconds. */
const lateStartMsMax = 1_500;
const latecomersPercent = 5;

const messageCodes = { proposal: 1, vote: 2, status: 3, commit: 4, fetch: 5, value: 6, transcript: 7 } as const;

/** What the other side of the simulation does: it hears everything, and holds the keys of the faulty members. */
export interface Opponent {
  /** Members that run the core under the opponent's hand, at the positions of faulty members. */
  readonly puppets: readonly Member[];
  /** What becomes of a puppet's message; empty keeps it back. */
  shape(puppet: Member, message: BftMessage): readonly BftMessage[];
  onRound(round: number): void;
  onMessage(message: BftMessage): void;
}

/** One schedule under way: time, network, members. */
export class World {
  readonly plan: Plan;
  readonly scope: Scope;
  readonly dice: Dice;
  readonly hash = new TraceHash();
  readonly notary = new Notary();
  readonly watch: Watch;
  readonly members: readonly Member[];
  readonly #byIndex: readonly (Member | undefined)[];
  readonly #admitted = new Map<BftMessage, ReturnType<typeof admitMessage>>();
  readonly #agenda = new Agenda<Happening>();
  opponent: Opponent | undefined;
  now = 0;
  #announcedRound = -1;
  deliveries = 0;

  constructor(plan: Plan, listener?: Listener) {
    this.plan = plan;
    this.scope = { decision: plan.council.decision, electorate: plan.council.electorate };
    this.dice = throwDice(plan.seed ^ 0x5bd1e995);
    this.watch = new Watch(plan, { notary: this.notary, hash: this.hash, listener });
    this.#byIndex = plan.council.weights.map((_, index) =>
      plan.faulty.includes(index) ? undefined : new Member(this, index, { isFaulty: false, crashes: plan.crashes }),
    );
    this.members = this.#byIndex.filter((member) => member !== undefined);
  }

  get isEverybodyDecided(): boolean {
    return this.watch.decisions.size === this.members.length;
  }

  /** Admission is a pure function of the message, so each message goes through it once. */
  admit(message: BftMessage): ReturnType<typeof admitMessage> {
    let admission = this.#admitted.get(message);
    if (admission === undefined) {
      admission = admitMessage(message, { council: this.plan.council, verify: this.notary.verify });
      this.#admitted.set(message, admission);
    }
    return admission;
  }

  /** Sends to everybody but the sender, as far as its targets go. */
  broadcast(from: Member, message: BftMessage): void {
    const shaped = from.isFaulty ? (this.opponent?.shape(from, message) ?? []) : [message];
    for (const each of shaped) {
      for (let to = 0; to < this.#byIndex.length; to += 1) if (to !== from.index) this.sendTo(from, to, each);
    }
    if (!from.isFaulty) this.#inform(message);
  }

  sendTo(from: Member, to: number, message: BftMessage): void {
    if (from.isFaulty) {
      if (from.targets === undefined || from.targets.includes(to)) this.deliverLater(to, message);
      return;
    }
    this.#network(from.index, to, message);
  }

  /** The opponent is everywhere: it hears what anybody sends, and its own messages pass every partition. */
  #inform(message: BftMessage): void {
    const { opponent } = this;
    if (opponent === undefined) return;
    opponent.onMessage(message);
    if (this.watch.roundMax > this.#announcedRound) {
      this.#announcedRound = this.watch.roundMax;
      opponent.onRound(this.#announcedRound);
    }
  }

  deliverLater(to: number, message: BftMessage, delayMs = 1 + this.dice.below(this.plan.delayMs)): void {
    this.#agenda.add(this.now + delayMs, { type: "message", to, message });
  }

  #network(from: number, to: number, message: BftMessage): void {
    const { plan, dice, now } = this;
    if (now >= plan.stableAtMs) return this.deliverLater(to, message);
    if (this.#byIndex[to] !== undefined && this.#isCut(from, to)) return;
    const copies = plan.duplicatePercent > 0 && dice.chance(plan.duplicatePercent) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      if (plan.dropPercent > 0 && dice.chance(plan.dropPercent)) continue;
      const latest = plan.stableAtMs + plan.delayMs - now;
      this.deliverLater(to, message, Math.min(1 + dice.below(plan.earlyDelayMs), latest));
    }
  }

  /** Whether the network keeps these two apart now. Faulty members are everywhere. */
  #isCut(from: number, to: number): boolean {
    const { plan, now } = this;
    if (plan.muted !== null && plan.muted.member === from && now >= plan.muted.fromMs) return true;
    for (const { fromMs, untilMs, side } of plan.partitions) {
      if (now >= fromMs && now < untilMs && side[from] !== side[to]) return true;
    }
    return false;
  }

  setTimer(member: Member, { kind, round, ms }: BftEffects["setTimer"]): void {
    const event: BftEvent = { type: "timer.expired", kind, round };
    this.#agenda.add(this.now + ms, { type: "own", member, incarnation: member.incarnation, event });
  }

  buildValue(member: Member, round: number): void {
    const isPicky = this.plan.isPicky && this.dice.chance(30) && judgeValue("~", member.index).isAcceptable;
    const value = `${isPicky ? "~" : ""}v${round}.${member.index}`;
    const event: BftEvent = { type: "value.ready", round, value };
    const at = this.now + this.dice.below(buildMsMax);
    this.#agenda.add(at, { type: "own", member, incarnation: member.incarnation, event });
  }

  scheduleRestart(member: Member, downMs: number): void {
    this.#agenda.add(this.now + downMs, { type: "restart", member });
  }

  schedule(delayMs: number, perform: () => void): void {
    this.#agenda.add(this.now + delayMs, { type: "act", perform });
  }

  start(): void {
    for (const member of [...this.members, ...(this.opponent?.puppets ?? [])]) {
      this.#agenda.add(this.dice.below(this.dice.chance(latecomersPercent) ? lateStartMsMax : startMsMax), {
        type: "own",
        member,
        incarnation: 0,
        event: { type: "decision.started" },
      });
    }
  }

  /** Lets the next thing happen; false when nothing is left. */
  advance(): boolean {
    const next = this.#agenda.take();
    if (next === undefined) return false;
    this.now = next.time;
    const { item } = next;
    if (item.type === "message") this.#deliver(item.to, item.message);
    else if (item.type === "own") {
      if (item.member.isUp && item.member.incarnation === item.incarnation) item.member.handle(item.event);
    } else if (item.type === "restart") item.member.restart();
    else item.perform();
    return true;
  }

  #deliver(to: number, message: BftMessage): void {
    this.deliveries += 1;
    this.hash.add((this.now << 8) ^ (to << 4) ^ messageCodes[message.type]);
    const member = this.#byIndex[to];
    if (member !== undefined) return member.receive(message);
    for (const puppet of this.opponent?.puppets ?? []) if (puppet.index === to) puppet.receive(message);
  }
}

import type { AnyActorRef } from "xstate";
import { agentChart, type AgentState } from "../../machines/agent/machine.ts";
import type { Failure, Outcome } from "../../machines/failure.ts";
import { Mailbox } from "../../machines/mailbox/mailbox.ts";
import { emptyWindow, type RestartWindow } from "../../machines/supervision/restart-window.ts";
import type { Behaviour } from "./behaviour.ts";
import type { Core } from "./core.ts";
import { deliveriesMax, type Delivery } from "./delivery.ts";
import { runStartHook, runStopHook, waitAtMost } from "./hooks.ts";
import { lifeLogic, lifeMoves, machineEnd, type LifeEvent } from "./life.ts";
import type { Runnable } from "./run-queue.ts";
import type { Child, ChildSpec, HaltMode, Parent, Started } from "./supervision.ts";
import { offerTo, refuseAll, type Posted } from "./undelivered.ts";
import { abandonedOutcome, crashFailure, describeThrown, startFailure } from "./verdicts.ts";
import { announceEnd, announceStart, goneNotice, Watchers, type Down } from "./watch.ts";

/**
 * One agent: its mailbox, what it has in hand, its incarnation and the XState actor that shows its state.
 * The cell outlives its incarnations, so refs and queued messages survive a restart.
 */
export class Cell implements Child, Runnable {
  readonly kind = "agent";
  readonly core: Core;
  readonly parent: Parent;
  readonly name: string;
  readonly spec: ChildSpec;
  readonly behaviour: Behaviour;
  /** Before its first start a cell is as one that has ended. */
  state: AgentState = "stopped";
  incarnation = 0;
  actor: AnyActorRef | undefined;
  /** What the start hook returned. */
  userState: unknown;
  running = 0;
  window: RestartWindow = emptyWindow;
  restarts = 0;
  /** Place in the registry's list of its definition; -1 while it is not listed. */
  slot = -1;
  /** The registry's record of it, made with its first call. */
  record: unknown;
  #mailbox: Mailbox<Delivery> | undefined;
  #inHand: Set<Delivery> | undefined;
  /** In hand on the stack right now. */
  #current: Delivery | undefined;
  #watchers: Watchers | undefined;
  /** Aborts the start hook. */
  #life: AbortController | undefined;
  #scheduled = false;
  /** A crash is being told to those in hand. */
  #crashing = false;
  /** Leaves of its own will after what is in hand. */
  #exiting = false;
  /** Told to end for good: takes nothing new. */
  #closing = false;
  #disposed = false;
  #paused = false;
  /** The orderly end of this incarnation that is under way: there is one, whoever asks for it. */
  #ending: Promise<void> | undefined;
  /** Called when nothing is in hand any more, while the orderly end waits for that. */
  #idle: (() => void) | undefined;
  /** Messages in the mailbox for whose outcome nobody waits any more; at most as many. */
  #forsaken = 0;

  constructor(
    core: Core,
    parent: Parent,
    options: { readonly name: string; readonly spec: ChildSpec; readonly behaviour: Behaviour },
  ) {
    this.core = core;
    this.parent = parent;
    this.name = options.name;
    this.spec = options.spec;
    this.behaviour = options.behaviour;
    core.residents += 1;
    options.behaviour.residents += 1;
  }

  get path(): string {
    return `${this.parent.path}/${this.name}`;
  }

  get ended(): boolean {
    return this.state === "stopped" || this.state === "failed";
  }
  get queued(): number {
    return this.#mailbox?.size ?? 0;
  }

  /** Takes no message any more and will not come back. */
  get disposed(): boolean {
    return this.#disposed;
  }

  begin(): Started | Promise<Started> {
    this.incarnation = this.core.nextIncarnation();
    this.state = agentChart.initial;
    this.#exiting = false;
    this.#ending = undefined;
    this.actor = undefined;
    this.actor = this.parent.host.adopt(this.behaviour.logic ?? lifeLogic, this.name, this.behaviour.logicInput);
    const { start } = this.behaviour;
    return start === undefined ? this.#started(undefined) : this.#runStart(start);
  }

  async #runStart(start: NonNullable<Behaviour["start"]>): Promise<Started> {
    const { incarnation } = this;
    const life = (this.#life = new AbortController());
    const { given, cause } = await runStartHook(this, start, life);
    // It may have been stopped, and even started again, while its start hook ran.
    if (this.incarnation !== incarnation || this.state !== "starting")
      return startFailure(this.path, "it was stopped during its start");
    return this.#started(given, cause);
  }

  #started(given: unknown, cause?: string): Started {
    const own = machineEnd(this);
    const broken = cause ?? (own?.status === "error" ? describeThrown(own.error) : undefined);
    if (broken !== undefined) {
      const failed = startFailure(this.path, broken);
      this.#end("crash", failed);
      return failed;
    }
    this.userState = given;
    this.#move("started");
    if (this.#paused) this.#move("pause");
    this.core.listener?.up(this);
    announceStart(this);
    if (own?.status === "done") this.#exitSoon();
    this.#schedule();
    return undefined;
  }

  /** A machine that has ended as it started leaves after the start, so that starts never nest. */
  #exitSoon(): void {
    const { incarnation } = this;
    this.#exiting = true;
    queueMicrotask(() => void (this.incarnation === incarnation && this.exit()));
  }

  get #box(): Mailbox<Delivery> {
    return (this.#mailbox ??= new Mailbox(this.behaviour.capacity, this.behaviour.overflow));
  }

  /** Puts a message into the mailbox. A full mailbox answers here and never throws. */
  post(delivery: Delivery): Posted {
    if (this.#closing || this.#disposed) return "stopped";
    const mailbox = this.#box;
    if (this.#forsaken > 0 && mailbox.size >= this.behaviour.capacity) {
      // What nobody waits for must not make the agent look busy.
      mailbox.discard((each) => each.settled);
      this.#forsaken = 0;
    }
    const posted = offerTo(this, mailbox, delivery);
    if (posted === "accepted" && !this.#scheduled) this.#schedule();
    return posted;
  }

  /** A delivery of this agent's got its outcome elsewhere: it waits in vain, or its handler was told to give up. */
  forsake(delivery: Delivery): void {
    if (!delivery.started) this.#forsaken += 1;
  }

  #schedule(): void {
    if (this.#scheduled || this.queued === 0 || this.#exiting) return;
    if (this.state !== "idle" && this.state !== "working") return;
    if (this.running >= this.behaviour.concurrency) return;
    this.#scheduled = true;
    this.core.runQueue.push(this);
  }

  runSome(turns: number): void {
    const mailbox = this.#mailbox as Mailbox<Delivery>;
    if (this.state === "idle") this.#move("work");
    const { concurrency } = this.behaviour;
    const from = this.core.ports.clock.now();
    let left = turns;
    while (left > 0 && this.state === "working" && this.running < concurrency && !this.#exiting) {
      const delivery = mailbox.take();
      if (delivery === undefined) break;
      left -= 1;
      if (!delivery.settled) this.#work(delivery);
    }
    const done = turns - left;
    this.core.runQueue.spend(done);
    if (done > 0) this.core.listener?.worked(this, done, from);
    this.#scheduled = false;
    this.#rest();
    // A crash in between may have started the next incarnation, whose messages wait here.
    this.#schedule();
  }

  /** After the last message: rests, or finishes an orderly stop that waited for it. */
  #rest(): void {
    if (this.running > 0) return;
    if (this.state === "draining") this.#idle?.();
    else if (this.#exiting) this.#leave();
    else if (this.state === "working" && this.queued === 0) this.#move("rest");
  }

  #work(delivery: Delivery): void {
    const { incarnation } = this;
    delivery.deliveries += 1;
    this.running += 1;
    this.#current = delivery;
    let outcome: Outcome<unknown> | Promise<Outcome<unknown>>;
    try {
      outcome = this.behaviour.handle(this, delivery);
    } catch (thrown) {
      if (this.incarnation === incarnation) this.crash(thrown);
      return;
    }
    // The agent may have been killed, or its machine have broken, under this very call; the result comes too late.
    if (this.#current !== delivery) {
      if (outcome instanceof Promise) outcome.catch(() => undefined);
      return;
    }
    this.#current = undefined;
    if (outcome instanceof Promise) return this.#await(delivery, outcome);
    this.running -= 1;
    this.#finish(delivery, outcome);
  }

  #await(delivery: Delivery, pending: Promise<Outcome<unknown>>): void {
    const { incarnation } = this;
    const { clock } = this.core.ports;
    const from = clock.now();
    (this.#inHand ??= new Set()).add(delivery);
    pending.then(
      (outcome) => {
        if (this.incarnation !== incarnation || !this.#inHand?.delete(delivery)) return;
        this.running -= 1;
        this.core.listener?.measured(this, clock.now() - from);
        this.#finish(delivery, outcome);
        if (this.queued > 0) this.#schedule();
        if (!this.#scheduled) this.#rest();
      },
      (thrown: unknown) => {
        if (this.incarnation === incarnation && this.#inHand?.has(delivery) === true) this.crash(thrown, delivery);
      },
    );
  }

  #finish(delivery: Delivery, outcome: Outcome<unknown>): void {
    this.restarts = 0;
    this.core.listener?.settled(this, delivery, outcome);
    delivery.settle(outcome);
  }

  /** The incarnation broke: `thrown` came out of a handler, a start hook or the user's machine. */
  crash(thrown: unknown, culprit: Delivery | undefined = this.#current): void {
    if (this.ended || this.#crashing) return;
    // Whoever started it hears of a failed start from the start itself.
    if (this.state === "starting") return this.#life?.abort(thrown);
    this.#current = undefined;
    const failed = crashFailure(this.path, thrown);
    const outcome = { ok: false, failure: failed } as const;
    this.core.crashLog.write(this.path, failed);
    // Handlers hear of it while it happens; nothing that they do then may end the incarnation a second time.
    this.#crashing = true;
    const hand = this.#takeHand(culprit);
    for (const delivery of hand) delivery.abort("the agent crashed");
    for (const delivery of hand) this.core.listener?.settled(this, delivery, outcome);
    this.#giveUp(hand, outcome);
    this.#crashing = false;
    this.#end("crash", failed);
    this.parent.exited(this, { kind: "crashed", failure: failed });
  }

  /** Idempotent deliveries go back, in their order, for the next incarnation; the others get this outcome. */
  #giveUp(hand: readonly Delivery[], outcome: Outcome<never>): void {
    const kept = hand.filter((delivery) => this.#mayKeep(delivery));
    for (const delivery of kept.toReversed()) {
      delivery.renew();
      this.#box.putBack(delivery, delivery.lane);
    }
    for (const delivery of hand) if (!kept.includes(delivery)) delivery.settle(outcome);
  }

  #mayKeep(delivery: Delivery): boolean {
    if (this.#closing || delivery.settled || delivery.deliveries >= deliveriesMax) return false;
    return this.behaviour.isIdempotent(delivery);
  }

  /** Ends this incarnation by its own wish, in good order, once nothing is in hand; the supervisor decides what follows. */
  exit(): void {
    this.#exiting = true;
    if (this.running === 0) this.#leave();
  }

  #leave(): void {
    if (this.ended || this.#crashing || this.#ending !== undefined) return;
    const { incarnation } = this;
    const left = (): void => {
      if (this.#isOver(incarnation)) return;
      this.#end("stop", undefined);
      this.parent.exited(this, { kind: "stopped" });
    };
    const { stop } = this.behaviour;
    if (stop === undefined) return left();
    this.#move("drain");
    this.#ending = Promise.resolve()
      .then(() => runStopHook(this, stop, this.spec.shutdownMs))
      .then(left);
  }

  /** Said at any time, also of an agent that is starting or on its way back: it holds until resumed. */
  pause(): void {
    this.#paused = true;
    this.#move("pause");
  }

  resume(): void {
    this.#paused = false;
    if (!this.#move("resume")) return;
    if (this.running > 0) this.#move("work");
    this.#schedule();
  }

  /** Ends this incarnation on the supervisor's word, within the shutdown time. */
  halt(mode: HaltMode): void | Promise<void> {
    if (mode === "end") {
      this.#closing = true;
      // Before the queue is answered, so that nothing of it is sent here again.
      this.#move("drain");
      refuseAll(this, this.#mailbox);
    }
    if (this.ended || this.#crashing) return undefined;
    if (this.#ending !== undefined) return this.#ending;
    if (this.state === "starting") return this.#end("stop", undefined);
    this.#move("drain");
    if (this.running === 0 && this.behaviour.stop === undefined) return this.#end("stop", undefined);
    const until = this.core.ports.clock.now() + this.spec.shutdownMs;
    return (this.#ending = Promise.resolve().then(() => this.#haltSlowly(until)));
  }

  async #haltSlowly(until: number): Promise<void> {
    const { clock } = this.core.ports;
    const { incarnation } = this;
    if (this.running > 0) await waitAtMost(clock, until - clock.now(), (wake) => (this.#idle = wake));
    this.#idle = undefined;
    if (this.#isOver(incarnation)) return;
    const left = this.#takeHand();
    for (const delivery of left) delivery.abort("the agent was stopped");
    this.#giveUp(left, abandonedOutcome(this.path));
    const { stop } = this.behaviour;
    if (stop !== undefined) await runStopHook(this, stop, until - clock.now());
    if (!this.#isOver(incarnation)) this.#end("stop", undefined);
  }

  /** This incarnation has ended, and another one may be running. */
  #isOver(incarnation: number): boolean {
    return this.ended || this.incarnation !== incarnation;
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.core.residents -= 1;
    this.behaviour.residents -= 1;
    refuseAll(this, this.#mailbox);
    this.core.listener?.gone(this);
  }

  /** Resolves once, when the present incarnation has ended. */
  monitor(signal?: AbortSignal): Promise<Down> {
    if (this.ended || this.#disposed) return Promise.resolve(goneNotice(this));
    return (this.#watchers ??= new Watchers()).wait(signal);
  }

  /** Everything in hand, oldest first; `latest` is what is on the stack, which no list holds yet. */
  #takeHand(latest?: Delivery): Delivery[] {
    const hand = new Set(this.#inHand);
    if (latest !== undefined) hand.add(latest);
    this.#inHand?.clear();
    this.running = 0;
    return [...hand];
  }

  #end(event: "stop" | "crash", failed: Failure | undefined): void {
    if (this.ended) return;
    this.#move(event);
    this.#life?.abort(new Error(event === "crash" ? "the agent crashed" : "the agent was stopped"));
    this.#life = undefined;
    this.#idle?.();
    if (this.behaviour.logic !== undefined && this.actor !== undefined) this.parent.host.release(this.actor);
    this.core.listener?.down(this, failed);
    const watchers = this.#watchers;
    this.#watchers = undefined;
    announceEnd(this, failed, watchers);
  }

  #move(event: LifeEvent): boolean {
    const { sent, to } = lifeMoves[event];
    const next = to[this.state];
    if (next === undefined) return false;
    this.state = next;
    if (this.behaviour.logic === undefined) this.actor?.send(sent);
    return true;
  }
}

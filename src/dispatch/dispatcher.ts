import { failure, type Failure, type Outcome } from "../../machines/failure.ts";
import type { Peer, TellOptions, TellResult } from "../agent/context.ts";
import { isAgentDefinition, type AgentDefinition } from "../agent/define.ts";
import type { Caller, Envelope } from "../agent/envelope.ts";
import { capabilityKey, HandlerBehaviour, type CompiledSkill } from "../agent/handler-behaviour.ts";
import { TroupeError } from "../errors.ts";
import type { Cell } from "../system/cell.ts";
import type { CellListener, Core } from "../system/core.ts";
import type { DeadLetterReason } from "../system/dead-letters.ts";
import { Delivery } from "../system/delivery.ts";
import { Affinities } from "./affinities.ts";
import { Answers } from "./answers.ts";
import { Breakers } from "./breakers.ts";
import { CallRecord, lanes } from "./call-record.ts";
import { Health } from "./health.ts";
import { IdempotencyTable } from "./idempotency.ts";
import { joinCall } from "./joined-call.ts";
import { checkCallOptions } from "./options.ts";
import { Registry, type Group } from "./registry.ts";
import { candidatesMax, sampleOf, selectors, type Strategy } from "./selection.ts";
import type { CallRequest, Elsewhere } from "./request.ts";
import type { RoutedRequest, Stages } from "./stages.ts";
import { TellEnvelope } from "./tell-envelope.ts";
import { knownStats, statsOf } from "./stats.ts";

export interface DispatchSettings {
  readonly strategy: Strategy;
  readonly stages: Stages;
  readonly retentionMs?: number;
}

/** What a tell takes along: what its sender asked for, and the call that the sender works on. */
interface Carried {
  readonly options?: TellOptions | undefined;
  readonly under?: Envelope | undefined;
}

/** Ends that say nothing about the agent. */
const callersFault: ReadonlySet<string> = new Set(["call/invalid-input", "call/cancelled", "call/budget-exhausted"]);

/** Routes calls to agents, keeps what is measured of them, and recovers failed calls as declared. */
export class Dispatcher implements CellListener, Caller {
  readonly core: Core;
  readonly registry: Registry;
  readonly answers: Answers;
  readonly breakers: Breakers;
  readonly #settings: DispatchSettings;
  readonly #idempotency: IdempotencyTable;
  readonly #affinities: Affinities;
  readonly #health: Health;
  readonly #behaviours = new WeakMap<AgentDefinition, HandlerBehaviour>();
  /** Who may call whom inside a swarm; the floor above fills it. */
  peers: (cell: Cell) => readonly Cell[] = () => [];
  /** Other nodes, where there are any; the floor above sets it. */
  elsewhere: Elsewhere | undefined;
  #number = 0;

  constructor(core: Core, settings: DispatchSettings) {
    this.core = core;
    this.#settings = settings;
    this.registry = new Registry(core);
    this.answers = new Answers(core.ports.clock);
    this.breakers = new Breakers(core);
    this.#idempotency = new IdempotencyTable(core.ports.clock, settings.retentionMs);
    this.#affinities = new Affinities();
    this.#health = new Health(core);
    core.listener = this;
  }

  /** Calls made so far. */
  get calls(): number {
    return this.#number;
  }

  nextNumber(): number {
    this.#number += 1;
    return this.#number;
  }

  /** The behaviour of a definition, declared in the registry. */
  declare(definition: AgentDefinition): HandlerBehaviour {
    const known = this.#behaviours.get(definition);
    if (known !== undefined && this.registry.behaviourNamed(definition.name) === known) return known;
    if (!isAgentDefinition(definition))
      throw new TroupeError(
        "usage/invalid-definition",
        "this is not an agent definition; make one with defineAgent({ name, capabilities })",
      );
    if (this.registry.behaviourNamed(definition.name) !== undefined) {
      throw new TroupeError(
        "usage/name-taken",
        `another agent named "${definition.name}" is declared already; give one of them another name`,
      );
    }
    const behaviour = known ?? new HandlerBehaviour(definition, this);
    this.#behaviours.set(definition, behaviour);
    this.registry.declare(behaviour);
    return behaviour;
  }

  /**
   * Sends one request; resolves with its outcome and never rejects for a failure of the world. A request without a key may
   * be cancelled by what `onCancel` is given, where a signal for each would be too dear.
   */
  send(request: CallRequest, onCancel?: (cancel: () => void) => void): Promise<Outcome<unknown>> {
    const { options } = request;
    if (this.core.closed)
      return Promise.resolve({ ok: false, failure: failure("system/closed", "the troupe is closed") });
    if (options !== undefined) checkCallOptions(options, request.under?.baggage);
    if (options?.key === undefined) return this.#begin(request, onCancel);
    const { target, asker = "" } = request;
    // Callers that do not know each other may choose the same key; "/" begins paths only, so no scope reads as another.
    const scope = `${asker}${target === undefined ? "" : `${target.path}#`}`;
    return this.#idempotency.once(`${scope}${capabilityKey(request.capability)} ${options.key}`, {
      run: () => this.#begin(request),
      join: (first) => joinCall(this.core, request, first),
    });
  }

  #begin(request: CallRequest, onCancel?: (cancel: () => void) => void): Promise<Outcome<unknown>> {
    return new Promise((resolve) => {
      const call = new CallRecord(this, request, resolve);
      call.begin();
      onCancel?.(() => call.handleEvent());
    });
  }

  /**
   * Has one attempt of a run's task done. Its key goes to the agent and is not remembered here: the run takes each
   * result once. `settle` may be called before this returns; `handleEvent` of what is returned takes the task back.
   */
  perform(request: CallRequest, settle: (outcome: Outcome<unknown>, call: CallRecord) => void): CallRecord {
    const call: CallRecord = new CallRecord(this, { ...request, isTask: true }, (outcome) => settle(outcome, call));
    call.begin();
    return call;
  }

  call(from: Cell, nested: Parameters<Caller["call"]>[1]): Promise<Outcome<unknown>> {
    const { signal, ...request } = nested;
    return this.#nest(request, signal);
  }

  /** A call under another one ends with it, whoever aborts first. */
  #nest(request: CallRequest, signal: AbortSignal): Promise<Outcome<unknown>> {
    const own = request.options?.signal;
    const both = own === undefined ? signal : AbortSignal.any([signal, own]);
    return this.send({ ...request, options: { ...request.options, signal: both } });
  }

  tell(message: Parameters<Caller["tell"]>[0] & Pick<CallRequest, "isLocal">): TellResult {
    const { capability, input, options, under, isLocal = false } = message;
    if (options !== undefined) checkCallOptions(options, under?.baggage);
    const request: CallRequest = { capability, input, options, isLocal, ...(under === undefined ? {} : { under }) };
    const call = new CallRecord(this, request, () => {});
    if (call.enrich(capability, input) !== undefined) return this.#tellLost("stage-failed", capability);
    const chosen = this.choose(call);
    if (chosen instanceof Promise) {
      void chosen.then((cell) => this.#tellChosen(cell, call, request));
      return "accepted";
    }
    return this.#tellChosen(chosen, call, request);
  }

  #tellChosen(cell: Cell | undefined, call: CallRecord, carried: CallRequest): TellResult {
    const { capability, input } = call;
    if (cell !== undefined) return this.tellTo(cell, capability, input, carried);
    const left = carried.isLocal === true ? undefined : this.elsewhere?.tell(call);
    if (left !== undefined) return left;
    return this.#tellLost(this.core.closed ? "closed" : "no-agent", capability);
  }

  #tellLost(reason: DeadLetterReason, capability: string): TellResult {
    this.core.deadLetters.add(reason, "", capability);
    return "stopped";
  }

  tellTo(cell: Cell, capability: string, input: unknown, carried?: Carried): TellResult {
    if (carried?.options !== undefined) checkCallOptions(carried.options, carried.under?.baggage);
    const skill = this.skillOf(cell, capability);
    if (skill === undefined)
      throw new TroupeError(
        "usage/unknown-agent",
        `agent ${cell.path} has no capability "${capability}"; it has ${[...cell.behaviour.skills.keys()].join(", ")}`,
      );
    if (this.#watchesHealth(cell)) this.#health.watch(cell, (cell.behaviour as HandlerBehaviour).policy);
    const posted = cell.post(this.#tellOf(skill, input, carried));
    if (posted === "accepted" || posted === "dropped") return "accepted";
    this.core.deadLetters.add(posted, cell.path, capability);
    return posted;
  }

  /** A tell that has nothing to pass on carries no envelope. */
  #tellOf(skill: CompiledSkill, input: unknown, { options, under }: Carried = {}): Delivery {
    if (options === undefined && under === undefined) return new Delivery(skill, input, undefined, undefined);
    const envelope = new TellEnvelope(options ?? {}, under, this.core.ports.ids);
    const delivery = new Delivery(skill, input, undefined, envelope);
    if (options?.priority !== undefined) delivery.lane = lanes[options.priority];
    return delivery;
  }

  peersOf(from: Cell, under: Envelope, signal: () => AbortSignal): readonly Peer[] {
    return this.peers(from).map((target) => ({
      path: target.path,
      name: target.behaviour.name,
      call: (capability, input, options) => this.#nest({ capability, input, options, under, target }, signal()),
      tell: (capability, input, options) => this.tellTo(target, capability, input, { options, under }),
    }));
  }

  beat(cell: Cell): void {
    this.#health.beat(cell);
  }

  #watchesHealth(cell: Cell): boolean {
    return (cell.behaviour as HandlerBehaviour).policy.heartbeat !== undefined;
  }

  /** Runs the enrich, route and select stages. */
  choose(call: CallRecord): Cell | undefined | Promise<Cell | undefined> {
    const groups = this.#route(call);
    const first = groups[0];
    if (first === undefined) return undefined;
    call.turn = first.turn++;
    const { affinity } = call;
    const bound = affinity === undefined ? undefined : this.#affinities.get(call.capability, affinity);
    if (bound !== undefined && isAmong(groups, bound) && !bound.disposed && call.usable(bound)) return bound;
    const chosen = this.#select(groups, call);
    const grown =
      chosen === undefined || chosen.running + chosen.queued >= chosen.behaviour.concurrency ? grow(groups) : undefined;
    if (grown instanceof Promise) return grown.then((cell) => this.#bind(call, cell ?? chosen));
    return grown === undefined && chosen === undefined ? this.#await(groups, call) : this.#bind(call, grown ?? chosen);
  }

  /** Nobody is able, but somebody may be on the way: waits for whoever is, and chooses among those who are up then. */
  #await(groups: readonly Group[], call: CallRecord): Cell | undefined | Promise<Cell | undefined> {
    const chosen = this.#select(groups, call);
    if (chosen !== undefined) return this.#bind(call, chosen);
    const [starting] = groups.flatMap((group) => group.starting?.() ?? []);
    const [first] = groups;
    if (starting === undefined || first === undefined) return undefined;
    // One after the other: the next one chooses when this one's call is in a mailbox and counts.
    const turn = first.line.then(() => starting).then(() => this.#await(groups, call));
    first.line = turn.catch(() => undefined);
    return turn;
  }

  /** A large choice is made among a bounded sample; only where that has nobody able, everybody is looked at. */
  #select(groups: readonly Group[], call: CallRecord): Cell | undefined {
    const select = selectors[this.#settings.strategy];
    const [only, ...more] = groups;
    const cells = only !== undefined && more.length === 0 ? only.cells : sampleOf(groups, call.turn);
    if (cells.length === 0) return undefined;
    const chosen = select(cells, call);
    if (chosen !== undefined || more.length === 0) return chosen;
    return groups.flatMap((group) => (group.cells.length === 0 ? [] : (select(group.cells, call) ?? [])))[0];
  }

  #bind(call: CallRecord, cell: Cell | undefined): Cell | undefined {
    if (cell !== undefined && call.affinity !== undefined) this.#affinities.set(call.capability, call.affinity, cell);
    return cell;
  }

  #route({ capability, input, baggage }: CallRecord): readonly Group[] {
    const offers = this.registry.offers(capability);
    const { route } = this.#settings.stages;
    if (route.length === 0) return offers;
    return route.reduce((groups, stage) => stage({ capability, input, baggage }, groups), offers);
  }

  get enriches(): boolean {
    return this.#settings.stages.enrich.length > 0;
  }

  enriched(request: RoutedRequest): RoutedRequest {
    return this.#settings.stages.enrich.reduce((enriched, stage) => stage(enriched), request);
  }

  mapOutcome(outcome: Outcome<unknown>, { capability, input, baggage }: CallRecord): Outcome<unknown> {
    const { map } = this.#settings.stages;
    if (map.length === 0) return outcome;
    return map.reduce((mapped, stage) => stage(mapped, { capability, input, baggage }), outcome);
  }

  skillOf(cell: Cell, capability: string): CompiledSkill | undefined {
    const { skills } = cell.behaviour as HandlerBehaviour;
    return skills.get(capability) ?? skills.get(capabilityKey(capability));
  }

  /** The capability as the first definition in routing declares it, whether an agent of it is up or not. */
  offeredSkill(capability: string): CompiledSkill | undefined {
    const skills = this.registry.offers(capability)[0]?.behaviour.skills;
    return skills?.get(capability) ?? skills?.get(capabilityKey(capability));
  }

  /** Up, trusted, in routing, and not cut off by a breaker. */
  isAvailable(cell: Cell, capability: string): boolean {
    if (cell.state !== "idle" && cell.state !== "working") return false;
    const stats = knownStats(cell);
    if (stats === undefined) return true;
    if (stats.suspect || stats.withdrawn) return false;
    if (!stats.hasBreakers) return true;
    const skill = this.skillOf(cell, capability);
    return skill === undefined || this.breakers.admits(cell, skill);
  }

  /** The call is about to enter this agent's mailbox: takes a probe of its breaker, and watches its heart. */
  sending(cell: Cell, delivery: Delivery): void {
    if (this.#watchesHealth(cell)) this.#health.watch(cell, (cell.behaviour as HandlerBehaviour).policy);
    this.breakers.take(cell, delivery);
  }

  /** Why nobody could take the call; `meant` is the one agent that it was for. */
  nobody(capability: string, meant?: Cell): Failure {
    if (meant !== undefined) {
      const known = [...meant.behaviour.skills.keys()];
      return failure("dispatch/no-agent", `agent ${meant.path} does not offer "${capability}"`, { capability, known });
    }
    if (this.registry.offers(capability).some((group) => group.cells.length > 0)) {
      return failure(
        "dispatch/unavailable",
        `every agent with capability "${capability}" is paused, suspect, starting or cut off by its breaker`,
        { capability },
      );
    }
    const unborn = this.registry.offers(capability).find((group) => group.startFailure !== undefined)?.startFailure;
    if (unborn !== undefined) return unborn;
    const known = this.registry.capabilities().slice(0, candidatesMax);
    return failure("dispatch/no-agent", `no running agent offers "${capability}"; spawn one that declares it`, {
      capability,
      known,
    });
  }

  up(cell: Cell): void {
    this.registry.list(cell);
    if (knownStats(cell)?.suspect === true) this.beat(cell);
  }

  down(cell: Cell): void {
    this.registry.unlist(cell);
  }

  gone(cell: Cell): void {
    this.registry.lose(cell.behaviour as HandlerBehaviour);
  }

  worked(cell: Cell, count: number, from: number): void {
    const stats = statsOf(cell);
    const now = this.core.ports.clock.now();
    if (cell.running === 0) stats.measure((now - from) / count);
    stats.lastSeenAt = now;
    // Taking a message is a sign of life: silence counts from there.
    stats.lastBeatAt = now;
  }

  measured(cell: Cell, ms: number): void {
    statsOf(cell).measure(ms);
    this.beat(cell);
  }

  settled(cell: Cell, delivery: Delivery, outcome: Outcome<unknown>): void {
    const stats = statsOf(cell);
    stats.calls += 1;
    if (outcome.ok) stats.succeeded += 1;
    if (stats.suspect) this.beat(cell);
    const skill = delivery.skill as CompiledSkill;
    if (outcome.ok && skill.keepsAnswers && delivery.sender !== undefined)
      this.answers.keep(skill.name, delivery.input, outcome.value);
    // A tell has no outcome, and a call that timed out was counted when its deadline passed.
    if (delivery.sender === undefined || delivery.settled || (outcome.ok && !stats.hasBreakers)) return;
    if (outcome.ok) this.breakers.record(cell, delivery, true);
    else if (callersFault.has(outcome.failure.code)) this.breakers.release(cell, delivery);
    else this.breakers.record(cell, delivery, isRefusal(outcome.failure));
  }

  /** The deadline of a call passed. One that was still waiting says nothing about the agent. */
  timedOut(cell: Cell, delivery: Delivery): void {
    if (delivery.started) this.breakers.record(cell, delivery, false);
  }
}

/** The agent answered, and its answer is no: it works. */
function isRefusal(failed: Failure): boolean {
  return failed.retry === "never" && failed.code !== "agent/invalid-output";
}

function isAmong(groups: readonly Group[], { behaviour }: Cell): boolean {
  return groups.some((group) => group.behaviour === behaviour);
}

function grow(groups: readonly Group[]): Cell | undefined | Promise<Cell | undefined> {
  for (const group of groups) {
    const grown = group.grow?.();
    if (grown !== undefined) return grown;
  }
  return undefined;
}

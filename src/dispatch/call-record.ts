import { backoffMs } from "../../machines/backoff.ts";
import { callChart, callMoves, type CallEvent, type CallState } from "../../machines/call/machine.ts";
import type { RecoveryLink } from "../../machines/call/recovery.ts";
import { failure, type Degradation, type Failure, type Json, type Outcome } from "../../machines/failure.ts";
import type { Progress } from "../agent/context.ts";
import type { Fallback, Recovery } from "../agent/define.ts";
import { Account, noBaggage } from "../agent/envelope.ts";
import type { ItemSink } from "../agent/items.ts";
import type { Cell } from "../system/cell.ts";
import type { ClosingCall } from "../system/core.ts";
import { Delivery, type Sender } from "../system/delivery.ts";
import { describeThrown } from "../system/verdicts.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { SelectionInput } from "./selection.ts";
import { closedFailure, stageFailure, unposted } from "./call-failures.ts";
import { deadlineOf, type CallRequest, type Leaving } from "./request.ts";
import { joinTrace } from "./trace.ts";
import { planOf, Trouble } from "./trouble.ts";

/** The mailbox lane of each priority. */
export const lanes = { high: 0, normal: 1, low: 2 } as const;
const defaultBackoff = { firstMs: 100, maxMs: 10_000, rate: 2, jitter: 0.5 };

/** One call from routing to its outcome. It is its own envelope, deadline, sender and selection input: one object a call. */
export class CallRecord implements Sender, ClosingCall, Leaving, SelectionInput {
  readonly #dispatcher: Dispatcher;
  readonly #request: CallRequest;
  readonly #resolve: (outcome: Outcome<unknown>) => void;
  capability: string;
  input: unknown;
  state: CallState = "routing";
  heapIndex = -1;
  readonly deadlineAt: number;
  readonly account: Account | undefined;
  degraded: Degradation[] | undefined = undefined;
  turn = 0;
  /** Its place among all calls of the troupe, from 1; 0 before it begins. */
  number = 0;
  readonly startedAt: number;
  #cell: Cell | undefined;
  #delivery: Delivery | undefined;
  #recovery: Recovery | undefined;
  #trouble: Trouble | undefined;
  /** What was asked, as the enrich stages left it. */
  #asked: { readonly capability: string; readonly input: unknown };
  /** The one agent that is meant, as long as the call is for what was asked. */
  #target: Cell | undefined;
  #traceparent: string | undefined;
  /** Takes the call back that another node works on. */
  #away: AbortController | undefined;

  constructor(dispatcher: Dispatcher, request: CallRequest, resolve: (outcome: Outcome<unknown>) => void) {
    const { options, under } = request;
    this.#dispatcher = dispatcher;
    this.#request = request;
    this.#resolve = resolve;
    this.capability = request.capability;
    this.input = request.input;
    this.#asked = request;
    this.#target = request.target;
    this.startedAt = dispatcher.core.ports.clock.now();
    this.deadlineAt = deadlineOf(request, this.startedAt);
    this.account = options?.budget === undefined ? under?.account : new Account(options.budget, under?.account);
  }

  get agent(): string | undefined {
    return this.#cell?.path;
  }
  get key(): string | undefined {
    return this.#request.options?.key;
  }
  get runId(): string | undefined {
    return this.#request.options?.runId ?? this.#request.under?.runId;
  }
  get decisionId(): string | undefined {
    return this.#request.options?.decisionId ?? this.#request.under?.decisionId;
  }
  get baggage(): Readonly<Record<string, string>> {
    const { options, under } = this.#request;
    if (options?.baggage === undefined) return under?.baggage ?? noBaggage;
    return under === undefined ? options.baggage : { ...under.baggage, ...options.baggage };
  }
  get traceparent(): string {
    return (this.#traceparent ??= joinTrace(
      this.#request.options?.traceparent ?? this.#request.under?.traceparent,
      this.#dispatcher.core.ports.ids,
    ));
  }
  get priority(): Leaving["priority"] {
    return this.#request.options?.priority;
  }
  get isFollowed(): boolean {
    return this.#request.options?.onProgress !== undefined || this.#dispatcher.core.heard;
  }
  get items(): ItemSink | undefined {
    return this.#request.items;
  }
  get affinity(): string | undefined {
    return this.#request.options?.affinity;
  }

  begin(): void {
    const { capability, input, options } = this.#request;
    this.number = this.#dispatcher.nextNumber();
    if (this.#dispatcher.core.heard) this.#publish("call.started", {});
    if (options?.signal?.aborted === true) return this.handleEvent();
    if (this.deadlineAt <= this.startedAt) return this.expire();
    options?.signal?.addEventListener("abort", this, { once: true });
    this.#dispatcher.core.deadlines.add(this);
    if (this.#dispatcher.enriches) {
      const failed = this.enrich(capability, input);
      if (failed !== undefined) return this.#recover(failed, false);
      this.#asked = { capability: this.capability, input: this.input };
    }
    this.#attempt();
  }

  /** Runs the enrich stages: once for what was asked, and once for each fallback. */
  enrich(capability: string, input: unknown): Failure | undefined {
    try {
      const enriched = this.#dispatcher.enriched({ capability, input, baggage: this.baggage });
      this.capability = enriched.capability;
      this.input = enriched.input;
      return undefined;
    } catch (thrown) {
      return stageFailure("enrich", thrown);
    }
  }

  chance(): number {
    return this.#dispatcher.core.ports.random.next();
  }

  usable(cell: Cell): boolean {
    if (this.#trouble?.excludes(cell) === true) return false;
    return this.#request.among?.(cell) !== false && this.#dispatcher.isAvailable(cell, this.capability);
  }

  #attempt(): void {
    const crossed = this.account?.draw({ calls: 1 });
    if (crossed === undefined) return this.#route();
    const message = `the budget of ${crossed} is used up`;
    this.#recover(failure("call/budget-exhausted", message, { field: crossed }), true);
  }

  #route(): void {
    const chosen = this.#target ?? this.#dispatcher.choose(this);
    if (chosen instanceof Promise) {
      void chosen.then((cell) => {
        if (this.state === "routing") this.#deliver(cell);
      });
    } else this.#deliver(chosen);
  }

  /** Nobody here is able; another node may be. */
  #leave(): boolean {
    if (this.#request.isLocal === true || this.#request.among !== undefined) return false;
    const away = new AbortController();
    const outcome = this.#dispatcher.elsewhere?.call(this, away.signal);
    if (outcome === undefined) return false;
    this.#cell = undefined;
    this.#away = away;
    this.#move("send");
    void outcome.then((given) => {
      if (this.#away !== away) return;
      this.#away = undefined;
      if (given.ok) this.#finish("answer", this.#trouble?.mark(given) ?? given);
      else this.#recover(given.failure, true);
    });
    return true;
  }

  #deliver(cell: Cell | undefined): void {
    if (cell === undefined && this.#leave()) return;
    const skill = cell === undefined ? undefined : this.#dispatcher.skillOf(cell, this.capability);
    this.#recovery ??= (skill ?? this.#dispatcher.offeredSkill(this.capability))?.spec.recovery;
    if (cell === undefined || skill === undefined)
      return this.#recover(this.#dispatcher.nobody(this.capability, cell), false);
    this.#cell = cell;
    this.degraded = undefined;
    const delivery = new Delivery(skill, this.input, this, this);
    const priority = this.#request.options?.priority;
    if (priority !== undefined) delivery.lane = lanes[priority];
    this.#delivery = delivery;
    this.#dispatcher.sending(cell, delivery);
    const posted = cell.post(delivery);
    if (posted === "accepted") return this.#move("send");
    // A dropped delivery has had its outcome already.
    if (posted === "dropped") return;
    this.#delivery = undefined;
    this.#dispatcher.breakers.release(cell, delivery);
    this.#recover(unposted(cell, posted), false);
  }

  settled(delivery: Delivery, outcome: Outcome<unknown>): void {
    if (delivery !== this.#delivery) return;
    this.#delivery = undefined;
    if (this.#cell !== undefined) this.#dispatcher.breakers.release(this.#cell, delivery);
    if (outcome.ok) return this.#finish("answer", this.#trouble?.mark(outcome) ?? outcome);
    this.#recover(outcome.failure, delivery.started);
  }

  #recover(failed: Failure, started: boolean): void {
    const trouble = (this.#trouble ??= new Trouble(failed));
    this.#move("fail");
    if (this.#dispatcher.core.closed)
      return this.#finish("exhaust", { ok: false, failure: started ? failed : closedFailure(this.capability) });
    this.#next(trouble, failed, started);
  }

  #next(trouble: Trouble, failed: Failure, started: boolean): void {
    // Whoever took over would tell the reader the items again.
    if (this.items?.isBegun === true) return this.#finish("exhaust", { ok: false, failure: failed });
    const fixed = this.#request.target !== undefined;
    const plan = planOf(this.#request.isTask === true ? undefined : this.#recovery, fixed);
    if (plan.otherAgents > 0 && this.#cell !== undefined && this.capability === this.#asked.capability)
      trouble.exclude(this.#cell);
    const link = trouble.next(plan, { failure: failed, started: started || fixed });
    if (link.link !== "give-up" && this.#dispatcher.core.heard)
      this.#publish(`call.${linkEvents[link.link]}`, { code: failed.code, message: failed.message });
    this.#follow(trouble, link, failed);
  }

  #follow(trouble: Trouble, link: RecoveryLink, failed: Failure): void {
    switch (link.link) {
      case "move":
        this.#move("route");
        return this.#route();
      case "another-agent":
        this.capability = this.#asked.capability;
        this.input = this.#asked.input;
        trouble.standIn = undefined;
        this.#move("route");
        return this.#attempt();
      case "retry": {
        const { clock, random } = this.#dispatcher.core.ports;
        const waitMs = backoffMs(this.#recovery?.retry?.backoff ?? defaultBackoff, link.attempt, random.next());
        this.#move("wait");
        trouble.wait = clock.after(waitMs, () => {
          trouble.wait = undefined;
          this.#move("route");
          this.#attempt();
        });
        return;
      }
      case "fallback":
        return this.#fallBack(trouble, (this.#recovery?.fallback ?? [])[link.index] as Fallback, failed);
      case "give-up":
        return this.#finish("exhaust", { ok: false, failure: trouble.blame(failed) });
    }
  }

  #fallBack(trouble: Trouble, fallback: Fallback, failed: Failure): void {
    const { capability, input } = this.#asked;
    const standIn = (what: string): Degradation => ({
      what,
      why: `${capability} failed: ${failed.message}`,
      severity: "medium",
    });
    if ("cached" in fallback) {
      const cached = this.#dispatcher.answers.get(capability, input, fallback.maxAgeMs);
      if (cached === undefined) return this.#next(trouble, failed, true);
      trouble.standIn = standIn("an earlier answer stands in");
      return this.#finish("answer", trouble.mark({ ok: true, value: cached.value }));
    }
    const isOther = "capability" in fallback;
    trouble.standIn = standIn(
      isOther ? `capability ${fallback.capability} stands in` : `approach ${fallback.approach} stands in`,
    );
    if (isOther) this.#target = undefined;
    this.#move("route");
    const unable = this.#prepare(fallback);
    if (unable === undefined) this.#attempt();
    else this.#recover(unable, true);
  }

  /** Turns what was asked into what the fallback needs. */
  #prepare(fallback: Exclude<Fallback, { readonly cached: true }>): Failure | undefined {
    const { capability, input } = this.#request;
    try {
      const given = fallback.input === undefined ? input : fallback.input(input);
      return this.enrich("capability" in fallback ? fallback.capability : capability, given);
    } catch (thrown) {
      return stageFailure("fallback", thrown);
    }
  }

  progressed(progress: Progress): void {
    if (callChart.isFinal(this.state)) return;
    this.#tellProgress(progress);
    if (!this.#dispatcher.core.heard) return;
    this.#publish("call.progress", {
      ...(progress.fraction === undefined ? {} : { fraction: progress.fraction }),
      ...(progress.note === undefined ? {} : { note: progress.note }),
    });
  }

  /** A listener that throws is its owner's trouble, not the agent's. */
  #tellProgress(progress: Progress): void {
    try {
      this.#request.options?.onProgress?.(progress);
    } catch (thrown) {
      const message = `onProgress of a call of ${this.capability} threw: ${describeThrown(thrown)}`;
      this.#dispatcher.core.ports.log.write("warn", message, { capability: this.capability });
    }
  }

  expire(): void {
    const timeoutMs = Math.round(this.deadlineAt - this.startedAt);
    const agent = this.#cell?.path ?? null;
    if (this.#cell !== undefined && this.#delivery !== undefined) this.#dispatcher.timedOut(this.#cell, this.#delivery);
    this.#abandon("the deadline passed");
    this.#finish("expire", {
      ok: false,
      failure: failure("call/timeout", `no outcome of ${this.capability} within ${timeoutMs} ms`, {
        capability: this.capability,
        timeoutMs,
        agent,
      }),
    });
  }

  close(): void {
    if (callChart.isFinal(this.state)) return;
    this.#abandon("the troupe closed");
    this.#finish("cancel", { ok: false, failure: closedFailure(this.capability) });
  }

  /** The caller's signal aborted. */
  handleEvent(): void {
    if (callChart.isFinal(this.state)) return;
    this.#abandon("the caller aborted the call");
    this.#finish("cancel", {
      ok: false,
      failure: failure("call/cancelled", `the caller aborted ${this.capability}`, { capability: this.capability }),
    });
  }

  #abandon(reason: string): void {
    this.#trouble?.wait?.cancel();
    const delivery = this.#delivery;
    this.#delivery = undefined;
    const away = this.#away;
    this.#away = undefined;
    away?.abort(new DOMException(reason, "AbortError"));
    if (delivery === undefined || this.#cell === undefined) return;
    delivery.abort(reason);
    delivery.settled = true;
    this.#cell.forsake(delivery);
    this.#dispatcher.breakers.release(this.#cell, delivery);
  }

  #finish(event: CallEvent, outcome: Outcome<unknown>): void {
    this.#move(event);
    const { core } = this.#dispatcher;
    core.deadlines.remove(this);
    this.#request.options?.signal?.removeEventListener("abort", this);
    const mapped = this.#map(outcome);
    if (core.heard) this.#publishEnd(mapped, core.ports.clock.now() - this.startedAt);
    this.#resolve(mapped);
  }

  #map(outcome: Outcome<unknown>): Outcome<unknown> {
    try {
      return this.#dispatcher.mapOutcome(outcome, this);
    } catch (thrown) {
      return { ok: false, failure: stageFailure("map", thrown) };
    }
  }

  #publishEnd(outcome: Outcome<unknown>, ms: number): void {
    if (outcome.ok) this.#publish("call.completed", { ms, degraded: outcome.degraded?.length ?? 0 });
    else this.#publish("call.failed", { ms, code: outcome.failure.code, message: outcome.failure.message });
  }

  #publish(type: string, data: { readonly [key: string]: Json }): void {
    const { observe, clock } = this.#dispatcher.core.ports;
    const { runId, decisionId } = this;
    observe.publish({
      type,
      at: clock.now(),
      traceparent: this.traceparent,
      ...(this.#cell === undefined ? {} : { agent: this.#cell.path }),
      ...(runId === undefined ? {} : { runId }),
      ...(decisionId === undefined ? {} : { decisionId }),
      data: { call: this.number, capability: this.capability, ...data },
    });
  }

  #move(event: CallEvent): void {
    this.state = callMoves[event][this.state] ?? this.state;
  }
}

const linkEvents = { move: "moved", retry: "retried", fallback: "fellback", "another-agent": "redirected" } as const;

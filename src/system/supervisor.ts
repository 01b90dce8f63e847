import type { AnyActorRef } from "xstate";
import { backoffMs } from "../../machines/backoff.ts";
import { failure, type Failure } from "../../machines/failure.ts";
import { supervisorChart, type SupervisorState } from "../../machines/supervision/machine.ts";
import { emptyWindow, recordRestart, type RestartWindow } from "../../machines/supervision/restart-window.ts";
import { affectedChildren, shouldRestart, shouldShutDown } from "../../machines/supervision/strategy.ts";
import type { Timer } from "../ports/clock.ts";
import type { Cell } from "./cell.ts";
import type { Core } from "./core.ts";
import { haltInReverse, haltTogether } from "./halting.ts";
import { createHost, type Host, type Place } from "./interpret.ts";
import { machineEnd } from "./life.ts";
import {
  defaultChildSpec,
  type Child,
  type ChildSpec,
  type Exit,
  type HaltMode,
  type Parent,
  type Started,
} from "./supervision.ts";
import { defaultSupervision, type SupervisorSettings } from "./supervisor-settings.ts";
import { startFailure } from "./verdicts.ts";

export interface SupervisorOptions {
  readonly name: string;
  readonly spec?: ChildSpec;
  readonly settings?: Partial<SupervisorSettings>;
  /** Told once, when it has ended and will not come back. */
  readonly onGone?: (supervisor: Supervisor, failed: Failure | undefined) => void;
  /** Told each time its last child has ended for good. */
  readonly onEmpty?: () => void;
}

/**
 * Starts its children from left to right, restarts them as declared, stops them in reverse, and gives up to its
 * own supervisor when they crash too often. Children are kept here, not in the XState snapshot.
 * Source: Erlang/OTP `supervisor`; docs/decisions/0004.
 */
export class Supervisor implements Child, Parent {
  readonly kind = "supervisor";
  readonly core: Core;
  readonly name: string;
  readonly path: string;
  readonly spec: ChildSpec;
  readonly settings: SupervisorSettings;
  readonly children = new Map<string, Child>();
  window: RestartWindow = emptyWindow;
  restarts = 0;
  /** Before its first start a supervisor is as one that has ended. */
  state: SupervisorState = "stopped";
  #host: Host | undefined;
  readonly #place: Place | Parent;
  readonly #onGone: SupervisorOptions["onGone"];
  readonly #onEmpty: SupervisorOptions["onEmpty"];
  /** Restarts of its children, where they are counted together; its own `window` is the supervisor's above it. */
  readonly #counted: Pick<Child, "window"> = { window: emptyWindow };
  /** Counts starts and ends of this supervisor, so that what was under way in an earlier life goes on no more. */
  #life = 0;
  /** Children on their way back. */
  #onTheWay = 0;
  /** Restarts that wait for their backoff. */
  readonly #backoffs = new Map<Child, Timer>();
  #groupBusy = false;
  /** Exits that came while children started in order or a group was on its way. */
  #waitingExits: { child: Child; exit: Exit }[] = [];
  /** Children that are being stopped on request: how they end is no news. */
  readonly #terminating = new Set<Child>();
  #halted: Promise<void> | undefined;
  #disposed = false;
  #failed: Failure | undefined;

  constructor(core: Core, place: Parent | Place, options: SupervisorOptions) {
    this.core = core;
    this.#place = place;
    this.name = options.name;
    this.path = "host" in place ? `${place.path}/${options.name}` : "";
    this.spec = options.spec ?? defaultChildSpec;
    this.settings = { ...defaultSupervision, ...options.settings };
    this.#onGone = options.onGone;
    this.#onEmpty = options.onEmpty;
  }

  /** The XState actor of its present life; none before its first start. */
  get actor(): AnyActorRef | undefined {
    return this.#host?.actor;
  }

  get host(): Host {
    return this.#host as Host;
  }

  get ended(): boolean {
    return this.state === "stopped" || this.state === "failed";
  }

  /** Ended, or on its way to its end. */
  get #isDown(): boolean {
    return this.state !== "starting" && this.state !== "running" && this.state !== "restarting";
  }

  /** Stopped for good on request, or about to be: whatever else it was to do is off. */
  #isGone(child: Child): boolean {
    return this.children.get(child.name) !== child || this.#terminating.has(child);
  }

  get #parent(): Parent | undefined {
    return "host" in this.#place ? this.#place : undefined;
  }

  begin(): Started | Promise<Started> {
    this.#life += 1;
    this.state = supervisorChart.initial;
    this.#counted.window = emptyWindow;
    this.#onTheWay = 0;
    this.#groupBusy = false;
    const place: Place = "host" in this.#place ? { parent: this.#place.host } : this.#place;
    this.#host = createHost(supervisorChart, this.name, {
      place,
      ends: {
        done: (id) => this.#cellOf(id, "done")?.exit(),
        error: (id, error) => this.#cellOf(id, "error")?.crash(error),
      },
    });
    this.core.publish("supervisor.started", this.path, { strategy: this.settings.strategy });
    for (const child of this.children.values()) child.window = emptyWindow;
    return this.#startAll([...this.children.values()], this.#life);
  }

  /** Starts children one after the other; stays synchronous as long as they do. */
  #startAll(children: readonly Child[], life: number): Started | Promise<Started> {
    for (const [index, child] of children.entries()) {
      if (life !== this.#life) break;
      if (this.#isGone(child)) continue;
      const started = child.begin();
      if (started instanceof Promise) {
        return started.then((failed) =>
          failed === undefined || life !== this.#life || this.#isGone(child)
            ? this.#startAll(children.slice(index + 1), life)
            : this.#startFailed(failed),
        );
      }
      if (started !== undefined) return this.#startFailed(started);
    }
    if (life !== this.#life) return startFailure(this.path, "it was stopped during its start");
    this.#move("started");
    this.#hearWaiting();
    return undefined;
  }

  async #startFailed(failed: Failure): Promise<Failure> {
    await this.#goDown("exceed", "restart");
    return failed;
  }

  /** Adds a child and starts it; a child that cannot start is not kept. Source: OTP `start_child`. */
  add(child: Child): Started | Promise<Started> {
    if (this.#isDown) {
      child.dispose();
      return startFailure(child.path, "its supervisor has stopped");
    }
    this.children.set(child.name, child);
    const settle = (failed: Started): Started => {
      if (failed !== undefined) this.#remove(child);
      return failed;
    };
    const started = child.begin();
    return started instanceof Promise ? started.then(settle) : settle(started);
  }

  exited(child: Child, exit: Exit): void {
    if (this.#isDown || this.#isGone(child)) return;
    if (this.#groupBusy || this.state === "starting") return void this.#waitingExits.push({ child, exit });
    if (shouldRestart(child.spec.restart, exit.kind)) return this.#restart(child, exit);
    this.#remove(child);
    const significantLeft = [...this.#significantOthers()].length;
    if (shouldShutDown(this.settings.autoShutdown, { significant: child.spec.significant, significantLeft }))
      void this.#endItself();
  }

  /** Hears the exits that had to wait; who has been started again meanwhile has nothing left to tell. */
  #hearWaiting(): void {
    const waiting = this.#waitingExits;
    this.#waitingExits = [];
    for (const { child, exit } of waiting) if (child.ended) this.exited(child, exit);
  }

  *#significantOthers(): Iterable<Child> {
    if (this.settings.autoShutdown !== "all-significant") return;
    for (const child of this.children.values()) if (child.spec.significant) yield child;
  }

  /** Mailboxes are kept: the supervisor above may start all of it again. */
  async #endItself(): Promise<void> {
    const down = this.#goDown("stop", "restart");
    const life = this.#life;
    await down;
    if (life === this.#life) this.#report({ kind: "stopped" });
  }

  #report(exit: Exit): void {
    const parent = this.#parent;
    if (parent === undefined) this.dispose();
    else parent.exited(this, exit);
  }

  #restart(child: Child, exit: Exit): void {
    const { intensity, strategy, backoff } = this.settings;
    const { core } = this;
    const counter = intensity.per === "child" ? child : this.#counted;
    const recorded = recordRestart(counter.window, core.ports.clock.now(), intensity);
    counter.window = recorded.window;
    if (!recorded.allowed) return void this.#escalate(child, exit);
    // A supervisor sees no single success of its own; a quiet period counts as one.
    child.restarts = child.kind === "supervisor" && recorded.window.length === 1 ? 1 : child.restarts + 1;
    const delayMs = backoff === undefined ? 0 : backoffMs(backoff, child.restarts, core.ports.random.next());
    this.#onTheWay += 1;
    this.#groupBusy = strategy !== "one-for-one";
    this.#move("restart");
    if (core.heard) core.publish("agent.restarting", child.path, { strategy, delayMs, restarts: child.restarts });
    const go = (): void => {
      this.#backoffs.delete(child);
      if (strategy === "one-for-one") this.#comeBack(child);
      else void this.#restartGroup(child);
    };
    if (delayMs > 0) this.#backoffs.set(child, core.ports.clock.after(delayMs, go));
    else go();
  }

  /** A start that fails at once is heard of a moment later, so that any number of restarts never nests. */
  #comeBack(child: Child): void {
    const life = this.#life;
    const settle = (failed: Started): void => {
      if (life !== this.#life) return;
      this.#arrived();
      if (failed !== undefined) this.exited(child, { kind: "crashed", failure: failed });
    };
    const started = child.begin();
    if (started instanceof Promise) void started.then(settle);
    else if (started === undefined) settle(undefined);
    else queueMicrotask(() => settle(started));
  }

  #arrived(): void {
    this.#onTheWay -= 1;
    if (this.#onTheWay === 0) this.#move("restarted");
  }

  async #restartGroup(failed: Child): Promise<void> {
    const life = this.#life;
    const all = [...this.children.values()];
    const group = affectedChildren(this.settings.strategy, all.indexOf(failed), all.length).map(
      (index) => all[index] as Child,
    );
    await this.#haltChildren(group, "restart");
    const broken = await this.#startGroup(group, life);
    if (life !== this.#life) return;
    this.#groupBusy = false;
    this.#arrived();
    if (broken !== undefined) this.exited(broken.child, broken.exit);
    this.#hearWaiting();
  }

  /** Starts a halted group from left to right, up to the first child that cannot start. */
  async #startGroup(group: readonly Child[], life: number): Promise<{ child: Child; exit: Exit } | undefined> {
    for (const child of group) {
      if (life !== this.#life) return undefined;
      // It may have been stopped for good while the group was on its way.
      if (this.#isGone(child)) continue;
      // A temporary sibling that had to stop is not started again. Source: OTP, child specification.
      if (child.spec.restart === "temporary") {
        this.#remove(child);
        continue;
      }
      const problem = await child.begin();
      if (problem !== undefined && !this.#isGone(child)) return { child, exit: { kind: "crashed", failure: problem } };
    }
    return undefined;
  }

  async #escalate(child: Child, exit: Exit): Promise<void> {
    const { restarts, withinMs } = this.settings.intensity;
    const failed = failure(
      "agent/crashed",
      `supervisor ${this.path} gave up: ${child.path} needed more than ${restarts} restarts in ${withinMs} ms`,
      { supervisor: this.path, child: child.path, cause: exit.failure?.message ?? exit.kind },
    );
    this.core.ports.log.write("error", failed.message, failed.data);
    this.core.publish("supervisor.escalated", this.path, { child: child.path, message: failed.message });
    const down = this.#goDown("exceed", "restart");
    const life = this.#life;
    await down;
    if (life !== this.#life) return;
    this.#failed = failed;
    this.#report({ kind: "crashed", failure: failed });
  }

  /** Stops every child in reverse order; nothing that was under way goes on. */
  #goDown(event: "stop" | "exceed", mode: HaltMode): Promise<void> | undefined {
    this.#life += 1;
    for (const timer of this.#backoffs.values()) timer.cancel();
    this.#backoffs.clear();
    this.#waitingExits = [];
    this.#move(event);
    const finish = (): void => {
      this.#halted = undefined;
      this.#move("stopped");
      if (this.state === "stopped") this.core.publish("supervisor.stopped", this.path);
    };
    const halted = this.#haltChildren([...this.children.values()], mode);
    if (halted === undefined) {
      finish();
      return undefined;
    }
    return (this.#halted = halted.then(finish));
  }

  halt(mode: HaltMode): void | Promise<void> {
    if (this.#halted !== undefined || this.ended) return this.#halted;
    return this.#goDown("stop", mode);
  }

  #haltChildren(children: readonly Child[], mode: HaltMode): Promise<void> | undefined {
    return this.settings.haltsTogether ? haltTogether(children, mode) : haltInReverse(children, mode);
  }

  terminate(child: Child): void | Promise<void> {
    if (this.children.get(child.name) !== child) return undefined;
    this.#terminating.add(child);
    this.#callOff(child);
    const halted = child.halt("end");
    const gone = (): void => {
      this.#terminating.delete(child);
      this.#remove(child);
    };
    if (halted instanceof Promise) return halted.then(gone);
    gone();
  }

  /** Takes back a restart that waits for its backoff. */
  #callOff(child: Child): void {
    const timer = this.#backoffs.get(child);
    if (timer === undefined) return;
    timer.cancel();
    this.#backoffs.delete(child);
    this.#arrived();
    this.#groupBusy = false;
    this.#hearWaiting();
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const child of this.children.values()) child.dispose();
    this.children.clear();
    this.#onGone?.(this, this.#failed);
  }

  #remove(child: Child): void {
    if (this.children.get(child.name) === child) this.children.delete(child.name);
    child.dispose();
    if (this.children.size === 0) this.#onEmpty?.();
  }

  /** The agent whose machine stands as a notice says; a late notice of an earlier incarnation finds another status. */
  #cellOf(id: string, status: "done" | "error"): Cell | undefined {
    const child = this.children.get(id);
    return child?.kind === "agent" && machineEnd(child as Cell)?.status === status ? (child as Cell) : undefined;
  }

  #move(event: string): void {
    const next = supervisorChart.next(this.state, event);
    if (next === undefined) return;
    this.state = next;
    this.#host?.actor.send({ type: event });
  }
}

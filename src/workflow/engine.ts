import { failure, type Failure, type Json, type Outcome } from "../../machines/failure.ts";
import type { CompiledWorkflow } from "../../machines/workflow/compiled.ts";
import type { Definition } from "../../machines/workflow/definition.ts";
import type { About } from "../../machines/workflow/events.ts";
import type { RunState } from "../../machines/workflow/state.ts";
import type { Dispatcher } from "../dispatch/dispatcher.ts";
import { TroupeError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";
import type { EventRow, RunRow, TaskRow, TimerRow } from "../ports/store-rows.ts";
import type { Core } from "../system/core.ts";
import { describeThrown } from "../system/verdicts.ts";
import { Admission } from "./desk/admission.ts";
import { Announcer } from "./view/announce.ts";
import type { Catalogue, Registered } from "./catalogue.ts";
import { Children } from "./run/children.ts";
import type { RunEnd } from "./run/draft.ts";
import { Fold, type Queued } from "./run/fold.ts";
import { LargeValues } from "./run/large-values.ts";
import { OutsideTasks } from "./desk/outside-tasks.ts";
import {
  deadlineTimer,
  outcomeOfEnd,
  ResidentRun,
  toUpdate,
  type Committed,
  type RunHost,
} from "./run/resident-run.ts";
import { loadRun } from "./run/run-loader.ts";
import { Residents } from "./run/residents.ts";
import type { RunActors } from "./run/run-actors.ts";
import type { RunInput, Verdict } from "./run/run-input.ts";
import type { EngineOptions } from "./engine-options.ts";
import { TaskDesk, type DeskHost } from "./desk/task-desk.ts";
import { checkLimits } from "./desk/task-limits.ts";
import { TimerWheel } from "./time/timer-wheel.ts";

/** How a run is begun. */
export interface StartOptions {
  readonly namespace: string;
  readonly variant: string;
  readonly lane: number;
  readonly key?: string;
  readonly deadlineAt?: number;
  readonly parent?: string;
  readonly parentTask?: string;
  readonly about?: About;
}

export interface EngineParts {
  readonly core: Core;
  readonly dispatcher: Dispatcher;
  readonly store: Store;
  readonly catalogue: Catalogue;
  readonly actors: RunActors;
}

/** Runs definitions: folds what happens to each run, makes it durable, and only then acts on it. */
export class Engine implements RunHost, DeskHost {
  readonly core: Core;
  readonly dispatcher: Dispatcher;
  readonly store: Store;
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly large: LargeValues;
  readonly desk: TaskDesk;
  readonly outside: OutsideTasks;
  readonly wheel: TimerWheel;
  readonly admission: Admission;
  readonly children: Children;
  readonly announcer: Announcer;
  readonly residents: Residents;
  readonly isWorking: boolean;
  /** Told of every event that runs emit; the event desk delivers it. */
  onEmitted: (row: EventRow) => void = () => {};
  /** Told of every run that has ended. */
  onEnded: (row: RunRow) => void = () => {};
  readonly #actors: RunActors;
  readonly #outsideNames: ReadonlySet<string>;
  readonly #env: (name: string) => string | undefined;
  readonly #waiters = new Map<string, ((outcome: Outcome<Json>) => void)[]>();
  #closing = false;

  constructor(parts: EngineParts, options: EngineOptions = {}) {
    const { core, dispatcher, store, catalogue, actors } = parts;
    this.core = core;
    this.dispatcher = dispatcher;
    this.store = store;
    this.catalogue = catalogue;
    this.clock = core.ports.clock;
    this.large = new LargeValues(store);
    this.isWorking = options.isWorking ?? true;
    this.#actors = actors;
    this.#outsideNames = new Set(options.outside);
    this.#env = options.env ?? ((name) => process.env[name]);
    this.residents = new Residents(this, actors, options);
    checkLimits("workflows.runs", options.runs ?? {});
    this.desk = new TaskDesk(this, options.tasks);
    this.outside = new OutsideTasks(this);
    this.children = new Children(this);
    this.announcer = new Announcer(core.ports.observe);
    const after = core.timers.after.bind(core.timers);
    this.admission = new Admission({ limits: options.runs ?? {}, now: () => this.clock.now(), after });
    this.wheel = new TimerWheel({
      store,
      clock: this.clock,
      after,
      fire: (timer) => this.#fire(timer),
      report: (problem) => this.report("the timers could not be read", problem),
    });
  }

  isOutside(capability: string): boolean {
    return this.#outsideNames.has(capability);
  }

  get isClosing(): boolean {
    return this.#closing;
  }

  report(what: string, problem: unknown): void {
    if (!this.#closing) this.core.ports.log.write("error", `workflows: ${what}: ${describeThrown(problem)}`);
  }

  /** The row of a resident run. */
  rowOf(id: string): RunRow | undefined {
    return this.residents.get(id)?.row;
  }

  /** Begins a run, or finds the one that has its key already. Resolves when it is durable. */
  async start(
    registered: Registered,
    input: Json,
    options: StartOptions,
  ): Promise<{ readonly id: string; readonly isNew: boolean }> {
    if (this.#closing) throw new TroupeError("usage/closed", "this troupe is closed; create a new one");
    const row = this.#rowOf(registered, options);
    const start: Queued["start"] = {
      type: "start",
      executionId: row.id,
      input,
      ...this.#envOf(registered),
      ...(options.about === undefined ? {} : { about: options.about }),
    };
    const run = new ResidentRun(this, { row, fold: new Fold(registered.workflow), seq: 0, isNew: true });
    const isChild = row.parent !== null;
    const mayBegin = this.admission.enter(registered.definition, { id: row.id, isChild });
    this.residents.add(run);
    const verdict = await new Promise<Verdict>((settle, reject) =>
      run.push({ event: mayBegin ? start : { type: "queued", start }, settle, reject }),
    );
    if (verdict.taken) {
      if (!mayBegin) this.#queue(registered.definition, row, start);
      this.residents.trim();
      return { id: row.id, isNew: true };
    }
    this.admission.leave(row.id);
    const holder = await this.store.findRun(row.namespace, options.key ?? "");
    if (holder === undefined) throw new TroupeError("store/failed", `run ${row.id} could not be written`);
    return { id: holder.id, isNew: false };
  }

  #rowOf({ definition, hash }: Registered, options: StartOptions): RunRow {
    const at = Math.floor(this.clock.now());
    const { namespace, variant, lane, key, deadlineAt, parent, parentTask } = options;
    return {
      id: this.newId(at),
      namespace,
      variant,
      workflow: definition.key,
      version: definition.version,
      definition: hash,
      key: key ?? null,
      parent: parent ?? null,
      parentTask: parentTask ?? null,
      status: "running",
      lane,
      deadlineAt: deadlineAt ?? null,
      createdAt: at,
      updatedAt: at,
      endedAt: null,
      seq: 1,
      result: null,
    };
  }

  /** An id for a run, hard to guess; the time comes first, so that what is new lies together in the store. */
  newId(at: number): string {
    return `${at.toString(36)}-${this.core.ports.ids.hex(6)}`;
  }

  #envOf({ definition }: Registered): { readonly env?: { readonly [name: string]: string } } {
    if (definition.env === undefined) return {};
    return {
      env: Object.fromEntries(
        definition.env.flatMap((name) => {
          const value = this.#env(name);
          return value === undefined ? [] : [[name, value] as const];
        }),
      ),
    };
  }

  /** The run waits, durably, until the limits let it begin. */
  #queue(definition: Definition, row: RunRow, start: Queued["start"]): void {
    const { id, lane, parent } = row;
    this.admission.wait(definition, {
      id,
      lane,
      isChild: parent !== null,
      admit: () => this.push(id, { event: start }),
    });
  }

  /** Gives an input to a run, loading it first where it is not in memory. */
  push(id: string, input: RunInput): void {
    this.residents.push(id, input);
  }

  /** As `push`, and resolves with the verdict once it is durable. */
  ask(id: string, input: Omit<RunInput, "settle" | "reject">): Promise<Verdict> {
    return new Promise((settle, reject) => this.push(id, { ...input, settle, reject }));
  }

  #fire({ run, id }: TimerRow): void {
    if (!this.residents.isOurs(run)) return;
    if (id === deadlineTimer(run))
      this.push(run, { event: { type: "cancel", reason: "its deadline has passed" }, timer: id });
    else this.push(run, { event: { type: "timer.fired", timerId: id } });
  }

  /** Goes on with what an earlier process, or an earlier life in memory, left open. */
  goOn(run: ResidentRun): void {
    const { row, fold } = run;
    if (!this.isWorking || row.endedAt !== null) return;
    const { definition } = fold.workflow;
    if (fold.state !== undefined)
      this.admission.enter(definition, { id: row.id, isChild: row.parent !== null, goesOn: true });
    else if (fold.queued !== undefined) this.#queue(definition, row, fold.queued);
    for (const task of run.open.tasks.values()) this.#open(task, { deadlineAt: row.deadlineAt, recovered: true });
  }

  #open(task: TaskRow, options: { readonly deadlineAt: number | null; readonly recovered: boolean }): void {
    if (task.kind === "call") this.desk.add(task, options);
    else if (task.kind === "external") this.outside.add(task);
    else this.children.open(task);
  }

  /** A turn of a run is durable: now it may have effects. */
  committed(run: ResidentRun, { steps, draft }: Committed): void {
    const { row } = run;
    const { end } = draft;
    const outcome = end === undefined ? undefined : outcomeOfEnd(end);
    // A run on another definition has another chart, so it is shown anew.
    if (steps.some(({ event }) => event.type === "migrated")) this.#actors.remove(run.id);
    this.#actors.show(run, steps, outcome);
    if (this.announcer.heard) for (const step of steps) this.announcer.step(row, step);
    for (const id of draft.dropped) this.#drop(id);
    for (const { id } of draft.closed) this.#drop(id);
    if (this.isWorking) {
      for (const id of draft.timersDropped) this.wheel.cancel(id);
      for (const { id } of draft.taken) this.wheel.cancel(id);
      for (const timer of draft.timersSet.values()) this.wheel.set(timer);
      for (const task of draft.opened.values()) this.#open(task, { deadlineAt: row.deadlineAt, recovered: false });
      for (const event of draft.emitted) this.onEmitted(event);
    }
    if (outcome !== undefined) this.#ended(run, outcome);
  }

  #drop(task: string): void {
    this.desk.drop(task);
    this.outside.drop(task);
  }

  #ended(run: ResidentRun, outcome: Outcome<Json>): void {
    const { row } = run;
    if (this.announcer.heard) this.announcer.ended(row, outcome);
    this.admission.leave(row.id);
    this.residents.forget(run);
    this.#tell(row.id, outcome);
    if (this.isWorking) this.children.ended(row, outcome);
    this.onEnded(row);
  }

  dropped(run: ResidentRun): void {
    this.residents.dropped(run);
  }

  readmit(id: string, inputs: readonly RunInput[]): void {
    for (const input of inputs) this.push(id, input);
  }

  rested(run: ResidentRun): void {
    this.residents.forget(run);
  }

  broke(run: ResidentRun, thrown: unknown): void {
    for (const { reject } of this.residents.take(run)) reject?.(new Error(`run ${run.id} is blocked`));
    const message = `run ${run.id} is blocked: the law broke after its fact ${run.seq}: ${describeThrown(thrown)}`;
    this.block(run.row, failure("workflow/blocked", message, { seq: run.seq })).catch((problem: unknown) =>
      this.report(message, problem),
    );
  }

  /** Leaves a run as it is, visible, until somebody decides. */
  async block(row: RunRow, failed: Failure): Promise<void> {
    const at = Math.floor(this.clock.now());
    const blocked: RunRow = {
      ...row,
      status: "blocked",
      updatedAt: at,
      result: JSON.stringify({ status: "blocked", failure: failed }),
    };
    this.core.ports.log.write("error", failed.message, failed.data);
    await this.store.commit({ updateRuns: [toUpdate(blocked)] });
    this.admission.leave(row.id);
    if (this.announcer.heard)
      this.announcer.publish(blocked, "execution.blocked", { at, data: { message: failed.message } });
    this.#tell(row.id, { ok: false, failure: failed });
  }

  async assign(row: TaskRow, to: Pick<TaskRow, "assignee" | "leaseUntil">): Promise<TaskRow | undefined> {
    const given = { ...row, ...to, fence: row.fence + 1 };
    const { id, fence } = row;
    const result = await this.store.commit({ assignTasks: [{ id, fence, newFence: given.fence, ...to }] });
    if (!result.ok) return undefined;
    const run = this.residents.get(row.run);
    if (run?.open.tasks.has(id) === true) run.open.tasks.set(id, given);
    return given;
  }

  /** The newest durable state of a run, with the definition that it is on; no state while it waits for its turn. */
  async read(row: RunRow): Promise<{ readonly state: RunState | undefined; readonly workflow: CompiledWorkflow }> {
    const run = this.residents.get(row.id);
    if (run !== undefined) return { state: run.shown, workflow: run.fold.workflow };
    const [stored] = await this.store.loadRuns([row.id]);
    const workflow = await this.catalogue.byHash(row.definition);
    if (stored === undefined) return { state: undefined, workflow };
    const loading = await loadRun(stored, this.large, (hash) => this.catalogue.byHash(hash));
    return loading.ok ? loading.run.fold : { state: undefined, workflow };
  }

  /** How a run ended; undefined while it goes on. */
  async outcomeOf(row: RunRow): Promise<Outcome<Json> | undefined> {
    if (row.result === null) return undefined;
    return outcomeOfEnd((await this.large.decode(row.result)) as unknown as RunEnd);
  }

  /** Resolves when the run has ended, or when it is parked and only somebody can bring it further. */
  async result(id: string): Promise<Outcome<Json>> {
    let resolve: (outcome: Outcome<Json>) => void = () => {};
    const waiting = new Promise<Outcome<Json>>((settle) => (resolve = settle));
    const waiters = this.#waiters.get(id) ?? [];
    this.#waiters.set(id, [...waiters, resolve]);
    // It may have ended before anybody waited.
    const row = this.rowOf(id) ?? (await this.store.readRun(id));
    if (row === undefined) throw new TroupeError("usage/unknown-run", `there is no run "${id}"`);
    const outcome = await this.outcomeOf(row);
    if (outcome !== undefined) this.#tell(id, outcome);
    return waiting;
  }

  #tell(id: string, outcome: Outcome<Json>): void {
    const waiting = this.#waiters.get(id);
    if (waiting === undefined) return;
    this.#waiters.delete(id);
    for (const resolve of waiting) resolve(outcome);
  }

  /** Nothing new is dispatched or fired from now on; what is under way may still end. */
  beginClose(): void {
    this.#closing = true;
    this.desk.close();
    this.wheel.close();
  }

  /** Resolves when everything that was taken in is durable. */
  async drain(): Promise<void> {
    await this.residents.drain();
    for (const id of this.#waiters.keys()) {
      const failed = failure(
        "system/closed",
        `the troupe closed before run ${id} had ended; it goes on when the store is opened again`,
        { run: id },
      );
      this.#tell(id, { ok: false, failure: failed });
    }
  }
}

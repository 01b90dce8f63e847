import { TroupeError } from "../../errors.ts";
import type { StoredRun } from "../../ports/store.ts";
import type { Engine } from "../engine.ts";
import { ResidentRun } from "./resident-run.ts";
import type { RunActors } from "./run-actors.ts";
import type { RunInput } from "./run-input.ts";
import { loadRun } from "./run-loader.ts";

/** Which runs are kept in memory, and which of a store are this process's to go on with. */
export interface ResidentOptions {
  readonly residentRuns?: number;
  /**
   * Which unfinished runs of the store go on here: all of them (the default), or only those that this process starts
   * or asks for, with their children. The others stay as they are for a process that has their agents.
   */
  readonly recovers?: "all" | "named";
}

/** Unfinished runs kept in memory; beyond it those that only wait are let go, and loaded again when something comes. */
export const residentRunsMax = 10_000;
/** Loads of a run that the store refuses before its inputs are given up; its rows stay, for the next process. */
const loadAttemptsMax = 10;
/** The first and the longest wait between such loads. */
const loadWaitMs = 50;
/** Longest wait for a run to be loaded, in milliseconds. */
const loadWaitMaxMs = 5_000;

/** The runs in memory: how they come in from the store, and when they are let go. */
export class Residents {
  readonly #engine: Engine;
  readonly #actors: RunActors;
  readonly #max: number;
  readonly #runs = new Map<string, ResidentRun>();
  readonly #loading = new Map<string, Promise<ResidentRun | undefined>>();

  /** Runs that this process has had in memory, where only those are its own; undefined where all are. */
  readonly #named: Set<string> | undefined;

  constructor(engine: Engine, actors: RunActors, { residentRuns, recovers }: ResidentOptions) {
    this.#engine = engine;
    this.#actors = actors;
    this.#max = residentRuns ?? residentRunsMax;
    this.#named = recovers === "named" ? new Set() : undefined;
  }

  /** Whether the timers of a run are for this process. */
  isOurs(id: string): boolean {
    return this.#named?.has(id) ?? true;
  }

  get size(): number {
    return this.#runs.size;
  }

  get(id: string): ResidentRun | undefined {
    return this.#runs.get(id);
  }

  add(run: ResidentRun): void {
    this.#named?.add(run.id);
    this.#runs.set(run.id, run);
  }

  push(id: string, input: RunInput): void {
    const run = this.#runs.get(id);
    if (run !== undefined) return run.push(input);
    this.load(id).then(
      (loaded) => (loaded === undefined ? input.settle?.({ taken: false, why: "stale" }) : loaded.push(input)),
      (thrown: unknown) => {
        if (input.reject !== undefined) input.reject(thrown as Error);
        else this.#engine.report(`run ${id} could not be loaded`, thrown);
      },
    );
  }

  /** Brings a run into memory; undefined where there is none, or where it is blocked. */
  load(id: string): Promise<ResidentRun | undefined> {
    const resident = this.#runs.get(id);
    if (resident !== undefined) return Promise.resolve(resident);
    const known = this.#loading.get(id);
    if (known !== undefined) return known;
    const loading = this.#load(id).finally(() => this.#loading.delete(id));
    this.#loading.set(id, loading);
    return loading;
  }

  async #load(id: string): Promise<ResidentRun | undefined> {
    const [stored] = await this.#engine.store.loadRuns([id]);
    return stored === undefined ? undefined : this.adopt(stored);
  }

  /** Makes a stored run resident, and goes on with what it has open. */
  async adopt(stored: StoredRun): Promise<ResidentRun | undefined> {
    const { run: row } = stored;
    const engine = this.#engine;
    const known = this.#runs.get(row.id);
    if (known !== undefined || row.status === "blocked") return known;
    const loading = await loadRun(stored, engine.large, (hash) => engine.catalogue.byHash(hash));
    const meanwhile = this.#runs.get(row.id);
    if (meanwhile !== undefined) return meanwhile;
    if (!loading.ok) {
      await engine.block(row, loading.failure);
      return undefined;
    }
    const run = new ResidentRun(engine, { row, ...loading.run });
    for (const task of stored.tasks) run.open.tasks.set(task.id, task);
    for (const { id } of stored.timers) run.open.timers.add(id);
    for (const { id } of stored.waits) run.open.waits.add(id);
    this.add(run);
    // Where the timers of all runs are read anyway, these are known.
    if (this.#named !== undefined && engine.isWorking) for (const timer of stored.timers) engine.wheel.set(timer);
    if (row.endedAt === null) this.#actors.place(run);
    engine.goOn(run);
    return run;
  }

  /** Takes a run out of memory, with the inputs that still wait for it. */
  take(run: ResidentRun): readonly RunInput[] {
    if (this.#runs.get(run.id) !== run) return [];
    this.#runs.delete(run.id);
    this.#actors.remove(run.id);
    return run.leave();
  }

  /** Lets a run go; what still waits for it brings it back. */
  forget(run: ResidentRun): void {
    for (const input of this.take(run)) this.push(run.id, input);
  }

  /** Lets runs go that only wait for a time or an event, the longest resident first. */
  trim(): void {
    let excess = this.#runs.size - this.#max;
    if (excess <= 0) return;
    for (const run of this.#runs.values()) {
      if (excess <= 0) return;
      if (!run.isIdle || run.open.tasks.size > 0 || run.fold.state === undefined) continue;
      this.forget(run);
      excess -= 1;
    }
  }

  /** What is in memory is wrong, because the store refused or failed: the run is read again. */
  dropped(run: ResidentRun): void {
    const inputs = this.take(run);
    if (!run.isUnwritten) void this.#reload(run.id, inputs);
  }

  async #reload(id: string, inputs: readonly RunInput[]): Promise<void> {
    const engine = this.#engine;
    for (let attempt = 1; attempt <= loadAttemptsMax && !engine.isClosing; attempt += 1) {
      try {
        const run = await this.load(id);
        for (const input of inputs) run?.push(input);
        return;
      } catch (thrown) {
        engine.report(`run ${id} could not be read (attempt ${attempt})`, thrown);
        const waitMs = Math.min(loadWaitMs * 2 ** (attempt - 1), loadWaitMaxMs);
        await new Promise<void>((resolve) => engine.core.timers.after(waitMs, resolve));
      }
    }
    const error = new TroupeError("store/failed", `run ${id} cannot be read from the store`);
    for (const { reject } of inputs) reject?.(error);
  }

  /** Resolves when every run has written what it took in. */
  async drain(): Promise<void> {
    while ([...this.#runs.values()].some((run) => !run.isIdle))
      await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

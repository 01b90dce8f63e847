import { enablePatches, produceWithPatches, type Patch } from "immer";
import { failure, type Json, type Outcome } from "../../machines/failure.ts";
import type { Patch as PatchEvent } from "../../machines/workflow/events.ts";
import { TroupeError } from "../errors.ts";
import type { Happening } from "../ports/observe.ts";
import type { RunFilter } from "../ports/store.ts";
import type { RunRow } from "../ports/store-rows.ts";
import type { Engine } from "./engine.ts";
import { forkRun } from "./change/fork.ts";
import { readHistory, type HistoryEntry } from "./view/history.ts";
import { readRunRow, type JournalSource } from "./view/journal-view.ts";
import { checkMigration } from "./change/migrate.ts";
import { queryRun } from "./view/query.ts";
import { replayRun, type ReplayReport } from "./view/replay.ts";
import { detachedActor, type RunActorRef } from "./run/run-actor.ts";
import type { RunActors } from "./run/run-actors.ts";
import { Handle, outcomeOfVerdict, type Patched, type RunHandle, type VariablesRecipe } from "./run-handle.ts";
import type { Happened, Move, RunInput, Verdict } from "./run/run-input.ts";
import { infoOf, reportOf, variablesOf, type RunInfo, type RunReport } from "./view/run-report.ts";
import { listSteps, type StepRecord } from "./view/steps.ts";
import { toJson } from "./desk/task-desk.ts";

enablePatches();

/** What is needed besides the engine. */
export interface OperationsParts {
  readonly engine: Engine;
  readonly actors: RunActors;
  /** Subscribes to what happens to one run. */
  readonly follow: (run: string) => AsyncIterable<Happening>;
}

/** Everything that may be asked of a run, or done to it, by its id. */
export class Operations {
  readonly #engine: Engine;
  readonly #actors: RunActors;
  readonly #follow: OperationsParts["follow"];
  readonly source: JournalSource;

  constructor({ engine, actors, follow }: OperationsParts) {
    this.#engine = engine;
    this.#actors = actors;
    this.#follow = follow;
    const { store, large, catalogue } = engine;
    this.source = { store, large, workflowOf: (hash) => catalogue.byHash(hash) };
    actors.onSignal = (run, name, payload) => {
      engine.push(run, { event: { type: "signal", name, payload } });
    };
  }

  actorOf(id: string): RunActorRef | undefined {
    return this.#actors.get(id);
  }

  /** The handle of a run; one that is not in memory is brought in. Errors: throws `usage/unknown-run`. */
  async handle(id: string): Promise<RunHandle> {
    const present = this.#actors.get(id);
    if (present !== undefined) return new Handle(this, id, present);
    const row = await readRunRow(this.#engine.store, id);
    if (row.endedAt === null && row.status !== "blocked") await this.#engine.residents.load(id);
    const actor = this.#actors.get(id) ?? (await this.#detached(row));
    return new Handle(this, id, actor);
  }

  /** The actor of a run that is over: it shows the last state, and stands in no tree. */
  async #detached(row: RunRow): Promise<RunActorRef> {
    const { state, workflow } = await this.#stateOf(row);
    const outcome = (await this.#engine.outcomeOf(row)) ?? {
      ok: false as const,
      failure: failure("workflow/blocked", `run ${row.id} is ${row.status}`),
    };
    return detachedActor({ id: row.id, workflow, state, outcome });
  }

  async list(filter: RunFilter = {}): Promise<readonly RunInfo[]> {
    return (await this.#engine.store.listRuns(filter)).map(infoOf);
  }

  /** The newest state of a run, in memory or not. */
  async #stateOf(row: RunRow): ReturnType<Engine["read"]> {
    return this.#engine.read(row);
  }

  async status(id: string): Promise<RunReport> {
    const engine = this.#engine;
    const row = engine.rowOf(id) ?? (await readRunRow(engine.store, id));
    const { state, workflow } = await this.#stateOf(row);
    const { name, steps } = workflow.definition;
    const outcome = await engine.outcomeOf(row);
    return reportOf(row, { name, steps, state, outcome, now: engine.clock.now() });
  }

  result(id: string): Promise<Outcome<Json>> {
    return this.#engine.result(id);
  }

  events(id: string): AsyncIterable<Happening> {
    return this.#follow(id);
  }

  async history(id: string): Promise<readonly HistoryEntry[]> {
    return readHistory(this.source, await readRunRow(this.#engine.store, id));
  }

  async steps(id: string): Promise<readonly StepRecord[]> {
    return listSteps(this.source, await readRunRow(this.#engine.store, id));
  }

  async query(id: string, expression: string): Promise<Json> {
    const row = this.#engine.rowOf(id) ?? (await readRunRow(this.#engine.store, id));
    const { state, workflow } = await this.#stateOf(row);
    return queryRun(workflow, state, expression);
  }

  async #do(id: string, event: Happened, extra: Pick<RunInput, "message"> = {}): Promise<Outcome<null>> {
    const engine = this.#engine;
    const run = await engine.residents.load(id);
    if (run === undefined) {
      await readRunRow(engine.store, id);
      return outcomeOfVerdict({ taken: false, why: "stale" }, event.type);
    }
    const { state, queued } = run.fold;
    // A run that still waits for its turn begins first, so that there is something to hold or to end.
    const before = state === undefined && queued !== undefined ? [{ event: queued }] : [];
    const verdict = await new Promise<Verdict>((settle, reject) =>
      run.pushAll([...before, { event, ...extra, settle, reject }]),
    );
    return outcomeOfVerdict(verdict, event.type);
  }

  pause(id: string): Promise<Outcome<null>> {
    return this.#do(id, { type: "pause" });
  }

  resume(id: string, input?: { readonly [name: string]: Json }): Promise<Outcome<null>> {
    return this.#do(id, input === undefined ? { type: "resume" } : { type: "resume", input: readRecord(input) });
  }

  stop(id: string, options: { readonly compensate?: boolean; readonly reason?: string }): Promise<Outcome<null>> {
    return this.#do(id, { type: "cancel", ...options });
  }

  signal(
    id: string,
    given: { readonly name: string; readonly payload: unknown; readonly id?: string },
  ): Promise<Outcome<null>> {
    const payload = toJson(given.payload);
    if (!payload.ok) return Promise.resolve(payload);
    return this.#do(
      id,
      { type: "signal", name: given.name, payload: payload.value },
      given.id === undefined ? {} : { message: `signal:${given.id}` },
    );
  }

  retry(id: string): Promise<Outcome<null>> {
    return this.#do(id, { type: "retry" });
  }

  async fork(id: string, step: string): Promise<string> {
    return forkRun(this.#engine, this.source, await readRunRow(this.#engine.store, id), step);
  }

  async patch(id: string, change: VariablesRecipe | readonly Patch[]): Promise<Outcome<Patched>> {
    const row = this.#engine.rowOf(id) ?? (await readRunRow(this.#engine.store, id));
    const { state } = await this.#stateOf(row);
    const before: { [name: string]: Json } = structuredClone(variablesOf(state));
    const [, patches, inverse] =
      typeof change === "function"
        ? produceWithPatches(before, (draft) => {
            change(draft);
          })
        : [before, change, []];
    const json = toJson(patches);
    if (!json.ok) return json;
    const taken = await this.#do(id, { type: "patch", patches: json.value as unknown as PatchEvent["patches"] });
    return taken.ok ? { ok: true, value: { patches, inverse } } : taken;
  }

  async migrate(id: string, version: string): Promise<Outcome<null>> {
    const engine = this.#engine;
    const run = await engine.residents.load(id);
    const row = run?.row ?? (await readRunRow(engine.store, id));
    const target = engine.catalogue.find(row.namespace, row.workflow, version);
    if (target === undefined)
      throw new TroupeError("usage/unknown-workflow", `workflow "${row.workflow}" has no version ${version}`);
    if (run?.shown === undefined || row.endedAt !== null)
      return {
        ok: false,
        failure: failure("workflow/not-waiting", `run ${id} is ${row.status}; only a run that goes on can move`),
      };
    const from = run.fold.workflow;
    const { workflow, hash } = target;
    const check: Move["check"] = (state) => checkMigration(state, from, workflow);
    return outcomeOfVerdict(await engine.ask(id, { event: { type: "move", workflow, hash, check } }), "a move");
  }

  /** Checks stored histories against a definition: nothing is changed. */
  async replay(ids: readonly string[], authored: unknown): Promise<readonly ReplayReport[]> {
    const against = this.#engine.catalogue.compile(authored);
    const reports: ReplayReport[] = [];
    for (const id of ids) reports.push(await replayRun(this.source, await readRunRow(this.#engine.store, id), against));
    return reports;
  }

  /** Forgets a run that is over, with its journal and its values. */
  async remove(id: string): Promise<void> {
    const row = await readRunRow(this.#engine.store, id);
    if (row.endedAt === null && row.status !== "blocked")
      throw new TroupeError(
        "usage/bad-argument",
        `run ${id} is ${row.status}; only a run that has ended can be removed`,
      );
    await this.#engine.store.commit({ forgetRuns: [id] });
  }
}

function readRecord(input: unknown): { readonly [name: string]: Json } {
  const json = toJson(input);
  if (!json.ok || typeof json.value !== "object" || json.value === null || Array.isArray(json.value))
    throw new TroupeError("usage/bad-argument", "the input for resume must be an object of fields");
  return json.value as { readonly [name: string]: Json };
}

import type { Definition } from "../../machines/workflow/definition.ts";
import type { Dispatcher } from "../dispatch/dispatcher.ts";
import { TroupeError } from "../errors.ts";
import type { Happening } from "../ports/observe.ts";
import type { RunFilter, Store } from "../ports/store.ts";
import type { DefinitionRow } from "../ports/store-rows.ts";
import type { Core } from "../system/core.ts";
import type { Supervisor } from "../system/supervisor.ts";
import { Catalogue, oneOf, type Registered, type Shelf } from "./catalogue.ts";
import { Engine } from "./engine.ts";
import type { EngineOptions } from "./engine-options.ts";
import { EventDesk, type Emitted, type EmitOptions } from "./desk/event-desk.ts";
import { EventSources } from "./desk/event-source.ts";
import { Language, type Validation } from "./language.ts";
import { Operations } from "./operations.ts";
import { recoverRuns } from "./run/recovery.ts";
import type { ReplayReport } from "./view/replay.ts";
import { RequestDesk } from "./change/requests.ts";
import { performOn } from "./change/remote-operation.ts";
import { RunActors } from "./run/run-actors.ts";
import type { RunHandle } from "./run-handle.ts";
import { checkTenant, readInput, toStartOptions, type RunOptions } from "./run-options.ts";
import type { RunInfo } from "./view/run-report.ts";
import { Schedules } from "./time/schedules.ts";
import { createTasks, type Tasks } from "./tasks.ts";
import { measureWorkflow, type WorkflowMetrics } from "./view/workflow-metrics.ts";

/** Where a definition is registered, and under which key. */
export interface DefineOptions {
  /** Default: the key that the definition names itself. */
  readonly key?: string;
  /** Default "default". */
  readonly namespace?: string;
  readonly variant?: string;
}

/** Where definitions of files are registered, and how modules among them are loaded. */
export interface LoadDefinitions extends Omit<DefineOptions, "key"> {
  /** `(url) => import(url)`, where modules are to be read too: importing runs what they hold. */
  readonly importModule?: (url: string) => Promise<unknown>;
}

/** A registration in the catalogue. */
export interface WorkflowInfo {
  readonly key: string;
  readonly version: string;
  readonly name: string;
  /** SHA-256 of the definition: runs are pinned to it. */
  readonly hash: string;
  readonly namespace: string;
  readonly variant: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

/** The catalogue of definitions. */
export interface WorkflowCatalogue {
  /**
   * Registers a definition, in any of the forms that there are. A document that holds several registers all of them,
   * so what it registered is a list.
   * Errors: throws `usage/invalid-definition` with everything that is wrong, `usage/version-taken` when this version
   * has other content.
   */
  define(definition: unknown, options?: DefineOptions): Promise<readonly WorkflowInfo[]>;
  /**
   * Registers every definition of a file, or of a folder and the folders in it, in the order of their paths: JSON and
   * YAML, and where `importModule` is given, modules whose default export is a definition. A document that names no key
   * has the file's name.
   * Errors: throws `usage/bad-file`, and `usage/invalid-definition` with file and line of everything that is wrong; then
   * nothing is registered. `usage/version-taken` ends it at that definition, and those before it are registered.
   */
  load(path: string, options?: LoadDefinitions): Promise<readonly WorkflowInfo[]>;
  /**
   * Writes the newest version of a key, or the one named, in its normal form, as JSON or YAML by the file's ending.
   * Errors: throws `usage/unknown-workflow`, `usage/bad-file`.
   */
  save(key: string, file: string, options?: { readonly version?: string; readonly namespace?: string }): Promise<void>;
  /** Everything that is wrong with a definition, and what would be assumed. Nothing is registered. */
  validate(definition: unknown, options?: { readonly namespace?: string }): Validation;
  /** Every registration, in order of key and age. */
  list(options?: { readonly namespace?: string }): readonly WorkflowInfo[];
  /** The newest version of a key, or the one named, in its normal form; undefined where there is none. */
  get(key: string, options?: { readonly version?: string; readonly namespace?: string }): Definition | undefined;
  /** How a workflow has done so far. Errors: throws `usage/unknown-workflow`. */
  metrics(key: string, options?: { readonly namespace?: string }): Promise<WorkflowMetrics>;
}

/** The runs there are. */
export interface Runs {
  /** Errors: throws `usage/unknown-run`. */
  get(id: string): Promise<RunHandle>;
  /** In order of id, which is the order of their start; at most 10,000 at once. */
  list(filter?: RunFilter): Promise<readonly RunInfo[]>;
  /** Folds stored histories over another definition and says where they would have gone another way. Changes nothing. */
  replay(ids: readonly string[], definition: unknown): Promise<readonly ReplayReport[]>;
  /** Forgets a run that is over, with its journal. */
  remove(id: string): Promise<void>;
  /** Resolves when every unfinished run that an earlier process left has been brought back, with how many there were. */
  recovered(): Promise<number>;
}

/** What the workflow room needs of the troupe. */
export interface WorkflowParts {
  readonly core: Core;
  readonly dispatcher: Dispatcher;
  readonly store: Store;
  readonly root: Supervisor;
  readonly follow: (run: string) => AsyncIterable<Happening>;
}

/** Durable workflows, as one troupe has them. */
export class Workflows {
  readonly engine: Engine;
  readonly operations: Operations;
  readonly schedules: Schedules;
  readonly catalogue: WorkflowCatalogue;
  readonly runs: Runs;
  readonly tasks: Tasks;
  readonly #definitions: Catalogue;
  readonly #events: EventDesk;
  readonly #sources: EventSources;
  readonly #requests: RequestDesk;
  readonly #recovers: EngineOptions["recovers"];
  #recovery: Promise<number> = Promise.resolve(0);

  constructor(parts: WorkflowParts, options: EngineOptions = {}) {
    const { core, dispatcher, store, root, follow } = parts;
    const actors = new RunActors(core, root);
    this.#definitions = new Catalogue(store, core.ports.clock, new Language(dispatcher, options.kinds));
    this.#recovers = options.recovers;
    this.engine = new Engine({ core, dispatcher, store, catalogue: this.#definitions, actors }, options);
    this.operations = new Operations({ engine: this.engine, actors, follow });
    this.schedules = new Schedules(this.engine);
    this.#events = new EventDesk(this.engine);
    this.#sources = new EventSources(options.sources ?? [], (event, payload, given) =>
      this.#take(event, payload, given),
    );
    this.#requests = new RequestDesk(store, performOn(this.operations), (problem) =>
      this.engine.report("a request of another process", problem),
    );
    this.tasks = createTasks(this.engine);
    this.catalogue = this.#catalogueOf();
    this.runs = this.#runsOf();
  }

  /** Reads the catalogue, and begins to bring back what an earlier process left. */
  async open(): Promise<void> {
    await this.#definitions.open();
    if (!this.engine.isWorking) return;
    this.#recovery = this.#recover();
    // Who waits for the recovery hears of its failure there; otherwise it is told here.
    this.#recovery.catch((thrown: unknown) => this.engine.report("recovery", thrown));
    if (this.#recovers !== "named") await this.schedules.open();
    await this.#requests.open();
    if (this.#recovers !== "named") await this.#sources.open();
  }

  /** What a source hears waits until the runs are back that may wait for it. */
  async #take(event: string, payload: unknown, options: EmitOptions): Promise<Emitted> {
    await this.#recovery.catch(() => 0);
    return this.emit(event, payload, options);
  }

  async #recover(): Promise<number> {
    const recovered = this.#recovers === "named" ? 0 : await recoverRuns(this.engine);
    if (this.#recovers !== "named") await this.engine.wheel.open();
    await this.#events.open();
    return recovered;
  }

  #catalogueOf(): WorkflowCatalogue {
    const definitions = this.#definitions;
    return {
      define: (definition, options = {}) => this.define(definition, options),
      load: (path, options = {}) => this.load(path, options),
      save: async (key, file, { version, namespace = "default" } = {}) => {
        const found = definitions.find(namespace, key, version);
        if (found === undefined) throw unknownWorkflow(key, definitions, namespace);
        const { saveDefinition } = await import("./load/shelf-files.ts");
        await saveDefinition(found.definition, file);
      },
      validate: (definition, { namespace = "default" } = {}) => definitions.validate(definition, namespace),
      list: ({ namespace } = {}) => definitions.list(namespace).map(infoOfRow),
      get: (key, { version, namespace = "default" } = {}) => definitions.find(namespace, key, version)?.definition,
      metrics: async (key, { namespace = "default" } = {}) => {
        if (definitions.find(namespace, key) === undefined) throw unknownWorkflow(key, definitions, namespace);
        return measureWorkflow(this.operations.source, namespace, key);
      },
    };
  }

  #runsOf(): Runs {
    const { operations } = this;
    return {
      get: (id) => operations.handle(id),
      list: (filter) => operations.list(filter),
      replay: (ids, definition) => operations.replay(ids, definition),
      remove: (id) => operations.remove(id),
      recovered: () => this.#recovery,
    };
  }

  /** Registers what an author wrote, and takes over its schedules. */
  async define(authored: unknown, options: DefineOptions = {}): Promise<readonly WorkflowInfo[]> {
    const { key, namespace = "default", variant = "" } = options;
    checkTenant("namespace", namespace);
    checkTenant("variant", variant);
    const shelf = { namespace, variant };
    const all = await this.#definitions.define(authored, shelf, key);
    for (const registered of all) await this.schedules.declare(registered, shelf);
    const hashes = new Set(all.map(({ hash }) => hash));
    const keys = new Set(all.map(({ definition }) => definition.key));
    return this.#definitions
      .list(namespace)
      .filter((row) => hashes.has(row.hash) && keys.has(row.key))
      .map(infoOfRow);
  }

  async load(path: string, { importModule, ...options }: LoadDefinitions): Promise<readonly WorkflowInfo[]> {
    // The parser of YAML is loaded with the first file.
    const { readDefinitions } = await import("./load/shelf-files.ts");
    const all = await readDefinitions(path, {
      read: (authored, fallbackKey) => this.#definitions.read(authored, fallbackKey),
      ...(importModule === undefined ? {} : { importModule }),
    });
    const infos: WorkflowInfo[] = [];
    for (const definition of all) infos.push(...(await this.define(definition, options)));
    return infos;
  }

  /** Begins a run of a definition, or of the newest version of a key. */
  async run(definition: unknown, input: unknown, options: RunOptions = {}): Promise<RunHandle> {
    const { engine, operations } = this;
    const start = toStartOptions(options, engine.clock.now());
    const { signal } = options;
    signal?.throwIfAborted();
    const registered = await this.#resolve(definition, start);
    const { id } = await engine.start(registered, readInput(input), start);
    const handle = await operations.handle(id);
    if (signal !== undefined) stopOnAbort(handle, signal);
    return handle;
  }

  async #resolve(definition: unknown, shelf: Shelf): Promise<Registered> {
    if (typeof definition !== "string") return oneOf(await this.#definitions.define(definition, shelf));
    const registered = this.#definitions.find(shelf.namespace, definition);
    if (registered === undefined) throw unknownWorkflow(definition, this.#definitions, shelf.namespace);
    return registered;
  }

  emit(event: string, payload: unknown, options?: EmitOptions): Promise<Emitted> {
    return this.#events.emit(event, payload, options);
  }

  /** Takes nothing more from outside. */
  async beginClose(): Promise<void> {
    await this.#sources.close((what, problem) => this.engine.report(what, problem));
    this.engine.beginClose();
  }

  async close(): Promise<void> {
    await this.#recovery.catch(() => 0);
    await this.engine.drain();
  }
}

/** Stops a run when a signal aborts; the listener goes with the run. */
function stopOnAbort(handle: RunHandle, signal: AbortSignal): void {
  const stop = (): void => void handle.stop({ reason: "the caller's signal aborted" });
  signal.addEventListener("abort", stop, { once: true });
  void handle.result().then(() => signal.removeEventListener("abort", stop));
}

function unknownWorkflow(key: string, definitions: Catalogue, namespace: string): TroupeError {
  const known = [...new Set(definitions.list(namespace).map((row) => row.key))];
  return new TroupeError(
    "usage/unknown-workflow",
    `no workflow is defined as "${key}"; there are ${known.join(", ") || "none"}`,
    { data: { workflow: key, known } },
  );
}

function infoOfRow({ key, version, name, hash, namespace, variant, createdAt }: DefinitionRow): WorkflowInfo {
  return { key, version, name, hash, namespace, variant, createdAt };
}

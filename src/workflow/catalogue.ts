import { createHash } from "node:crypto";
import type { CompiledWorkflow } from "../../machines/workflow/compiled.ts";
import type { Definition } from "../../machines/workflow/definition.ts";
import type { Reading } from "../../machines/workflow/read/definition.ts";
import { TroupeError } from "../errors.ts";
import type { Language, Validation } from "./language.ts";
import type { Clock } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";
import type { DefinitionRow } from "../ports/store-rows.ts";

/** Compiled definitions kept in memory; the longest unused is compiled again when it is needed. */
const compiledMax = 1_000;
/** Longest JSON text of one definition. */
export const definitionCharactersMax = 8_388_608;

/** A definition as it is registered, ready to run. */
export interface Registered {
  readonly definition: Definition;
  readonly hash: string;
  readonly workflow: CompiledWorkflow;
}

/** What a definition is registered under. */
export interface Shelf {
  readonly namespace: string;
  readonly variant: string;
}

function index(namespace: string, key: string): string {
  return JSON.stringify([namespace, key]);
}

/**
 * Definitions by key and version. The same key and version never changes its content, and a run stays on the content
 * that it began with, found again by its hash.
 */
export class Catalogue {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #language: Language;
  /** Rows by namespace and key, the newest registration last. */
  readonly #rows = new Map<string, DefinitionRow[]>();
  readonly #compiled = new Map<string, Registered>();
  /** Authored objects that were registered already, so that starting a run twice does not read them twice. */
  readonly #seen = new WeakMap<object, Map<string, readonly Registered[]>>();

  constructor(store: Store, clock: Clock, language: Language) {
    this.#store = store;
    this.#clock = clock;
    this.#language = language;
  }

  async open(): Promise<void> {
    for (const row of await this.#store.listDefinitions()) this.#shelve(row);
  }

  #shelve(row: DefinitionRow): void {
    const at = index(row.namespace, row.key);
    const rows = this.#rows.get(at);
    if (rows === undefined) this.#rows.set(at, [row]);
    else if (!rows.some(({ version }) => version === row.version)) rows.push(row);
  }

  /**
   * Registers what an author wrote, in any of the forms that there are: mostly one definition.
   * Errors: throws `usage/invalid-definition` with everything that is wrong, `usage/version-taken` when this version
   * has other content.
   */
  async define(authored: unknown, shelf: Shelf, key?: string): Promise<readonly Registered[]> {
    const known = typeof authored === "object" && authored !== null ? this.#seen.get(authored) : undefined;
    const at = JSON.stringify([shelf.namespace, shelf.variant, key ?? null]);
    const before = known?.get(at);
    if (before !== undefined) return before;
    const registered: Registered[] = [];
    for (const definition of this.#language.normalize(authored, key))
      registered.push(await this.#register(definition, shelf));
    if (typeof authored === "object" && authored !== null) {
      const shelves = known ?? new Map<string, readonly Registered[]>();
      shelves.set(at, registered);
      this.#seen.set(authored, shelves);
    }
    return registered;
  }

  async #register(definition: Definition, shelf: Shelf): Promise<Registered> {
    // Not sorted: the order of mappings may matter, and it is part of the content.
    const body = JSON.stringify(definition);
    if (body.length > definitionCharactersMax)
      throw new TroupeError(
        "usage/invalid-definition",
        `definition "${definition.key}" has ${body.length} characters as JSON; at most ${definitionCharactersMax} are allowed: split it into sub-workflows`,
      );
    const hash = createHash("sha256").update(body).digest("hex");
    const registered = this.#compile(definition, hash);
    const { key, version, name } = definition;
    const row: DefinitionRow = {
      ...shelf,
      key,
      version,
      hash,
      name,
      body,
      createdAt: Math.floor(this.#clock.now()),
    };
    const result = await this.#store.commit({ definitions: [row] });
    if (!result.ok)
      throw new TroupeError(
        "usage/version-taken",
        `version ${version} of workflow "${key}" is registered with other content; raise its version`,
        { data: { workflow: key, version } },
      );
    this.#shelve(row);
    return registered;
  }

  /** Compiles what an author wrote without registering it. */
  compile(authored: unknown): CompiledWorkflow {
    return this.#language.compile(oneOf(this.#language.normalize(authored)));
  }

  read(authored: unknown, fallbackKey: string): Reading {
    return this.#language.read(authored, { fallbackKey });
  }

  validate(authored: unknown, namespace: string): Validation {
    return this.#language.validate(authored, (key) => this.find(namespace, key) !== undefined);
  }

  #compile(definition: Definition, hash: string): Registered {
    const known = this.#compiled.get(hash);
    if (known !== undefined) {
      this.#compiled.delete(hash);
      this.#compiled.set(hash, known);
      return known;
    }
    const registered = { definition, hash, workflow: this.#language.compile(definition) };
    this.#compiled.set(hash, registered);
    if (this.#compiled.size > compiledMax) {
      const oldest = this.#compiled.keys().next();
      if (oldest.done !== true) this.#compiled.delete(oldest.value);
    }
    return registered;
  }

  #registered(row: DefinitionRow): Registered {
    return this.#compiled.get(row.hash) ?? this.#compile(JSON.parse(row.body) as Definition, row.hash);
  }

  /** The definition that a run is pinned to. */
  async byHash(hash: string): Promise<CompiledWorkflow> {
    const known = this.#compiled.get(hash);
    if (known !== undefined) return known.workflow;
    const row = await this.#store.readDefinition(hash);
    if (row === undefined) throw new Error(`the store has lost the definition ${hash}`);
    return this.#registered(row).workflow;
  }

  /** The newest registration of a key, or one version of it. `key@version` names both. */
  find(namespace: string, key: string, version?: string): Registered | undefined {
    const rows = this.#rows.get(index(namespace, key));
    if (rows === undefined) {
      const at = key.lastIndexOf("@");
      return version === undefined && at > 0 ? this.find(namespace, key.slice(0, at), key.slice(at + 1)) : undefined;
    }
    const row = version === undefined ? rows.at(-1) : rows.find((each) => each.version === version);
    return row === undefined ? undefined : this.#registered(row);
  }

  /** Every registration, in order of key and age. */
  list(namespace?: string): readonly DefinitionRow[] {
    return [...this.#rows.values()]
      .flat()
      .filter((row) => namespace === undefined || row.namespace === namespace)
      .sort((one, other) => (one.key < other.key ? -1 : one.key > other.key ? 1 : 0));
  }

  /** The newest definition of each key. */
  newest(namespace: string): readonly Registered[] {
    return [...this.#rows.values()].flatMap((rows) => {
      const row = rows.at(-1);
      return row === undefined || row.namespace !== namespace ? [] : [this.#registered(row)];
    });
  }
}

/** The only one of several. Errors: throws `usage/bad-argument` where a document holds more workflows than one. */
export function oneOf<One extends Definition | Registered>(several: readonly One[]): One {
  const [only] = several;
  if (only !== undefined && several.length === 1) return only;
  const keys = several.map((one) => ("definition" in one ? one.definition.key : one.key));
  throw new TroupeError(
    "usage/bad-argument",
    `the document holds ${several.length} workflows (${keys.join(", ")}); define it, and name one by its key`,
  );
}

import { createHash } from "node:crypto";
import type { Json } from "../../../machines/failure.ts";
import type { Store } from "../../ports/store.ts";
import type { JsonText, ValueRow } from "../../ports/store-rows.ts";

/** Longest JSON text of one value inside a row, in UTF-16 units; a longer one is stored once, by its hash. */
export const inlineCharactersMax = 32_768;
/** Longest JSON text of one input, output, payload or variable; a longer one is refused where it is made. */
export const valueCharactersMax = 8_388_608;
/** Text of large values that is remembered by its hash, so that a task just opened need not be read back. */
const rememberedCharactersMax = 33_554_432;
/** A value that is only referred to may refer to others; deeper chains are a broken store. */
const chainMax = 64;

/** Stands for a value stored by its hash. A user's own object of this shape is written as `literalKey`. */
const valueKey = "$troupe.value";
const literalKey = "$troupe.literal";
/** Without the quote before it: quotes are everywhere in JSON, and a search for one stops at each. */
const marker = "$troupe.";

type Encoded = { readonly text: JsonText; readonly values: readonly ValueRow[] };

/** Moves large values out of rows, and puts them back. */
export class LargeValues {
  readonly #store: Store;
  readonly #remembered = new Map<string, JsonText>();
  #rememberedCharacters = 0;
  /** Objects are never changed once they are in a state, so one that was stored before is known again. */
  readonly #hashes = new WeakMap<object, string>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** The text of a row; `given` is its JSON text where the caller has it already. */
  encode(run: string, value: Json, given: JsonText = JSON.stringify(value)): Encoded {
    if (given.length <= inlineCharactersMax && !given.includes(marker)) return { text: given, values: [] };
    const values: ValueRow[] = [];
    return { text: this.#write(value, { run, values, isRoot: true }), values };
  }

  #write(value: Json, into: { run: string; values: ValueRow[]; isRoot: boolean }): JsonText {
    const known = typeof value === "object" && value !== null ? this.#hashes.get(value) : undefined;
    const remembered = known === undefined ? undefined : this.#remembered.get(known);
    if (known !== undefined && remembered !== undefined && !into.isRoot) {
      into.values.push({ hash: known, body: remembered, run: into.run });
      return refer(known);
    }
    const plain = JSON.stringify(value);
    if (plain.length <= inlineCharactersMax && !plain.includes(marker)) return plain;
    const text = this.#writeParts(value, { ...into, isRoot: false });
    if (into.isRoot || text.length <= inlineCharactersMax) return text;
    const hash = createHash("sha256").update(text).digest("hex");
    into.values.push({ hash, body: text, run: into.run });
    this.#remember(hash, text);
    if (typeof value === "object" && value !== null) this.#hashes.set(value, hash);
    return refer(hash);
  }

  #writeParts(value: Json, into: { run: string; values: ValueRow[]; isRoot: boolean }): JsonText {
    if (typeof value !== "object" || value === null) return JSON.stringify(value);
    if (Array.isArray(value)) return `[${value.map((each: Json) => this.#write(each, into)).join(",")}]`;
    const parts = Object.entries(value as { readonly [key: string]: Json }).flatMap(([key, each]) =>
      each === undefined ? [] : [`${JSON.stringify(key)}:${this.#write(each, into)}`],
    );
    const text = `{${parts.join(",")}}`;
    const isOurs = parts.length === 1 && (valueKey in value || literalKey in value);
    return isOurs ? `{"${literalKey}":${text}}` : text;
  }

  #remember(hash: string, text: JsonText): void {
    if (this.#remembered.delete(hash)) this.#rememberedCharacters -= text.length;
    this.#remembered.set(hash, text);
    this.#rememberedCharacters += text.length;
    for (const [oldest, old] of this.#remembered) {
      if (this.#rememberedCharacters <= rememberedCharactersMax) return;
      this.#remembered.delete(oldest);
      this.#rememberedCharacters -= old.length;
    }
  }

  /** Whether a row's text can be parsed as it is. */
  isPlain(text: JsonText): boolean {
    return !text.includes(marker);
  }

  /** The value of a row's text, with every large value in its place. */
  async decode(text: JsonText): Promise<Json> {
    const value = JSON.parse(text) as Json;
    return this.isPlain(text) ? value : this.#restore(value, 0);
  }

  async #restore(value: Json, depth: number): Promise<Json> {
    if (depth > chainMax) throw new Error(`a stored value refers to others more than ${chainMax} deep`);
    const wanted = new Set<string>();
    collect(value, wanted);
    const found = new Map<string, Json>();
    for (const [hash, text] of await this.#read([...wanted])) {
      const parsed = JSON.parse(text) as Json;
      const whole = this.isPlain(text) ? parsed : await this.#restore(parsed, depth + 1);
      if (typeof whole === "object" && whole !== null) this.#hashes.set(whole, hash);
      found.set(hash, whole);
    }
    return replace(value, found);
  }

  async #read(hashes: readonly string[]): Promise<readonly (readonly [string, JsonText])[]> {
    const missing = hashes.filter((hash) => !this.#remembered.has(hash));
    const read = new Map<string, JsonText>();
    if (missing.length > 0) for (const { hash, body } of await this.#store.readValues(missing)) read.set(hash, body);
    return hashes.map((hash) => {
      const text = this.#remembered.get(hash) ?? read.get(hash);
      if (text === undefined) throw new Error(`the store has lost the value ${hash}`);
      return [hash, text] as const;
    });
  }
}

function refer(hash: string): JsonText {
  return `{"${valueKey}":"${hash}"}`;
}

/** The hash that an object stands for, where it is one of our own. */
function hashOf(value: object): string | undefined {
  const keys = Object.keys(value);
  return keys.length === 1 && keys[0] === valueKey ? (value as { [valueKey]: string })[valueKey] : undefined;
}

function literalOf(value: object): Json | undefined {
  const keys = Object.keys(value);
  return keys.length === 1 && keys[0] === literalKey ? (value as { [literalKey]: Json })[literalKey] : undefined;
}

function collect(value: Json, into: Set<string>): void {
  if (typeof value !== "object" || value === null) return;
  const hash = hashOf(value);
  if (hash !== undefined) {
    into.add(hash);
    return;
  }
  const literal = literalOf(value);
  for (const each of Object.values(literal === undefined ? value : (literal as object))) collect(each as Json, into);
}

function replace(value: Json, found: ReadonlyMap<string, Json>): Json {
  if (typeof value !== "object" || value === null) return value;
  const hash = hashOf(value);
  if (hash !== undefined) return found.get(hash) as Json;
  if (Array.isArray(value)) return value.map((each: Json) => replace(each, found));
  const literal = literalOf(value) as { readonly [key: string]: Json } | undefined;
  const entries = Object.entries(literal ?? (value as { readonly [key: string]: Json }));
  return Object.fromEntries(entries.map(([key, each]) => [key, replace(each, found)]));
}

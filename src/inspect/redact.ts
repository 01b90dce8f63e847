import { types } from "node:util";
import type { Json } from "../../machines/failure.ts";
import { hidden, hideSecrets, judgeName } from "./secrets.ts";

/** Longest string that is shown; of a longer one the beginning, with a note. */
export const shownCharactersMax = 2_000;
/** Most items of a list, a set or a map that are shown; the rest is counted in a note. */
export const shownItemsMax = 100;
/** Most keys of an object that are shown; the rest is counted in a note. */
export const shownKeysMax = 100;
/** Deepest nesting that is shown; what lies deeper is summed up. */
export const shownDepthMax = 8;
/** Most bytes of JSON that one value becomes; what comes later is left out, with a note. */
export const shownBytesMax = 65_536;

/** Longest name of a field that is shown. */
const shownNameCharactersMax = 200;
/** Kept back for the notes that close every open list and object once the bytes are used up. */
const notesBytesMax = 2_048;
/** Characters read past a cut, so that a secret that lies across it is known by its whole shape. */
const overlapCharactersMax = 1_024;

const spent = "[cut: the value is larger than the inspector shows]";
const noteKey = "(cut)";
const classKey = "(class)";
const identifier = /^[\w-]{1,64}$/;

type Fields = readonly (readonly [name: string, value: unknown])[];

/**
 * Any value as plain JSON that may be shown to people: secrets taken out by name and by shape, large parts cut with
 * a note, and at most `shownBytesMax` bytes in all. Pure; never throws, and runs no code of the value (no getter,
 * no proxy trap, no `toJSON`).
 */
export function redact(value: unknown): Json {
  return new Redaction().show(value, 0);
}

/** A text without secrets and of bounded length. */
export function redactText(text: string, charactersMax: number = shownCharactersMax): string {
  if (text.length <= charactersMax) return hideSecrets(text);
  const clean = hideSecrets(text.slice(0, charactersMax + overlapCharactersMax));
  // The last characters read may be half a secret, and what was hidden before them has moved them forward.
  const shown = clean.slice(0, Math.max(0, Math.min(charactersMax, clean.length - overlapCharactersMax)));
  return `${shown}…[cut: ${text.length} characters in all]`;
}

class Redaction {
  #bytesLeft = shownBytesMax - notesBytesMax;
  /** The objects that enclose the one at hand: meeting one of them again is a circle. */
  readonly #enclosing = new Set<object>();

  show(value: unknown, depth: number): Json {
    try {
      if (typeof value === "object" && value !== null) return this.#showObject(value, depth);
      return this.#pay(showPrimitive(value));
    } catch {
      // A revoked proxy or an exotic host object refuses even to be looked at; that it was there is all we can say.
      return this.#pay("[unreadable]");
    }
  }

  /** Takes the bytes of a leaf from what is left, or gives the note where they do not fit. */
  #pay<Leaf extends string | number | boolean | null>(leaf: Leaf): Leaf | string {
    if (this.#take(leaf)) return leaf;
    return spent;
  }

  #take(leaf: string | number | boolean | null): boolean {
    const bytes = (typeof leaf === "string" ? Buffer.byteLength(JSON.stringify(leaf)) : String(leaf).length) + 1;
    if (bytes > this.#bytesLeft) {
      this.#bytesLeft = 0;
      return false;
    }
    this.#bytesLeft -= bytes;
    return true;
  }

  #showObject(value: object, depth: number): Json {
    const special = types.isProxy(value) ? "[proxy]" : showSpecial(value);
    if (special !== undefined) return this.#pay(special);
    if (this.#enclosing.has(value)) return this.#pay("[circular]");
    if (depth >= shownDepthMax) return this.#pay(sumUp(value));
    this.#enclosing.add(value);
    this.#bytesLeft -= 3;
    const shown = this.#showFields(value, depth);
    this.#enclosing.delete(value);
    return shown;
  }

  #showFields(value: object, depth: number): Json {
    if (Array.isArray(value)) return this.#showList(itemsOf(value), value.length, depth);
    if (types.isSet(value)) return this.#showList(firstOf(Set.prototype.values.call(value)), value.size, depth);
    if (types.isMap(value)) return this.#showMap(value, depth);
    return this.#showRecord(value, depth);
  }

  #showList(items: readonly unknown[], length: number, depth: number): Json {
    const shown: Json[] = [];
    const paired = length % 2 === 0;
    for (const [index, item] of items.entries()) {
      if (this.#bytesLeft <= 0) break;
      // Raw headers and entries: a name, then its value.
      const name = paired && index % 2 === 1 ? items[index - 1] : undefined;
      const hide = typeof name === "string" && identifier.test(name) && hides(name, item);
      shown.push(hide ? this.#pay(hidden) : this.show(item, depth + 1));
    }
    if (shown.length < length) shown.push(this.#pay(`[cut: ${length} items in all]`));
    return shown;
  }

  #showMap(map: Map<unknown, unknown>, depth: number): Json {
    const entries = firstOf(Map.prototype.entries.call(map)) as [unknown, unknown][];
    const names = entries.every(([key]) => typeof key === "string");
    if (!names) return this.#showList(entries, map.size, depth);
    return this.#showEntries(entries as [string, unknown][], map.size, depth);
  }

  #showRecord(value: object, depth: number): Json {
    const names = Object.keys(value);
    const fields: [string, unknown][] = names.slice(0, shownKeysMax).map((name) => [name, fieldOf(value, name)]);
    const kind = classOf(value);
    if (types.isNativeError(value)) fields.unshift(...errorFields(value));
    if (kind !== undefined) fields.unshift([classKey, kind]);
    return this.#showEntries(fields, names.length + fields.length - Math.min(names.length, shownKeysMax), depth);
  }

  #showEntries(fields: Fields, count: number, depth: number): Json {
    const shown: [string, Json][] = [];
    const named = isNamedSecret(fields);
    for (const [name, value] of fields) {
      if (this.#bytesLeft <= 0) break;
      if (value === undefined) {
        count -= 1;
        continue;
      }
      const shownName = redactText(name, shownNameCharactersMax);
      if (!this.#take(shownName)) break;
      const hide = hides(name, value) || (named && name === "value");
      shown.push([shownName, hide ? this.#pay(hidden) : this.show(value, depth + 1)]);
    }
    if (shown.length < count) shown.push([noteKey, this.#pay(`${count} fields in all`)]);
    return Object.fromEntries(shown);
  }
}

function showPrimitive(value: unknown): string | number | boolean | null {
  switch (typeof value) {
    case "string":
      return redactText(value);
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "boolean":
      return value;
    case "bigint":
      return redactText(`${value}n`);
    case "symbol":
      return redactText(String(value));
    case "function":
      return "[function]";
    case "undefined":
    case "object":
      return null;
  }
}

/** Objects that are shown as one text: dates, bytes, promises, actors. */
function showSpecial(value: object): string | undefined {
  if (types.isDate(value)) {
    const at = Date.prototype.getTime.call(value);
    return Number.isNaN(at) ? "[invalid date]" : new Date(at).toISOString();
  }
  if (types.isRegExp(value)) return "[pattern]";
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return `[${value.byteLength} bytes]`;
  if (types.isPromise(value)) return "[promise]";
  if (types.isWeakMap(value) || types.isWeakSet(value)) return "[weak collection]";
  if (types.isBoxedPrimitive(value)) return "[boxed primitive]";
  if (value instanceof URL) return redactText(value.href);
  if (value instanceof DOMException) return redactText(`${value.name}: ${value.message}`);
  const sessionId = fieldOf(value, "sessionId");
  if (typeof sessionId === "string" && typeof fieldOf(value, "system") === "object") return `[actor ${sessionId}]`;
  return undefined;
}

function sumUp(value: object): string {
  if (Array.isArray(value)) return `[list of ${value.length} items]`;
  if (types.isMap(value) || types.isSet(value)) return `[collection of ${value.size} items]`;
  return `[object of ${Object.keys(value).length} fields]`;
}

/** The value of an own field; an accessor is not run. */
function fieldOf(value: object, name: string): unknown {
  const field = Object.getOwnPropertyDescriptor(value, name);
  if (field === undefined) return undefined;
  return "value" in field ? (field.value as unknown) : "[getter]";
}

function itemsOf(list: readonly unknown[]): unknown[] {
  return Array.from({ length: Math.min(list.length, shownItemsMax) }, (_, index) => fieldOf(list, String(index)));
}

function firstOf(items: Iterable<unknown>): unknown[] {
  const first: unknown[] = [];
  for (const item of items) {
    if (first.length === shownItemsMax) break;
    first.push(item);
  }
  return first;
}

/** The name of the class of an object that is not a plain record. */
function classOf(value: object): string | undefined {
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === null || prototype === Object.prototype) return undefined;
  const maker = fieldOf(prototype, "constructor");
  const name = typeof maker === "function" ? fieldOf(maker, "name") : undefined;
  return typeof name === "string" && name !== "" ? name : "unnamed";
}

/** What an error says, without its stack: that holds the folders of the machine it happened on. */
function errorFields(error: Error): [string, unknown][] {
  const fields: [string, unknown][] = [["message", fieldOf(error, "message")]];
  if (Object.hasOwn(error, "cause")) fields.push(["cause", fieldOf(error, "cause")]);
  return fields;
}

/** `{ name: "authorization", value: … }`: the name of the secret stands beside it. */
function isNamedSecret(fields: Fields): boolean {
  return fields.some(
    ([name, value]) =>
      (name === "name" || name === "key" || name === "header") &&
      typeof value === "string" &&
      judgeName(value) === "secret",
  );
}

/** Says whether a value that goes by a name is to be hidden. That there is none, or whether there is one, may be shown. */
function hides(name: string, value: unknown): boolean {
  if (value === null || value === undefined || value === "" || typeof value === "boolean") return false;
  const judgement = judgeName(name);
  return judgement === "secret" || (judgement === "tally" && !isTally(value));
}

/** A count, or a record of counts such as the token use of a language model. */
function isTally(value: unknown): boolean {
  if (typeof value === "number") return true;
  if (typeof value !== "object" || value === null || types.isProxy(value) || Array.isArray(value)) return false;
  if (classOf(value) !== undefined) return false;
  return Object.keys(value).every((name) => typeof fieldOf(value, name) === "number");
}

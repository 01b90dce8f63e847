/** Deepest nesting that is encoded; signed bodies need six, an option's payload may bring its own. */
export const canonicalDepthMax = 64;

/** Why a value has no canonical form. `path` is in JSON Pointer style ("/options/0/payload"). */
export interface CanonicalFault {
  readonly path: string;
  readonly problem: string;
}

export type Canonical =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly fault: CanonicalFault };

/** Keys whose text in quotes is remembered; messages have a few dozen, and what users bring besides is written anew. */
const rememberedKeysMax = 1_024;

/** Carries a fault out of the recursion, which adds the path on its way; it never leaves this file. */
class Uncanonical extends Error {
  path = "";
}

/** Text that JSON writes as it is, between quotes. */
const plainText = /^[ !#-[\]-~]*$/;

function writeString(text: string): string {
  if (plainText.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw new Uncanonical("the text has a lone surrogate, which UTF-8 cannot carry");
  return JSON.stringify(text);
}

const writtenKeys = new Map<string, string>();

function writeKey(key: string): string {
  const known = writtenKeys.get(key);
  if (known !== undefined) return known;
  const written = `${writeString(key)}:`;
  if (writtenKeys.size < rememberedKeysMax) writtenKeys.set(key, written);
  return written;
}

/** Own keys in the order of their UTF-16 code units, as RFC 8785 §3.2.3 asks; what is written in it needs no sort. */
function sortedKeys(record: object): readonly string[] {
  const keys = Object.keys(record);
  for (let index = 1; index < keys.length; index += 1) {
    if ((keys[index - 1] ?? "") > (keys[index] ?? "")) return keys.sort();
  }
  return keys;
}

/** A fault in a member or item, which learns here where it is. */
function faultAt(key: string | number, error: unknown): unknown {
  if (error instanceof Uncanonical) error.path = `/${key}${error.path}`;
  return error;
}

function writeMember(key: string, value: unknown, depth: number): string {
  try {
    return `${writeKey(key)}${write(value, depth)}`;
  } catch (error) {
    throw faultAt(key, error);
  }
}

function writeItem(index: number, value: unknown, depth: number): string {
  try {
    return write(value, depth);
  } catch (error) {
    throw faultAt(index, error);
  }
}

function writeObject(value: object, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null)
    throw new Uncanonical("only plain objects and arrays have a canonical form");
  const record = value as Record<string, unknown>;
  let text = "";
  for (const key of sortedKeys(record)) {
    const member = record[key];
    if (member === undefined) continue;
    text += `${text === "" ? "{" : ","}${writeMember(key, member, depth + 1)}`;
  }
  return text === "" ? "{}" : `${text}}`;
}

function writeArray(list: readonly unknown[], depth: number): string {
  let text = "[";
  for (let index = 0; index < list.length; index += 1) {
    const item = writeItem(index, list[index], depth + 1);
    text += index === 0 ? item : `,${item}`;
  }
  return `${text}]`;
}

function write(value: unknown, depth: number): string {
  if (depth > canonicalDepthMax) throw new Uncanonical(`nested deeper than ${canonicalDepthMax}`);
  if (typeof value === "string") return writeString(value);
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new Uncanonical(`the number ${value} has no JSON form`);
    return String(value);
  }
  if (typeof value !== "object") throw new Uncanonical(`a ${typeof value} has no JSON form`);
  return Array.isArray(value) ? writeArray(value, depth) : writeObject(value, depth);
}

/** Whether the platform would write something else in its place. */
function hasOwnForm(value: object): boolean {
  return (value as { readonly toJSON?: unknown }).toJSON !== undefined;
}

/** Whether a list holds only what `isInOrder` says. */
function isListInOrder(list: readonly unknown[], depth: number): boolean {
  if (Object.getPrototypeOf(list) !== Array.prototype || hasOwnForm(list)) return false;
  for (let index = 0; index < list.length; index += 1) if (!isInOrder(list[index], depth)) return false;
  return true;
}

/** Without a prototype it may be raw JSON, which the platform writes as it stands. */
function isRecordInOrder(value: object, depth: number): boolean {
  if (Object.getPrototypeOf(value) !== Object.prototype || hasOwnForm(value)) return false;
  let before = "";
  for (const key in value) {
    if (key < before) return false;
    const member = (value as Record<string, unknown>)[key];
    if (member !== undefined && !isInOrder(member, depth)) return false;
    before = key;
  }
  return true;
}

/** Whether the platform's own JSON of a value is the canonical one, if all its text is well-formed. */
function isInOrder(value: unknown, depth: number): boolean {
  if (depth > canonicalDepthMax) return false;
  if (typeof value === "string" || value === null || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object") return false;
  return Array.isArray(value) ? isListInOrder(value, depth + 1) : isRecordInOrder(value, depth + 1);
}

/** How the platform's JSON begins a lone surrogate; text may hold the same by chance. */
const escapedSurrogate = "\\ud";

/**
 * What is built here has its keys in order, and the platform writes it faster. A getter is read twice; values
 * are data, and those of others come out of a parser.
 */
function writeValue(value: unknown): string {
  if (isInOrder(value, 0)) {
    const text = JSON.stringify(value);
    if (!text.includes(escapedSurrogate)) return text;
  }
  return write(value, 0);
}

/**
 * The canonical JSON text of a value: sorted keys, no space, shortest numbers. An absent (undefined) member is
 * left out. Source: RFC 8785 (JSON Canonicalization Scheme).
 */
export function canonicalize(value: unknown): Canonical {
  try {
    return { ok: true, text: writeValue(value) };
  } catch (error) {
    if (!(error instanceof Uncanonical)) throw error;
    return { ok: false, fault: { path: error.path, problem: error.message } };
  }
}

/** Canonical text of a value already known to have one, such as a parsed message. A fault is our bug. */
export function canonicalText(value: unknown): string {
  return writeValue(value);
}

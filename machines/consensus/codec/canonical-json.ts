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

/** Carries a fault out of the recursion; it never leaves this file. */
class Uncanonical extends Error {
  readonly fault: CanonicalFault;

  constructor(path: string, problem: string) {
    super(problem);
    this.fault = { path, problem };
  }
}

function writeString(text: string, path: string): string {
  if (!text.isWellFormed()) throw new Uncanonical(path, "the text has a lone surrogate, which UTF-8 cannot carry");
  return JSON.stringify(text);
}

function writeObject(value: object, path: string, depth: number): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new Uncanonical(path, "only plain objects and arrays have a canonical form");
  }
  const record = value as Record<string, unknown>;
  const parts: string[] = [];
  // The default sort compares UTF-16 code units, which is the order RFC 8785 §3.2.3 asks for.
  for (const key of Object.keys(record).sort()) {
    const member = record[key];
    if (member === undefined) continue;
    const inner = `${path}/${key}`;
    parts.push(`${writeString(key, inner)}:${write(member, inner, depth + 1)}`);
  }
  return `{${parts.join(",")}}`;
}

function write(value: unknown, path: string, depth: number): string {
  if (depth > canonicalDepthMax) throw new Uncanonical(path, `nested deeper than ${canonicalDepthMax}`);
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return writeString(value, path);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new Uncanonical(path, `the number ${value} has no JSON form`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) {
    const parts: string[] = [];
    for (let index = 0; index < value.length; index += 1)
      parts.push(write(value[index], `${path}/${index}`, depth + 1));
    return `[${parts.join(",")}]`;
  }
  if (typeof value === "object") return writeObject(value, path, depth);
  throw new Uncanonical(path, `a ${typeof value} has no JSON form`);
}

/**
 * The canonical JSON text of a value: sorted keys, no space, shortest numbers. An absent (undefined) member is
 * left out. Source: RFC 8785 (JSON Canonicalization Scheme).
 */
export function canonicalize(value: unknown): Canonical {
  try {
    return { ok: true, text: write(value, "", 0) };
  } catch (error) {
    if (error instanceof Uncanonical) return { ok: false, fault: error.fault };
    throw error;
  }
}

/** Canonical text of a value already known to have one, such as a parsed message. A fault is our bug. */
export function canonicalText(value: unknown): string {
  return write(value, "", 0);
}

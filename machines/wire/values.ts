import type { Json } from "../failure.ts";
import { depthMax } from "./limits.ts";

/** What floor 0 has not of its own: bytes as text, and dates. */
export interface HostValues {
  /** Bytes that a binary codec takes as they are, and that say in JSON that they are the mark `bytes`. */
  packBytes(bytes: Uint8Array): Json;
  /** Undefined for text that no bytes were encoded to. */
  decodeBytes(text: string): Uint8Array | undefined;
  dateOf(epochMs: number): object;
  /** Undefined for an object that is no date. */
  epochMsOf(value: object): number | undefined;
}

interface Room {
  readonly levels: number;
  readonly host: HostValues;
}

/** A value that cannot travel: where it is and what it is. */
export interface Unsendable {
  readonly path: string;
  readonly what: string;
}

type Packed = { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly fault: Unsendable };

/** Nesting of a payload: the frame and the marks around it need some levels too. */
export const payloadDepthMax = depthMax - 8;
/** Digits of one bigint: turning more into a number blocks the thread. */
const bigintCharactersMax = 4_096;

class Fault extends Error {
  readonly path: string;
  constructor(path: string, what: string) {
    super(what);
    this.path = path;
  }
}

/** Whether a value means the same as JSON, so that nothing of it must be marked: the common case costs no copy. */
function isPlain(value: unknown, levels: number): boolean {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return true;
  if (typeof value === "number") return Number.isFinite(value) && !Object.is(value, -0);
  if (typeof value !== "object" || levels === 0) return false;
  if (Array.isArray(value)) return value.every((item) => isPlain(item, levels - 1));
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  for (const key of Object.keys(value)) {
    if (key === "$" || key === "__proto__") return false;
    if (!isPlain((value as { readonly [key: string]: unknown })[key], levels - 1)) return false;
  }
  return true;
}

function packNumber(value: number): Json {
  if (Object.is(value, -0)) return { $: "number", v: "-0" };
  return Number.isFinite(value) ? value : { $: "number", v: String(value) };
}

function packObject(value: object, path: string, room: Room): Json {
  if (value instanceof Uint8Array) return room.host.packBytes(value);
  const at = room.host.epochMsOf(value);
  if (at !== undefined) return { $: "date", v: packNumber(at) };
  if (room.levels === 0) throw new Fault(path, `nests deeper than ${payloadDepthMax} levels, or contains itself`);
  const inner = { levels: room.levels - 1, host: room.host };
  if (Array.isArray(value)) return value.map((item, index) => packAny(item, `${path}[${index}]`, inner));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype)
    throw new Fault(path, `is a ${(value.constructor as { name?: string } | undefined)?.name ?? "class instance"}`);
  const entries: [string, Json][] = [];
  for (const [key, item] of Object.entries(value)) {
    if (key === "__proto__") throw new Fault(path, "has a key __proto__");
    if (item !== undefined) entries.push([key, packAny(item, `${path}.${key}`, inner)]);
  }
  // A plain object that has the marker as a key of its own is told apart by one more wrapping.
  return Object.hasOwn(value, "$") ? { $: "object", v: Object.fromEntries(entries) } : Object.fromEntries(entries);
}

function packAny(value: unknown, path: string, room: Room): Json {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return packNumber(value);
    case "bigint": {
      const digits = value.toString();
      if (digits.length > bigintCharactersMax)
        throw new Fault(path, `is a bigint of more than ${bigintCharactersMax} digits`);
      return { $: "bigint", v: digits };
    }
    case "undefined":
      return { $: "undefined" };
    case "object":
      return value === null ? null : packObject(value, path, room);
    case "function":
    case "symbol":
      throw new Fault(path, `is a ${typeof value}`);
  }
}

/**
 * A value as JSON that comes back the same: −0, NaN, infinities, bigints, dates and bytes are marked with `$`.
 * Properties that are undefined are left out, as in JSON. Class instances, functions and cycles cannot travel.
 */
export function packValue(value: unknown, host: HostValues): Packed {
  if (isPlain(value, payloadDepthMax)) return { ok: true, value: value as Json };
  try {
    return { ok: true, value: packAny(value, "value", { levels: payloadDepthMax, host }) };
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    return { ok: false, fault: { path: thrown.path, what: thrown.message } };
  }
}

function unpackMarked(marked: { readonly [key: string]: Json }, host: HostValues): unknown {
  const { $: mark, v } = marked;
  if (typeof mark !== "string") return undefined;
  switch (mark) {
    case "number":
      return v === "-0" || v === "NaN" || v === "Infinity" || v === "-Infinity" ? Number(v) : undefined;
    case "bigint":
      return typeof v === "string" && v.length <= bigintCharactersMax && /^-?\d+$/.test(v) ? BigInt(v) : undefined;
    case "date": {
      const at = unpackValue(v ?? null, host);
      return typeof at === "number" ? host.dateOf(at) : undefined;
    }
    case "bytes":
      return typeof v === "string" ? host.decodeBytes(v) : undefined;
    case "object":
      return typeof v === "object" && v !== null && !Array.isArray(v) ? unpackPlain(v as never, host) : undefined;
    default:
      return undefined;
  }
}

function unpackPlain(value: { readonly [key: string]: Json }, host: HostValues): object {
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unpackValue(item, host)]));
}

/** The value that was packed, by whatever codec it came. A mark that v1 does not know gives undefined. */
export function unpackValue(value: Json, host: HostValues): unknown {
  if (isPlain(value, depthMax)) return value;
  if (typeof value !== "object" || value === null) return value;
  // A binary codec gives a view of the whole frame, which must not live as long as the bytes.
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => unpackValue(item, host));
  const object = value as { readonly [key: string]: Json };
  return Object.hasOwn(object, "$") ? unpackMarked(object, host) : unpackPlain(object, host);
}

import { z } from "zod";

/** Largest numerator or denominator: with weights up to 10^9 every product stays below 2^53. */
export const ratioTermMax = 1_000_000;

const term = z.int().min(1).max(ratioTermMax);

/** An exact share of some weight. `strict` means more than the share, otherwise at least the share. */
export const shareSchema = z.strictObject({ num: term, den: term, strict: z.boolean() });

/** A share and the weight it is a share of: all registered weight, or the weight of the ballots cast. */
export const thresholdSchema = z.strictObject({ ...shareSchema.shape, of: z.enum(["registered", "cast"]) });

export type Share = z.output<typeof shareSchema>;
export type Threshold = z.output<typeof thresholdSchema>;

/**
 * How people write a threshold: `">2/3"` (strictly more), `"2/3"` (at least), `"67%"`, `0.67` (at least 67/100),
 * or exact terms. Nothing is ever rounded to "two thirds": 0.67 is 67/100.
 */
export type ThresholdInput =
  | string
  | number
  | { readonly num: number; readonly den: number; readonly strict?: boolean; readonly of?: "registered" | "cast" };

export type Parsed<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly problem: string };

function divisorOf(left: number, right: number): number {
  return right === 0 ? left : divisorOf(right, left % right);
}

function reduce(num: number, den: number, rest: { strict: boolean; of: Threshold["of"] }): Parsed<Threshold> {
  const shown = `${rest.strict ? ">" : ""}${num}/${den}`;
  if (!Number.isSafeInteger(num) || !Number.isSafeInteger(den) || num < 1 || den < 1) {
    return { ok: false, problem: `threshold ${shown} must be a share above 0 and at most 1` };
  }
  const divisor = divisorOf(num, den);
  // In the order of the canonical form, which then has nothing to sort.
  const exact = { den: den / divisor, num: num / divisor, of: rest.of, strict: rest.strict };
  if (exact.den > ratioTermMax || exact.num > ratioTermMax) {
    return {
      ok: false,
      problem: `threshold ${shown} has terms above ${ratioTermMax}; write a plain fraction such as "2/3"`,
    };
  }
  if (exact.num > exact.den) return { ok: false, problem: `threshold ${shown} is more than everything` };
  if (rest.strict && exact.num === exact.den) return { ok: false, problem: `threshold ${shown} can never be reached` };
  return { ok: true, value: exact };
}

/** "12.5" as 125/10; undefined when it is no plain decimal. */
function readDecimal(text: string): { num: number; den: number } | undefined {
  const match = /^(\d{1,9})(?:\.(\d{1,9}))?$/.exec(text);
  if (match === null) return undefined;
  const fraction = match[2] ?? "";
  return { num: Number(`${match[1]}${fraction}`), den: 10 ** fraction.length };
}

function parseText(input: string, of: Threshold["of"]): Parsed<Threshold> {
  const match = /^(>=?|≥)?\s*(.+?)\s*(%)?$/.exec(input.trim());
  const strict = match?.[1] === ">";
  const fraction = /^(\d{1,9})\s*\/\s*(\d{1,9})$/.exec(match?.[2] ?? "");
  if (fraction !== null && match?.[3] === undefined) {
    return reduce(Number(fraction[1]), Number(fraction[2]), { strict, of });
  }
  const decimal = readDecimal(match?.[2] ?? "");
  if (decimal === undefined) {
    return {
      ok: false,
      problem: `threshold ${JSON.stringify(input)} is not understood; write ">2/3", "2/3", "67%" or 0.67`,
    };
  }
  return reduce(decimal.num, decimal.den * (match?.[3] === undefined ? 1 : 100), { strict, of });
}

/** Texts whose threshold is remembered; a program uses a few. A further one takes the place of all. */
const rememberedTextsMax = 64;
const readTexts = new Map<string, Parsed<Threshold>>();

function readText(input: string, of: Threshold["of"]): Parsed<Threshold> {
  const name = `${of} ${input}`;
  const known = readTexts.get(name);
  if (known !== undefined) return known;
  const read = parseText(input, of);
  if (read.ok) Object.freeze(read.value);
  if (readTexts.size >= rememberedTextsMax) readTexts.clear();
  readTexts.set(name, Object.freeze(read));
  return read;
}

/** Reads a threshold; `of` is what it counts unless the input says otherwise. */
export function parseThreshold(input: ThresholdInput, of: Threshold["of"] = "registered"): Parsed<Threshold> {
  if (typeof input === "object")
    return reduce(input.num, input.den, { strict: input.strict ?? false, of: input.of ?? of });
  if (typeof input === "string") return readText(input, of);
  const decimal = readDecimal(String(input));
  if (decimal === undefined) {
    return { ok: false, problem: `threshold ${input} is no short decimal; write a fraction such as "2/3"` };
  }
  return reduce(decimal.num, decimal.den, { strict: false, of });
}

/** The default of every threshold: strictly more than two thirds of the registered weight. */
export const twoThirds: Threshold = { num: 2, den: 3, strict: true, of: "registered" };

/** The least weight that meets a share of `total`: floor(n·T/d)+1 when strict, else ceil(n·T/d), and never 0. */
export function quorumOf(share: Share, total: number): number {
  const product = share.num * total;
  const whole = (product - (product % share.den)) / share.den;
  if (share.strict) return whole + 1;
  return Math.max(1, product % share.den === 0 ? whole : whole + 1);
}

/** What a quorum q of total weight W stands: F_safe = 2q-W-1 and F_live = W-q. */
export interface Bounds {
  readonly W: number;
  readonly q: number;
  /** Faulty weight up to which no two quorums for different options can exist. Negative: two options may pass. */
  readonly fSafe: number;
  /** Faulty (silent or void) weight up to which the others can still form a quorum. */
  readonly fLive: number;
}

export function boundsOf(share: Share, total: number): Bounds {
  const q = quorumOf(share, total);
  return { W: total, q, fSafe: 2 * q - total - 1, fLive: total - q };
}

/** A share as people write it: ">2/3", "67/100". */
export function formatShare(share: Share): string {
  return `${share.strict ? ">" : ""}${share.num}/${share.den}`;
}
